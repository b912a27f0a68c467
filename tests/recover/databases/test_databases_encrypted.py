"""Tables that a real MariaDB encrypted: with its keys every row, without them a clear word."""

import random

import pytest

from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.errors import UsageError
from unransom.core.streams import BytesReader
from unransom.recover.databases.keyfile import read_keys

KEYS = {"1": bytes(range(32)), "2": bytes(range(100, 116))}
FILE = "# keys\n" + "".join(f"{number};{key.hex()}\n" for number, key in KEYS.items())
ROWS = 5000


@pytest.fixture(scope="module", params=["full_crc32", "crc32"])
def taken(request, tmp_path_factory):
    """Return the definition and the tablespace of an encrypted table, and of one that is packed as well."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.txt").write_text(FILE)
    server = Server(
        "--plugin-load-add=file_key_management",
        f"--file-key-management-filename={folder}/keys.txt",
        "--innodb-encryption-threads=0",
        f"--innodb-checksum-algorithm={request.param}",
    )
    try:
        server.run(
            "create database shop",
            "use shop",
            "create table plain (id int primary key, v varchar(50), b longblob) encrypted=yes",
            "insert into plain select seq, concat('v', seq), repeat(char(65 + seq % 20),"
            f" if(seq % 100, 5, 50000)) from seq_1_to_{ROWS}",
            "create table packed (id int primary key, v varchar(50), b blob) encrypted=yes"
            " encryption_key_id=2 page_compressed=1",
            f"insert into packed select seq, concat('v', seq), 'b' from seq_1_to_{ROWS}",
        )
        yield {
            name: (server.run(f"show create table {name}")[0][1], server.files("shop", name)[".ibd"])
            for name in ("plain", "packed")
        }
    except BaseException:
        server.close()
        raise
    server.close()


def read(create, data, keys, *more):
    sources = [Source("t.ibd", BytesReader(each)) for each in (data, *more)]
    (database,) = ENGINE.open(sources, Hints(sql=(create,), keys=keys))
    rows = [
        row
        for table in database.tables
        for batch in database.rows(table)
        for row in batch.batch.to_pylist()
        if row["_state"] in {"live", "salvaged"}
    ]
    return database, rows


def length(number):
    return 5 if number % 100 else 50_000


@pytest.mark.parametrize("name", ["plain", "packed"])
def test_with_the_key_every_row_is_read(taken, name):
    create, data = taken[name]
    database, rows = read(create, data, KEYS)
    assert not database.problems
    assert {(row["id"], row["v"]) for row in rows} == {(n, f"v{n}") for n in range(1, ROWS + 1)}
    if name == "plain":
        assert all(row["b"] == bytes([65 + row["id"] % 20]) * length(row["id"]) for row in rows)


@pytest.mark.parametrize("name", ["plain", "packed"])
@pytest.mark.parametrize("keys", [{}, {"1": bytes(32), "2": bytes(16)}])
def test_without_the_right_key_it_says_so(taken, name, keys):
    create, data = taken[name]
    database, rows = read(create, data, keys)
    assert not rows
    assert "--key" in database.problems[0].text


def test_page_0_may_come_from_an_old_copy(taken):
    create, data = taken["plain"]
    torn = random.Random(2).randbytes(16384) + data[16384:]
    _, rows = read(create, torn, KEYS, data[: 4 * 16384])
    assert {row["id"] for row in rows} == set(range(1, ROWS + 1))


def test_around_a_hole_in_an_encrypted_page_rows_are_read(taken):
    create, data = taken["plain"]
    hurt, noise = bytearray(data), random.Random(1)
    for start in range(16384 * 3 + 9000, len(hurt), 16384 * 2):
        hurt[start : start + 2000] = noise.randbytes(len(hurt[start : start + 2000]))
    _, rows = read(create, bytes(hurt), KEYS)
    assert {(row["id"], row["v"]) for row in rows} <= {(n, f"v{n}") for n in range(1, ROWS + 1)}
    assert len(rows) > ROWS // 2


def test_the_command_takes_the_key_file(taken, tmp_path):
    create, data = taken["packed"]
    (tmp_path / "packed.ibd").write_bytes(data)
    (tmp_path / "schema.sql").write_text(create)
    (tmp_path / "keys.txt").write_text(FILE)
    options = ("--schema", str(tmp_path / "schema.sql"))
    said = command(tmp_path, *options, "--key", str(tmp_path / "keys.txt"), source="packed.ibd")
    assert f"packed: {ROWS} of {ROWS} rows" in said
    assert "--key" in command(tmp_path, *options, source="packed.ibd", code=3)


def test_a_key_file_is_read(tmp_path):
    (tmp_path / "keys").write_text(FILE)
    assert read_keys([tmp_path / "keys"]) == KEYS
    (tmp_path / "sealed").write_bytes(b"Salted__" + bytes(64))
    with pytest.raises(UsageError):
        read_keys([tmp_path / "sealed"])
