"""The server's own tables where hardly a page of them is whole: what damaged pages still have for sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.decode import Records, records_of
from unransom.catalog.databases.mssql.layout import Layout
from unransom.catalog.databases.mssql.lob import LobReader
from unransom.catalog.databases.mssql.pages import Kind, Soundness
from unransom.catalog.databases.mssql.salvage import Habits, Shape, salvaged
from unransom.catalog.databases.mssql.store import PageStore
from unransom.catalog.databases.mssql.system_tables import (
    SYSTEM_OBJECTS,
    TABLES,
    Row,
    distinct,
    long_enough,
    newest_first,
    rows_of,
)

MOST_SHAPES = 4  # of one table's records that are looked for in some pages: versions of the server differ


def with_torn_rows(store: PageStore, stored: Mapping[int, list[Row]]) -> dict[int, list[Row]]:
    """Return ``stored`` rows of the server's tables, and those that only damaged pages have.

    These are held to all that users' rows in such pages are held to, and count where a slot names them.
    """
    entries = store.entries
    own = (entries["soundness"] == Soundness.TORN) & (entries["type"] == Kind.DATA)
    own &= (entries["object"] < SYSTEM_OBJECTS) & (entries["index"] <= 1)
    torn = entries[own]
    found: dict[int, list[Row]] = {}
    for number, layout in TABLES.items():
        rows = (
            row
            for part, pages in store.batches(newest_first(store, torn[torn["object"] == number]))
            for records in _salvaged(store, layout, part, pages)
            for row in rows_of(layout, long_enough(records, number))
        )
        found[number] = distinct(number, chain(stored[number], rows))
    return found


def _salvaged(
    store: PageStore, layout: Layout, entries: NDArray[np.void], pages: NDArray[np.uint8]
) -> Iterator[Records]:
    owned = np.ones(len(pages), bool)
    for fixed, columns in _shapes(entries, pages):
        shaped = msgspec.structs.replace(layout, fixed=fixed, columns=columns)
        given = (pages, entries["page"], shaped, Habits(), LobReader(store.page), owned)
        for decoded, by_slot in salvaged(*given):
            yield decoded.records.part(np.flatnonzero(by_slot))


def _shapes(entries: NDArray[np.void], pages: NDArray[np.uint8]) -> list[Shape]:
    """Return the commonest shapes of records: the fixed part that headers say, and the columns most count."""
    found: dict[Shape, int] = {}
    for fixed in np.unique(entries["fixed"]).tolist():
        mine = entries["fixed"] == fixed
        for records in records_of(pages[mine], entries[mine]):
            at = records.starts + fixed
            plain = (
                records.data[records.starts + 2] | records.data[records.starts + 3].astype(int) << 8
            ) == fixed
            at = at[plain & ~records.deleted & (at + 2 <= records.limits)]
            if not records.compressed and len(at):
                counts = records.data[at].astype(int) | records.data[at + 1].astype(int) << 8
                values, times = np.unique(counts, return_counts=True)
                shape = (int(fixed), int(values[times.argmax()]))
                found[shape] = found.get(shape, 0) + int(times.max())
    return sorted(found, key=lambda shape: -found[shape])[:MOST_SHAPES]
