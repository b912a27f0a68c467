"""What the undo logs of a real MariaDB say of rows that were changed: kept apart, true, and bounded."""

import random
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal

import numpy as np
import pymysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.locked import result_of
from tests.fixtures.program import UNRANSOM
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.catalog.databases.innodb.schema import layout_of
from unransom.catalog.databases.innodb.tablespace import Tablespace, scan_source
from unransom.catalog.databases.innodb.undo import CHAINED, IN_PART, Undo, has_undo, versions
from unransom.catalog.formats._innodb_checksums import crc32c
from unransom.core.streams import BytesReader

PAGE = 16384
MAKE = (
    "create table orders (id int primary key, name varchar(40), amount decimal(10,2), note text, n int,"
    " key (name)) charset utf8mb4",
    "create table parts (k varchar(20), b int, v varchar(200), primary key (k, b)) charset utf8mb4",
    "insert into orders select seq, concat('name ', seq), seq / 4, repeat('n', seq % 50), seq"
    " from seq_1_to_3000",
    "insert into parts select concat('k', seq % 50), seq, concat('v', seq) from seq_1_to_2000",
)
CHANGES = (
    "update orders set amount = amount + 1 where id % 2 = 0",
    "update orders set name = concat('x', name), note = null where id % 3 = 0",
    "delete from orders where id % 10 = 0",
    "update parts set v = concat(v, ' changed') where b % 4 = 0",
    "delete from parts where b % 7 = 0",
)
TABLES = ("orders", "parts")


@pytest.fixture(scope="module", params=["0", pytest.param("3", marks=pytest.mark.soak)])
def taken(request):
    """Return the files of a server that went down, and of each table its rows after each change."""
    server = Server(f"--innodb-undo-tablespaces={request.param}")
    try:
        server.run("create database shop", "use shop", *MAKE)
        with (
            closing(pymysql.connect(unix_socket=f"{server.folder}/s", user="root", database="shop")) as other,
            other.cursor() as cursor,
        ):
            cursor.execute("start transaction with consistent snapshot")
            past = {table: [_rows_now(server, table)] for table in TABLES}
            for change in CHANGES:
                server.run(change)
                for table in TABLES:
                    past[table].append(_rows_now(server, table))
            server.write_out()
            server.kill()
        paths = [*server.data.glob("undo*"), server.data / "ibdata1", *(server.data / "shop").glob("*.*")]
        return {path.name: path.read_bytes() for path in paths}, past
    finally:
        server.close()


def _rows_now(server, table):
    return {str(row) for row in server.run(f"select * from {table}")}


def _read(files):
    """Return the rows of each table by state, each with its confidence."""
    sources = [
        Source(name, BytesReader(data), "shop" if name.endswith((".ibd", ".frm")) else "data")
        for name, data in files.items()
    ]
    (database,) = ENGINE.open(sources, Hints())
    found = {}
    for table in database.tables:
        names, states = [column.name for column in table.columns], {}
        for rows in database.rows(table):
            for row in rows.batch.to_pylist():
                pair = str(tuple(row[name] for name in names)), round(row["_confidence"], 2)
                states.setdefault(row["_state"], []).append(pair)
        found[table.short] = states
    return found, database


def test_every_row_that_stood_here_before_comes_back_and_is_kept_apart(taken):
    files, past = taken
    found, database = _read(files)
    assert not database.problems
    for table in TABLES:
        ever, now = set().union(*past[table]), past[table][-1]
        assert {row for row, _ in found[table]["live"]} == now
        before = found[table]["before"]
        assert {sure for _, sure in before} == {CHAINED}
        rows = [row for row, _ in before]
        assert len(set(rows)) == len(rows)
        assert set(rows) <= ever - now
        # What was only deleted is in the table still, marked as deleted.
        assert ever - now <= set(rows) | {row for row, _ in found[table]["deleted"]}


