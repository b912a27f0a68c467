"""Rows that only binary logs still hold: of a real MariaDB, by key, the newest image of each."""

import random
import struct
import zlib

import pyarrow
import pytest

from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, binlog
from unransom.core.streams import BytesReader

TYPES = """create table shop.types (
  id bigint unsigned primary key, a tinyint, b smallint unsigned, c mediumint, d int, e float, f double,
  g decimal(20,4), h date, i time(3), j datetime(6), k timestamp(2) null, l year, m enum('x','y','z'),
  n set('p','q','r'), o bit(11), p char(10), q varchar(400), r text, s blob, t binary(6), u uuid, v inet6,
  w json, x varchar(20) character set gbk) charset utf8mb4"""
KEYED = (
    "create table shop.keyed (k varchar(30), n int, c char(5), v text, primary key (k, n)) charset utf8mb4"
)

SHORT = "create table shop.short (id int primary key, a varchar(20), b int, c datetime)"


@pytest.fixture(scope="module", params=["plain", "packed"])
def taken(request, tmp_path_factory):
    """Return definitions, rows, tablespaces and logs of a server that has written much."""
    folder = tmp_path_factory.mktemp("logs")
    options = [f"--log-bin={folder}/log", "--server-id=1", "--binlog-format=row", "--max-binlog-size=1M"]
    options += ["--log-bin-compress=1"] if request.param == "packed" else []
    server = Server(*options, logging=True)
    try:
        server.run("create database shop", "use shop", "set time_zone = '+00:00'", TYPES, KEYED, SHORT)
        _write(server)
        server.run("flush binary logs")
        tables = {}
        for name in ("types", "keyed", "short"):
            create = server.run(f"show create table shop.{name}")[0][1]
            rows = server.run(f"select * from shop.{name}")
            tables[name] = (create, rows, server.files("shop", name)[".ibd"])
        logs = {path.name: path.read_bytes() for path in folder.glob("log.0*")}
    finally:
        server.close()
    return tables, logs


def _row(n, chance):
    return (
        n * 3, chance.randrange(-128, 128), chance.randrange(65536), -n, n * 7919, n / 8, n / 3,
        f"{chance.randrange(10**15)}.{n % 10000:04d}", f"20{n % 30:02d}-{1 + n % 12:02d}-{1 + n % 28:02d}",
        f"{n % 800:02d}:{n % 60:02d}:01.{n % 1000:03d}", f"2024-01-{1 + n % 28:02d} 10:00:00.{n:06d}",
        f"2023-06-{1 + n % 28:02d} 00:00:00.{n % 100:02d}", 1990 + n % 40, "xyz"[n % 3],
        ("p", "p,r", "", "q,r")[n % 4], n % 2048, f"c{n % 100}", "数据" * (n % 60),
        None if n % 5 else "t" * n, chance.randbytes(n % 300), chance.randbytes(6),
        f"01234567-89ab-1def-8123-{n:012d}", f"2001:db8::{n % 9999}", f'{{"n": {n}}}', "恢复" * (n % 9),
    )  # fmt: skip


def _write(server):
    chance = random.Random(3)
    rows = [_row(n, chance) for n in range(1, 3001)]
    marks = ", ".join(["%s"] * len(rows[0]))
    with server.connection.cursor() as cursor:
        for first in range(0, len(rows), 500):
            cursor.executemany(f"insert into shop.types values ({marks})", rows[first : first + 500])
    server.run(
        "insert into shop.keyed select concat('key', seq % 97), seq, seq, repeat('v', seq % 300)"
        " from seq_1_to_4000",
        "update shop.types set d = -d, q = 'changed' where id % 7 = 0",
        "update shop.types set id = id + 1 where id between 300 and 390",
        "delete from shop.types where id % 11 = 0",
        "delete from shop.keyed where n % 13 = 0",
        "update shop.keyed set v = 'new' where n % 5 = 0",
        "insert into shop.short select seq, concat('a', seq), seq, '2024-05-01' from seq_1_to_2000",
        "set binlog_row_image = minimal",
        "update shop.short set b = b + 1 where id % 3 = 0",
        "update shop.short set id = id + 10000 where id % 10 = 1",
        "delete from shop.short where id % 7 = 0",
        "set binlog_row_image = full",
        "update shop.short set c = '2025-01-01' where id % 9 = 0",
    )


def read(create, logs, *spaces):
    """Return the rows that came back, by state."""
    sources = [Source("t.ibd", BytesReader(space)) for space in spaces]
    sources += [Source(name, BytesReader(data)) for name, data in logs.items()]
    (database,) = ENGINE.open(sources, Hints(sql=(create,)))
    (table,) = database.tables
    found = {}
    for rows in database.rows(table):
        for row in rows.batch.to_pylist():
            values = tuple(row[column.name] for column in table.columns)
            found.setdefault(row["_state"], []).append(tuple(map(shown, values)))
    found.pop("deleted", None)
    return found, database


