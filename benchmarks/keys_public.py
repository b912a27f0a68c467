"""The search for a .NET seed as the public tool does it, in plain numba: what ours is measured against.

Seed by seed: 220 steps of seeding, characters drawn until 32 of them fit, a block of Salsa20, a comparison.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BIG = 2147483647


@njit(cache=True, nogil=True)
def seeded(seed: int, state: NDArray[np.int32]) -> None:
    last = np.int32(161803398 - seed)
    state[55] = last
    number = np.int32(1)
    for index in range(1, 55):
        place = 21 * index % 55
        state[place] = number
        number = np.int32(last - number)
        if number < 0:
            number = np.int32(number + BIG)
        last = state[place]
    for _ in range(4):
        for index in range(1, 56):
            value = np.int32(state[index] - state[1 + (index + 30) % 55])
            state[index] = np.int32(value + BIG) if value < 0 else value


@njit(cache=True, nogil=True)
def drawn(state: NDArray[np.int32], key: NDArray[np.uint8]) -> None:
    place, other, count = 0, 21, 0
    while count < 32:
        place, other = place + 1, other + 1
        place = 1 if place >= 56 else place
        other = 1 if other >= 56 else other
        value = np.int32(state[place] - state[other])
        if value == BIG:
            value = np.int32(value - 1)
        if value < 0:
            value = np.int32(value + BIG)
        state[place] = value
        letter = np.uint8(np.int32(value * (1.0 / BIG) * 94) + 33)
        if letter not in (34, 92):
            key[count] = letter
            count += 1


@njit(cache=True, nogil=True, inline="always")
def turned(word: int, count: int) -> int:
    word &= 0xFFFFFFFF
    return ((word << count) | (word >> (32 - count))) & 0xFFFFFFFF


@njit(cache=True, nogil=True)
def quarter(x: NDArray[np.int64], a: int, b: int, c: int, d: int) -> None:
    x[b] ^= turned(x[a] + x[d], 7)
    x[c] ^= turned(x[b] + x[a], 9)
    x[d] ^= turned(x[c] + x[b], 13)
    x[a] ^= turned(x[d] + x[c], 18)


@njit(cache=True, nogil=True)
def searched(first: int, count: int, one: int, two: int) -> int:
    """Return the first seed whose keystream begins with the words ``one`` and ``two``, or -1."""
    state, key = np.zeros(56, np.int32), np.zeros(32, np.uint8)
    begin, x = np.zeros(16, np.int64), np.zeros(16, np.int64)
    begin[0], begin[5], begin[10], begin[15] = 0x61707865, 0x3320646E, 0x79622D32, 0x6B206574
    begin[6], begin[7] = 0x04030201, 0x08070605
    for seed in range(first, first + count):
        seeded(seed, state)
        drawn(state, key)
        for word in range(4):
            begin[1 + word] = begin[11 + word] = 0
            for byte in range(4):
                begin[1 + word] |= np.int64(key[4 * word + byte]) << (8 * byte)
                begin[11 + word] |= np.int64(key[16 + 4 * word + byte]) << (8 * byte)
        x[:] = begin
        for _ in range(10):
            quarter(x, 0, 4, 8, 12)
            quarter(x, 5, 9, 13, 1)
            quarter(x, 10, 14, 2, 6)
            quarter(x, 15, 3, 7, 11)
            quarter(x, 0, 1, 2, 3)
            quarter(x, 5, 6, 7, 4)
            quarter(x, 10, 11, 8, 9)
            quarter(x, 15, 12, 13, 14)
        if (x[0] + begin[0]) & 0xFFFFFFFF == one and (x[1] + begin[1]) & 0xFFFFFFFF == two:
            return seed
    return -1