@pytest.mark.parametrize("pattern", ["none", "A", "K"])
def test_without_the_dictionary_and_with_damage_nothing_is_made_up(taken, pattern):
    files, past = taken
    noise = random.Random(5)
    files = dict(files)
    shared = bytearray(files["ibdata1"])
    for at in range(0, len(shared), PAGE):
        if shared[at + 24 : at + 26] == b"\x45\xbf":  # the pages of the dictionary
            shared[at : at + PAGE] = noise.randbytes(PAGE)
    files["ibdata1"] = bytes(shared)
    for table in TABLES if pattern in PATTERNS else ():
        files[f"{table}.ibd"] = PATTERNS[pattern](files[f"{table}.ibd"])
    found, _ = _read(files)
    for table in TABLES:
        ever = set().union(*past[table])
        before = found[table]["before"]
        assert len(before) >= 400
        assert {row for row, sure in before if sure > IN_PART} <= ever
        assert not {row for row, _ in found[table]["live"]} - past[table][-1]


def test_the_command_writes_them_into_a_table_of_their_own(taken, tmp_path):
    files, past = taken
    (tmp_path / "data" / "shop").mkdir(parents=True)
    for name, data in files.items():
        folder = "data/shop" if name.endswith((".ibd", ".frm")) else "data"
        (tmp_path / folder / name).write_bytes(data)
    command(tmp_path, "--deleted", source="data")
    with closing(sqlite3.connect(next((tmp_path / "out").glob("*.sqlite")))) as base:
        now = base.execute("select count(*) from orders").fetchone()[0]
        first = base.execute('select amount, _state from "orders before" where id = 2').fetchall()
    assert now == len(past["orders"][-1])
    assert first == [("0.50", "before")]


def test_a_case_takes_what_the_servers_other_files_tell(taken, tmp_path):
    files, past = taken
    (tmp_path / "data" / "shop").mkdir(parents=True)
    for name, data in files.items():
        folder = tmp_path / "data" / ("shop" if name.endswith((".ibd", ".frm")) else "")
        if name.endswith(".ibd"):
            (folder / f"{name}.locked").write_bytes(PATTERNS["H"](data))
        else:
            (folder / name).write_bytes(data)
    case = tmp_path / "case"
    ran = [UNRANSOM, "recover", tmp_path / "data", "--case", case, "--budget", "0"]
    subprocess.run(list(map(str, ran)), capture_output=True, check=False)
    with closing(sqlite3.connect(case / "recovered/data/shop/orders.ibd.rows.sqlite")) as base:
        tables = {name for (name,) in base.execute("select name from sqlite_master where type = 'table'")}
        now = base.execute("select count(*) from orders").fetchone()[0]
        before = base.execute('select id, name, amount, note, n, _confidence from "orders before"').fetchall()
    assert tables == {"orders", "orders before"}
    assert now == len(past["orders"][-1])
    ever = set().union(*past["orders"])
    sure = {str((*row[:2], Decimal(row[2]), *row[3:5])) for row in before if row[5] > IN_PART}
    assert len(sure) > 1000
    assert sure <= ever
    (facts,) = [
        note["facts"]
        for note in result_of(case)["notes"]
        if note["kind"] == "rows" and "orders" in note["item"]
    ]
    assert f"live {now}" in facts["states"]
    assert "before" in facts["states"]
    assert "ibdata1" in facts["beside"]


@pytest.fixture(scope="module")
def one_page(taken):
    """Return a page of an undo log with many records, and the layout of the table that they are about."""
    files, _ = taken
    _, database = _read(files)
    orders = next(table for table in database.tables if table.short == "orders")
    spaces = [space for space in database._spaces if has_undo(space)]
    space = max(spaces, key=lambda each: int((each.table["kind"] == 2).sum()))
    pages = [space.page(int(number)) for number in np.flatnonzero(space.table["kind"] == 2)]
    return max(pages, key=lambda page: int.from_bytes(page[42:44], "big")), layout_of(
        database.found(orders).definition
    )


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_undo_log_breaks_the_reader(one_page, data):
    page, layout = bytearray(one_page[0]), one_page[1]
    for at in data.draw(st.lists(st.integers(38, PAGE - 9), max_size=60)):
        page[at] = data.draw(st.integers(0, 255))
    page[4:8] = (1).to_bytes(4, "big")
    page[-4:] = crc32c(bytes(page[:-4])).to_bytes(4, "big")
    scanned = scan_source(Source("undo001", BytesReader(bytes(PAGE) + bytes(page))))
    undo = Undo([Tablespace([scanned])] if scanned is not None else [])
    for table in undo.tables()[:20]:
        changes = undo.changes(table, layout)
        assert len(list(versions(changes, None, layout))) <= len(changes)
