"""Tables of a real MariaDB in shapes that few have: instant columns, versions, wide keys, rows like noise."""

import random
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_mariadb import _imported, _on_whole_pages, _opened, _rows, _taken
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Graft, Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

COUNT = 4000
SERIES = f"seq_1_to_{COUNT}"
TABLES = {
    "added": (
        "create table added (k varchar(30) primary key, a int) charset=latin1",
        f"insert into added select concat('key', seq), seq from {SERIES}",
        "alter table added add column b int default 5, add column c varchar(10) default 'xyz',"
        " algorithm=instant",
        "update added set c = 'new' where a % 4 = 0",
    ),
    "dropped": (
        "create table dropped (id int primary key, a varchar(20), b int not null, c datetime)",
        f"insert into dropped select seq, concat('a', seq), seq * 2, '2024-01-01' from {SERIES}",
        "alter table dropped add column d varchar(30) not null default 'd', algorithm=instant",
        "alter table dropped drop column c, add column e decimal(8,3) first, algorithm=instant",
        "update dropped set e = id / 8 where id % 5 = 0",
    ),
    "zipped": (
        "create table zipped (id int primary key, v varchar(200)) row_format=compressed key_block_size=16",
        f"insert into zipped select seq, repeat(md5(seq), seq % 6) from {SERIES}",
    ),
    "noise": (
        "create table noise (k binary(16) primary key, r varbinary(120), f double)",
        "insert into noise select unhex(md5(seq)), unhex(concat(sha2(seq, 512), sha1(seq))), seq / 4"
        f" from {SERIES}",
    ),
    "prefixed": (
        "create table prefixed (t varchar(200), b text, n int, primary key (t(10), b(8)))",
        f"insert into prefixed select left(md5(seq), 10), concat(left(sha1(seq), 8), seq), seq from {SERIES}",
    ),
    "cased": (
        "create table cased (k varchar(20) collate utf8mb4_bin primary key, n int)",
        f"insert into cased select concat(if(seq % 2, 'Key', 'key'), seq div 2), seq from {SERIES}",
    ),
    "versioned": (
        "create table versioned (id int primary key, a varchar(30), b int) with system versioning",
        f"insert into versioned select seq, concat('v', seq), seq from {SERIES}",
        "update versioned set b = b + 1 where id % 3 = 0",
        "delete from versioned where id % 10 = 0",
    ),
    "periods": (
        "create table periods (id int, s timestamp(6) generated always as row start, a varchar(30),"
        " e timestamp(6) generated always as row end, period for system_time (s, e), primary key (id))"
        " with system versioning",
        f"insert into periods (id, a) select seq, concat('v', seq) from {SERIES}",
        "update periods set a = 'x' where id % 3 = 0",
    ),
    "falling": (
        "create table falling (a int, b varchar(20), n int, primary key (a desc, b))",
        f"insert into falling select seq % 300, concat('b', seq), seq from {SERIES}",
        "delete from falling where n % 7 = 0",
    ),
    "sinking": (
        "create table sinking (a smallint unsigned, b int, v varchar(90), primary key (a desc, b desc))",
        f"insert into sinking select seq % 90, seq, repeat('v', seq % 90) from {SERIES}",
        "delete from sinking where b % 7 = 0",
        "update sinking set v = repeat('w', 90) where b % 5 = 0",
    ),
    "unseen": (
        "create table unseen (id int primary key, a int invisible default 5, b varchar(400) compressed,"
        " t text, u bit(64), n bigint unsigned, unique (t))",
        "insert into unseen (id, a, b, t, u, n) select seq, seq % 9, repeat('abc', seq % 100),"
        f" concat('t', seq), seq * 4611686018427387, seq * 4611686018427387 from {SERIES}",
    ),
    "words": (
        "create table words (id int primary key, t text, fulltext (t))",
        "insert into words select seq, concat('word', seq, ' ', md5(seq)) from seq_1_to_900",
    ),
}
SIZES = ("4k", "8k", "32k")  # of pages


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a folder with the files of all tables, and of each its tablespace, definition and rows."""
    folder = tmp_path_factory.mktemp("shapes") / "shop"
    server = Server("--innodb-strict-mode=0")
    try:
        server.run("create database shop charset utf8mb4", "use shop", "set time_zone = '+00:00'")
        for statements in TABLES.values():
            server.run(*statements)
        taken = {table: _taken(server, table) for table in TABLES}
        server.stop()
        shutil.copytree(server.data / "shop", folder)
    finally:
        server.close()
    return folder, taken


@pytest.mark.parametrize("pattern", ["none", "A", "H", "K", "S", "T"])
@pytest.mark.parametrize("table", ["added", "dropped", "noise", "zipped", "cased", "sinking"])
def test_no_row_is_made_up_and_none_of_a_whole_page_lost(shop, table, pattern):
    data, create, wanted = shop[1][table]
    damaged = PATTERNS[pattern](data) if pattern in PATTERNS else data
    opened = ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))
    back = _rows(opened[0]) if opened and opened[0].tables else []
    sure = [row for row, confidence in back if confidence > 0.5]
    assert len(set(sure)) == len(sure)
    assert set(sure) <= wanted
    whole = _on_whole_pages(data, damaged, create)
    # The map of columns that were dropped instantly is a page of its own, which damage may take.
    assert len(back) >= whole or (table == "dropped" and not back)
    if pattern == "none":
        assert set(sure) == wanted


def test_without_the_map_of_dropped_columns_no_row_is_taken(shop):
    data, create, wanted = shop[1]["dropped"]
    pages = len(data) // 16384
    (holder,) = [page for page in range(pages) if data[page * 16384 + 24 : page * 16384 + 26] == b"\0\n"]
    cut = bytearray(data)
    cut[holder * 16384 : (holder + 1) * 16384] = random.Random(1).randbytes(16384)
    opened = _opened(bytes(cut), create)
    assert not opened.tables or not {row for row, _ in _rows(opened)} - wanted


@pytest.mark.parametrize("with_frm", [False, True])
def test_what_a_versioned_table_was_is_kept_apart(shop, tmp_path, with_frm):
    folder, taken = shop
    for table, now in (("versioned", 3600), ("periods", 4000)):
        (tmp_path / f"{table}.ibd").write_bytes(taken[table][0])
        if with_frm:
            shutil.copy(folder / f"{table}.frm", tmp_path)
            options = (str(tmp_path / f"{table}.frm"),)
        else:
            (tmp_path / "schema.sql").write_text(taken[table][1])
            options = ("--schema", str(tmp_path / "schema.sql"))
        said = command(tmp_path, *options, source=f"{table}.ibd")
        with closing(sqlite3.connect(tmp_path / "out" / "innodb.sqlite")) as base:
            rows = base.execute(f"select id, a from {table}").fetchall()
            before = base.execute(f'select count(*) from "{table} history"').fetchone()[0]
        assert len(rows) == len({key for key, _ in rows}) == now
        all_of_them = int(re.search(r"(\d+) of \1 rows", said)[1])
        assert before == all_of_them - now > 1000


@pytest.mark.parametrize("with_frm", [False, True])
def test_the_server_imports_grafts_as_they_were_declared(shop, with_frm):
    server = Server()
    try:
        server.run("create database shop", "use shop")
        for table, columns in (
            ("versioned", "(id, a) values (99999, 'new')"),
            ("periods", "(id, a) values (99999, 'new')"),
            ("falling", "values (150, 'new', 1), (-1, 'new', 1), (900, 'new', 1)"),
            ("sinking", "values (50, -1, 'new'), (0, 0, 'new'), (900, 1, 'new')"),
            ("unseen", "(id, b) values (99999, 'new')"),
        ):
            data, create, wanted = shop[1][table]
            frm = (shop[0] / f"{table}.frm").read_bytes()
            files = [Source(f"{table}.ibd", BytesReader(PATTERNS["T"](data)))]
            files += [Source(f"{table}.frm", BytesReader(frm))] if with_frm else []
            (database,) = ENGINE.open(files, Hints(sql=() if with_frm else (create,)))
            made = ENGINE.graft(database, database.tables[0])
            assert isinstance(made, Graft)
            verdict, rows = _imported(server, table, create, made)
            assert verdict == "OK"
            assert len(rows) > 0.8 * len(wanted)
            assert rows <= wanted
            server.run(*made.afterwards, f"insert into {table} {columns}")
            assert server.run(f"check table shop.{table} extended")[-1][3] == "OK"
    finally:
        server.close()


def test_a_server_takes_the_script_of_a_whole_folder(shop, tmp_path):
    folder, taken = shop
    shutil.copytree(folder, tmp_path / "shop")
    assert list(folder.glob("FTS_*.ibd"))
    command(tmp_path, "--format", "sql", source="shop")
    (script,) = (tmp_path / "out").glob("*.sql")
    text = script.read_text(encoding="utf-8")
    assert "FTS_" not in text
    assert sorted(re.findall(r"CREATE TABLE `(\w+)`", text)) == sorted(TABLES)
    server = Server()
    try:
        server.run("create database back", "use back")
        for statement in text.split(";\n"):
            if statement.strip():
                server.run(statement)
        for table in TABLES:
            count = server.run(f"select count(*) from `{table}`")[0][0]
            assert count == len(taken[table][2])
        columns = "id, b, t, u, n"
        rows = {str(row) for row in server.run(f"select {columns} from unseen")}
        server.run("create database shop", "use shop", *TABLES["unseen"])
        assert rows == {str(row) for row in server.run(f"select {columns} from unseen")}
        server.run("use back")
        assert "PRIMARY KEY (`k`)" in server.run("show create table cased")[0][1]
    finally:
        server.close()


@pytest.mark.parametrize("size", ["64k", *(pytest.param(each, marks=pytest.mark.soak) for each in SIZES)])
def test_pages_of_every_size_are_read(size):
    server = Server(f"--innodb-page-size={size}")
    try:
        server.run(
            "create database shop",
            "use shop",
            "create table words (k varchar(60) primary key, n int, t varchar(300))",
            "create table old (k varchar(60) primary key, n int) row_format=redundant",
            f"insert into words select md5(seq), seq, repeat('x', seq % 200) from {SERIES}",
            f"insert into old select md5(seq), seq from {SERIES}",
            "delete from words where n % 5 = 0",
        )
        taken = {table: _taken(server, table) for table in ("words", "old")}
    finally:
        server.close()
    for data, create, wanted in taken.values():
        for damaged in (data, PATTERNS["K"](data), PATTERNS["T"](data)):
            opened = ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))
            back = [row for row, _ in _rows(opened[0])] if opened and opened[0].tables else []
            assert len(set(back)) == len(back)
            assert set(back) <= wanted
            assert damaged != data or set(back) == wanted
