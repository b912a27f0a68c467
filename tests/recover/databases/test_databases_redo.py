"""Rows that only the redo log of a real MariaDB still holds: whole, torn, and after it began anew."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.databases.innodb.made_tablespace import CREATE, tablespace
from tests.recover.databases import orders_table
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.catalog.databases.innodb._redo_kernel import transaction_end
from unransom.catalog.databases.innodb.redo import ENCRYPTED, OLDER_ENCRYPTED, Redo
from unransom.catalog.databases.innodb.redo_blocks import log_of
from unransom.catalog.formats._innodb_checksums import crc32c
from unransom.core.streams import BytesReader

OLD_FORMAT = "create table shop.old (a int not null, b varchar(20) not null, c text, primary key (b, a))"
ROWS = 20_000


@pytest.fixture(scope="module", params=["96M", "10M"])
def taken(request):
    """Return definition, rows and file of two tables, and a log that holds all of it or the end only."""
    server = Server(f"--innodb-log-file-size={request.param}")
    try:
        server.run("create database shop", "use shop")
        orders_table.fill(server, "shop.orders", count=ROWS)
        server.run(
            OLD_FORMAT + " row_format=redundant",
            "insert into shop.old select seq, concat('k', seq % 17), repeat('z', seq % 300)"
            f" from seq_1_to_{ROWS}",
            "update shop.orders set note = 'changed' where id % 7 = 0",
            "delete from shop.orders where id % 11 = 0",
            "delete from shop.old where a % 3 = 0",
            "update shop.old set c = '' where a % 5 = 0",
        )
        tables = {name: _table(server, name) for name in ("orders", "old")}
        server.stop()
        log = (server.data / "ib_logfile0").read_bytes()
    finally:
        server.close()
    return request.param, tables, log


def _table(server, name):
    create = server.run(f"show create table shop.{name}")[0][1]
    wanted = {str(row) for row in server.run(f"select * from shop.{name}")}
    return create, wanted, server.files("shop", name)[".ibd"]


def _read(create, data, log, name="ib_logfile0"):
    sources = [Source("t.ibd", BytesReader(data)), Source(name, BytesReader(log))]
    (database,) = ENGINE.open(sources, Hints(sql=(create,)))
    (table,) = database.tables
    names = [column.name for column in table.columns]
    found = {}
    for rows in database.rows(table):
        for row in rows.batch.to_pylist():
            found.setdefault(row["_state"], []).append(str(tuple(row[each] for each in names)))
    found.pop("deleted", None)
    return found, database


# Of a table of which no sound page of rows is left, the log is no help.
@pytest.mark.parametrize(
    ("name", "pattern"), [("orders", "A"), ("orders", "K"), ("orders", "S"), ("old", "A"), ("old", "K")]
)
def test_lost_pages_are_made_anew_from_the_log(taken, name, pattern):
    size, tables, log = taken
    create, wanted, data = tables[name]
    found, _ = _read(create, PATTERNS[pattern](data), log)
    back = [row for state in found.values() for row in state]
    assert len(set(back)) == len(back)
    assert set(back) <= wanted
    if size == "96M" or name == "old":  # the shorter log holds the newer table only
        assert set(back) == wanted
        assert found["log"]


def test_a_torn_log_gives_no_row_as_it_was_before(taken):
    _, tables, log = taken
    noise = random.Random(8)
    torn = bytearray(log)
    for start in range(300_000, len(torn), 700_000):
        torn[start : start + 5000] = noise.randbytes(len(torn[start : start + 5000]))
    headless = bytes(65536) + log[65536:]
    for name, damaged in (("orders", bytes(torn)), ("old", bytes(torn)), ("old", headless)):
        create, wanted, data = tables[name]
        found, _ = _read(create, PATTERNS["A"](data), damaged)
        rows = [row for state in found.values() for row in state]
        assert len(set(rows)) == len(rows)
        assert set(rows) <= wanted


def test_an_encrypted_log_of_mariadb_10_4_is_said_to_be_one():
    made = Source("made.ibd", BytesReader(tablespace()))
    log = Source("ib_logfile0", BytesReader(b"\x80\0\0\x67" + bytes(8192)))
    (opened,) = ENGINE.open([made, log], Hints(sql=(CREATE,)))
    assert [problem.text for problem in opened.problems] == ["a redo log is encrypted; it is not read"]


@pytest.mark.parametrize("head", [ENCRYPTED, OLDER_ENCRYPTED])
def test_an_encrypted_log_is_said_to_be_one(taken, head):
    _, tables, log = taken
    create, _, data = tables["orders"]
    found, database = _read(create, PATTERNS["A"](data), head + log[4:])
    assert set(found) == {"live"}
    assert "redo log" in str(database.problems)


def _in_sectors(log):
    """Return a log as MariaDB 10.5 to 10.7 writes it, which has gone on at its start in the middle."""
    stream, begins = bytearray(), []
    for _, windows in Redo(Source("ib_logfile0", BytesReader(log))).parts():
        for data in windows:
            at = 0
            while at < len(data):
                stop = transaction_end(data, at, len(data))
                begins.append(len(stream))
                stream += data[at:stop].tobytes() + b"\0"
                at = stop + 5
    firsts = {}
    for begin in begins:
        firsts.setdefault(begin // 496, begin % 496 + 12)
    sectors = []
    for number, at in enumerate(range(0, len(stream), 496)):
        held = bytes(stream[at : at + 496])
        used = 512 if len(held) == 496 else 12 + len(held)
        head = (number + 7 | 1 << 31).to_bytes(4) + used.to_bytes(2) + firsts.get(number, 0).to_bytes(2)
        sector = (head + bytes(4) + held).ljust(508, b"\0")
        sectors.append(sector + crc32c(sector).to_bytes(4))
    turn = len(sectors) // 3
    return b"PHYS".ljust(2048, b"\0") + b"".join(sectors[turn:] + sectors[:turn])


def test_logs_in_sectors_are_read_too(taken):
    size, tables, log = taken
    sectors = _in_sectors(log)
    torn = bytearray(sectors)
    for start in range(500_000, len(torn), 2_000_000):
        torn[start : start + 700] = bytes(700)
    for name, (create, wanted, data) in tables.items():
        found, _ = _read(create, PATTERNS["A"](data), sectors)
        back = [row for state in found.values() for row in state]
        assert len(set(back)) == len(back)
        assert set(back) == wanted if size == "96M" or name == "old" else set(back) <= wanted
        found, _ = _read(create, PATTERNS["A"](data), bytes(torn))
        assert {row for state in found.values() for row in state} <= wanted


def test_the_command_takes_the_server_folder(taken, tmp_path):
    _, tables, log = taken
    create, wanted, data = tables["old"]
    (tmp_path / "data/shop").mkdir(parents=True)
    (tmp_path / "data/shop/old.ibd").write_bytes(PATTERNS["A"](data))
    (tmp_path / "data/ib_logfile0").write_bytes(log)
    (tmp_path / "schema.sql").write_text(create)
    command(tmp_path, "--schema", str(tmp_path / "schema.sql"), "--format", "csv", source="data", code=3)
    lines = (tmp_path / "out/innodb/old.csv").read_text().splitlines()
    assert len(lines) == len(wanted) + 1


def _number(value):
    """Return a number as the log writes it, in one or two bytes."""
    return bytes([value]) if value < 128 else (0x8000 | (value - 128)).to_bytes(2, "big")


def _record(kind, body, same=True):
    """Return a record of page 7 of tablespace 5."""
    body = body if same else bytes([5, 7]) + body
    first = kind << 4 | (0x80 if same else 0)
    if len(body) < 16:
        return bytes([first | len(body)]) + body
    head = _number(len(body) - 14)
    return bytes([first]) + (head if len(head) == 1 else _number(len(body) - 13)) + body


def _transaction(*records):
    data = b"".join(records)
    return data + b"\1" + crc32c(data).to_bytes(4, "big")


HEAD = _record(1, b"", same=False), _record(2, b"\1")
EXTENDED = st.builds(
    lambda kind, numbers, rest: (2, bytes([kind]) + b"".join(map(_number, numbers)) + rest),
    st.integers(0, 11),
    st.lists(st.one_of(st.integers(0, 40), st.integers(0, 16_000)), max_size=6),
    st.binary(min_size=1, max_size=40),
)
PLAIN = st.builds(
    lambda kind, numbers, rest: (kind, b"".join(map(_number, numbers)) + rest),
    st.integers(2, 7),
    st.lists(st.integers(0, 16_500), min_size=1, max_size=3),
    st.binary(min_size=1, max_size=40),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(EXTENDED, PLAIN), max_size=30), st.booleans(), st.binary(max_size=300))
def test_no_log_breaks_the_reader(records, old, noise):
    head = HEAD[0], _record(2, b"\0" if old else b"\1")
    made = _transaction(*head) + b"".join(
        _transaction(_record(kind, body, same=False)) for kind, body in records
    )
    log = b"Phys".ljust(0x3000, b"\0") + made + noise
    redo = Redo(Source("ib_logfile0", BytesReader(log)))
    for each in redo.pages(5, np.arange(3, 9), 16384):
        assert set(each.numbers.tolist()) <= {7}


def test_a_page_is_made_as_the_log_says():
    insert = b"\x06" + bytes([0, 2 << 3, 0, 0]) + b"\0\3" + b"abcdef"
    log = b"Phys".ljust(0x3000, b"\0") + _transaction(*HEAD, _record(2, insert))
    (made,) = Redo(Source("ib_logfile0", BytesReader(log))).pages(5, np.array([7]), 16384)
    page = made.pages[0].tobytes()
    assert (
        page[120:133]
        == b"\0\3" + bytes([0, 0, 2 << 3]) + (112 - 127).to_bytes(2, "big", signed=True) + b"abcdef"
    )
    assert page[97:99] == (127 - 99).to_bytes(2, "big")
    assert page[54:56] == b"\0\1"
    assert not made.old.any()


@given(st.lists(st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=9)), max_size=12))
def test_no_log_in_sectors_breaks_the_reader(writes):
    records = (_transaction(*HEAD)[:-5] + b"\0") * 150
    sectors = bytearray(b"PHYS".ljust(2048, b"\0"))
    for number, at in enumerate(range(0, len(records), 496)):
        sectors += (
            number.to_bytes(4) + b"\2\0" + b"\0\14" + bytes(4) + records[at : at + 496].ljust(500, b"\0")
        )
    for at, data in writes:
        sectors[at : at + len(data)] = data
    for at in range(2048, len(sectors) - 511, 512):
        sectors[at + 508 : at + 512] = crc32c(bytes(sectors[at : at + 508])).to_bytes(4)
    for each in log_of(Source("ib_logfile0", BytesReader(bytes(sectors)))).pages(5, np.arange(3, 9), 16384):
        assert set(each.numbers.tolist()) <= set(range(3, 9))


def test_behind_what_is_no_mini_transaction_nothing_is_known():
    records = _transaction(*HEAD)[:-5] + b"\0" + b"\x60" * (3 << 20)
    sectors = bytearray(b"PHYS".ljust(2048, b"\0"))
    for number, at in enumerate(range(0, len(records), 496), 1):
        held = number.to_bytes(4) + b"\2\0\0\14" + bytes(4) + records[at : at + 496].ljust(496, b"\0")
        sectors += held + crc32c(held).to_bytes(4)
    (made,) = log_of(Source("ib_logfile0", BytesReader(bytes(sectors)))).pages(5, np.array([7]), 16384)
    assert made.numbers.tolist() == [7]
    assert made.old.all()
