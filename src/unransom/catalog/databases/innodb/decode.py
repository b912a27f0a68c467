"""Rows out of index pages, as Arrow batches with where each row was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _record_kernel as kernel
from unransom.catalog.databases.innodb.columns import Cells, Fetch, build
from unransom.catalog.databases.innodb.plan import Plan
from unransom.catalog.databases.innodb.schema import Layout
from unransom.catalog.databases.table import PROVENANCE

LIVE, DELETED, SALVAGED, LOG, HISTORY, BEFORE = range(6)
STATES = pyarrow.array(["live", "deleted", "salvaged", "log", "history", "before"])
DAMAGED_VALUE = 0.5  # confidence of a row of which a value is lost
SMALLEST_RECORD = 8  # bytes, header and key


class Located(NamedTuple):
    """Records of some pages and where their fields are.

    Attributes:
        data: The pages.
        numbers: Page number of each page.
        owners: Which page a record is on, as an index into ``numbers``.
        origins: Where it starts in ``data``.
        begins, ends: First byte of its header and last byte of its fields; -1 where it makes no sense.
        starts, lengths, outside: By field and record, see ``columns.Cells``.
        compact: Format of the records where the pages cannot be asked.
    """

    data: NDArray[np.uint8]
    numbers: NDArray[np.int64]
    owners: NDArray[np.int32]
    origins: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]
    outside: NDArray[np.uint8]
    compact: bool | None = None

    def only(self, rows: NDArray[np.bool_]) -> Located:
        """Return the records for which ``rows`` holds."""
        return self._replace(
            owners=self.owners[rows],
            origins=self.origins[rows],
            begins=self.begins[rows],
            ends=self.ends[rows],
            starts=self.starts[:, rows],
            lengths=self.lengths[:, rows],
            outside=self.outside[:, rows],
        )

    def info(self) -> NDArray[np.uint8]:
        """Return the info bits of each record."""
        if self.compact is not None:
            return self.data[self.origins - (5 if self.compact else 6)]
        compact = self.data[self.owners.astype(np.int64) * (len(self.data) // len(self.numbers)) + 42] & 0x80
        return np.where(compact > 0, self.data[self.origins - 5], self.data[self.origins - 6])


def listed(
    data: NDArray[np.uint8], size: int, deleted: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the origins of the records that pages list, their pages, and which lists are complete.

    Args:
        data: Pages.
        size: Bytes of a page.
        deleted: List what was deleted instead.
    """
    bases = np.arange(0, len(data), size, dtype=np.int64)
    heap = (data[bases + 42].astype(np.int64) & 0x7F) << 8 | data[bases + 43]
    room = int(np.minimum(heap, size // SMALLEST_RECORD).sum()) + 1
    origins, owners = np.zeros(room, np.int64), np.zeros(room, np.int32)
    ended = np.zeros(len(bases), np.bool_)
    if deleted:
        count = kernel.walk_free(data, size, bases, origins, owners)
    else:
        count = kernel.walk(data, size, bases, origins, owners, ended)
    return origins[:count], owners[:count], ended


def locate(
    data: NDArray[np.uint8],
    numbers: NDArray[np.int64],
    origins: NDArray[np.int64],
    owners: NDArray[np.int32],
    plan: Plan,
) -> Located:
    """Return where the fields of the records at ``origins`` are."""
    size = len(data) // len(numbers)
    bases = np.arange(len(numbers), dtype=np.int64) * size
    shape = (len(plan.widths), len(origins))
    starts, lengths = np.zeros(shape, np.int64), np.full(shape, kernel.NULL, np.int32)
    outside = np.zeros(shape, np.uint8)
    begins, ends = np.zeros(len(origins), np.int64), np.zeros(len(origins), np.int64)
    kernel.locate(data, size, bases, origins, owners, tuple(plan), starts, lengths, outside, begins, ends)
    return Located(data, numbers, owners, origins, begins, ends, starts, lengths, outside)


class Outside(bytes):
    """A value that goes on off the page: what is on it, and a reference to the rest."""


def numbers_at(data: NDArray[np.uint8], starts: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Return numbers of ``width`` bytes."""
    value = np.zeros(len(starts), np.uint64)
    for place in range(width):
        value = value << np.uint64(8) | data[starts + place].astype(np.uint64)
    return value


def assembled(rows: Sequence[Sequence[bytes | None]], fields: int) -> Located:
    """Return rows that lie on no page as records would be found: their values in one buffer.

    Args:
        rows: Their values by field, None for NULL.
        fields: Of each.
    """
    shape = (fields, len(rows))
    starts, lengths = np.zeros(shape, np.int64), np.full(shape, kernel.NULL, np.int32)
    outside = np.zeros(shape, np.uint8)
    parts: list[bytes] = []
    end = 0
    for row, values in enumerate(rows):
        for field, value in enumerate(values):
            if value is not None:
                parts.append(value)
                starts[field, row], lengths[field, row] = end, len(value)
                outside[field, row] = isinstance(value, Outside)
                end += len(value)
    data = np.frombuffer(b"".join(parts) + bytes(16), np.uint8)
    zeros, owners = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int32)
    return Located(data, np.array([-1], np.int64), owners, zeros, zeros, zeros, starts, lengths, outside)


class Target(NamedTuple):
    """What rows are made into.

    Attributes:
        layout: Fields of the records.
        columns: Numbers of the table's columns that are shown, in order.
        schema: Of the batches.
    """

    layout: Layout
    columns: tuple[int, ...]
    schema: pyarrow.Schema


def provenance_fields() -> list[pyarrow.Field]:
    """Return the fields behind a table's own."""
    kinds = (
        pyarrow.int64(),
        pyarrow.int32(),
        pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
        pyarrow.float32(),
    )
    return [pyarrow.field(name, kind) for name, kind in zip(PROVENANCE, kinds, strict=True)]


def batch(
    found: Located, target: Target, fetch: Fetch, state: int, confidence: NDArray[np.float32] | None = None
) -> pyarrow.RecordBatch:
    """Return the records as rows.

    Args:
        found: The records.
        target: What to make of them.
        fetch: Brings what lies off the page.
        state: ``LIVE`` or another place in ``STATES``.
        confidence: By row; 1 where not given.
    """
    count = len(found.origins)
    sure = np.ones(count, np.float32) if confidence is None else confidence.copy()
    arrays: dict[int, pyarrow.Array] = {}
    for number, field in enumerate(target.layout.fields):
        if field.column < 0 or not field.whole or field.column not in target.columns:
            continue
        cells = Cells(found.data, found.starts[number], found.lengths[number], found.outside[number])
        built = build(field, cells, fetch)
        arrays[field.column] = built.array
        sure[built.damaged] *= DAMAGED_VALUE
    size = len(found.data) // len(found.numbers)
    columns = [arrays[column] for column in target.columns]
    columns.append(pyarrow.array(found.numbers[found.owners]))
    columns.append(pyarrow.array((found.origins % size).astype(np.int32)))
    columns.append(pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.full(count, state, np.int8)), STATES))
    columns.append(pyarrow.array(sure))
    return pyarrow.RecordBatch.from_arrays(columns, schema=target.schema)
