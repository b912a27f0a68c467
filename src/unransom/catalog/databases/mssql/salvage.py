"""Rows in damaged pages: found by the shape of their records, kept only where everything about them holds.

A page whose checksum fails, or whose header is gone, is searched for the bytes with which all records of a
table begin. What is found must decode without a doubt, must not overlap bytes that look random, must have no
characters that the table's sound pages do not have, and must be in its place: named by the page's slots, or
chained to the records before and behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.cells import HAS_NULLS, HAS_VARIABLE
from unransom.catalog.databases.mssql.decode import Decoded, Records, decode
from unransom.catalog.databases.mssql.layout import MOST_SLOTS, Layout
from unransom.catalog.databases.mssql.lob import LobReader
from unransom.catalog.databases.mssql.noise import random_places
from unransom.catalog.databases.mssql.ownership import odd_rows
from unransom.catalog.databases.mssql.pages import FIRST_RECORD, headers_of
from unransom.catalog.formats.mssql import PAGE

VERSIONED = 0x40  # status bit: a version tag follows the record
SECTOR = 512  # bytes
BY_SLOT, BY_CHAIN = 0.85, 0.6  # confidence in a row

LEARNT = 20_000  # sound rows whose characters are learnt

Shape = tuple[int, int]


class Found(NamedTuple):
    """Records that were found in damaged pages.

    Attributes:
        records: As if they were on sound pages.
        by_slot: Which of them the page's slots name.
    """

    records: Records
    by_slot: NDArray[np.bool_]


def search(pages: NDArray[np.uint8], numbers: NDArray[np.int64], shape: Shape) -> Found | None:
    """Return what looks like records of ``shape`` (end of the fixed part, columns), None for nothing.

    Args:
        pages: One page a row.
        numbers: Number of each.
        shape: Of the table's records.
    """
    fixed, columns = shape
    status = pages[:, :-4] & ~np.uint8(HAS_VARIABLE | VERSIONED)
    hits = (status == HAS_NULLS) & (pages[:, 1:-3] == 0)
    hits &= (pages[:, 2:-2] == fixed & 0xFF) & (pages[:, 3:-1] == fixed >> 8)
    row, at = np.nonzero(hits)
    fits = (at >= FIRST_RECORD) & (at + fixed + 2 <= PAGE)
    row, at = row[fits], at[fits]
    count = pages[row, at + fixed].astype(np.int64) | pages[row, at + fixed + 1].astype(np.int64) << 8
    row, at = row[count == columns], at[count == columns]
    if len(at) == 0:
        return None
    slots, limits = _slots(pages)
    records = Records(
        pages.reshape(-1),
        row * PAGE + at,
        row * PAGE + limits[row],
        numbers[row],
        at.astype(np.int32),
        np.zeros(len(at), bool),
    )
    return Found(records, slots[row, at])


def _slots(pages: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which offsets the slots at a page's end name, and where they begin."""
    words = pages.view("<u2")[:, ::-1][:, :MOST_SLOTS].astype(np.int64)
    fits = (words >= FIRST_RECORD) & (words < PAGE - 2 * np.arange(1, words.shape[1] + 1))
    lengths = np.where(fits.all(axis=1), words.shape[1], np.argmin(fits, axis=1))
    named = np.zeros(pages.shape, bool)
    for row, length in enumerate(lengths.tolist()):
        named[row, words[row, :length]] = True
    return named, PAGE - 2 * lengths


class Habits:
    """Which characters a table's texts have: blocks of 256 of them, by column."""

    def __init__(self) -> None:
        self._blocks: dict[int, set[int]] = {}
        self._rows = 0

    @property
    def hungry(self) -> bool:
        """More rows would tell more."""
        return self._rows < LEARNT

    def learn(self, columns: Iterable[pyarrow.Array]) -> None:
        """Add the texts of sound rows."""
        for number, column in enumerate(columns):
            self._rows += len(column) if number == 0 else 0
            if _is_text(column):
                self._blocks.setdefault(number, set()).update(_blocks(column))

    def strange(self, columns: Iterable[pyarrow.Array]) -> NDArray[np.bool_]:
        """Tell which rows have characters of blocks that were not learnt."""
        out: NDArray[np.bool_] | None = None
        for number, column in enumerate(columns):
            bad = np.zeros(len(column), bool)
            if _is_text(column) and number in self._blocks and not _blocks(column) <= self._blocks[number]:
                known = self._blocks[number]
                values = column.to_pylist()
                bad = np.array([v is not None and any(ord(c) >> 8 not in known for c in v) for v in values])
            out = bad if out is None else out | bad
        return np.zeros(0, bool) if out is None else out


