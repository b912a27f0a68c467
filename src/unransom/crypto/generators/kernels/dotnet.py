""".NET's System.Random for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.generators.kernels.mersenne31 import PRIME, reduced

MAGIC = 161803398
LANES = 512  # at a time


@njit(cache=True, nogil=True)
def fill(seeds: NDArray[np.uint64], sums: NDArray[np.uint64], out: NDArray[np.uint32]) -> None:
    """Fill ``out`` with the sums, from the third on; the first two say which numbers overflow."""
    size = np.empty(LANES, np.uint64)
    early, late = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    for start in range(0, len(seeds), LANES):
        lanes = min(LANES, len(seeds) - start)
        for lane in range(lanes):
            size[lane] = _size(seeds[start + lane])
        _overflows(size, lanes, sums, early, late)
        for row in range(len(out)):
            times, plus, first, second = sums[row + 2]
            for lane in range(lanes):
                more = (first & early[lane]) + (second & late[lane])
                out[row, start + lane] = reduced(size[lane] * times + plus + more)


@njit(nogil=True, inline="always")
def _size(seed: np.uint64) -> np.uint64:
    """Return the absolute value of a number of 32 bits, at most 2**31 - 1."""
    low = seed & np.uint64(0xFFFFFFFF)
    size = np.uint64(0x100000000) - low if low >> np.uint64(31) else low
    return min(size, np.uint64(PRIME))


@njit(nogil=True)
def _overflows(
    size: NDArray[np.uint64],
    lanes: int,
    sums: NDArray[np.uint64],
    early: NDArray[np.uint64],
    late: NDArray[np.uint64],
) -> None:
    """Fill ``early`` and ``late`` with all ones where a difference does not fit in 32 bits, else zero."""
    times, plus, _, _ = sums[0]
    beside, more, first, _ = sums[1]
    for lane in range(lanes):
        last = np.int64(MAGIC) - np.int64(size[lane])
        value = np.int64(reduced(size[lane] * times + plus))
        wrapped = value - last > np.int64(PRIME)
        early[lane] = np.uint64(0xFFFFFFFFFFFFFFFF) if wrapped else np.uint64(0)
        near = np.int64(reduced(size[lane] * beside + more + (first & early[lane])))
        late[lane] = np.uint64(0xFFFFFFFFFFFFFFFF) if last - near < np.int64(-PRIME - 1) else np.uint64(0)
