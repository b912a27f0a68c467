"""MT19937 for many seeds at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

SIZE, MIDDLE = 624, 397
ARRAY_SEED = 19650218
LANES = 64
Words = NDArray[np.uint32]
Longs = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def fill_begun(seeds: Longs, first: int, legacy: bool, out: Words) -> None:
    """Fill ``out`` with outputs from ``first`` on of states that follow from one word."""
    state = np.empty((SIZE, LANES), np.uint32)
    for start in range(0, len(seeds), LANES):
        lanes = min(LANES, len(seeds) - start)
        for lane in range(lanes):
            state[0, lane] = np.uint32(seeds[start + lane])
        # Words that no output depends on need not be there.
        for row in range(1, min(SIZE, first + len(out) + MIDDLE)):
            _begin(state, row)
        _twist(state, first, legacy, out[:, start : start + lanes])


@njit(nogil=True, inline="always")
def _begin(state: Words, row: int) -> None:
    number = np.uint32(row)
    for lane in range(LANES):
        word = state[row - 1, lane]
        word = np.uint32(word ^ (word >> np.uint32(30)))
        state[row, lane] = np.uint32(np.uint32(word * np.uint32(1812433253)) + number)


@njit(nogil=True)
def _twist(state: Words, first: int, legacy: bool, out: Words) -> None:
    """Move the states on, and fill ``out`` with what they give from ``first`` on."""
    old = np.uint32(1) if legacy else np.uint32(0)
    for step in range(first + len(out)):
        place, after, far = step % SIZE, (step + 1) % SIZE, (step + MIDDLE) % SIZE
        for lane in range(LANES):
            one, two = state[place, lane], state[after, lane]
            word = (one & np.uint32(0x80000000)) | (two & np.uint32(0x7FFFFFFF))
            odd = np.uint32((one & old) | (two & (np.uint32(1) - old)))
            twist = np.uint32(np.uint32(0) - odd) & np.uint32(0x9908B0DF)
            state[place, lane] = state[far, lane] ^ np.uint32(word >> np.uint32(1)) ^ twist
        if step >= first:
            row = out[step - first]
            for lane in range(len(row)):
                word = state[place, lane]
                word = np.uint32(word ^ (word >> np.uint32(11)))
                word = np.uint32(word ^ (np.uint32(word << np.uint32(7)) & np.uint32(0x9D2C5680)))
                word = np.uint32(word ^ (np.uint32(word << np.uint32(15)) & np.uint32(0xEFC60000)))
                row[lane] = np.uint32(word ^ (word >> np.uint32(18)))


@njit(cache=True, nogil=True)
def fill_mixed(seeds: Longs, first: int, legacy: bool, out: Words) -> None:
    """Fill ``out`` with outputs from ``first`` on of states that follow from one word or two."""
    initial = np.empty((SIZE, LANES), np.uint32)
    initial[0] = np.uint32(ARRAY_SEED)
    for row in range(1, SIZE):
        _begin(initial, row)
    state = np.empty((SIZE, LANES), np.uint32)
    words = np.empty((2, LANES), np.uint32)
    for start in range(0, len(seeds), LANES):
        lanes = min(LANES, len(seeds) - start)
        for lane in range(lanes):
            seed = seeds[start + lane]
            low, high = np.uint32(seed), np.uint32(seed >> np.uint64(32))
            words[0, lane] = low
            # A second word is mixed in together with its number, 1; without one it is the first again.
            words[1, lane] = low if high == np.uint32(0) else np.uint32(high + np.uint32(1))
        state[:] = initial
        _mix(state, words)
        _twist(state, first, legacy, out[:, start : start + lanes])


@njit(nogil=True)
def _mix(state: Words, words: Words) -> None:
    """Mix the rows of ``words`` into ``state`` by turns."""
    for step in range(SIZE):  # rows 1 to 623, then row 1 again
        row = step % (SIZE - 1) + 1
        mix = words[step % 2]
        for lane in range(LANES):
            word = state[row - 1, lane]
            word = np.uint32(np.uint32(word ^ (word >> np.uint32(30))) * np.uint32(1664525))
            state[row, lane] = np.uint32((state[row, lane] ^ word) + mix[lane])
        if row == SIZE - 1:
            state[0] = state[row]
    for step in range(1, SIZE):  # rows 2 to 623, then row 1
        row = step % (SIZE - 1) + 1
        number = np.uint32(row)
        for lane in range(LANES):
            word = state[row - 1, lane]
            word = np.uint32(np.uint32(word ^ (word >> np.uint32(30))) * np.uint32(1566083941))
            state[row, lane] = np.uint32((state[row, lane] ^ word) - number)
        if row == SIZE - 1:
            state[0] = state[row]
    state[0] = np.uint32(0x80000000)


@njit(cache=True, nogil=True)
def bytes_of(words: Words, first: int, out: Words) -> None:
    """Fill ``out`` with bits 23 to 30 of the words whose highest bit is not set, from number ``first`` on."""
    for lane in range(words.shape[1]):
        found = -first
        for place in range(len(words)):
            word = words[place, lane]
            if word >> np.uint32(31):
                continue
            if found >= 0:
                out[found, lane] = word >> np.uint32(23)
            found += 1
            if found == len(out):
                break
