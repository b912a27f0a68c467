"""What comes out of SQL Server's files: every row, in every format, with what its column is."""

import sqlite3
import struct

import pyarrow
import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.table import Column, Numbering, Table
from unransom.core.streams import BytesReader
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.sqlite import SqliteWriter
from unransom.recover.databases.step import Wanted, recover
from unransom.recover.databases.writer import Shown

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
