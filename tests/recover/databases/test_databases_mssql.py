"""What comes out of SQL Server's files: every row, in every format, with what its column is."""

import csv
import hashlib
import re
import sqlite3
import struct
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pyarrow
import pytest

from tests.catalog.databases.mssql import lob_walk
from tests.catalog.databases.mssql import mdf_maker as make
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.table import Column, Numbering, Table
from unransom.core.streams import BytesReader
from unransom.recover.databases.formats import writer_for
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.sqlite import SqliteWriter
from unransom.recover.databases.step import Wanted, recover
from unransom.recover.databases.writer import Shown

REAL = Path("../shared/data/databases/mdf")
GHOST = 0x1C  # status of a record whose row was deleted


def test_deleted_rows_take_no_place_of_others(tmp_path):
    """More pages than are read at once, each with deleted rows."""
    base = make.Database()
    unit = base.table("numbers", [("id", 56, 4, 10, 0, 4, 1)], key=("id",))
    for page in range(300):
        numbers = range(page * 10, page * 10 + 10)
        base.add(
            unit,
            [make.record(struct.pack("<i", n), 1, status=GHOST if n % 10 == 3 else 0x10) for n in numbers],
        )
    sources = [Source("a.mdf", BytesReader(base.bytes()))]
    outcome = recover(sources, Hints(), lambda name: SqliteWriter(tmp_path, name), Wanted(deleted=True))
    assert outcome.tables[0].states == {"live": 2700, "deleted": 300}
    (path,) = outcome.outputs
    with sqlite3.connect(path) as found:
        live = [row[0] for row in found.execute("SELECT id FROM numbers")]
        deleted = [row[0] for row in found.execute('SELECT id FROM "numbers deleted"')]
    assert live == [n for n in range(3000) if n % 10 != 3]
    assert deleted == list(range(3, 3000, 10))


@pytest.mark.parametrize(
    ("numbering", "rows", "drawn", "after"),
    [
        (None, 2, "IDENTITY(1,1)", []),
        (Numbering(100, 10), 2, "IDENTITY(100,10)", []),
        (
            Numbering(100, 10, 170),
            2,
            "IDENTITY(100,10)",
            ["IF IDENT_CURRENT(N'[it''s]') < 170 DBCC CHECKIDENT (N'[it''s]', RESEED, 170);"],
        ),
        (
            Numbering(-1, -2, -9),
            0,
            "IDENTITY(-1,-2)",
            ["IF IDENT_CURRENT(N'[it''s]') > -11 DBCC CHECKIDENT (N'[it''s]', RESEED, -11);"],
        ),
    ],
)
def test_sql_server_goes_on_behind_the_number_that_was_drawn_last(tmp_path, numbering, rows, drawn, after):
    """Whose row may be gone: a new one must not have its number. Of empty tables the next one is given."""
    column = Column("id", "int", pyarrow.int32(), nullable=False, automatic=True, numbering=numbering)
    table = Table("it's", (column,), dialect="mssql")
    writer = SqlWriter(tmp_path, "shop", "mssql")
    writer.begin(Shown("it's", table, table.columns))
    writer.write(pyarrow.record_batch({"id": pyarrow.array([100, 110][:rows], pyarrow.int32())}))
    writer.keep()
    script = (tmp_path / "shop.sql").read_text()
    assert f"[id] int NOT NULL {drawn}\n" in script
    assert script.split("SET IDENTITY_INSERT [it's] OFF;\n")[1].splitlines() == after


def cells(form, folder, data):
    """Return the values that a format has, as its own readers read them, each by its hash."""
    sources = [Source("a.mdf", BytesReader(data))]
    found = []
    for path in recover(sources, Hints(), writer_for(form, "mssql", folder)).outputs:
        if form == "sqlite":
            with sqlite3.connect(path) as base:
                names = [
                    row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                ]
                found += [v for name in names for row in base.execute(f'SELECT * FROM "{name}"') for v in row]
        elif form == "csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                found += [value for row in csv.reader(file) for value in row]
        else:
            text = path.read_bytes().decode()
            found += [text.replace("''", "'") for text in re.findall(r"N'((?:[^']|'')*)'", text)]
            found += [bytes.fromhex(value) for value in re.findall(r"\b0x([0-9a-f]*)\b", text)]
    return Counter(hashed(value) for value in found)


