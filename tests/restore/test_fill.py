"""The fill into real servers: cut-out orders come back to the cent, twice is once, undo leaves no trace."""

import datetime

import pytest

from tests.restore.database_servers import MariaDB, PostgreSQL
from tests.verify.company import make
from unransom.catalog.exports.channel import Source
from unransom.cli.orders import command
from unransom.core.errors import UnransomError, UsageError
from unransom.core.outputs import FileReader
from unransom.restore.fill.load import fill, undo
from unransom.restore.fill.mapping import load_mapping
from unransom.restore.fill.plan import Counts, Plan, make_plan, write_plan
from unransom.restore.fill.target import Target
from unransom.verify.orders.filling import QUERIES, rows_to_fill
from unransom.verify.orders.match import Match
from unransom.verify.orders.reading import read_exports

MAPPING = b"""
[orders]
table = "sales_order"
key = ["shop_code", "order_no"]
ignore = ["note"]
[orders.columns]
shop_code = "shop"
order_no = "order_id"
status = "state"
currency = "currency"
amount = "total"
placed_at = "created"
came_from = "source_file"
[orders.constants]
note = "filled"
[orders.values.status]
shipped = "S"
cancelled = "X"
placed = "N"

[lines]
table = "sales_line"
key = ["order_no", "line_no"]
[lines.columns]
order_no = "order_id"
line_no = "line_no"
sku = "sku"
quantity = "quantity"
amount = "amount"

[payments]
table = "payment"
key = ["order_no", "payment_no", "kind", "code"]
[payments.columns]
order_no = "order_id"
payment_no = "payment_id"
kind = "kind"
code = "code"
amount = "amount"
paid_at = "time"
"""
SCHEMA = (
    "CREATE TABLE sales_order (shop_code VARCHAR(40) NOT NULL, order_no VARCHAR(64) NOT NULL,"
    " status VARCHAR(20), currency CHAR(3), amount DECIMAL(12,2), placed_at {moment},"
    " came_from VARCHAR(255), note VARCHAR(20),"
    " PRIMARY KEY (shop_code, order_no))",
    "CREATE TABLE sales_line (order_no VARCHAR(64) NOT NULL, line_no INTEGER NOT NULL, sku VARCHAR(64),"
    " quantity INTEGER, amount DECIMAL(12,2), PRIMARY KEY (order_no, line_no))",
    "CREATE TABLE payment (order_no VARCHAR(64) NOT NULL, payment_no VARCHAR(64) NOT NULL,"
    " kind VARCHAR(20) NOT NULL, code VARCHAR(64) NOT NULL, amount DECIMAL(12,2), paid_at {moment},"
    " PRIMARY KEY (order_no, payment_no, kind, code))",
)
TABLES = ("sales_order", "sales_line", "payment")
ALL = {
    "sales_order": "SELECT shop_code, order_no, status, currency, amount, placed_at, came_from, note"
    " FROM sales_order ORDER BY 1, 2",
    "sales_line": "SELECT order_no, line_no, sku, quantity, amount FROM sales_line ORDER BY 1, 2",
    "payment": "SELECT order_no, payment_no, kind, code, amount, paid_at FROM payment ORDER BY 1, 2, 3, 4",
}


