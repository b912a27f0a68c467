"""Tables of a real MariaDB that share ``ibdata1``: each comes out by its name, row for row."""

import json
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given as given_data
from hypothesis import settings
from hypothesis import strategies as st

from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server, program
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import dictionary
from unransom.catalog.databases.innodb.graft import graft
from unransom.catalog.databases.innodb.origin import made, tables_of
from unransom.catalog.databases.innodb.plan import plan_of
from unransom.catalog.databases.innodb.schema import layout_of
from unransom.catalog.databases.innodb.tablespace import Tablespace, scan_source
from unransom.core.messages import Message
from unransom.core.streams import BytesReader

PAGE = 16384
DICTIONARY = range(7, 16)  # pages: the header and the roots of the server's own tables
COPIES = 64  # page: where the server's doublewrite buffer begins
MANY = 4000
PLAIN = {  # tables whose columns the data dictionary defines whole
    "shop.orders": "id int unsigned primary key auto_increment, customer varchar(60) not null,"
    " made datetime(3), note text, key (customer)",
    "shop.lines": "order_id int, line smallint, sku char(8), qty double, day date,"
    " primary key (order_id, line)",
    "office.orders": "name varchar(30) character set latin1 primary key, v bigint, m mediumint unsigned,"
    " raw blob",
    "office.客户": "id bigint primary key, name varchar(10), born year, at time, stamp timestamp null,"
    " f float",
    "office.keyless": "a int, b varbinary(9)",
    "office.prefixed": "t varchar(200), n int, primary key (t(5), n)",
}
TOLD = {  # tables of which it knows less
    "shop.prices": "id int primary key, amount decimal(12,3), kind enum('a','b','ü'), flags set('x','y'),"
    " b bit(12)",
    "shop.parts": "id int primary key, v varchar(30)",
}
REST = {
    "shop.lines": "row_format=redundant",
    "office.orders": "row_format=compact",
    "shop.parts": "partition by range (id) (partition p0 values less than (90), partition `P Max`"
    " values less than maxvalue)",
}
FILLS = {
    "shop.orders": "select seq, concat('客户 ', seq), '2020-01-01 10:00:00.125' + interval seq minute,"
    f" if(seq % 500, repeat('n', seq % 90), repeat('long', 6000)) from seq_1_to_{MANY}",
    "shop.lines": f"select seq div 3, seq % 3, concat('S', seq), seq / 8,"
    f" '2021-01-01' + interval seq % 900 day from seq_1_to_{MANY}",
    "office.orders": "select concat('näme', seq), -seq * 10000000000, seq, if(seq % 9, unhex('00ff'), null)"
    f" from seq_1_to_{MANY}",
    "office.客户": "select seq, concat('名', seq), 1990 + seq % 60, sec_to_time(seq),"
    " from_unixtime(1600000000 + seq), seq / 4 from seq_1_to_300",
    "office.keyless": "select if(seq % 5, seq, null), unhex(hex(seq)) from seq_1_to_300",
    "office.prefixed": "select concat('prefix of ', seq), seq from seq_1_to_300",
    "shop.prices": "select seq, seq / 8 - 100, elt(1 + seq % 3, 'a', 'b', 'ü'), elt(1 + seq % 3, 'x',"
    " 'y', 'x,y'), seq from seq_1_to_300",
    "shop.parts": "select seq, concat('part ', seq) from seq_1_to_200",
}
SHOWN = {"shop.prices": "id, amount, kind, flags, b + 0"}  # what is not all columns as they are


def quoted(name):
    return ".".join(f"`{part}`" for part in name.split("."))


def shown(rows):
    """Return rows so that those of the server and those of the output can be compared."""
    return {tuple(map(plain, row)) for row in rows}


def plain(value):
    if isinstance(value, timedelta):
        return str(value).rjust(8, "0")
    return value if isinstance(value, bytes | None) else str(value)


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """Return the folder of a server whose tables share a file, and the rows of each of them."""
    folder = tmp_path_factory.mktemp("shared")
    server = Server("--innodb-file-per-table=0", "--character-set-server=utf8mb4")
    wanted = {}
    try:
        server.run("create database shop", "create database office", "use shop")
        for name, columns in {**PLAIN, **TOLD}.items():
            server.run(
                f"create table {quoted(name)} ({columns}) {REST.get(name, '')}",
                f"insert into {quoted(name)} {FILLS[name]}",
            )
        server.run(
            "create table shop.gone as select * from shop.orders",
            "drop table shop.gone",
            "set global innodb_file_per_table=1",
            "create table office.own (id int primary key, word varchar(20), day date)",
            "insert into office.own select seq, concat('word ', seq), '2024-02-29' from seq_1_to_300",
        )
        for name in [*FILLS, "office.own"]:
            wanted[name] = shown(server.run(f"select {SHOWN.get(name, '*')} from {quoted(name)}"))
        dump = [
            program("mariadb-dump"),
            "--no-defaults",
            f"--socket={server.folder}/s",
            "-uroot",
            "--no-data",
        ]
        dump += ["--databases", "shop", "office"]
        (folder / "dump.sql").write_bytes(subprocess.run(dump, check=True, capture_output=True).stdout)
        server.stop()
        shutil.copy(server.data / "ibdata1", folder)
        for name in ("shop", "office"):
            shutil.copytree(server.data / name, folder / name)
    finally:
        server.close()
    return folder, wanted


