"""Grafts of tables with generated columns, checks and defaults: the server has them as they were declared."""

import re

import pytest

from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_mariadb import _imported
from unransom.catalog.databases.engine import Graft, Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

TABLES = {
    "generated": (
        "create table generated (id int primary key auto_increment, a int, v int as (a * 2) virtual,"
        " s varchar(40) as (concat('s', a)) stored, b varchar(20) default (concat('x', a % 7)),"
        " c decimal(8,2) check (c >= 0), key (v), unique key (s), key (a), constraint pos check (a > 0))"
        " charset utf8mb4",
        "insert into generated (a, c) select seq, seq / 4 from seq_1_to_4000",
    ),
    "virtualfirst": (
        "create table virtualfirst (v int as (a + 1) virtual, id int primary key, s int as (a + 2) stored,"
        " a int, w varchar(30) as (left(t, 5)) virtual, t varchar(90), index (v), index (w, s))"
        " row_format=compact",
        "insert into virtualfirst (id, a, t) select seq, seq % 100, md5(seq) from seq_1_to_4000",
    ),
    "numberedlater": (  # the number is not what the clustered key begins with
        "create table numberedlater (k varchar(20) collate utf8mb4_bin primary key, n int auto_increment"
        " comment 'AUTO_INCREMENT', t text, unique (n), fulltext (t)) charset utf8mb4 comment 'it''s'",
        "insert into numberedlater (k, t) select concat(if(seq % 2, 'k', 'K'), seq div 2), 'some words'"
        " from seq_1_to_4000",
    ),
    "numberedpair": (
        "create table numberedpair (n int auto_increment, k int, primary key (n desc, k))",
        "insert into numberedpair (k) select seq from seq_1_to_4000",
    ),
    "later": (  # types that came later have no number of their own in a .frm file
        "create table later (id int primary key, u uuid, a inet6 default '::1', b inet4, g geometry not null,"
        " spatial key (g))",
        "insert into later (id, u, b, g) select seq, uuid(), inet_ntoa(seq), point(seq, 1)"
        " from seq_1_to_3000",
    ),
    "defaults": (
        "create table defaults (id int primary key, ts timestamp(3) not null default current_timestamp(3)"
        " on update current_timestamp(3), d date default '2020-01-01',"
        " e enum('a','b','c''d') not null default 'b', f set('x','y') default 'x,y',"
        " n decimal(20,5) not null default -1234567.5, g varchar(300) not null default 'it''s',"
        " u int(10) unsigned zerofill default 7, dd double default (rand()),"
        " bi bit(12) default b'10000000101', dt datetime(6) default '2020-01-02 03:04:05.678',"
        " tm time(2) default '-01:02:03.4', y year default 2020, fl float default 1.25,"
        " sm smallint default -3, ch char(5) default 'abc', te text default 'it''s',"
        " bn varbinary(9) default x'0041', inv int invisible default 4,"
        " la varchar(30) character set latin1 default 'é', tn timestamp null,"
        " k2 varchar(60) comment '中文', gb varchar(9) character set gbk default '中', p point,"
        " big bigint unsigned default 18446744073709551615, key k2 (k2(7), g(3) desc)) charset utf8mb4",
        "insert into defaults (id, ts) select seq, '2024-01-01' from seq_1_to_3000",
    ),
}


@pytest.fixture(scope="module")
def shop():
    """Return a server, and of each table its files, its definition and its rows."""
    server = Server()
    try:
        server.run("create database shop charset utf8mb4", "use shop")
        taken = {}
        for table, statements in TABLES.items():
            server.run(*statements)
            create = server.run(f"show create table {table}")[0][1]
            rows = {str(row) for row in server.run(f"select * from {table}")}
            taken[table] = server.files("shop", table), create, rows
        yield server, taken
    finally:
        server.close()


@pytest.mark.parametrize("with_frm", [False, True])
@pytest.mark.parametrize("table", TABLES)
def test_the_server_has_the_table_as_it_was_declared(shop, table, with_frm):
    server, taken = shop
    files, create, wanted = taken[table]
    sources = [Source(f"{table}.ibd", BytesReader(PATTERNS["T"](files[".ibd"])))]
    sources += [Source(f"{table}.frm", BytesReader(files[".frm"]))] * with_frm
    (database,) = ENGINE.open(sources, Hints(sql=() if with_frm else (create,)))
    made = ENGINE.graft(database, database.tables[0])
    assert isinstance(made, Graft)
    verdict, rows = _imported(server, table, create, made)
    assert verdict == "OK"
    server.run(*made.afterwards)
    assert server.run(f"check table {table} extended")[-1][3] == "OK"
    assert {str(row) for row in server.run(f"select * from {table}")} <= wanted
    assert len(rows) > 0.8 * len(wanted)
    assert _plain(server.run(f"show create table {table}")[0][1]) == _plain(create)


def _plain(create):
    """Return a statement without what changes with rows, and without widths that mean nothing."""
    return re.sub(r" AUTO_INCREMENT=\d+", "", create)


def test_numbers_go_on_where_they_were(shop):
    server, taken = shop
    for table, column in (("numberedpair", "k"), ("numberedlater", "k"), ("generated", "a")):
        files, create, _ = taken[table]
        (database,) = ENGINE.open([Source(f"{table}.ibd", BytesReader(files[".ibd"]))], Hints(sql=(create,)))
        made = ENGINE.graft(database, database.tables[0])
        _imported(server, table, create, made)
        server.run(*made.afterwards, f"insert into {table} ({column}) values (4001)")
        number = "n" if table != "generated" else "id"
        assert server.run(f"select max({number}), count(*) from {table}")[0] == (4001, 4001)


def test_a_dropped_column_that_rows_still_have_is_no_other_column(shop):
    server, _ = shop
    server.run("use shop", "create table dropped (id int primary key, a int, b varchar(20), c int)")
    server.run("insert into dropped select seq, seq, concat('b', seq), seq * 2 from seq_1_to_3000")
    server.run("alter table dropped drop column a, algorithm=instant")
    create = server.run("show create table dropped")[0][1]
    data = server.files("shop", "dropped")[".ibd"]
    (database,) = ENGINE.open([Source("dropped.ibd", BytesReader(data))], Hints(sql=(create,)))
    made = ENGINE.graft(database, database.tables[0])
    assert "instant" in str(made)


def test_pages_that_were_compressed_are_grafted_as_plain_ones(shop):
    server, _ = shop
    server.run("use shop", "create table pressed (id int primary key, t text) page_compressed=1")
    server.run("insert into pressed select seq, repeat(md5(seq), seq % 20) from seq_1_to_3000")
    create = server.run("show create table pressed")[0][1]
    wanted = {str(row) for row in server.run("select * from pressed")}
    data = server.files("shop", "pressed")[".ibd"]
    (database,) = ENGINE.open([Source("pressed.ibd", BytesReader(data))], Hints(sql=(create,)))
    made = ENGINE.graft(database, database.tables[0])
    assert isinstance(made, Graft)
    assert _imported(server, "pressed", create, made) == ("OK", wanted)
