"""Every kind of record and every type, in files that the maker beside this builds."""

import datetime
import struct
from decimal import Decimal

import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import opened, rows

TYPES = [
    ("id", 56, 4, 10, 0, 4, 1, ("status", 128)),
    ("tiny", 48, 1, 3, 0, 8, 2),
    ("small", 52, 2, 5, 0, 9, 3),
    ("big", 127, 8, 19, 0, 11, 4),
    ("flag", 104, 1, 1, 0, 19, 5, ("bit", 0)),
    ("other", 104, 1, 1, 0, 19, 6, ("bit", 1)),
    ("price", 60, 8, 19, 4, 20, 7),
    ("cents", 122, 4, 10, 4, 28, 8),
    ("amount", 106, 9, 19, 4, 32, 9),
    ("wide", 108, 17, 38, 10, 41, 10),
    ("real", 59, 4, 24, 0, 58, 11),
    ("double", 62, 8, 53, 0, 62, 12),
    ("at", 61, 8, 23, 3, 70, 13),
    ("minute", 58, 4, 16, 0, 78, 14),
    ("day", 40, 3, 10, 0, 82, 15),
    ("clock", 41, 5, 16, 7, 85, 16),
    ("moment", 42, 7, 23, 3, 90, 17),
    ("exact", 42, 8, 27, 7, 97, 18),
    ("zoned", 43, 10, 34, 7, 105, 19),
    ("guid", 36, 16, 0, 0, 115, 20),
    ("code", 175, 3, 0, 0, 131, 21),
    ("ncode", 239, 6, 0, 0, 134, 22),
    ("raw", 173, 2, 0, 0, 140, 23),
    ("name", 231, 100, 0, 0, -1, 24),
    ("text8", 167, 50, 0, 0, -2, 25),
    ("bytes", 165, 50, 0, 0, -3, 26),
    ("chinese", 167, 50, 0, 0, -4, 27, ("collation", 0xD024)),
]
DAY = datetime.date(2024, 2, 29)
DAYS = (DAY - datetime.date(1, 1, 1)).days