def recovered(folder: Path, code=0):
    """Return what the command says of the files in ``folder``/given, and the rows of each table."""
    told = json.loads(command(folder, "--json", source="given", code=code))
    rows = {}
    with closing(sqlite3.connect(folder / "out" / "innodb.sqlite")) as base:
        for (name,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
            rows[name] = shown(base.execute(f'select * from "{name}"'))
    return told, rows


def given(folder, tmp_path, *left_out):
    shutil.copytree(folder, tmp_path / "given", ignore=shutil.ignore_patterns(*left_out, "db.opt", "*.par"))
    return tmp_path / "given" / "ibdata1"


@pytest.mark.parametrize("left_out", ["*.sql", "*.frm"])
def test_every_table_comes_out_by_its_name_row_for_row(taken, left_out, tmp_path):
    folder, wanted = taken
    given(folder, tmp_path, left_out)
    told, rows = recovered(tmp_path)
    assert not told["problems"]
    assert set(rows) == set(wanted)
    for name, mine in rows.items():
        assert mine == wanted[name], name


def test_the_data_dictionary_alone_defines_the_tables(taken, tmp_path):
    folder, wanted = taken
    given(folder, tmp_path, "*.sql", "*.frm")
    told, rows = recovered(tmp_path, code=3)
    assert set(rows) == set(wanted)
    for name in [*PLAIN, "shop.parts", "office.own"]:
        assert rows[name] == wanted[name], name
    assert {row[0] for row in rows["shop.prices"]} == {row[0] for row in wanted["shop.prices"]}
    (problem,) = told["problems"]
    assert "shop.prices" in problem
    assert {table["definition"] for table in told["tables"]} == {"data dictionary"}


def test_copies_in_the_doublewrite_buffer_stand_in_for_the_dictionary(taken, tmp_path):
    folder, wanted = taken
    path = given(folder, tmp_path, "*.sql")
    data = bytearray(path.read_bytes())
    for place, number in enumerate(DICTIONARY):
        page = slice(number * PAGE, (number + 1) * PAGE)
        data[(COPIES + place) * PAGE : (COPIES + place + 1) * PAGE] = data[page]
        data[page] = random.Random(number).randbytes(PAGE)
    path.write_bytes(data)
    told, rows = recovered(tmp_path, code=3)  # the loss is an estimate: places of copies are damaged as well
    assert not told["problems"]
    assert {name: len(each) for name, each in rows.items()} == {
        name: len(each) for name, each in wanted.items()
    }


@pytest.mark.parametrize("pattern", ["A", "B", "K", "S"])
def test_no_row_of_a_damaged_file_is_another_tables(taken, pattern, tmp_path):
    folder, wanted = taken
    path = given(folder, tmp_path, "*.sql")
    whole = path.read_bytes()
    head = 64 * PAGE  # where the dictionary is
    path.write_bytes(whole[:head] + PATTERNS[pattern](whole[head:]))
    told, rows = recovered(tmp_path, code=3)
    assert rows
    for name, mine in rows.items():
        cut = {(*row[:-1], None) for row in wanted[name]}  # their last value lay on a page that is lost
        assert mine <= wanted[name] | cut, name
    for table in told["tables"]:
        assert table["expected"] is None or table["expected"] >= table["recovered"]


@pytest.fixture(scope="module")
def head(taken):
    """Return the part of the shared file that has the data dictionary, as a tablespace."""
    folder, _ = taken
    data = (folder / "ibdata1").read_bytes()[: 320 * PAGE]
    return Tablespace([scan_source(Source("ibdata1", BytesReader(data)))])


@settings(max_examples=150, deadline=None)
@given_data(
    page=st.sampled_from([8, 9, 10, 11, 12]),
    writes=st.lists(st.tuples(st.integers(38, PAGE - 1), st.binary(min_size=1, max_size=9)), max_size=12),
)
def test_a_hostile_dictionary_gives_definitions_or_none(head, page, writes):
    altered = bytearray(head.raw(page))
    for at, data in writes:
        altered[at : at + len(data)] = data
    head.current.clear()
    head.patched = {page: bytes(altered[:PAGE])}
    try:
        for each in dictionary.registered(head):
            plan_of(layout_of(each.definition))
    finally:
        head.patched = {}


def test_a_shared_file_without_tables_of_users_is_not_guessed_at(head):
    head.current.clear()
    elsewhere = [each._replace(space=7) for each in dictionary.registered(head)]
    assert elsewhere
    assert tables_of(head, Hints(), (), elsewhere) == ([], [])
    _, problems = tables_of(head, Hints(), ())
    assert "its data dictionary is lost" in problems[0].render("en")


def test_a_table_of_a_shared_file_is_not_grafted(head):
    head.current.clear()
    definition = next(dictionary.registered(head)).definition
    refused = graft(made(head, definition, definition.clustered))
    assert isinstance(refused, Message)
    assert "shared tablespace" in refused.render("en")
