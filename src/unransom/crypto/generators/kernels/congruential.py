"""Linear congruential generators for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Word, Long = np.uint32, np.uint64
Words = NDArray[np.uint32]
Longs = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def fill32(
    seeds: Words,
    scramble: np.uint32,
    factor: Words,
    term: Words,
    shift: np.uint32,
    mask: np.uint32,
    out: Words,
) -> None:
    """Fill ``out`` with ``((seed ^ scramble) * factor + term) >> shift & mask``, modulo 2**32."""
    for row in range(len(factor)):
        times, plus = factor[row], term[row]
        for lane in range(len(seeds)):
            state = np.uint32(np.uint32((seeds[lane] ^ scramble) * times) + plus)
            out[row, lane] = np.uint32(state >> shift) & mask


@njit(cache=True, nogil=True)
def fill64(
    seeds: Longs,
    scramble: np.uint64,
    factor: Longs,
    term: Longs,
    shift: np.uint64,
    mask: np.uint64,
    out: Words,
) -> None:
    """Fill ``out`` with ``((seed ^ scramble) * factor + term) >> shift & mask``, modulo 2**64."""
    for row in range(len(factor)):
        times, plus = factor[row], term[row]
        for lane in range(len(seeds)):
            state = (seeds[lane] ^ scramble) * times + plus
            out[row, lane] = state >> shift & mask
