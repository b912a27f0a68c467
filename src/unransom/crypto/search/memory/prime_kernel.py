"""Which windows of memory may be a prime of an RSA modulus: nearly all fall before anything is divided.

The remainder of every window by a product of small primes comes from two running remainders, so that a
window costs one multiplication. What is left has to look random, and to have no factor below 100.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]

# Products of small primes, each below 2**32.
FIRST = math.prod((3, 5, 7, 11, 13, 17, 19, 23, 29))
SECOND = math.prod((31, 37, 41, 43, 47))
THIRD = math.prod((53, 59, 61, 67, 71))
FOURTH = math.prod((73, 79, 83, 89, 97))
SAMPLE = 8  # words that must be as different as random ones
DISTINCT = 22  # bytes of them; of random ones it is 30, and fewer than 22 once in 10**7 times


@njit(nogil=True)
def _swapped(word: np.uint32) -> np.uint32:
    """Return ``word`` with its bytes in the other order."""
    word = ((word & np.uint32(0x00FF00FF)) << np.uint32(8)) | ((word >> np.uint32(8)) & np.uint32(0x00FF00FF))
    return np.uint32(word << np.uint32(16) | word >> np.uint32(16))


@njit(nogil=True)
def _distinct(words: Words, start: int) -> int:
    """Return how many different bytes there are in ``SAMPLE`` words."""
    seen = np.zeros(4, np.uint64)
    distinct = 0
    for word in words[start : start + SAMPLE]:
        for shift in range(0, 32, 8):
            byte = (word >> np.uint32(shift)) & np.uint32(255)
            bit = np.uint64(1) << np.uint64(byte & np.uint32(63))
            distinct += (seen[byte >> np.uint32(6)] & bit) == 0
            seen[byte >> np.uint32(6)] |= bit
    return distinct


@njit(nogil=True)
def _has_tiny_factor(rest: np.uint32) -> bool:
    """Return whether a factor of ``FIRST`` divides ``rest``; written out, each is a multiplication."""
    if rest % np.uint32(3) == 0 or rest % np.uint32(5) == 0 or rest % np.uint32(7) == 0:
        return True
    if rest % np.uint32(11) == 0 or rest % np.uint32(13) == 0 or rest % np.uint32(17) == 0:
        return True
    return rest % np.uint32(19) == 0 or rest % np.uint32(23) == 0 or rest % np.uint32(29) == 0


@njit(nogil=True)
def _has_factor(rest: np.uint64, product: np.uint64) -> bool:
    """Return whether ``rest`` and ``product`` have a common factor."""
    while product:
        rest, product = product, rest % product
    return rest != 1


@njit(nogil=True)
def _has_small_factor(words: Words, start: int, size: int, big: bool) -> bool:
    """Return whether a prime from 31 to 97 divides the number of ``size`` words at ``start``."""
    second = third = fourth = np.uint64(0)
    for index in range(size):
        if big:
            word = np.uint64(_swapped(words[start + index]))
        else:
            word = np.uint64(words[start + size - 1 - index])
        second = (second << np.uint64(32) | word) % np.uint64(SECOND)
        third = (third << np.uint64(32) | word) % np.uint64(THIRD)
        fourth = (fourth << np.uint64(32) | word) % np.uint64(FOURTH)
    return (
        _has_factor(second, np.uint64(SECOND))
        or _has_factor(third, np.uint64(THIRD))
        or _has_factor(fourth, np.uint64(FOURTH))
    )


@njit(nogil=True)
def _remainders(words: Words, size: int, big: bool, out: Words) -> None:
    """Fill ``out`` with what every window of ``size`` words leaves when it is divided by ``FIRST``."""
    product = np.uint64(FIRST)
    power = np.uint64(1)  # of the word that leaves the window
    for _ in range(size):
        power = (power << np.uint64(32)) % product
    power = product - power
    rest = np.uint64(0)
    for index in range(len(words)):
        # A little-endian number has its highest word at its end, so it is walked backwards.
        word = _swapped(words[index]) if big else words[len(words) - 1 - index]
        rest = (rest << np.uint64(32) | np.uint64(word)) % product
        if index >= size:
            gone = _swapped(words[index - size]) if big else words[len(words) - 1 - index + size]
            rest = (rest + (np.uint64(gone) % product) * power) % product
        if index >= size - 1:
            out[index - size + 1 if big else len(words) - 1 - index] = rest


@njit(cache=True, nogil=True)
def sieve(
    words: Words, size: int, top: int, start: int, places: NDArray[np.int64], orders: NDArray[np.bool_]
) -> tuple[int, int]:
    """Fill ``places`` with where a prime of ``size`` words may stand; return their count and where it ended.

    Args:
        words: Memory as words.
        size: Words of the prime, at least ``SAMPLE``.
        top: The least that the prime's highest byte can be.
        start: The first place, in words.
        places: Room for the positions, in words.
        orders: Whether the number at each is big-endian.
    """
    rests = np.empty((2, len(words)), np.uint32)
    _remainders(words, size, False, rests[0])
    _remainders(words, size, True, rests[1])
    found, at = 0, start
    while at + size <= len(words) and found + 2 <= len(places):
        for big in (False, True):
            lowest, highest = words[at], words[at + size - 1]
            if big:
                lowest, highest = _swapped(highest), _swapped(lowest)
            if lowest & np.uint32(1) == 0 or highest >> np.uint32(24) < top:
                continue
            if _has_tiny_factor(rests[int(big), at]) or _distinct(words, at) < DISTINCT:
                continue
            if not _has_small_factor(words, at, size, big):
                places[found], orders[found] = at, big
                found += 1
        at += 1
    return found, at
