"""The server's own tables, as rows: read from whatever of their pages is left, and from the log.

A page says which table it belongs to, so neither the boot page nor any link is needed. Of two copies of a row
the one counts that is on a page in use, and the newer one of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.decode import Records, decode, records_of
from unransom.catalog.databases.mssql.layout import Field, Layout
from unransom.catalog.databases.mssql.pages import Kind, Soundness
from unransom.catalog.databases.mssql.replay import History, Image, records_of_images
from unransom.catalog.databases.mssql.store import PageStore

SYSTEM_OBJECTS = 100  # object numbers below are the server's own
ROW_COLUMNS, UNITS, ROWSETS, OBJECTS, COLUMNS = 3, 7, 5, 34, 41  # objects of the server's tables
OLD_ROW_COLUMNS, OLD_PLACES = 4, 13  # of SQL Server 2005, which has no ROW_COLUMNS
SCHEMAS, INDEXES, INDEX_COLUMNS, LINKS = 64, 54, 55, 74

_I8, _I4, _I2, _I1 = types.BIGINT, types.INT, types.SMALLINT, types.TINYINT
_NAME = Field("name", types.NVARCHAR, 256, place=-1)
_NUMBERS = Field("numbers", types.VARBINARY, types.MAX, place=-2)  # of columns: what IDENTITY has drawn


def _table(*columns: tuple[str, int, int], name: bool = False) -> Layout:
    """Return the layout of one of the server's tables: names, types and offsets from the record's start."""
    fields = tuple(Field(title, kind, place=place) for title, kind, place in columns)
    return Layout((*fields, _NAME, _NUMBERS) if name else fields)


TABLES: dict[int, Layout] = {
    ROW_COLUMNS: _table(
        ("rowset", _I8, 4), ("column", _I4, 12), ("order", _I4, 16), ("type", _I4, 28),
        ("collation", _I4, 32), ("key", _I2, 36), ("status", _I4, 40), ("offset", _I2, 44),
        ("null_bit", _I2, 48), ("bit", _I2, 52),
    ),
    OLD_ROW_COLUMNS: _table(("rowset", _I8, 4), ("column", _I4, 12), ("order", _I4, 16)),
    OLD_PLACES: _table(
        ("rowset", _I8, 4), ("order", _I4, 12), ("status", _I4, 16), ("key", _I2, 20), ("kind", _I1, 22),
        ("length", _I2, 23), ("precision", _I1, 25), ("scale", _I1, 26), ("collation", _I4, 27),
        ("offset", _I2, 31), ("bit", _I2, 35), ("null_bit", _I2, 37),
    ),
    ROWSETS: _table(
        ("rowset", _I8, 4), ("owner", _I1, 12), ("object", _I4, 13), ("index", _I4, 17),
        ("number", _I4, 21), ("rows", _I8, 31),
    ),
    UNITS: _table(("unit", _I8, 4), ("type", _I1, 12), ("rowset", _I8, 13)),
    OBJECTS: _table(
        ("object", _I4, 4), ("schema", _I4, 8), ("kind", _I2, 17), ("columns", _I4, 24), name=True
    ),
    COLUMNS: _table(
        ("object", _I4, 4), ("number", _I2, 8), ("column", _I4, 10), ("kind", _I1, 14), ("user", _I4, 15),
        ("length", _I2, 19), ("precision", _I1, 21), ("scale", _I1, 22), ("collation", _I4, 23),
        ("status", _I4, 27), name=True,
    ),
    SCHEMAS: _table(("class", _I1, 4), ("schema", _I4, 5), name=True),
    INDEXES: _table(("object", _I4, 4), ("index", _I4, 8), ("status", _I4, 12)),
    INDEX_COLUMNS: _table(("object", _I4, 4), ("index", _I4, 8), ("order", _I4, 12), ("column", _I4, 20)),
    LINKS: _table(
        ("class", _I1, 4), ("from", _I4, 5), ("order", _I4, 9), ("object", _I4, 13), ("column", _I4, 17)
    ),
}  # fmt: skip
_SHORTEST = {ROW_COLUMNS: 54, OLD_PLACES: 41, OLD_ROW_COLUMNS: 34, COLUMNS: 45, OBJECTS: 44}
KEYS = {
    ROW_COLUMNS: ("rowset", "order"), OLD_ROW_COLUMNS: ("rowset", "column"), OLD_PLACES: ("rowset", "order"),
    ROWSETS: ("rowset",), UNITS: ("unit",), OBJECTS: ("object",), COLUMNS: ("object", "number", "column"),
    SCHEMAS: ("class", "schema"), INDEXES: ("object", "index"), INDEX_COLUMNS: ("object", "index", "order"),
    LINKS: ("class", "from", "order"),
}  # fmt: skip

Row = dict[str, Any]


def stored_rows(store: PageStore, history: History) -> dict[int, list[Row]]:
    """Return the rows of the server's tables that are left on sound pages, and those that only logs have."""
    entries = store.entries
    mine = (entries["type"] == Kind.DATA) & (entries["soundness"] >= Soundness.UNCHECKED)
    own = entries[mine & (entries["object"] < SYSTEM_OBJECTS) & (entries["index"] <= 1)]
    found: dict[int, list[Row]] = {}
    for number, layout in TABLES.items():
        rows = (
            row
            for part, pages in store.batches(newest_first(store, own[own["object"] == number]))
            for records in records_of(pages, part)
            if not records.compressed
            for row in rows_of(layout, long_enough(records, number))
        )
        found[number] = distinct(number, rows)
        found[number] += _logged(number, layout, found[number], history.images.get(number << 16, ()))
    return found


