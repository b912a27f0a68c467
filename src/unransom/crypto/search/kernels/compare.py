"""Which lanes have what is looked for."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]
LANES = 256  # at a time


@njit(cache=True, nogil=True)
def matches(
    rows: Words, places: NDArray[np.int64], masks: Words, values: Words, found: NDArray[np.int64]
) -> int:
    """Fill ``found`` with pairs of a lane and a pattern that it has; return how many there are in all.

    Args:
        rows: Words of every lane.
        places: For each pattern the row whose word says most, which is looked at first.
        masks: For each pattern and row the bits that count.
        values: What these are; the others are zero.
        found: Room for pairs; those that find none are counted only.
    """
    count = 0
    flags = np.empty(LANES, np.uint32)
    for start in range(0, rows.shape[1], LANES):
        lanes = min(LANES, rows.shape[1] - start)
        for pattern in range(len(places)):
            first = places[pattern]
            mask, value = masks[pattern, first], values[pattern, first]
            row = rows[first]
            hits = np.uint32(0)
            for lane in range(lanes):
                flag = np.uint32((row[start + lane] & mask) == value)
                flags[lane] = flag
                hits |= flag
            if hits == np.uint32(0):
                continue
            for lane in range(lanes):
                if flags[lane] and _has(rows, start + lane, masks[pattern], values[pattern]):
                    if count < len(found):
                        found[count, 0], found[count, 1] = start + lane, pattern
                    count += 1
    return count


@njit(nogil=True)
def _has(rows: Words, lane: int, mask: Words, value: Words) -> bool:
    wrong = np.uint32(0)
    for row in range(len(rows)):
        wrong |= (rows[row, lane] & mask[row]) ^ value[row]
    return wrong == np.uint32(0)
