"""Damage to a table of a real MariaDB: what comes back, and whether the server takes the graft."""

import random
import re
from functools import cache

import pytest

from tests.recover.databases import orders_table
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.engine import Graft, Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.catalog.databases.innodb.pages import scan
from unransom.core.streams import BytesReader

PAGE = 16384
SECONDARY = re.compile(r",\n\s*(UNIQUE )?KEY [^\n]*?(?=,?\n)")
LEAST = {
    "K": 0.999,
    "P0": 1.0,
    "H": 1.0,
    "T": 0.869,
    "S": 0.86,
}  # of all rows; of the other patterns every whole page
TABLES = {  # the statements that make and fill each, and one that it must take afterwards
    "strings": (
        "create table shop.strings (k varchar(40) collate utf8mb4_general_ci primary key, n int)",
        "insert into shop.strings select concat(if(seq % 2, 'Key ', 'kéy '), seq * 7919 % 100003), seq"
        " from seq_1_to_50000",
        "insert into shop.strings values ('a new one', 1), ('zz last', 2)",
    ),
    "longkeys": (  # so long that the tree has three levels
        "create table shop.longkeys (k varchar(200) charset latin1 primary key, n int)",
        "insert into shop.longkeys select concat(repeat(md5(seq), 5), seq), seq from seq_1_to_50000",
        "insert into shop.longkeys values ('00', 1), ('zz', 2)",
    ),
    "composite": (
        "create table shop.composite (a int not null, b varchar(20) not null, c text, primary key (b, a))"
        " row_format=redundant",
        "insert into shop.composite select seq, concat('k', seq % 17), repeat('z', seq % 300)"
        " from seq_1_to_50000",
        "insert into shop.composite values (0, 'k1', 'new'), (99999999, 'k9', null)",
    ),
    "offpage": (
        "create table shop.offpage (k varchar(30) primary key, v longtext, n int)",
        "insert into shop.offpage select concat('key', seq), repeat(concat(seq, '-'), 200 + seq * 7), seq"
        " from seq_1_to_600",
        "insert into shop.offpage values ('a new one', repeat('n', 100000), 1)",
    ),
    "deep": (
        "create table shop.deep (id bigint primary key, filler char(250) not null default 'f')",
        "insert into shop.deep (id) select seq * 3 from seq_1_to_70000",
        "insert into shop.deep (id) values (1), (100000), (9000000)",
    ),
    "nokey": (
        "create table shop.nokey (v varchar(30), n int)",
        "insert into shop.nokey select concat('v', seq), seq from seq_1_to_50000",
        "insert into shop.nokey values ('new', 1)",
    ),
}
LEAST_K = 0.985  # the first record of every eighth page is hit itself
LEVELS = {"strings": 2, "longkeys": 3, "composite": 2, "offpage": 2, "deep": 3, "nokey": 2}
LONG = [pytest.param(each, marks=pytest.mark.soak) for each in PATTERNS if each not in {"A", "T", "K"}]


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.run("create database shop", "use shop")
    yield server
    server.close()


@pytest.fixture(scope="module")
def orders(server):
    orders_table.fill(server, "shop.orders")
    return _taken(server, "orders")


def _taken(server, table):
    """Return the tablespace of a table, its definition and its rows."""
    create = server.run(f"show create table shop.{table}")[0][1]
    rows = {str(row) for row in server.run(f"select * from shop.{table}")}
    return server.files("shop", table)[".ibd"], create, rows


def _opened(data, create):
    return ENGINE.open([Source("t.ibd", BytesReader(data))], Hints(sql=(create,)))[0]


def _rows(database):
    """Return the rows that came back, as text, in a list: a row that comes twice is a fault."""
    table = database.tables[0]
    names = [column.name for column in table.columns]
    return [
        (str(tuple(row[name] for name in names)), row["_confidence"])
        for rows in database.rows(table)
        for row in rows.batch.to_pylist()
        if row["_state"] != "deleted"
    ]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_row_that_is_there_comes_back_and_no_other(orders, pattern):
    data, create, wanted = orders
    back = _rows(_opened(PATTERNS[pattern](data), create))
    rows = {row for row, _ in back}
    assert len(rows) == len(back)
    assert rows <= wanted
    assert len(rows) >= LEAST.get(pattern, 0) * len(wanted)
    assert len(rows) >= _on_whole_pages(data, PATTERNS[pattern](data), create)


def _zeros_inside(data):
    """Return ``data`` with zeros that begin and end somewhere on pages."""
    out = bytearray(data)
    for start in range(70_001, len(out), 50_021):
        out[start : start + 9000] = bytes(len(out[start : start + 9000]))
    return bytes(out)


