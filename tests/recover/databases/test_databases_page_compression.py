"""Tables that a real MariaDB compressed page by page, by each algorithm that it knows."""

import random

import pytest

from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

ALGORITHMS = ("zlib", "lz4", "lzo", "lzma", "bzip2", "snappy")
PROVIDED = ALGORITHMS[1:]  # by a plugin each: the Debian packages mariadb-plugin-provider-*
ROWS = 4000


@pytest.fixture(scope="module", params=["full_crc32", "crc32"])
def tables(request):
    """Return the definition and the file of a table by algorithm."""
    loaded = [f"--plugin-load-add=provider_{name}" for name in PROVIDED]
    server = Server(*loaded, f"--innodb-checksum-algorithm={request.param}")
    try:
        there = {row[0] for row in server.run("select plugin_name from information_schema.plugins")}
        missing = [name for name in PROVIDED if f"provider_{name}" not in there]
        if missing:
            packages = " ".join(f"mariadb-plugin-provider-{name}" for name in missing)
            pytest.fail(f"plugins are missing: apt-get install {packages}", pytrace=False)
        server.run("create database shop", "use shop")
        found = {}
        for name in ALGORITHMS:
            server.run(
                f"set global innodb_compression_algorithm = {name}",
                f"create table shop.{name} (id int primary key, v varchar(300), t text) page_compressed=1",
                f"insert into shop.{name} select seq, md5(seq), repeat(concat(seq, ' abc '), seq % 60)"
                f" from seq_1_to_{ROWS}",
            )
            files = server.files("shop", name)
            found[name] = (server.run(f"show create table shop.{name}")[0][1], files[".ibd"])
        wanted = set(server.run("select * from shop.zlib"))
        return wanted, found
    finally:
        server.close()


def _rows(create, data, least=0.0):
    (database,) = ENGINE.open([Source("t.ibd", BytesReader(data))], Hints(sql=(create,)))
    (table,) = database.tables
    return [
        (row["id"], row["v"], row["t"])
        for rows in database.rows(table)
        for row in rows.batch.to_pylist()
        if row["_state"] != "deleted" and row["_confidence"] >= least
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_row_is_exact(tables, algorithm):
    wanted, found = tables
    create, data = found[algorithm]
    kinds = {data[at + 24 : at + 26] for at in range(0, len(data), 16384)}
    assert any(kind == b"\x86\x32" or kind[:1] >= b"\x80" for kind in kinds)  # it is compressed at all
    assert set(_rows(create, data)) == wanted


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_damage_costs_pages_and_makes_no_row(tables, algorithm):
    wanted, found = tables
    create, data = found[algorithm]
    back = _rows(create, PATTERNS["S"](data))
    assert set(back) <= wanted
    assert len(set(back)) == len(back)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_wrong_row_of_a_page_that_unpacks_in_spite_of_a_wrong_bit_is_called_good(tables, algorithm):
    wanted, found = tables
    create, data = found[algorithm]
    damaged, chance = bytearray(data), random.Random(algorithm)
    for at in range(5 * 16384, len(data), 2 * 16384):
        kind = int.from_bytes(data[at + 24 : at + 26], "big")
        inner = (
            38 + int.from_bytes(data[at + 38 : at + 40], "big") if kind == 0x8632 else (kind & 0x7FFF) * 256
        )
        if kind >= 0x8000:
            damaged[at + chance.randrange(60, inner - 8)] ^= 1 << chance.randrange(8)
    assert set(_rows(create, bytes(damaged), least=0.9)) <= wanted
    if algorithm in {"lz4", "lzo", "snappy"}:  # they tell nothing of damage
        assert len(set(_rows(create, bytes(damaged))) & wanted) > 0.8 * ROWS