def shown(value):
    """Return a value as both sides can write it."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def expected(create, space):
    """Return the rows of the whole tablespace, as they are read without any damage."""
    found, _ = read(create, {}, space)
    return set(found["live"])


@pytest.mark.parametrize("table", ["types", "keyed"])
@pytest.mark.parametrize("pattern", ["A", "S", "F"])
def test_logs_fill_what_the_pages_have_lost(taken, table, pattern):
    tables, logs = taken
    create, rows, space = tables[table]
    wanted = expected(create, space)
    assert len(wanted) == len(rows)
    found, _ = read(create, logs, PATTERNS[pattern](space))
    back = [row for state in found.values() for row in state]
    assert len(back) == len(set(back))
    assert set(back) == wanted
    assert found["log"]


@pytest.mark.parametrize("table", ["types", "keyed"])
def test_logs_alone_give_every_row_as_it_was_last(taken, table):
    tables, logs = taken
    create, _, space = tables[table]
    found, database = read(create, logs)
    assert set(found) == {"log"}
    assert set(found["log"]) == expected(create, space)
    assert len(found["log"]) == len(set(found["log"]))
    assert database.loss(database.tables[0], 1).expected is None


def test_a_whole_table_gets_no_row_from_logs(taken):
    tables, logs = taken
    create, _, space = tables["types"]
    found, _ = read(create, logs, space)
    assert set(found) == {"live"}


def test_a_damaged_log_gives_what_is_left_of_it(taken):
    tables, logs = taken
    create, _, space = tables["types"]
    noise = random.Random(5)
    torn = {}
    for name, data in logs.items():
        hurt = bytearray(data)
        for start in range(65536, len(hurt), 400_000):
            hurt[start : start + 3000] = noise.randbytes(len(hurt[start : start + 3000]))
        torn[name] = bytes(hurt)
    found, _ = read(create, torn)
    keys = {row[0] for row in expected(create, space)}
    assert 0.3 * len(keys) < len(found["log"])


def test_rows_of_which_only_a_part_is_logged_do_not_come_back_as_they_were(taken):
    tables, logs = taken
    create, _, space = tables["short"]
    found, _ = read(create, logs)
    wanted = expected(create, space)
    assert len(found["log"]) == len(set(found["log"])) > 0.4 * len(wanted)
    assert set(found["log"]) <= wanted


def event(kind, body, at, checked=True):
    """Return an event that begins at ``at``."""
    size = binlog.HEADER + len(body) + 4 * checked
    data = struct.pack("<IBIIIH", 1_700_000_000, kind, 1, size, at + size if checked else 0, 0) + body
    return data + struct.pack("<I", zlib.crc32(data)) * checked


def as_mysql_packs_it(log, packer):
    """Return a log whose events are packed into transactions, 40 together."""
    every = list(binlog.events(BytesReader(log)))
    start = int.from_bytes(log[4 + 9 : 4 + 13], "little") + 4
    out = bytearray(log[:start])
    for first in range(0, len(every), 40):
        plain = b"".join(event(each.kind, each.body, 0, checked=False) for each in every[first : first + 40])
        packed = pyarrow.compress(plain, codec="zstd", asbytes=True) if packer == binlog.ZSTD else plain
        size = b"\xfe" + len(packed).to_bytes(8, "little")
        fields = b"\1\x09" + size + b"\2\1" + bytes([packer]) if packer < 251 else b"\2\3\xfc\xff\0"
        out += event(binlog.PAYLOAD, fields + b"\0" + packed, len(out))
    return bytes(out)


@pytest.mark.parametrize("packer", [binlog.ZSTD, binlog.NO_PACKER])
def test_transactions_that_mysql_packed_are_read(taken, packer):
    tables, logs = taken
    create, _, space = tables["keyed"]
    packed = {name: as_mysql_packs_it(data, packer) for name, data in logs.items()}
    found, _ = read(create, packed)
    assert set(found["log"]) == expected(create, space)
    torn = {name: data[:-100] + bytes(100) for name, data in packed.items()}
    for name in torn:
        torn[name] = torn[name][:70_000] + random.Random(1).randbytes(900) + torn[name][70_900:]
    read(create, torn)


def test_a_packed_transaction_that_lies_about_itself_is_passed_over():
    assert binlog.payload(b"") == b""
    assert binlog.payload(b"\2\1\0\0" + b"no zstd") == b""
    assert binlog.payload(b"\2\1\7\0" + b"another packer") == b""
    assert list(binlog.events_within(b"\xff" * 100)) == []
