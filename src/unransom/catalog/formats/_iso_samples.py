"""Where the samples of a track lie, by its tables or by the fragments of a film."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._iso_boxes import Table

Numbers = NDArray[np.int64]
NONE: Numbers = np.empty(0, np.int64)


class Samples(msgspec.Struct, frozen=True):
    """Offset and size of each sample, in bytes."""

    offsets: Numbers
    sizes: Numbers


def _column(table: Table, at: int, count: int, kind: str) -> Numbers | None:
    """Return ``count`` numbers of numpy type ``kind`` from ``at``; None where they do not fit."""
    if count * np.dtype(kind).itemsize > len(table.data) - at:
        return None
    return np.frombuffer(table.data, kind, count, at).astype(np.int64)


class Sizes(msgspec.Struct, frozen=True):
    """Sizes of a track's samples: how many, and either one size for all or one for each."""

    count: int
    fixed: int
    each: Numbers


def sizes_of(table: Table, compact: bool) -> Sizes | None:
    """Return the sizes in an ``stsz`` or (``compact``) ``stz2`` table; None where it does not hold."""
    fixed, count = table.number(0), table.number(4)
    if fixed and not compact:
        return Sizes(count, fixed, NONE)
    kind = {8: ">u1", 16: ">u2"}.get(fixed & 0xFF) if compact else ">u4"
    each = _column(table, 8, count, kind) if kind else None
    return None if each is None else Sizes(count, 0, each)


def located(sizes: Sizes, chunks: Table, runs: Table, wide: bool) -> Samples | None:
    """Return where the samples lie by the ``stco`` or ``co64`` and the ``stsc`` table.

    Samples of one fixed size are returned chunk by chunk. None where the tables contradict each other:
    each run of ``stsc`` says from which chunk on how many samples a chunk has, and together they must
    have as many as there are sizes.
    """
    starts = _column(chunks, 4, chunks.number(0), ">u8" if wide else ">u4")
    flat = _column(runs, 4, 3 * runs.number(0), ">u4")
    if starts is None or flat is None:
        return None
    if not sizes.count or not len(starts) or not len(flat):
        return None if sizes.count else Samples(NONE, NONE)
    first, per_chunk = flat[0::3] - 1, flat[1::3]
    if first[0] != 0 or (np.diff(first) <= 0).any() or first[-1] >= len(starts):
        return None
    counts = per_chunk.repeat(np.diff(np.append(first, len(starts))))
    if int(counts.sum()) != sizes.count:
        return None
    if sizes.fixed:
        return Samples(starts, counts * sizes.fixed)
    before = np.cumsum(sizes.each) - sizes.each
    leads = np.minimum(np.cumsum(counts) - counts, sizes.count - 1)
    return Samples(starts.repeat(counts) + before - before[leads].repeat(counts), sizes.each)


def fragment(header: Table, run: Table, base: int, following: int) -> Samples | None:
    """Return where the samples of a ``trun`` table lie; those of one default size as one.

    Args:
        header: The ``tfhd`` table before it.
        run: The ``trun`` table.
        base: Offset of the ``moof`` box.
        following: Where the samples begin if the run does not say.
    """
    at = 4
    if header.flags & 1:
        base, at = header.number(at, 8), at + 8
    at += sum(4 for flag in (2, 8) if header.flags & flag)
    default = header.number(at) if header.flags & 0x10 else 0
    count, position, start = run.number(0), 4, following
    if run.flags & 1:
        offset = run.number(position)
        start, position = base + offset - (offset >> 31 << 32), position + 4
    position += 4 if run.flags & 4 else 0
    fields = [flag for flag in (0x100, 0x200, 0x400, 0x800) if run.flags & flag]
    if 0x200 not in fields:
        return Samples(np.array([start], np.int64), np.array([count * default], np.int64))
    rows = _column(run, position, count * len(fields), ">u4")
    if rows is None:
        return None
    sizes = rows[fields.index(0x200) :: len(fields)]
    return Samples(start + np.cumsum(sizes) - sizes, sizes)