def typed_row(number, nulls=()):
    ticks = int((13 * 3600 + 5 * 60 + 7.123) * 300 + 0.5)
    days = (DAY - datetime.date(1900, 1, 1)).days
    seven = (13 * 3600 + 5 * 60 + 7) * 10**7 + 1234567
    fixed = struct.pack("<iBhqBqi", number, 200, -5, -(2**40), 0b10, -123456, 99)
    fixed += bytes((1,)) + struct.pack("<Q", 12345678)
    fixed += bytes((0,)) + (10**37 + 7).to_bytes(16, "little")
    fixed += struct.pack("<fd", 1.5, -2.25) + struct.pack("<Ii", ticks, days) + struct.pack("<HH", 785, days)
    fixed += DAYS.to_bytes(3, "little") + seven.to_bytes(5, "little")
    fixed += (seven // 10**4).to_bytes(4, "little") + DAYS.to_bytes(3, "little")
    fixed += seven.to_bytes(5, "little") + DAYS.to_bytes(3, "little")
    fixed += seven.to_bytes(5, "little") + DAYS.to_bytes(3, "little") + struct.pack("<h", 480)
    fixed += bytes(range(16)) + b"ab " + "订x ".encode("utf-16-le") + b"\x01\xff"
    values = ["Zoë 😀".encode("utf-16-le"), "caf\xe9".encode("cp1252"), b"\x00\x01", "北京".encode("gb18030")]
    return make.record(fixed, 27, nulls, values)


@pytest.mark.parametrize("protection", ["checksum", "torn", "none"])
def test_all_types(protection):
    base = make.Database(protection)
    unit = base.table("typed", TYPES, key=("id",))
    base.add(unit, [typed_row(1), typed_row(2, nulls=range(2, 28))])
    found = rows(opened(base.bytes()), "typed")
    at = datetime.datetime.fromisoformat("2024-02-29 13:05:07")
    assert found[0] == (
        1, 200, -5, -(2**40), False, True, Decimal("-12.3456"), Decimal("0.0099"), Decimal("1234.5678"),
        Decimal("-1000000000000000000000000000.0000000007"), 1.5, -2.25,
        at.replace(microsecond=123000), at.replace(second=0), DAY,
        "13:05:07.1234567", at.replace(microsecond=123000), "2024-02-29 13:05:07.1234567",
        "2024-02-29 21:05:07.1234567 +08:00", "03020100-0504-0706-0809-0a0b0c0d0e0f", "ab ", "订x ",
        b"\x01\xff",
        "Zoë 😀", "café", b"\x00\x01", "北京",
    )  # fmt: skip
    assert found[1] == (2, *[None] * 26)


NOTES = [("id", 56, 4, 10, 0, 4, 1), ("note", 231, 100, 0, 0, -1, 2), ("late", 56, 4, 10, 0, 8, 3)]


def note(number, text, status=0x10):
    return make.record(struct.pack("<i", number), 2, (), [text.encode("utf-16-le")], status)


def test_kinds_of_records():
    """Forwarded rows count once, deleted ones are marked, rows older than a column lack it."""
    base = make.Database()
    unit = base.table("notes", NOTES)
    stub = struct.pack("<BIHH", 0x04, 41, 1, 0).ljust(9, b"\0")
    tagged = note(4, "tagged", 0x50) + bytes(14)
    base.add(unit, [note(1, "one"), stub, note(3, "gone", 0x1C), tagged])
    base.add(unit, [note(2, "moved", 0x12)])
    base.add(unit, [make.record(struct.pack("<ii", 5, 50), 3, (), ["neu".encode("utf-16-le")])])
    database = opened(base.bytes())
    assert rows(database, "notes") == [
        (1, "one", None),
        (4, "tagged", None),
        (2, "moved", None),
        (5, "neu", 50),
    ]
    assert rows(database, "notes", ("deleted",)) == [(3, "gone", None)]


def test_pages_that_are_free_again_are_left_out():
    base = make.Database()
    unit = base.table("notes", NOTES)
    base.add(unit, [note(1, "one")])
    freed = base.add(unit, [note(2, "old")])
    data = bytearray(base.bytes())
    at = 8192 + 100 + freed
    assert data[at] == 0x40
    data[at] = 0
    data[8192:16384] = make.seal(bytearray(data[8192:8252] + bytes(4) + data[8256:16384]), "checksum")
    assert rows(opened(bytes(data)), "notes") == [(1, "one", None)]


LOBS = [
    ("id", 56, 4, 10, 0, 4, 1),
    ("picture", 34, 16, 0, 0, -1, 2),
    ("story", 99, 16, 0, 0, -2, 3),
    ("body", 231, -1, 0, 0, -3, 4),
    ("long", 167, 8000, 0, 0, -4, 5),
]


def lob_file():
    """Return a file with a text tree of two levels, a small root, an inline root and row overflow."""
    base = make.Database()
    unit = base.table("lobs", LOBS)
    parts = [bytes((n,)) * 8000 for n in range(3)]
    text = base.add(unit + 1000, [make.small_root("短い".encode("utf-16-le"))], make.TEXT_MIX)
    pages = [base.add(unit + 1000, [make.data_blob(part)], make.TEXT_MIX) for part in parts]
    inner = struct.pack("<HHH", 2, 2, 0) + b"".join(
        struct.pack("<QIHH", 8000 * (n + 1), number, 1, 0) for n, number in enumerate(pages[:2])
    )
    node = base.add(unit + 1000, [make.blob(2, inner)], make.TEXT_MIX)
    links = [(16000, node), (24000, pages[2])]
    top = struct.pack("<HHHI", 5, 2, 1, 0) + b"".join(struct.pack("<IIHH", e, n, 1, 0) for e, n in links)
    root = base.add(unit + 1000, [make.blob(5, top)], make.TEXT_MIX)
    body = "長" * 5000
    halves = body.encode("utf-16-le")
    first = base.add(unit + 1000, [make.data_blob(halves[:6000])], make.TEXT_MIX)
    second = base.add(unit + 1000, [make.data_blob(halves[6000:])], make.TEXT_MIX)
    over = base.add(unit + 1000, [make.data_blob(b"y" * 7000)], make.TEXT_MIX)
    values = [
        make.text_pointer(root, 0), make.text_pointer(text, 0),
        make.inline_root([(6000, first, 0), (10000, second, 0)]), make.inline_root([(7000, over, 0)], 2),
    ]  # fmt: skip
    base.add(unit, [make.record(struct.pack("<i", 1), 5, (), values, complexes=range(4))])
    return base.bytes(), (1, b"".join(parts), "短い", body, "y" * 7000), pages[1]


def test_values_outside_their_row():
    data, want, _ = lob_file()
    assert rows(opened(data), "lobs") == [want]


def test_a_value_whose_page_is_lost_is_none_and_lowers_confidence():
    data, want, lost = lob_file()
    broken = data[: lost * 8192] + bytes(8192) + data[(lost + 1) * 8192 :]
    database = opened(broken)
    assert rows(database, "lobs") == [(want[0], None, *want[2:])]
    table = database.tables[0]
    assert next(iter(database.rows(table))).batch.column("_confidence").to_pylist() == [0.5]


def test_sparse_columns():
    columns = [
        ("id", 56, 4, 10, 0, 4, 1),
        ("name", 167, 20, 0, 0, -1, 2),
        ("rare", 56, 4, 10, 0, 0, 0),
        ("odd", 231, 40, 0, 0, 0, 0),
    ]
    base = make.Database()
    unit = base.table("sparse", columns)
    vector = make.sparse({3: struct.pack("<i", 77), 4: "selten".encode("utf-16-le")})
    base.add(
        unit,
        [
            make.record(struct.pack("<i", 1), 2, (), [b"a", vector], complexes=(1,)),
            make.record(struct.pack("<i", 2), 2, (), [b"b"]),
        ],
    )
    assert rows(opened(base.bytes()), "sparse") == [(1, "a", 77, "selten"), (2, "b", None, None)]


SQUEEZED = [
    ("id", 56, 4, 10, 0, 4, 1),
    ("name", 231, 100, 0, 0, -1, 2),
    ("price", 60, 8, 19, 4, 8, 3),
    ("at", 61, 8, 23, 3, 16, 4),
    ("ratio", 62, 8, 53, 0, 24, 5),
    ("flag", 104, 1, 1, 0, 32, 6),
    ("code", 175, 5, 0, 0, 33, 7),
    ("amount", 106, 9, 18, 4, 38, 8),
    ("day", 40, 3, 10, 0, 47, 9),
]


def excess(value, size):
    return (value + (1 << 8 * size - 1)).to_bytes(size, "big")


def vardecimal(sign, exponent, digits):
    """Pack digits, three at a time, into ten bits each."""
    digits += "0" * (-len(digits) % 3)
    bits = "".join(f"{int(digits[n : n + 3]):010b}" for n in range(0, len(digits), 3))
    bits += "0" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big").rstrip(b"\0")
    return bytes((sign << 7 | exponent + 64,)) + body


def test_row_compression():
    base = make.Database()
    unit = base.table("squeezed", SQUEEZED)
    days = (datetime.date(2024, 2, 29) - datetime.date(1900, 1, 1)).days
    moment = excess(days << 32 | 300 * 3600, 8)
    base.add(
        unit,
        [
            make.compressed([
                excess(113538, 3), b"plain ascii, long", excess(-360, 2), moment,
                struct.pack("<d", 1.0).lstrip(b"\0"), True, b"ab", vardecimal(1, 3, "12345678"),
                DAYS.to_bytes(3, "little"),
            ]),
            make.compressed([b"", b"\x12\x9f\xc0", b"", None, b"", b"", b"", vardecimal(0, -1, "5"), None]),
            make.compressed([excess(-1, 1), b"\x0f\x53\x17\x4e\xac\x10", *[None] * 5, b"", None]),
        ],
    )  # fmt: skip
    found = rows(opened(base.bytes()), "squeezed")
    assert found[0] == (
        113538, "plain ascii, long", Decimal("-0.0360"),
        datetime.datetime.fromisoformat("2024-02-29 01:00:00"), 1.0, True, "ab   ",
        Decimal("1234.5678"), DAY,
    )  # fmt: skip
    assert found[1] == (
        0, "Пр", Decimal("0.0000"), None, 0.0, False, "     ", Decimal("-0.5000"), None,
    )  # fmt: skip
    assert found[2] == (-1, "\u5317\u4eac", None, None, None, None, None, Decimal("0.0000"), None)


def test_page_compression():
    """Values repeat the column's anchor, or an entry of the page's dictionary, or both."""
    columns = [("id", 56, 4, 10, 0, 4, 1), ("first", 167, 50, 0, 0, -1, 2), ("last", 167, 50, 0, 0, -2, 3)]
    base = make.Database()
    unit = base.table("people", columns)
    info = make.compression_info([None, b"Antonia", None], [b"\x06ette", b"Smith"])
    records = [
        make.compressed([excess(1, 1), b"", b"Miller"]),
        make.compressed([excess(2, 1), b"\x06o", 1]),
        make.compressed([excess(3, 1), 0, 1]),
        make.compressed([excess(4, 1), b"\x00Bob", b"a longer last name"]),
        make.compressed([excess(5, 1), None, b""]),
    ]
    base.add(unit, records, info=info)
    assert rows(opened(base.bytes()), "people") == [
        (1, "Antonia", "Miller"),
        (2, "Antonio", "Smith"),
        (3, "Antoniette", "Smith"),
        (4, "Bob", "a longer last name"),
        (5, None, ""),
    ]
