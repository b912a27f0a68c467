"""PCG32 for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MULTIPLIER, INCREMENT = 6364136223846793005, 1442695040888963407


@njit(cache=True, nogil=True)
def fill(seeds: NDArray[np.uint64], first: int, out: NDArray[np.uint32]) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    factor, term = np.uint64(MULTIPLIER), np.uint64(INCREMENT)
    state = (seeds + term) * factor + term
    for step in range(first + len(out)):
        if step >= first:
            row = out[step - first]
            for lane in range(len(seeds)):
                whole = state[lane]
                word = np.uint32(((whole >> np.uint64(18)) ^ whole) >> np.uint64(27))
                turn = np.uint32(whole >> np.uint64(59))
                back = np.uint32(np.uint32(32) - turn) & np.uint32(31)
                row[lane] = np.uint32((word >> turn) | (word << back))
        for lane in range(len(seeds)):
            state[lane] = state[lane] * factor + term