def hashed(value):
    return hashlib.sha256(value if isinstance(value, bytes) else str(value).encode()).hexdigest()


@pytest.fixture
def wide_cells():
    before = csv.field_size_limit(1 << 24)
    yield
    csv.field_size_limit(before)


@pytest.mark.shared_data
@pytest.mark.usefixtures("wide_cells")
@pytest.mark.parametrize("form", ["sqlite", "csv", "sql"])
@pytest.mark.parametrize(
    ("name", "encodings", "count"),
    [("itsligo_northwnd", ("utf-16-le",), 39), ("anhnbt_pubs", ("cp1252",), 16)],
)
def test_large_values_of_real_files_are_in_every_format(tmp_path, form, name, encodings, count):
    """They are held against what walking the file's text pages gives, without a line of the program."""
    data = (REAL / f"{name}.mdf").read_bytes()
    values = [value for value in lob_walk.values(data) if len(value) > 1]
    found = cells(form, tmp_path, data)
    seen = 0
    for value in values:
        shown = [value.hex() if form == "csv" else value]
        shown += [value.decode(encoding, "replace") for encoding in encodings]
        seen += any(found[hashed(each)] for each in shown)
    assert (seen, len(values)) == (count, count)


@pytest.mark.shared_data
@pytest.mark.usefixtures("wide_cells")
@pytest.mark.parametrize("form", ["sqlite", "csv", "sql"])
def test_packed_values_of_a_real_file_unpack_in_every_format(tmp_path, form):
    """Entity Framework keeps its models as gzip: the sum in each proves every byte."""
    data = (REAL / "vanasp_Movies.mdf").read_bytes()
    found = cells(form, tmp_path, data)
    at = [m.start() for m in re.finditer(b"\x1f\x8b\x08\x00", data)]
    models = set()
    for start in at:
        unpacker = zlib.decompressobj(31)
        with suppress(zlib.error):
            unpacker.decompress(data[start : start + 8000])
            if unpacker.eof:
                models.add(data[start : start + 8000 - len(unpacker.unused_data)])
    assert len(models) >= 2
    shown = [hashed(model.hex() if form == "csv" else model) for model in models]
    assert sum(found[each] for each in shown) == 2


@pytest.mark.usefixtures("wide_cells")
@pytest.mark.parametrize("form", ["sqlite", "csv", "sql"])
def test_xml_and_variants_are_in_every_format(tmp_path, form):
    def letters(text):
        return bytes((len(text),)) + text.encode("utf-16-le")

    def named(number, text):
        return b"\xf0" + letters(text) + bytes((0xEF, 0, 0, number))

    xml = b"\xdf\xff\x01" + named(1, "order") + b"\xf8\x01" + named(2, "note")
    xml += b"\xf6\x02\x11" + letters('it\'s "訂"') + b"\xf5\x11" + letters("a<b") + b"\xf7"
    variants = {
        b"\xe7\x01" + struct.pack("<HI", 40, 0) + "d'été 訂".encode("utf-16-le"): "d'été 訂",
        b"\x38\x01" + struct.pack("<i", -5): "-5",
        b"\x6a\x01\x09\x02\x01" + struct.pack("<i", 12345): "123.45",
    }
    base = make.Database()
    columns = [("id", 56, 4, 10, 0, 4, 1), ("value", 98, 8016, 0, 0, -1, 2), ("doc", 241, -1, 0, 0, -2, 3)]
    unit = base.table("odd", columns)
    rows = [make.record(struct.pack("<i", n), 3, (), [raw, xml]) for n, raw in enumerate(variants)]
    base.add(unit, rows)
    found = cells(form, tmp_path, base.bytes())
    assert [found[hashed(text)] for text in variants.values()] == [1, 1, 1]
    assert found[hashed('<order note="it\'s &quot;訂&quot;">a&lt;b</order>')] == 3
