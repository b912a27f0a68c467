"""Binary logs by themselves: events that are damaged, moved, cut off, hostile."""

import contextlib
import os
import struct
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.catalog.databases.innodb import binlog
from unransom.catalog.databases.innodb.charsets import UTF8
from unransom.catalog.databases.innodb.row_images import image, takers
from unransom.catalog.databases.innodb.types import column_type
from unransom.core.streams import BytesReader

EXAMPLES = 200 * int(os.environ.get("UNRANSOM_SOAK", "1"))
MAP = b"\x07\0\0\0\0\0\1\0" + b"\4shop\0" + b"\6orders\0" + b"\3\3\x0f\xf6" + b"\4\x50\0\x0c\2" + b"\6"
ROW = b"\7\0\0\0\0\0\1\0" + b"\3\7" + b"\0" + b"\5\0\0\0" + b"\2hi" + b"\x80\0\0\0\x05\x63"


def event(kind, body, at, time=100):
    size = binlog.HEADER + len(body) + 4
    head = struct.pack("<IBIIIH", time, kind, 1, size, at + size, 0)
    return head + body + zlib.crc32(head + body).to_bytes(4, "little")


def log(*parts):
    out = binlog.MAGIC
    out += event(binlog.FORMAT, b"\4\0" + bytes(50) + bytes(4) + b"\x13" + bytes(40) + b"\1", len(out))
    for kind, body in parts:
        out += event(kind, body, len(out))
    return out


def test_a_table_and_its_row_are_read():
    table, row = (each.body for each in binlog.events(BytesReader(log((19, MAP), (23, ROW)))))
    number, found = binlog.table_map(table)
    assert (number, found.schema, found.name) == (7, "shop", "orders")
    assert found.types == ((3, b""), (15, b"\x50\0"), (246, b"\x0c\2"))
    said = binlog.row_event(23, row)
    assert (said.does, said.table, said.whole, said.columns) == ("insert", 7, True, 3)
    columns = [column_type(each, UTF8) for each in ("int", "varchar(20)", "decimal(12,2)")]
    values, end = image(said.rows, 0, takers(found, columns))
    assert values == [b"\x80\0\0\5", b"hi", b"\x80\0\0\0\5\x63"]
    assert end == len(said.rows)
    assert takers(found, columns[:2]) is None
    assert takers(found, [columns[1], columns[1], columns[2]]) is None


def test_behind_damage_the_next_event_is_found():
    data = bytearray(log((19, MAP), (23, ROW), (19, MAP), (23, ROW)))
    second = data.index(MAP)
    data[second - 10 : second + 20] = b"\xff" * 30
    assert [each.kind for each in binlog.events(BytesReader(bytes(data)))] == [23, 19, 23]


def test_an_event_whose_checksum_does_not_hold_is_passed_over():
    data = bytearray(log((19, MAP), (23, ROW)))
    data[data.index(ROW) + 3] ^= 1
    assert [each.kind for each in binlog.events(BytesReader(bytes(data)))] == [19]


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=200), st.sampled_from(sorted(binlog.ROWS)), st.data())
def test_hostile_events_neither_raise_nor_hang(data, kind, draw):
    whole = bytearray(log((19, MAP), (kind, ROW + data), (19, data), (23, ROW)))
    for _ in range(draw.draw(st.integers(0, 5))):
        whole[draw.draw(st.integers(0, len(whole) - 1))] = draw.draw(st.integers(0, 255))
    for each in binlog.events(BytesReader(bytes(whole))):
        assert len(each.body) < len(whole)
    binlog.table_map(data)
    binlog.table_map(MAP[:21] + data)
    binlog.row_event(kind, data)
    binlog.row_event(kind, ROW[:8] + data)
    known = takers(binlog.table_map(MAP)[1], [column_type(t, UTF8) for t in ("int", "text", "decimal(12,2)")])
    with contextlib.suppress(IndexError):
        image(data, 0, known)
