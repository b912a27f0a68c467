"""The fill of schemas that are not made for it: triggers, foreign keys, local times, narrow columns."""

import pytest

from tests.restore.database_servers import MariaDB, PostgreSQL
from unransom.catalog.exports.channel import Source
from unransom.core.errors import UsageError
from unransom.core.streams import BytesReader
from unransom.restore.fill.load import fill, undo
from unransom.restore.fill.mapping import load_mapping
from unransom.restore.fill.plan import Plan, make_plan, write_plan
from unransom.restore.fill.target import Target
from unransom.verify.orders.filling import QUERIES, rows_to_fill
from unransom.verify.orders.match import Match
from unransom.verify.orders.reading import read_exports

MAPPING = b"""
[orders]
table = "bestellung"
key = ["mandant", "nr"]
zone = "Europe/Berlin"
values = { stand = { shipped = "S" } }
[orders.columns]
mandant = "shop"
nr = "order_id"
stand = "state"
betrag = "total"
zeit = "created"
waehrung = "currency"
quelle = "source_file"

[lines]
table = "posten"
key = ["nr", "posnr"]
columns = { mandant = "shop", nr = "order_id", posnr = "line_no", menge = "quantity" }
"""
ORDERS = """shop,order_id,created,total,currency,state,sku,quantity,line_total
laden,A-0,2026-03-29T00:30:00Z,10.50,EUR,shipped,S,1,10.50
laden,A-1,2026-03-29T01:30:00Z,1234567,JPY,shipped,S,1,1234567
laden,A-2,2026-03-30T01:30:00Z,12.345,KWD,shipped,S,1,12.345
laden,A-3,2026-03-30T01:30:00Z,100000000.00,EUR,shipped,S,1,100000000.00
laden,A-4,2026-03-30T01:30:00Z,7.25,EUR,shipped,S,40000,7.25
laden,A-5,2026-03-30T01:30:00Z,7.25,EUR,returned,S,1,7.25
"""
WHY = {
    "A-2": "more decimals than 2",
    "A-3": "more digits than 10",
    "A-5": "none of",
}
COLUMNS = (
    "mandant VARCHAR(20) NOT NULL, nr CHAR(40) NOT NULL, stand {state} NOT NULL, waehrung CHAR(5) NOT NULL,"
    " betrag DECIMAL(10,2) NOT NULL, zeit {moment} NOT NULL, quelle VARCHAR(200),"
    " angelegt TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (mandant, nr), UNIQUE (nr)"
)
LINES = (
    "CREATE TABLE posten (mandant VARCHAR(20) NOT NULL, nr CHAR(40) NOT NULL, posnr SMALLINT NOT NULL,"
    " menge SMALLINT, PRIMARY KEY (nr, posnr),"
    " FOREIGN KEY (mandant, nr) REFERENCES bestellung (mandant, nr))"
)
SCHEMAS = {
    MariaDB: (
        f"CREATE TABLE bestellung ({COLUMNS})".format(state="ENUM('S', 'X')", moment="DATETIME"),
        LINES,
        "CREATE TRIGGER gross BEFORE INSERT ON bestellung FOR EACH ROW SET NEW.quelle = UPPER(NEW.quelle)",
    ),
    PostgreSQL: (
        "CREATE TYPE stand AS ENUM ('S', 'X')",
        f"CREATE TABLE bestellung ({COLUMNS})".format(state="stand", moment="TIMESTAMP"),
        LINES,
        "CREATE FUNCTION gross() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.quelle = UPPER(NEW.quelle); RETURN NEW; END$$",
        "CREATE TRIGGER gross BEFORE INSERT ON bestellung FOR EACH ROW EXECUTE FUNCTION gross()",
    ),
}


@pytest.fixture(params=[MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    made = request.param()
    made.run(
        *SCHEMAS[request.param],
        "INSERT INTO bestellung (mandant, nr, stand, waehrung, betrag, zeit)"
        " VALUES ('laden', 'A-0', 'S', 'EUR', 10.51, '2026-03-29 01:30:00')",
    )
    yield made
    made.close()


def content(server):
    query = "SELECT nr, betrag, zeit, quelle FROM bestellung ORDER BY nr"
    orders = [(nr.strip(), f"{betrag}", f"{zeit}", quelle) for nr, betrag, zeit, quelle in server.run(query)]
    return orders, server.run("SELECT count(*) FROM posten")[0][0]


def test_a_schema_of_another_house_is_filled_once_and_given_back_as_it_was(server, tmp_path):
    target, path = Target(server.url), tmp_path / "plan"
    (export,) = read_exports([Source("own.csv", BytesReader(ORDERS.encode()))])
    proof, (mapping, digest) = Match([export]), load_mapping(MAPPING)
    rows = {of: rows_to_fill(proof, of) for of in QUERIES}
    before = content(server)
    entries = [entry for entry, _ in make_plan(rows, mapping, target) if entry]
    misfits = {
        entry.row["nr"]: entry.why for entry in entries if entry.action == "misfit" and entry.of == "orders"
    }
    assert set(misfits) == set(WHY)
    assert all(why in misfits[order] for order, why in WHY.items())
    told = {
        entry.row["nr"]: entry.why for entry in entries if entry.action == "misfit" and entry.of == "lines"
    }
    assert "beyond what it holds" in told.pop("A-4")
    assert told == dict.fromkeys(WHY, "its order does not fit")

    rows = {of: rows_to_fill(proof, of) for of in QUERIES}
    counts = write_plan(make_plan(rows, mapping, target), path, digest)
    assert (counts.insert, counts.differs, counts.misfit) == (4, 1, 7)
    plan = Plan(path, digest)
    assert [each.insert for each in fill(plan, mapping, target)] == [4]
    after = content(server)
    assert after == (
        [
            ("A-0", "10.51", "2026-03-29 01:30:00", None),
            ("A-1", "1234567.00", "2026-03-29 03:30:00", "OWN.CSV"),  # summer time began half an hour before
            ("A-4", "7.25", "2026-03-30 03:30:00", "OWN.CSV"),
        ],
        2,
    )
    # What a trigger made of a row is what was filled: it is neither different nor changed by somebody.
    (again,) = fill(plan, mapping, target)
    assert (again.insert, again.present, again.differs) == (0, 4, 0)
    assert content(server) == after
    (taken,) = undo(plan, mapping, target)
    assert (taken.insert, taken.kept) == (4, 0)
    assert content(server) == before
    target.close()


def test_a_zone_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="Europe/Atlantis"):
        load_mapping(MAPPING.replace(b"Europe/Berlin", b"Europe/Atlantis"))