def _is_text(column: pyarrow.Array) -> bool:
    return bool(pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type))


def _blocks(column: pyarrow.Array) -> set[int]:
    """Return the blocks of 256 characters that texts use."""
    joined = "".join(value for value in column.to_pylist() if value)
    return {ord(character) >> 8 for character in set(joined)}


def salvaged(
    pages: NDArray[np.uint8],
    numbers: NDArray[np.int64],
    layout: Layout,
    habits: Habits,
    lobs: LobReader,
    owned: NDArray[np.bool_],
    has_torn_bits: bool = False,
) -> Iterator[tuple[Decoded, NDArray[np.bool_]]]:
    """Yield the rows that damaged pages still have for sure, and which of them a slot names.

    Args:
        pages: One page a row.
        numbers: Number of each.
        layout: Of the table's rows.
        habits: What its sound rows look like.
        lobs: Where values outside their row are.
        owned: Which of the pages say that they are the table's.
        has_torn_bits: In the others two bits of each sector's last byte, but the first's, are not its own.
    """
    found = search(pages, numbers, (layout.fixed, layout.columns))
    if found is None:
        return
    noise = np.concatenate(([0], np.cumsum(random_places(pages).reshape(-1))))
    starts = found.records.starts
    free = headers_of(pages)["free"].astype(np.int64)
    slot_of = dict(zip(starts.tolist(), found.by_slot.tolist(), strict=True))
    for decoded in decode(layout, found.records, lobs):
        begin, end = decoded.records.starts, decoded.ends
        calm = noise[np.minimum(end, len(noise) - 1)] == noise[begin]
        sure = (decoded.doubts == 0) & calm & ~odd_rows(layout, decoded) & ~habits.strange(decoded.columns)
        by_slot = np.array([slot_of[start] for start in begin.tolist()], bool)
        last = end == begin // PAGE * PAGE + free[begin // PAGE]
        chained = (np.isin(end, starts) | last) & (np.isin(begin, end) | (begin % PAGE == FIRST_RECORD))
        chained &= owned[begin // PAGE]
        if has_torn_bits:
            sure &= owned[begin // PAGE] | ~_cover_sector_ends(begin % PAGE, end - begin)
        keep = np.flatnonzero(sure & (by_slot | (chained & ~_has_slots(found, begin))))
        if len(keep):
            yield _part(decoded, keep), by_slot[keep]


def _cover_sector_ends(begin: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which records hold the last byte of a sector but the first."""
    return (begin + length) // SECTOR > np.maximum(begin // SECTOR, 1)


def _has_slots(found: Found, begin: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which records are on pages whose slots name records: others there are old ones."""
    named = np.unique(found.records.starts[found.by_slot] // PAGE)
    return np.isin(begin // PAGE, named)


def _part(decoded: Decoded, rows: NDArray[np.int64]) -> Decoded:
    chosen = pyarrow.array(rows)
    return Decoded(
        [column.take(chosen) for column in decoded.columns],
        decoded.records.part(rows),
        decoded.doubts[rows],
        decoded.lost[rows],
        decoded.ends[rows],
    )


def shapes_of(layouts: Mapping[str, Iterable[Layout]]) -> dict[Shape, str]:
    """Return the tables by the shape of their records; shapes of several tables are left out.

    So are layouts that lack columns: what their records look like is not known for sure.
    """
    owners: dict[Shape, set[str]] = {}
    for name, found in layouts.items():
        for layout in found:
            if not layout.whole:
                continue
            owners.setdefault((layout.fixed, layout.columns), set()).add(name)
    return {shape: next(iter(names)) for shape, names in owners.items() if len(names) == 1}
