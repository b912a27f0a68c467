"""Multiplication modulo 2**31 - 1 for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.generators.kernels.mersenne31 import PRIME, reduced

Longs = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def fill(seeds: Longs, zero: np.uint64, factor: Longs, term: Longs, out: NDArray[np.uint32]) -> None:
    """Fill ``out`` with ``seed * factor + term``; ``zero`` stands for a seed that is none."""
    states = np.empty(len(seeds), np.uint64)
    for lane in range(len(seeds)):
        state = seeds[lane] % np.uint64(PRIME)
        states[lane] = zero if state == np.uint64(0) else state
    for row in range(len(out)):
        times, plus = factor[row], term[row]
        for lane in range(len(seeds)):
            out[row, lane] = reduced(states[lane] * times + plus)
