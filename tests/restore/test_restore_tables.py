"""Tables of recovered databases go into real servers, are compared row by row, and come out again."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.restore.database_servers import MariaDB, PostgreSQL
from tests.restore.made_case import make_case, status, unransom
from unransom.restore.moving import scripts

HEAD = "SET NAMES utf8mb4;\nSET time_zone = '+00:00';\nSET sql_mode = '';\n"
KINDS = {
    MariaDB: (
        *("`", "`id` bigint unsigned NOT NULL", "`name` varchar(200)", "`price` decimal(12,2)"),
        *("`at` datetime(6)", "`day` date", "`blob` longblob", "`weight` double"),
    ),
    PostgreSQL: (
        *('"', '"id" numeric(20) NOT NULL', '"name" text', '"price" decimal(12,2)'),
        *('"at" timestamp', '"day" date', '"blob" bytea', '"weight" double precision'),
    ),
}
ODD = [
    "it's; 100% 'new';\nnext line",
    "back\\slash \\' end\\",
    "木碗, (1), 'x'",
    "",
    "NULL",
    "%s %(a)s",
    ":x",
]


def script(kind, table="goods", rows=1200, change=0):
    """Return a script as `unransom databases --format sql` writes it."""
    quote, *columns = KINDS[kind]
    is_mysql = kind is MariaDB
    named = f"{quote}{table}{quote}"
    key = f"  PRIMARY KEY ({quote}id{quote})"
    chance = random.Random(7)
    lines = []
    for number in range(rows):
        text = ODD[number % len(ODD)].replace("'", "''")
        text = text.replace("\\", "\\\\") if is_mysql else text
        blob = chance.randbytes(5).hex()
        values = [
            *(str(number + 1), f"'{text}'", f"{number + change}.{number % 90 + 10}"),
            *(
                f"'2026-06-{number % 28 + 1:02} 10:00:00.{number % 1000:03}000'",
                f"'2026-06-{number % 28 + 1:02}'",
            ),
            f"0x{blob}" if is_mysql else f"'\\x{blob}'::bytea",
            "NULL" if number % 5 == 0 else repr(number / 7),
        ]
        lines.append(f"({', '.join(values)})")
    text = HEAD if is_mysql else ""
    options = " DEFAULT CHARSET=utf8mb4" if is_mysql else ""
    text += f"\nCREATE TABLE {named} (\n  " + ",\n  ".join(columns) + f",\n{key}\n){options};\n"
    for first in range(0, rows, 500):
        text += f"INSERT INTO {named} VALUES\n" + ",\n".join(lines[first : first + 500]) + ";\n"
    return text


@pytest.fixture(scope="module", params=[MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    made = request.param()
    made.kind = request.param
    yield made
    made.close()


@pytest.fixture
def rows(tmp_path, server):
    """What `unransom databases` leaves: a script and its loss report."""
    folder = tmp_path / "rows"
    folder.mkdir()
    text = script(server.kind) + script(server.kind, "stock", 30).removeprefix(HEAD)
    (folder / "oms.sql").write_text(text, encoding="utf-8", newline="\n")
    tables = [
        {"database": "oms", "table": "goods", "recovered": 1200, "expected": 1200},
        {"database": "oms", "table": "stock", "recovered": 30, "expected": 31},
    ]
    (folder / "loss.json").write_text(json.dumps({"tables": tables}))
    return folder / "oms.sql"


def tables(server):
    if server.kind is MariaDB:
        return {name for (name,) in server.run("SHOW TABLES")}
    return {name for (name,) in server.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_tables_move_and_undo_brings_the_old_ones_back(server, rows, tmp_path):
    for name in tables(server):
        server.run(f"DROP TABLE {name}")
    server.run(
        "CREATE TABLE goods (id INTEGER, what VARCHAR(20))", "INSERT INTO goods VALUES (1, 'encrypted')"
    )
    case = make_case(tmp_path / "case", {})
    about = ("--case", case, "--to", server.url)
    unransom("restore", "plan", *about, "--tables", rows, code=3)  # one row of stock is lost
    unransom("restore", "plan", *about, "--tables", rows, "--accept", "stock", "one row lost, told to Li")
    printed = unransom("restore", "apply", "--case", case)
    assert "2 moved" in printed
    assert server.run("SELECT count(*), sum(price), max(name) FROM goods")[0][0] == 1200
    names = {row[0] for row in server.run("SELECT name FROM goods")}
    assert names == set(ODD)
    unransom("restore", "verify", "--case", case)
    unransom("restore", "apply", "--case", case)  # changes nothing
    server.run("UPDATE goods SET price = price + 0.01 WHERE id = 77")
    assert "goods" in unransom("restore", "verify", "--case", case, code=14)
    assert "goods" in unransom("restore", "undo", "--case", case, code=3)
    assert "stock" not in tables(server)
    server.run("UPDATE goods SET price = price - 0.01 WHERE id = 77")
    unransom("restore", "undo", "--case", case)
    assert tables(server) == {"goods"}
    assert server.run("SELECT * FROM goods") == [(1, "encrypted")]
    assert status(case)[0]["state"] == "undone"


def test_a_table_that_is_there_already_stays(server, rows, tmp_path):
    for name in tables(server):
        server.run(f"DROP TABLE {name}")
    case = make_case(tmp_path / "case", {})
    about = ("--case", case, "--to", server.url, "--tables", rows, "--only", "goods")
    unransom("restore", "plan", *about)
    unransom("restore", "apply", "--case", case)
    unransom("restore", "plan", *about, "--plan", tmp_path / "again.jsonl", "--below", "x", "")
    other = make_case(tmp_path / "other", {})
    unransom("restore", "plan", *about[2:], "--case", other)
    assert "1 was there already" in unransom("restore", "apply", "--case", other)
    unransom("restore", "undo", "--case", other)
    assert tables(server) == {"goods"}


def test_a_password_in_the_address_is_refused(tmp_path):
    case = make_case(tmp_path / "case", {})
    printed = unransom("restore", "plan", "--case", case, "--to", "mysql://root:secret@host/oms", code=2)
    assert "UNRANSOM_TO_PASSWORD" in printed


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE goods;\n",
        "CREATE TABLE `a` (\n `x` int\n);\nINSERT INTO `b` VALUES\n(1);\n",
        "CREATE TABLE `a` (\n `x` int\n);\nINSERT INTO `a` VALUES\n('never ends",
        "SET GLOBAL general_log = 1;\n",
    ],
)
def test_a_script_that_is_not_ours_is_refused(tmp_path, text):
    (tmp_path / "x.sql").write_text(text)
    with pytest.raises(scripts.UsageError):
        list(scripts.tables_of(tmp_path / "x.sql", tmp_path))


def test_rows_of_a_script_are_read_as_they_were_written(tmp_path):
    (tmp_path / "oms.sql").write_text(script(MariaDB, rows=20), encoding="utf-8", newline="\n")
    found = [
        row
        for statement in scripts.statements(tmp_path / "oms.sql")
        if statement.startswith("INSERT")
        for row in scripts.rows(statement)
    ]
    assert [row[1] for row in found] == [ODD[number % len(ODD)] for number in range(20)]
    assert [int(row[0]) for row in found] == list(range(1, 21))
    for broken in ("(1, 'a'", "(1,, 2);\n", "(1) (2);\n"):
        with pytest.raises(scripts.UsageError):
            list(scripts.rows("INSERT INTO `a` VALUES\n" + broken))


SAMPLE = script(MariaDB, rows=30).encode()


@given(st.data())
def test_a_damaged_script_never_crashes(tmp_path_factory, data):
    damaged = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.sql"
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        for table in scripts.tables_of(path, path.parent):
            for statement in scripts.statements(table.path):
                list(scripts.rows(statement))
    except scripts.UsageError:
        return
