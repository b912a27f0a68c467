"""What comes out of SQL Server's files: every row, in every format, with what its column is."""

import sqlite3
import struct

from tests.catalog.databases.mssql import mdf_maker as make
from unransom.catalog.databases.engine import Hints, Source
from unransom.core.streams import BytesReader
from unransom.recover.databases.sqlite import SqliteWriter
from unransom.recover.databases.step import Wanted, recover

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
