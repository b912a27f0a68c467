"""Values off their pages, out of a real MariaDB, by their hashes: every row format, sizes near the limits."""

import hashlib
import random

import pytest

from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

SIZES = (0, 1, 127, 128, 767, 768, 769, 8000, 8126, 16_384, 16_330, 40_000, 100_001, 1_500_000)
FORMATS = (
    "row_format=dynamic",
    "row_format=compact",
    "row_format=redundant",
    "row_format=compressed key_block_size=8",
    "page_compressed=1",
)


@pytest.fixture(scope="module")
def server():
    server = Server("--max-allowed-packet=16M")
    server.run("create database shop")
    yield server
    server.close()


def values():
    """Return rows: id, bytes and text, half of them easily compressed."""
    chance = random.Random(7)
    for number, size in enumerate(SIZES, 1):
        noise = chance.randbytes(size) if number % 2 else (b"%d-" % number * size)[:size]
        yield number, noise, "数据恢复" * (size // 12)
    yield len(SIZES) + 1, None, None


@pytest.mark.parametrize("options", FORMATS)
def test_every_value_off_its_page_is_exact(server, options):
    server.run(
        "drop table if exists shop.lobs",
        f"create table shop.lobs (id int primary key, b longblob, t longtext) charset utf8mb4 {options}",
    )
    with server.connection.cursor() as cursor:
        cursor.executemany("insert into shop.lobs values (%s, %s, %s)", list(values()))
    create = server.run("show create table shop.lobs")[0][1]
    data = server.files("shop", "lobs")[".ibd"]
    (database,) = ENGINE.open([Source("lobs.ibd", BytesReader(data))], Hints(sql=(create,)))
    found = {
        row["id"]: (digest(row["b"]), row["t"] and digest(row["t"].encode()))
        for rows in database.rows(database.tables[0])
        for row in rows.batch.to_pylist()
        if row["_state"] == "live" and row["_confidence"] == 1
    }
    assert found == {n: (digest(b), t and digest(t.encode())) for n, b, t in values()}


def digest(value):
    return None if value is None else hashlib.sha256(value).hexdigest()
