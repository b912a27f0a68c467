"""Columns guessed from records alone, where no definition of a table is left; named by their position.

The first record of a page begins where the page's head ends, each record ends where the next one begins,
and the last one ends at the top of the heap. That tells which bytes in front of a record are null bits and
lengths, and how long what they describe is. Which of its bytes are which field is told by the shortest
description.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _inference_kernel as kernel
from unransom.catalog.databases.innodb import guesses
from unransom.catalog.databases.innodb.framing import HEADER, Frame, frames
from unransom.catalog.databases.innodb.old_format import old_definition
from unransom.catalog.databases.innodb.sampling import SPECIAL, Sample, sample_of
from unransom.catalog.databases.innodb.schema import ColumnDef, KeyPart, TableDef
from unransom.catalog.databases.innodb.tablespace import Tablespace
from unransom.catalog.databases.innodb.types import ColumnType, Kind

ROWS = 64  # records that are described
MOST_STATES = 1_000_000
MOST_FRAMES = 12
NEARLY = 0.01  # shares that far apart are taken as equal
SURE = 0.6  # confidence in columns that were guessed from many records
MANY = 50  # records
ROW_ID = 6  # bytes of the engine's own key
NOTHING = ColumnType("null", Kind.BINARY, 0, 0)  # a field that is never there


class Piece(NamedTuple):
    """A part of a record.

    Attributes:
        width: Fixed bytes, -1 for a variable field.
        bit: The null bit that switches it off, -1 for none.
        own: The engine's transaction number and roll pointer.
    """

    width: int
    bit: int
    own: bool = False


def inferred(space: Tablespace, index: int) -> TableDef | None:
    """Return a definition by which the records of ``index`` can be read, None where they are no rows."""
    sample = sample_of(space, index)
    if sample is None:
        return None
    if sample.redundant:
        return old_definition(sample)
    described = _described(sample)
    if described is None:
        return None
    frame, pieces, rows = described
    columns, key = _columns(sample, frame, pieces, rows)
    confidence = frame.share * (0.2 + (SURE - 0.2) * min(1.0, len(sample.origins) / MANY))
    return TableDef("", columns, key, "inferred", index, confidence=round(confidence, 2))


def _described(sample: Sample) -> tuple[Frame, list[Piece], NDArray[np.int64]] | None:
    """Return the frame with the shortest description, its pieces, and the records that were described."""
    found = frames(sample)
    best: tuple[float, Frame, list[Piece], NDArray[np.int64]] | None = None
    for frame in [each for each in found if each.share >= found[0].share - NEARLY][:MOST_FRAMES]:
        described = _description(sample, frame)
        if described is not None and (best is None or described[0] < best[0]):
            best = described[0], frame, described[1], described[2]
    return best[1:] if best else None


class _Read(NamedTuple):
    """Some records: where they start and end, the lengths that are there, and their null bits in use."""

    origins: NDArray[np.int64]
    ends: NDArray[np.int64]
    lengths: NDArray[np.int64]
    bits: NDArray[np.bool_]
    sizes: NDArray[np.int64]


def _read(sample: Sample, frame: Frame, rows: NDArray[np.int64]) -> _Read:
    origins = sample.origins[rows]
    bits = np.zeros((len(rows), len(frame.forms)), np.bool_)
    for place, bit in enumerate(frame.forms):
        bits[:, place] = sample.data[origins - HEADER - 1 - bit // 8] >> bit % 8 & 1
    forms = np.array(list(frame.forms.values()), np.int64)
    counts = frame.variable - (bits & (forms < 0)).sum(axis=1)
    lengths = np.zeros((len(rows), max(frame.variable, 1)), np.int64)
    sizes = np.zeros(len(rows), np.int64)
    for count in np.unique(counts).tolist():
        some = counts == count
        part = np.zeros((int(some.sum()), count), np.int64)
        size = np.zeros(len(part), np.int64)
        kernel.header(sample.data, origins[some], frame.nulls, count, np.full(count, frame.big), part, size)
        lengths[some, :count] = part
        sizes[some] = size
    fixed = frame.fixed - (bits * np.maximum(forms, 0)).sum(axis=1)
    return _Read(origins, origins + fixed + lengths.sum(axis=1), lengths, bits, sizes)


def _description(sample: Sample, frame: Frame) -> tuple[float, list[Piece], NDArray[np.int64]] | None:
    """Return the bits of the shortest description by ``frame``, its pieces, and the records."""
    ordinary = sample.data[sample.origins - HEADER] & SPECIAL == 0
    rows = np.flatnonzero(frame.explained & ordinary)
    rows = rows[:: max(len(rows) // ROWS, 1)][:ROWS]
    if not len(rows):
        return None
    read = _read(sample, frame, rows)
    if (read.ends > len(sample.data)).any():
        return None
    forms = np.array(list(frame.forms.values()), np.int64)
    plain = frame.fixed - kernel.SYSTEM - int(np.maximum(forms, 0).sum())
    variable = frame.variable - int((forms < 0).sum())
    shape = (2, len(forms) + 1, variable + 1, plain + 1)
    if plain < 0 or variable < 0 or int(np.prod(shape)) > MOST_STATES:
        return None
    costs, steps = np.zeros(shape, np.float64), np.zeros(shape, np.int8)
    records = read.origins, read.ends, read.lengths, read.bits
    cost = kernel.describe(sample.data, records, forms, (plain, variable), (costs, steps))
    if cost >= kernel.NEVER:
        return None
    return float(cost) + kernel.headers(sample.data, read.origins, read.sizes), _pieces(steps, frame), rows


def _pieces(steps: NDArray[np.int8], frame: Frame) -> list[Piece]:
    """Return the pieces of the description whose last step is the last of ``steps``."""
    used = list(frame.forms.items())
    own, bit, field, byte = (size - 1 for size in steps.shape)
    pieces: list[Piece] = []
    while own or bit or field or byte:
        step = int(steps[own, bit, field, byte])
        if step == kernel.FIXED:
            byte -= 1
            if pieces and pieces[-1].bit < 0 and pieces[-1].width > 0 and not pieces[-1].own:
                pieces[-1] = Piece(pieces[-1].width + 1, -1)
            else:
                pieces.append(Piece(1, -1))
        elif step == kernel.VARIABLE:
            field -= 1
            pieces.append(Piece(-1, -1))
        elif step == kernel.OPTIONAL:
            bit -= 1
            pieces.append(Piece(used[bit][1], used[bit][0]))
        else:
            own = 0
            pieces.append(Piece(kernel.SYSTEM, -1, own=True))
    return pieces[::-1]


def _columns(
    sample: Sample, frame: Frame, pieces: list[Piece], rows: NDArray[np.int64]
) -> tuple[tuple[ColumnDef, ...], tuple[KeyPart, ...]]:
    """Return the columns that ``pieces`` make, and the key."""
    read = _read(sample, frame, rows)
    at, index = read.origins.copy(), np.zeros(len(rows), np.int64)
    used = list(frame.forms)
    columns: list[ColumnDef] = []
    key = 0
    idle = [bit for bit in range(_bits(frame)) if bit not in frame.forms]
    for piece in pieces:
        there = np.ones(len(rows), np.bool_) if piece.bit < 0 else ~read.bits[:, used.index(piece.bit)]
        while idle and piece.bit >= 0 and idle[0] < piece.bit:
            columns.append(_idle(frame, idle.pop(0)))
        if piece.own:
            columns = [] if _is_row_id(sample, read, at, pieces) else columns
            key = len(columns)
        elif piece.width < 0:
            lengths = read.lengths[np.arange(len(rows)), np.minimum(index, read.lengths.shape[1] - 1)]
            values = [
                sample.data[start : start + length].tobytes()
                for start, length in zip(at[there].tolist(), lengths[there].tolist(), strict=True)
            ]
            columns.append(ColumnDef("", _sized(guesses.variable_type(values), frame), piece.bit >= 0))
            at[there] += lengths[there]
            index[there] += 1
            continue
        else:
            part = sample.data[at[there][:, None] + np.arange(piece.width)]
            types = guesses.fixed_types(part)
            if piece.bit >= 0:
                types = [guesses.whole(types, piece.width)]
            columns += [ColumnDef("", kind, piece.bit >= 0) for kind in types]
        at[there] += piece.width
    columns += [_idle(frame, bit) for bit in idle]
    named = _named(columns)
    return named, tuple(KeyPart(column.name) for column in named[:key])


def _bits(frame: Frame) -> int:
    """Return the least number of null bits that the records can have."""
    return max([*frame.forms, *frame.always, 8 * (frame.nulls - 1), -1]) + 1


def _idle(frame: Frame, bit: int) -> ColumnDef:
    """Return the column of a null bit that is never set, which is among the others, or that always is."""
    return ColumnDef("", NOTHING, nullable=True, hidden=bit not in frame.always)


def _sized(kind: ColumnType, frame: Frame) -> ColumnType:
    return kind if frame.big else msgspec.structs.replace(kind, big=False)


def _is_row_id(sample: Sample, read: _Read, ends: NDArray[np.int64], pieces: list[Piece]) -> bool:
    """Return whether the key, which ends at ``ends``, is the engine's number: six bytes that begin with 0."""
    high = sample.data[read.origins] | sample.data[read.origins + 1]
    return pieces[0].width == ROW_ID and bool((ends - read.origins == ROW_ID).all()) and not high.any()


def _named(columns: list[ColumnDef]) -> tuple[ColumnDef, ...]:
    """Return the columns with names by their position."""
    out, number = [], 0
    for place, column in enumerate(columns):
        number += not column.hidden
        name = f"null_{place}" if column.hidden else f"column_{number}"
        out.append(msgspec.structs.replace(column, name=name))
    return tuple(out)
