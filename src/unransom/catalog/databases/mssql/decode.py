"""Records decoded into batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import cells as cutting
from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.columns import Cells, column_of
from unransom.catalog.databases.mssql.compressed import PAGE_COMPRESSED, cut_compressed
from unransom.catalog.databases.mssql.layout import Field, Layout
from unransom.catalog.databases.mssql.lob import LobReader, sparse_values
from unransom.catalog.databases.table import PROVENANCE
from unransom.catalog.formats.mssql import PAGE

SCRATCH = 8 << 20  # bytes for values that page compression makes from prefixes and dictionaries
LOB_ROOM = 32 << 20  # bytes of values from other pages in one batch
LOST_VALUE, DOUBTFUL = 0.5, 0.4  # confidence in a row that lacks a value, or has an impossible one


class Records(NamedTuple):
    """Some records of one format, plain or compressed.

    Attributes:
        data: Bytes that hold them.
        starts: Where each begins.
        limits: Where each must have ended.
        pages: Number of the page of each, -1 for none.
        slots: Number in its page.
        deleted: The row was deleted.
        compressed: They are compressed records.
        bases: Where the page of each begins in ``data``, -1 where the page has no page compression.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    limits: NDArray[np.int64]
    pages: NDArray[np.int64]
    slots: NDArray[np.int32]
    deleted: NDArray[np.bool_]
    compressed: bool = False
    bases: NDArray[np.int64] | None = None

    def part(self, rows: NDArray[np.int64] | slice) -> Records:
        """Return some of them."""
        return self._replace(
            starts=self.starts[rows],
            limits=self.limits[rows],
            pages=self.pages[rows],
            slots=self.slots[rows],
            deleted=self.deleted[rows],
            bases=None if self.bases is None else self.bases[rows],
        )


class Decoded(NamedTuple):
    """Rows.

    Attributes:
        columns: One array a field.
        records: Where they come from: only those whose structure holds.
        doubts: How many values of each row the server could not have stored.
        lost: How many values of each row lie on lost pages.
        ends: Where each record ends in the data; 0 for compressed ones.
    """

    columns: list[pyarrow.Array]
    records: Records
    doubts: NDArray[np.int32]
    lost: NDArray[np.int32]
    ends: NDArray[np.int64]

    def batch(self, layout: Layout, state: str = "live", confidence: float = 1.0) -> pyarrow.RecordBatch:
        """Return a batch of ``layout``'s columns and those of ``PROVENANCE``."""
        sure = np.where(self.lost > 0, LOST_VALUE, np.where(self.doubts > 0, DOUBTFUL, 1.0)) * confidence
        states = pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(self.records.deleted.astype(np.int8)), pyarrow.array([state, "deleted"])
        )
        names = [field.name for field in layout.fields]
        return pyarrow.RecordBatch.from_arrays(
            [
                *self.columns,
                pyarrow.array(self.records.pages),
                pyarrow.array(self.records.slots),
                states,
                pyarrow.array(sure.astype(np.float32)),
            ],
            names=[*names, *PROVENANCE],
        )


def records_of(pages: NDArray[np.uint8], entries: NDArray[np.void]) -> list[Records]:
    """Return the records of data pages by their slots: the plain ones, and the compressed ones.

    Args:
        pages: One page a row.
        entries: The ``ENTRY`` of each.
    """
    slots = np.minimum(entries["slots"].astype(np.int64), types.MOST_SLOTS)
    room = int(slots.sum())
    starts, limits, rows = (np.empty(room, np.int64) for _ in range(3))
    numbers, states = np.empty(room, np.int32), np.empty(room, np.int8)
    count = cutting.locate(pages, slots, starts, limits, rows, numbers, states)
    squeezed = entries["type_flags"] & PAGE_COMPRESSED > 0
    found = []
    for compressed in (False, True):
        mine = np.flatnonzero((states[:count] >= 2) == compressed)
        if len(mine) == 0:
            continue
        home = rows[mine]
        found.append(
            Records(
                pages.reshape(-1),
                starts[mine],
                limits[mine],
                entries["page"][home].astype(np.int64),
                numbers[mine],
                states[mine] % 2 == cutting.DELETED,
                compressed,
                np.where(squeezed[home], home * PAGE, -1) if compressed else None,
            )
        )
    return found