def newest_first(store: PageStore, entries: NDArray[np.void]) -> NDArray[np.void]:
    """Return the pages of one of the server's tables so that old copies of its rows come last.

    Those are on pages that were given back, or that were written before others.
    """
    falling = [-entries[name].astype(np.int64) for name in ("lsn_slot", "lsn_block", "lsn_file")]
    return entries[np.lexsort((*falling, ~store.allocated(entries)))]


def distinct(number: int, rows: Iterable[Row]) -> list[Row]:
    """Return the first row of each key of one of the server's tables."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in KEYS[number]), row)
    return list(found.values())


def _logged(number: int, layout: Layout, stored: list[Row], images: Sequence[Image]) -> Iterator[Row]:
    """Yield rows that were logged and are not on the pages that are left."""
    key = KEYS[number]
    seen = {tuple(row[name] for name in key) for row in stored}
    newest: dict[tuple[Any, ...], Row | None] = {}
    for records in records_of_images(images):
        if records.compressed:
            continue
        whole = long_enough(records, number, deleted=True)
        for row, deleted in zip(rows_of(layout, whole), whole.deleted.tolist(), strict=False):
            newest[tuple(row[name] for name in key)] = None if deleted else row
    yield from (row for own, row in newest.items() if row is not None and own not in seen)


def long_enough(records: Records, number: int, deleted: bool = False) -> Records:
    """Return the records that have all columns that are needed: older ones may lie between them."""
    fixed = (
        records.data[records.starts + 2].astype(np.int64)
        | records.data[records.starts + 3].astype(np.int64) << 8
    )
    needed = max(field.place + field.width for field in TABLES[number].fields if field.place > 0)
    enough = fixed >= max(needed, _SHORTEST.get(number, 0))
    return records.part(np.flatnonzero((deleted | ~records.deleted) & enough))


def rows_of(layout: Layout, records: Records) -> Iterator[Row]:
    """Yield the rows of ``records`` as dictionaries."""
    names = [field.name for field in layout.fields]
    for decoded in decode(layout, records):
        columns = [column.to_pylist() for column in decoded.columns]
        for values in zip(*columns, strict=True):
            if values[0] is not None:
                yield dict(zip(names, values, strict=True))
