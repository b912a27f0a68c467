"""Values that hold more than a plain type: sql_variant, xml, hierarchyid, geometry."""

import random
import struct

import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import opened, rows
from unransom.catalog.databases.mssql.binary_xml import xml_text
from unransom.catalog.databases.mssql.layout import CLR, GEOGRAPHY, GEOMETRY, HIERARCHYID, XML, Field
from unransom.catalog.databases.mssql.variants import clr_text


def letters(text):
    return bytes((len(text),)) + text.encode("utf-16-le")


def name(number, text):
    return b"\xf0" + letters(text) + bytes((0xEF, 0, 0, number))


def test_xml():
    raw = b"\xdf\xff\x01" + name(1, "order") + b"\xf8\x01" + name(2, "id") + b"\xf6\x02\x11" + letters("7&")
    raw += (
        b"\xf5\x11"
        + letters("a<b")
        + name(3, "empty")
        + b"\xf8\x03\xf7"
        + b"\xf3"
        + letters("note")
        + b"\xf7"
    )
    assert xml_text(Field("", XML), raw) == '<order id="7&amp;">a&lt;b<empty/><!--note--></order>'


@pytest.mark.parametrize("seed", range(200))
def test_broken_xml_and_shapes_are_shown_in_hexadecimal(seed):
    noise = random.Random(seed)
    raw = b"\xdf\xff\x01" + bytes(
        noise.choice([0xF0, 0xEF, 0xF8, 0xF6, 0xF7, 1, 2, 0x11, 0]) for _ in range(40)
    )
    assert isinstance(xml_text(Field("", XML), raw), str)
    shape = (
        noise.randbytes(4) + b"\x01" + bytes((noise.randrange(32),)) + struct.pack("<I", noise.randrange(6))
    )
    for kind in (GEOMETRY, GEOGRAPHY, HIERARCHYID):
        assert isinstance(clr_text(Field("", CLR, user_type=kind), shape + noise.randbytes(90)), str)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", "/"),
        (b"\x58", "/1/"),
        (b"\x5a\xc0", "/1/1/"),
        (b"\x68", "/2/"),
        (b"\x84", "/4/"),
        (b"\xa2", "/8/"),
    ],
)
def test_hierarchyid(raw, path):
    """The bytes are those that the server's documentation and books show."""
    assert clr_text(Field("", CLR, user_type=HIERARCHYID), raw) == path


def test_geometry_and_geography():
    point = struct.pack("<IBB2d", 4326, 1, 0x0C, 47.5, -122.25)
    assert clr_text(Field("", CLR, user_type=GEOGRAPHY), point) == "POINT (-122.25 47.5)"
    line = struct.pack("<IBB4d", 0, 1, 0x14, 0, 0, 3, 4)
    assert clr_text(Field("", CLR, user_type=GEOMETRY), line) == "LINESTRING (0 0, 3 4)"
    square = struct.pack("<IBBI10dIBIIiiB", 0, 1, 0x04, 5, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 2, 0, 1, -1, 0, 3)
    assert clr_text(Field("", CLR, user_type=GEOMETRY), square) == "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"


def test_variants():
    base = make.Database()
    unit = base.table("variants", [("id", 56, 4, 10, 0, 4, 1), ("value", 98, 8016, 0, 0, -1, 2)])
    values = [
        b"\x38\x01" + struct.pack("<i", -5),
        b"\xe7\x01" + struct.pack("<HI", 40, 0) + "訂".encode("utf-16-le"),
        b"\x6a\x01\x09\x02\x01" + struct.pack("<i", 12345),
        b"\x28\x01\x00\x00\x00",
        b"\xff\x07nothing",
    ]
    base.add(unit, [make.record(struct.pack("<i", n), 2, (), [value]) for n, value in enumerate(values)])
    found = rows(opened(base.bytes()), "variants")
    assert found == [(0, "-5"), (1, "訂"), (2, "123.45"), (3, "0001-01-01"), (4, None)]