def decode(layout: Layout, records: Records, lobs: LobReader | None = None) -> Iterator[Decoded]:
    """Yield the rows of ``records``, as many at a time as memory allows; unsound records are left out."""
    while len(records.starts):
        rows, done = _some(layout, records, lobs)
        yield rows
        records = records.part(slice(done, None))


def _some(layout: Layout, records: Records, lobs: LobReader | None) -> tuple[Decoded, int]:
    """Decode the first of ``records``; returns them and how many records were used up."""
    count, fields = len(records.starts), len(layout.fields)
    starts, lengths = np.empty((fields + 1, count), np.int64), np.empty((fields + 1, count), np.int64)
    sound, ends = np.zeros(count, bool), np.zeros(count, np.int64)
    data, done = records.data, count
    if records.compressed:
        order = np.array([field.null_bit - 1 for field in layout.fields] + [-1], np.int64)
        scratch = np.empty(min(SCRATCH, 64 * len(data) + PAGE), np.uint8)
        bases = np.full(count, -1, np.int64) if records.bases is None else records.bases
        done = cut_compressed(
            data, (records.starts, records.limits, bases), order, scratch, (starts, lengths, sound)
        )
        data = np.concatenate((data, scratch))
    else:
        cutting.cut(data, records.starts, records.limits, _places(layout), (starts, lengths, sound, ends))
    good = np.flatnonzero(sound[:done])
    starts, lengths = starts[:, good], lengths[:, good]
    pointed = _Pointed(data, starts, lengths, lobs)
    taken = pointed.resolve(layout.fields)
    if taken < len(good):
        done = int(good[taken])
        good, starts, lengths = good[:taken], starts[:, :taken], lengths[:, :taken]
    doubts = np.zeros(len(good), np.int32)
    columns = [
        column_of(field, Cells(pointed.data, starts[row], lengths[row], records.compressed), doubts)
        for row, field in enumerate(layout.fields)
    ]
    return Decoded(columns, records.part(good), doubts, pointed.lost[: len(good)], ends[good]), max(done, 1)


def _places(layout: Layout) -> NDArray[np.int64]:
    """Return what ``cut`` asks of columns; the last row is the sparse vector, behind all variable ones."""
    places = [(field.place, field.width, field.null_bit) for field in layout.fields]
    last = min((field.place for field in layout.fields), default=0)
    sparse = any(field.place == 0 for field in layout.fields)
    return np.array([*places, (min(last, 0) - 1 if sparse else 0, 0, 0)], np.int64)


class _Pointed:
    """Values that lie elsewhere: fetched, and put behind the records' own bytes."""

    def __init__(
        self,
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        lobs: LobReader | None,
    ) -> None:
        self.data = data
        self.lost = np.zeros(starts.shape[1], np.int32)
        self._starts, self._lengths, self._lobs = starts, lengths, lobs
        self._more: list[bytes] = []
        self._used = 0

    def resolve(self, fields: tuple[Field, ...]) -> int:
        """Fetch all values that are pointed to; returns for how many rows there was room."""
        columns, rows = np.nonzero(self._lengths >= cutting.COMPLEX)
        last = -1
        for index in np.lexsort((columns, rows)):
            row = int(rows[index])
            if self._used > LOB_ROOM and row != last:
                last = -2
                break
            self._fetch(fields, int(columns[index]), row)
            last = row
        if self._more:
            self.data = np.concatenate((self.data, np.frombuffer(b"".join(self._more), np.uint8)))
        return row if last == -2 else self._lengths.shape[1]

    def _fetch(self, fields: tuple[Field, ...], column: int, row: int) -> None:
        start = int(self._starts[column, row])
        length = int(self._lengths[column, row]) - cutting.COMPLEX
        raw = self.data[start : start + length].tobytes()
        if column == len(fields):
            for number, sparse in sparse_values(raw).items():
                for place, field in enumerate(fields):
                    if field.place == 0 and field.number == number:
                        self._put(place, row, sparse)
            return
        value = self._lobs.read(raw) if self._lobs is not None else None
        if value is None:
            self._lengths[column, row] = cutting.NULL
            self.lost[row] += 1
        else:
            self._put(column, row, value)

    def _put(self, column: int, row: int, value: bytes) -> None:
        self._starts[column, row] = len(self.data) + self._used
        self._lengths[column, row] = len(value)
        self._more.append(value)
        self._used += len(value)
