"""The key schedule of AES (FIPS 197, section 5.2) on words, forwards, backwards, and as it lies in memory.

A word is four bytes of the schedule read little-endian, so that its first byte is the lowest one. Programs
that keep words the other way round are read with ``swapped``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.lanes import rotated

Words = NDArray[np.uint32]
Bytes = NDArray[np.uint8]

POLYNOMIAL = 0x11B  # of the field: x^8 + x^4 + x^3 + x + 1
ROUND_CONSTANTS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 27, 54], np.uint32)


def _substitution() -> Bytes:
    """Return the S-box: the inverse in the field, then an affine map (FIPS 197, 5.1.1)."""
    table = np.zeros(256, np.uint8)
    power = inverse = 1  # of 3, which generates the field, and of 1/3
    for _ in range(255):
        value = inverse
        for turn in range(1, 5):
            value ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        table[power] = value ^ 0x63
        power = power << 1 ^ power ^ (POLYNOMIAL if power & 0x80 else 0)
        inverse ^= inverse << 1
        inverse ^= inverse << 2
        inverse ^= inverse << 4
        inverse = inverse & 0xFF ^ (0x09 if inverse & 0x80 else 0)
    table[0] = 0x63
    return table


S_BOX = _substitution()


@njit(nogil=True)
def total_words(key_words: int) -> int:
    """Return the words of the schedule of a key of ``key_words``: 44, 52 or 60."""
    return 4 * (key_words + 7)


@njit(nogil=True)
def substituted(word: np.uint32) -> np.uint32:
    """Return SubWord of ``word``."""
    return np.uint32(
        np.uint32(S_BOX[word & np.uint32(255)])
        | np.uint32(S_BOX[(word >> np.uint32(8)) & np.uint32(255)]) << np.uint32(8)
        | np.uint32(S_BOX[(word >> np.uint32(16)) & np.uint32(255)]) << np.uint32(16)
        | np.uint32(S_BOX[word >> np.uint32(24)]) << np.uint32(24)
    )


@njit(nogil=True)
def mixed_in(word: np.uint32, index: int, key_words: int) -> np.uint32:
    """Return what word ``index - 1``, which is ``word``, adds to word ``index`` of the schedule."""
    if index % key_words == 0:
        return substituted(rotated(word, 24)) ^ ROUND_CONSTANTS[index // key_words]
    if key_words == 8 and index % 8 == 4:
        return substituted(word)
    return word


@njit(nogil=True)
def expand(schedule: Words, start: int, key_words: int) -> None:
    """Fill ``schedule`` from the ``key_words`` words that stand in it from ``start`` on, both ways."""
    for index in range(start + key_words, total_words(key_words)):
        schedule[index] = schedule[index - key_words] ^ mixed_in(schedule[index - 1], index, key_words)
    for index in range(start + key_words - 1, key_words - 1, -1):
        schedule[index - key_words] = schedule[index] ^ mixed_in(schedule[index - 1], index, key_words)


@njit(nogil=True)
def word_at(memory: Bytes, at: int, swapped: bool) -> np.uint32:
    """Return the word at byte ``at`` of ``memory``."""
    first, second, third, fourth = memory[at], memory[at + 1], memory[at + 2], memory[at + 3]
    if swapped:
        first, second, third, fourth = fourth, third, second, first
    return np.uint32(
        np.uint32(first)
        | np.uint32(second) << np.uint32(8)
        | np.uint32(third) << np.uint32(16)
        | np.uint32(fourth) << np.uint32(24)
    )


@njit(nogil=True)
def ones(word: np.uint32) -> np.uint32:
    """Return how many bits of ``word`` are set."""
    word = word - ((word >> np.uint32(1)) & np.uint32(0x55555555))
    word = (word & np.uint32(0x33333333)) + ((word >> np.uint32(2)) & np.uint32(0x33333333))
    word = (word + (word >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return np.uint32(word * np.uint32(0x01010101)) >> np.uint32(24)


@njit(nogil=True)
def doubled(word: np.uint32) -> np.uint32:
    """Return ``word`` with each of its bytes multiplied by x in the field."""
    high = (word >> np.uint32(7)) & np.uint32(0x01010101)
    return np.uint32((word & np.uint32(0x7F7F7F7F)) << np.uint32(1)) ^ np.uint32(high * np.uint32(0x1B))


@njit(nogil=True)
def columns_mixed(word: np.uint32) -> np.uint32:
    """Return MixColumns of one column."""
    return doubled(word ^ rotated(word, 24)) ^ rotated(word, 24) ^ rotated(word, 16) ^ rotated(word, 8)
