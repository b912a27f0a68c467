"""TYPE_3 of the GNU C library for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.generators.kernels.mersenne31 import PRIME, reduced

DEGREE, DISTANCE, MULTIPLIER = 31, 3, 16807
LANES = 64  # their states fit in the first cache


@njit(cache=True, nogil=True)
def fill(seeds: NDArray[np.uint64], discarded: int, out: NDArray[np.uint32]) -> None:
    """Fill ``out`` with the outputs that come after ``discarded`` steps."""
    state = np.empty((DEGREE, LANES), np.uint32)
    for start in range(0, len(seeds), LANES):
        lanes = min(LANES, len(seeds) - start)
        _begin(seeds[start : start + lanes], state)
        for step in range(discarded + len(out)):
            # Word ``i`` of the stream lies in row ``i % 31``; the first new one is word 34.
            new, near = (step + DISTANCE) % DEGREE, step % DEGREE
            for lane in range(LANES):
                state[new, lane] += state[near, lane]
            if step >= discarded:
                for lane in range(lanes):
                    out[step - discarded, start + lane] = state[new, lane] >> np.uint32(1)


@njit(nogil=True)
def _begin(seeds: NDArray[np.uint64], state: NDArray[np.uint32]) -> None:
    """Fill ``state`` with words 0 to 30, which are words 31 to 33 too where they begin."""
    prime = np.uint64(PRIME)
    for lane in range(len(seeds)):
        seed = np.uint32(seeds[lane])
        state[0, lane] = np.uint32(1) if seed == np.uint32(0) else seed
    for lane in range(len(seeds)):
        word = np.uint64(state[0, lane])
        # A negative seed gives the same remainder as its distance below zero gives, taken from the prime.
        below = np.uint64(0x100000000) - word
        rest = prime - reduced(below) if word >> np.uint64(31) else reduced(word)
        state[1, lane] = reduced(rest * np.uint64(MULTIPLIER))
    for row in range(2, DEGREE):
        for lane in range(len(seeds)):
            state[row, lane] = reduced(np.uint64(state[row - 1, lane]) * np.uint64(MULTIPLIER))