def test_no_row_is_cut_off_by_zeros(orders):
    data, create, wanted = orders
    damaged = _zeros_inside(data)
    rows = {row for row, _ in _rows(_opened(damaged, create))}
    assert rows <= wanted
    assert len(rows) >= _on_whole_pages(data, damaged, create)
    assert len(rows) >= 0.7 * len(wanted)


@pytest.mark.parametrize("table", ["orders", "offpage"])
def test_pages_that_lie_elsewhere_in_the_file_are_put_back(server, orders, table):
    data, create, wanted = orders if table == "orders" else _shape(server, table)
    numbers = list(range(4, len(data) // PAGE))
    random.Random(6).shuffle(numbers)
    mixed = data[: 4 * PAGE] + b"".join(data[number * PAGE :][:PAGE] for number in numbers)
    back = [row for row, _ in _rows(_opened(mixed, create))]
    assert len(back) == len(wanted)
    assert set(back) == wanted


def _on_whole_pages(data, damaged, create):
    """Return how many rows lie on pages that the damage left alone."""
    database = _opened(data, create)
    return sum(
        data[page * PAGE : (page + 1) * PAGE] == damaged[page * PAGE : (page + 1) * PAGE]
        for rows in database.rows(database.tables[0])
        for page, state in zip(
            *(rows.batch.column(name).to_pylist() for name in ("_page", "_state")), strict=True
        )
        if state == "live"
    )


def _imported(server, table, create, graft):
    """Let the server import a graft; return what it says and the rows that it then has."""
    data = bytearray(graft.size)
    for number, page in graft.pages:
        data[number * PAGE : number * PAGE + len(page)] = page
    server.run(f"drop table if exists shop.{table}", "use shop", graft.create)
    server.run(f"alter table shop.{table} discard tablespace")
    (server.data / "shop" / f"{table}.ibd").write_bytes(data)
    server.run(f"alter table shop.{table} import tablespace")
    verdict = server.run(f"check table shop.{table} extended")[-1][3]
    return verdict, {str(row) for row in server.run(f"select * from shop.{table}")}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_server_imports_the_graft_of_orders(server, orders, pattern):
    data, create, wanted = orders
    database = _opened(PATTERNS[pattern](data), create)
    graft = ENGINE.graft(database, database.tables[0])
    assert isinstance(graft, Graft)
    verdict, rows = _imported(server, "orders", create, graft)
    assert verdict == "OK"
    assert rows <= wanted
    assert len(rows) == graft.rows
    if pattern == "K":
        assert len(rows) >= LEAST["K"] * len(wanted)
        assert graft.restored
    server.run(*(f"{statement}" for statement in graft.afterwards))
    server.run("insert into shop.orders (number, customer, placed, status, amount, currency)"
               " values ('new', 1, now(), 'new', 1, 'EUR')")  # fmt: skip
    assert server.run("check table shop.orders extended")[-1][3] == "OK"
    assert server.run("select count(*) from shop.orders")[0][0] == graft.rows + 1


@cache
def _shape(server, table):
    server.run(*TABLES[table][:2])
    return _taken(server, table)


@pytest.mark.parametrize("pattern", ["A", "T", "K", *LONG])
@pytest.mark.parametrize("table", TABLES)
def test_the_server_imports_grafts_of_other_shapes_and_takes_rows(server, table, pattern):
    data, create, wanted = _shape(server, table)
    assert _levels(data) >= LEVELS[table]
    damaged = PATTERNS[pattern](data)
    opened = ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))
    tables = opened[0].tables if opened else ()
    made = ENGINE.graft(opened[0], tables[0]) if tables else None
    if not isinstance(made, Graft):
        assert _on_whole_pages(data, damaged, create) == 0  # the rows lay all in the half that is gone
        return
    verdict, rows = _imported(server, table, create, made)
    assert verdict == "OK"
    assert rows <= wanted
    assert len(rows) == made.rows
    assert made.rows + made.dropped >= _on_whole_pages(data, damaged, create)
    if pattern == "K" and table != "offpage":  # where the values themselves are hit
        assert made.rows >= LEAST_K * len(wanted)
    server.run(*made.afterwards, TABLES[table][2])
    assert server.run(f"check table shop.{table} extended")[-1][3] == "OK"
    assert server.run(f"select count(*) from shop.{table}")[0][0] > made.rows


def test_a_graft_of_redundant_records_says_so_where_its_definition_does_not(server):
    data, create, wanted = _shape(server, "composite")
    silent = re.sub(r" ROW_FORMAT=\w+", "", create)
    assert silent != create
    (opened,) = ENGINE.open([Source("t.ibd", BytesReader(data))], Hints(sql=(silent,)))
    assert _imported(server, "composite", create, ENGINE.graft(opened, opened.tables[0])) == ("OK", wanted)


def _levels(data):
    """Return how many levels the tallest tree has."""
    return 1 + int(scan(BytesReader(data), PAGE)["level"].max())
