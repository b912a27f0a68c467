"""Xorshift generators for many seeds at once: a lane steps alone, its state in registers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Longs = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def xorshift32(seeds: Longs, first: int, out: Words) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    state = seeds.astype(np.uint32)
    for step in range(first + len(out)):
        for lane in range(len(state)):
            word = state[lane]
            word = np.uint32(word ^ (word << np.uint32(13)))
            word = np.uint32(word ^ (word >> np.uint32(17)))
            state[lane] = np.uint32(word ^ (word << np.uint32(5)))
        if step >= first:
            out[step - first] = state


@njit(cache=True, nogil=True)
def xorshift64(seeds: Longs, first: int, out: Longs) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    state = seeds.copy()
    for step in range(first + len(out)):
        for lane in range(len(state)):
            word = state[lane]
            word ^= word << np.uint64(13)
            word ^= word >> np.uint64(7)
            state[lane] = word ^ (word << np.uint64(17))
        if step >= first:
            out[step - first] = state


@njit(cache=True, nogil=True)
def xorshift128(seeds: Longs, first: int, out: Words) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    state = np.empty((4, len(seeds)), np.uint32)
    state[0], state[1], state[2] = np.uint32(123456789), np.uint32(362436069), np.uint32(521288629)
    state[3] = seeds.astype(np.uint32)
    for step in range(first + len(out)):
        oldest, newest = state[step % 4], state[(step + 3) % 4]
        for lane in range(len(seeds)):
            word, last = oldest[lane], newest[lane]
            word = np.uint32(word ^ (word << np.uint32(11)))
            last = np.uint32(last ^ (last >> np.uint32(19)))
            oldest[lane] = np.uint32(last ^ word ^ (word >> np.uint32(8)))
        if step >= first:
            out[step - first] = oldest


@njit(nogil=True, inline="always")
def _mixed(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True)
def splitmix64(seeds: Longs, first: int, out: Longs) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    for row in range(len(out)):
        gamma = np.uint64(first + row + 1) * np.uint64(0x9E3779B97F4A7C15)
        for lane in range(len(seeds)):
            out[row, lane] = _mixed(seeds[lane] + gamma)


@njit(cache=True, nogil=True)
def xorshift128_plus(seeds: Longs, first: int, out: Longs) -> None:
    """Fill ``out`` with outputs from ``first`` on."""
    state = np.empty((2, len(seeds)), np.uint64)
    splitmix64(seeds, 0, state)
    for step in range(first + len(out)):
        if step >= first:
            row = out[step - first]
            for lane in range(len(seeds)):
                row[lane] = state[0, lane] + state[1, lane]
        older, newer = state[step % 2], state[(step + 1) % 2]
        for lane in range(len(seeds)):
            one, two = older[lane], newer[lane]
            one ^= one << np.uint64(23)
            older[lane] = one ^ two ^ (one >> np.uint64(18)) ^ (two >> np.uint64(5))
