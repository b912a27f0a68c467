"""Go's math/rand for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.generators.kernels.mersenne31 import reduced

SIZE, TAP = 607, 273
LANES = 64
Longs = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def fill(seeds: Longs, factors: Longs, cooked: Longs, first: int, out: Longs) -> None:
    """Fill ``out`` with outputs from ``first`` on.

    Args:
        seeds: Below 2**31 - 1, not zero.
        factors: What a seed is multiplied by for each of the 3 * 607 numbers that it is stretched to.
        cooked: The table that they are combined with.
        first: Number of the first output.
        out: A row for each output.
    """
    # The outputs before the tap comes round need none before them.
    begin = first if first + len(out) <= TAP else 0
    sums = np.empty((first + len(out) - begin, LANES), np.uint64)
    for start in range(0, len(seeds), LANES):
        lanes = min(LANES, len(seeds) - start)
        some = seeds[start : start + lanes]
        for step in range(begin, first + len(out)):
            row = sums[step - begin]
            row[:] = np.uint64(0)
            for back, ahead in ((SIZE, SIZE - TAP), (TAP, SIZE)):
                if step >= back:
                    row += sums[step - begin - back]
                else:
                    _add_first(some, factors, cooked, (ahead - 1 - step) % SIZE, row)
            if step >= first:
                for lane in range(lanes):
                    out[step - first, start + lane] = row[lane]


@njit(nogil=True)
def _add_first(seeds: Longs, factors: Longs, cooked: Longs, place: int, row: Longs) -> None:
    """Add the number at ``place`` of the state that the seeds are stretched to."""
    one, two, three = factors[3 * place], factors[3 * place + 1], factors[3 * place + 2]
    mix = cooked[place]
    for lane in range(len(seeds)):
        seed = seeds[lane]
        high, middle = reduced(seed * one), reduced(seed * two)
        word = (high << np.uint64(40)) ^ (middle << np.uint64(20)) ^ reduced(seed * three)
        row[lane] += word ^ mix