@pytest.fixture(scope="module", params=[MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    made = request.param()
    moment = "DATETIME" if request.param is MariaDB else "TIMESTAMP WITH TIME ZONE"
    made.run(*(statement.format(moment=moment) for statement in SCHEMA))
    yield made
    made.close()


@pytest.fixture
def target(server):
    server.run(*(f"DELETE FROM {table}" for table in TABLES), "DROP TABLE IF EXISTS unransom_fill")
    database = Target(server.url)
    yield database
    database.close()


def proven(folder):
    return Match(
        list(read_exports([Source(path.name, FileReader(path)) for path in sorted(folder.iterdir())]))
    )


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    make(folder, shops=32, per_day=4)
    return proven(folder)


def planned(proof, target, path, start=None, until=None):
    mapping, digest = load_mapping(MAPPING)
    rows = {of: rows_to_fill(proof, of, start, until) for of in QUERIES}
    counts = write_plan(make_plan(rows, mapping, target), path, digest)
    return Plan(path, digest), mapping, counts


def carried_out(results):
    *others, counts = results
    assert isinstance(counts, Counts)
    return counts, others


def content(server):
    return {table: server.run(query) for table, query in ALL.items()}


CUT = {"start": datetime.datetime(2026, 6, 11), "until": datetime.datetime(2026, 6, 14)}  # noqa: DTZ001 UTC


def test_what_was_cut_out_comes_back_and_undo_restores(server, target, proof, tmp_path):
    cut_out_and_filled(server, target, proof, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_company_of_full_size_comes_back(server, target, tmp_path):
    """32 shops, 12,000 orders a day for five days."""
    make(tmp_path / "exports", shops=32, per_day=375, days=5)
    proof = proven(tmp_path / "exports")
    assert cut_out_and_filled(server, target, proof, tmp_path) > 30_000


def cut_out_and_filled(server, target, proof, tmp_path):
    """Fill everything in, cut three days out, fill them in twice, take them back; return how many orders."""
    plan, mapping, counts = planned(proof, target, tmp_path / "all.jsonl")
    assert carried_out(fill(plan, mapping, target))[0].insert == counts.insert > 300
    whole = content(server)
    # Three days are cut out, with their lines and payments, as an attack would.
    server.run("DROP TABLE unransom_fill")
    server.run(
        "CREATE TABLE lost (order_no VARCHAR(64) PRIMARY KEY)",
        "INSERT INTO lost SELECT order_no FROM sales_order"
        " WHERE placed_at >= '2026-06-11' AND placed_at < '2026-06-14'",
        *(f"DELETE FROM {table} WHERE order_no IN (SELECT order_no FROM lost)" for table in TABLES),
        "DROP TABLE lost",
    )
    cut = content(server)
    assert len(cut["sales_order"]) < len(whole["sales_order"])

    plan, mapping, counts = planned(proof, target, tmp_path / "gap.jsonl", **CUT)
    assert counts.differs == counts.misfit == 0
    assert content(server) == cut  # a plan writes nothing
    assert not target.has_ledger()
    first, _ = carried_out(fill(plan, mapping, target))
    assert first.insert == counts.insert > 0
    assert content(server) == whole

    again, _ = carried_out(fill(plan, mapping, target))
    assert (again.insert, again.present) == (0, first.insert)
    assert content(server) == whole
    ledger = server.run("SELECT source_file, source_row, source_sha256 FROM unransom_fill")
    assert len(ledger) == first.insert
    assert all(name and row > 0 and len(digest) == 64 for name, row, digest in ledger)

    back, kept = carried_out(undo(plan, mapping, target))
    assert (back.insert, kept) == (first.insert, [])
    assert content(server) == cut
    assert not target.has_ledger()
    return len(whole["sales_order"]) - len(cut["sales_order"])


def test_rows_that_differ_are_reported_and_stay(server, target, proof, tmp_path):
    plan, mapping, counts = planned(proof, target, tmp_path / "all.jsonl", **CUT)
    carried_out(fill(plan, mapping, target))
    (shop, order), *_ = server.run("SELECT shop_code, order_no FROM sales_order ORDER BY 1, 2")
    server.run(f"UPDATE sales_order SET amount = amount + 0.01 WHERE order_no = '{order}'")
    changed = content(server)
    _, _, later = planned(proof, target, tmp_path / "again.jsonl", **CUT)
    assert (later.insert, later.differs) == (0, 1)
    counts_of_fill, differing = carried_out(fill(plan, mapping, target))
    assert counts_of_fill.insert == 0
    assert [(entry.row["shop_code"], entry.row["order_no"]) for entry in differing] == [(shop, order)]
    assert content(server) == changed
    back, kept = carried_out(undo(plan, mapping, target))
    assert back.insert == counts.insert - 1
    assert [row["now"]["order_no"] for row in kept] == [order]
    assert [row[1] for row in content(server)["sales_order"]] == [order]


def test_a_fill_that_was_killed_goes_on(server, target, proof, tmp_path):
    plan, mapping, counts = planned(proof, target, tmp_path / "all.jsonl")

    class KilledError(Exception):
        pass

    def listener(_):
        raise KilledError

    with pytest.raises(KilledError):
        list(fill(plan, mapping, target, listener))
    there = len(content(server)["sales_order"])
    assert there > 0
    done, _ = carried_out(fill(plan, mapping, target))
    assert done.insert == counts.insert - there
    assert carried_out(undo(plan, mapping, target))[0].insert == counts.insert
    assert not any(content(server).values())


def test_the_same_evidence_gives_the_same_plan(target, proof, tmp_path):
    for name in ("one", "two"):
        planned(proof, target, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_values_that_a_column_cannot_hold_are_never_cut(target, tmp_path):
    mapping, digest = load_mapping(MAPPING)
    row = dict.fromkeys(("shop", "state", "currency"), "x") | {
        "order_id": "A" * 65,
        "total": "1.00",
        "created": "2026-06-11T00:00:00",
        "source_file": "f",
        "source_row": 1,
        "source_sha256": "0" * 64,
    }
    rounded = row | {"order_id": "B", "total": "1.001"}
    counts = write_plan(make_plan({"orders": [row, rounded]}, mapping, target), tmp_path / "plan", digest)
    assert (counts.insert, counts.misfit) == (0, 2)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[orders",
        b"[orders]\ntable='t'\nkey=['a']\n[orders.columns]\na='nothing'",
        b"[orders]\ntable='t'\nkey=['b']\n[orders.columns]\na='shop'",
        b"\xff\xfe",
    ],
)
def test_a_mapping_that_is_none_is_told(text):
    with pytest.raises(UsageError):
        load_mapping(text)


def test_a_plan_of_another_mapping_is_refused(target, proof, tmp_path):
    planned(proof, target, tmp_path / "plan")
    with pytest.raises(UnransomError, match="another mapping"):
        Plan(tmp_path / "plan", "0" * 64)
    (tmp_path / "none").write_text("hello\n")
    with pytest.raises(UnransomError, match="no plan"):
        Plan(tmp_path / "none", "0" * 64)


def test_a_target_that_does_not_answer_is_told_without_its_password():
    with pytest.raises(UnransomError, match="does not answer") as error:
        Target("postgresql://root:secret@/oms?host=/nowhere")
    assert "secret" not in str(error.value) + error.value.detail
    with pytest.raises(UsageError):
        Target("no url")


def test_the_command_line_plans_fills_and_takes_back(server, target, tmp_path, capsys):
    make(tmp_path / "exports", shops=8, per_day=3, days=1)
    (tmp_path / "oms.toml").write_bytes(MAPPING)
    (tmp_path / "oms.url").write_text(server.url + "\n")
    about = [
        "--mapping",
        str(tmp_path / "oms.toml"),
        "--target",
        str(tmp_path / "oms.url"),
        "--progress",
        "none",
    ]
    plan = str(tmp_path / "fill.jsonl")

    def orders(*arguments):
        code = command.main([*arguments, *about], standalone_mode=False)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    code, printed = orders("plan", str(tmp_path / "exports"), "--out", plan)
    assert code == 0, printed
    count = int(printed.split(" rows to insert")[0].split()[-1])
    assert orders("fill", plan)[1].startswith(f"{count} rows inserted")
    assert f"{count} rows are there already" in orders("fill", plan)[1]
    assert orders("undo", plan) == (0, f"{count} rows taken back\n")
    assert not any(content(server).values())
