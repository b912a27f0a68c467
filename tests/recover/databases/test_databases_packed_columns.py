"""Columns that MariaDB compresses value by value: out of the table, and out of a binary log alone."""

import hashlib

import pytest

from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

CREATE = (
    "create table shop.packed (id int primary key, v varchar(2000) compressed, t longtext compressed,"
    " b longblob compressed, w varbinary(300) compressed, plain text) charset utf8mb4"
)
FILL = (
    "insert into shop.packed select seq, if(seq % 3, repeat(concat('数', seq), seq % 300), null),"
    " repeat(md5(seq), seq), if(seq % 50, md5(seq), repeat(md5(seq), 9000)), repeat('w', seq % 300), 'p'"
    " from seq_1_to_600"
)


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    server = Server(f"--log-bin={folder}/log", "--server-id=1", "--binlog-format=row", logging=True)
    try:
        server.run("create database shop", "use shop", CREATE, FILL, "flush binary logs")
        wanted = {tuple(map(_short, row)) for row in server.run("select * from shop.packed")}
        create = server.run("show create table shop.packed")[0][1]
        logs = {path.name: path.read_bytes() for path in folder.glob("log.0*")}
        return wanted, create, server.files("shop", "packed"), logs
    finally:
        server.close()


def _short(value):
    data = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else value


def _read(sources, *sql):
    files = [Source(name, BytesReader(data)) for name, data in sources.items()]
    (database,) = ENGINE.open(files, Hints(sql=sql))
    (table,) = database.tables
    return {
        tuple(_short(row[column.name]) for column in table.columns)
        for rows in database.rows(table)
        for row in rows.batch.to_pylist()
        if row["_state"] != "deleted"
    }


def test_values_are_exact_by_statement_and_by_frm(taken):
    wanted, create, files, _ = taken
    assert len(wanted) == 600
    assert _read({"packed.ibd": files[".ibd"]}, create) == wanted
    assert _read({"packed.ibd": files[".ibd"], "packed.frm": files[".frm"]}) == wanted


def test_a_binary_log_alone_gives_them_too(taken):
    wanted, create, _, logs = taken
    assert _read(logs, create) == wanted
