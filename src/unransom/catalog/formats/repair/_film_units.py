"""The coded pictures of a film whose table of contents is lost, found by the units that they consist of.

Imports numba through the kernel: import this module only where pictures are really looked for.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.repair import _nal_kernel as kernel
from unransom.catalog.formats.repair._nal_kernel import (
    AHEAD,
    BROKEN,
    FIELD,
    FIRST,
    FRAME,
    KEY,
    MORE,
    OFFSET,
    ORDER,
    SIZE,
    WHAT,
)
from unransom.catalog.formats.repair._parameter_sets import Coding
from unransom.core.streams import Reader

MARGIN = (1 << 23) + (1 << 18)  # bytes that a unit and the one behind it may have
WINDOW = 3 * MARGIN
ROWS = 1 << 16  # units that the kernel returns at once
MOST = 1 << 22  # units of a film

Numbers = NDArray[np.int64]


class Pictures(NamedTuple):
    """Coded pictures in the order of the file.

    Attributes:
        offsets, sizes: Where each lies, in bytes.
        keys: Those that need no other.
        orders: By which they are shown, counted from the last key picture or hole.
        broken: Those in front of which something is lost.
        gaps: Places besides at which the order has no picture, wherever these stood in the file.
        used: Bytes in all.
    """

    offsets: Numbers
    sizes: Numbers
    keys: NDArray[np.bool_]
    orders: Numbers
    broken: NDArray[np.bool_]
    gaps: int

    @property
    def used(self) -> int:
        """Bytes of all pictures."""
        return int(self.sizes.sum())


def pictures(reader: Reader, coding: Coding) -> Pictures | None:
    """Return the pictures that are left in a file, from the first key picture on, None for none."""
    return _grouped(_units(reader, coding), coding)


def _units(reader: Reader, coding: Coding) -> Numbers:
    """Return the units that hold, as rows of what the kernel found."""
    state = np.array([-1, -1, -1, coding.bits], np.int64)
    coded = coding.width, coding.hevc, coding.sets
    out = np.zeros((ROWS, kernel.FOUND), np.int64)
    found: list[Numbers] = []
    base, total = 0, 0
    while base < reader.size and total < MOST:
        data = np.frombuffer(reader.read_at(base, WINDOW), np.uint8)
        last = base + len(data) >= reader.size
        stop = len(data) if last else len(data) - 2 * MARGIN
        if stop <= 0:
            break
        count, at = kernel.walk(data, stop, coded, state, out)
        rows = out[:count].copy()
        rows[:, OFFSET] += base
        found.append(rows)
        total += count
        base += at
        if at == 0:
            break
    return np.concatenate(found) if found else np.zeros((0, kernel.FOUND), np.int64)


def _grouped(units: Numbers, coding: Coding) -> Pictures | None:
    """Put units together to pictures; those that are not whole are left out."""
    if not len(units):
        return None
    what, start = units[:, WHAT], units[:, OFFSET]
    tied = np.append(False, start[1:] == start[:-1] + units[:-1, SIZE])
    second = np.zeros(len(units), bool)  # the other field of a frame is of the same sample
    second[1:] = tied[1:] & (what[1:] == FIRST) & (units[1:, FIELD] > 0)
    second[1:] &= (units[1:, FIELD] != units[:-1, FIELD]) & (units[:-1, FIELD] > 0)
    second[1:] &= units[1:, FRAME] == units[:-1, FRAME]
    begins = ~tied
    begins[1:] |= (what[1:] == AHEAD) & (what[:-1] != AHEAD)
    begins[1:] |= (what[1:] == FIRST) & (what[:-1] != AHEAD) & ~second[1:]
    edges = np.append(np.flatnonzero(begins), len(units))
    rows = []
    slices = []
    broken = True
    for low, high in pairwise(edges.tolist()):
        part = units[low:high]
        heads = part[part[:, WHAT] == FIRST]
        broken |= bool(part[:, BROKEN].any())
        if not len(heads):
            broken |= bool((part[:, WHAT] == MORE).any())
            continue
        begin, end = part[0, OFFSET], part[-1, OFFSET] + part[-1, SIZE]
        rows.append((begin, end - begin, heads[0, KEY], heads[0, ORDER], broken))
        slices.append(int((part[:, WHAT] != AHEAD).sum()))
        broken = False
    table = np.array(rows, np.int64).reshape(-1, 5)
    table = table[_whole(table, np.array(slices, np.int64))]
    first = np.flatnonzero(table[:, 2])
    if not len(first):
        return None
    table = table[first[0] :]
    keys, breaks = table[:, 2] > 0, table[:, 4] > 0
    orders = _unwrapped(table[:, 3], keys | breaks, coding)
    gaps = _gaps(orders, np.cumsum(keys | breaks))
    return Pictures(table[:, 0], table[:, 1], keys, orders, breaks, gaps)


def _gaps(orders: Numbers, parts: Numbers) -> int:
    """Return how many times the order of a part leaves pictures out: H.265 does not number them."""
    ranked = np.lexsort((orders, parts))
    steps = np.diff(orders[ranked])[np.diff(parts[ranked]) == 0]
    sizes, counts = np.unique(steps[steps > 0], return_counts=True)
    return int(counts[sizes > sizes[counts.argmax()]].sum()) if len(sizes) else 0


def _whole(table: Numbers, slices: Numbers) -> NDArray[np.bool_]:
    """Return which pictures in front of a hole have as many slices as most, and all others."""
    usual = int(np.bincount(slices).argmax()) if len(slices) else 0
    before = np.append(table[1:, 4] > 0, True)
    return ~before | (slices >= usual)


def _unwrapped(orders: Numbers, resets: NDArray[np.bool_], coding: Coding) -> Numbers:
    """Return the order in which pictures are shown without the wrap of its lower bits, from each reset on."""
    kinds = coding.sets[coding.sets[:, 0] > 0]
    bits = int(kinds[0, 4])
    if not coding.hevc and int(kinds[0, 3]) != 0:
        return np.arange(len(orders), dtype=np.int64)
    out = np.zeros(len(orders), np.int64)
    span = 1 << bits
    for index, order in enumerate(orders.tolist()):
        if resets[index]:
            out[index] = order
            continue
        away = (order - int(out[index - 1])) % span
        out[index] = int(out[index - 1]) + (away if away < span // 2 else away - span)
    return out
