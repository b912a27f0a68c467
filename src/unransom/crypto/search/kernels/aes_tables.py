"""AES of one block for many keys with tables, for processors that have no instructions for it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Word = np.uint32
LANES = 1
MOST = 60  # words of the round keys of AES-256


def _boxes() -> tuple[list[int], list[int]]:
    """Return the S-box and its inverse, by walking the field with a generator and its inverse."""
    box, one, other = [0x63] * 256, 1, 1
    while True:
        one ^= one << 1 ^ (0x11B if one & 0x80 else 0)  # times 3
        for shift in (1, 2, 4):  # times the inverse of 3
            other ^= other << shift & 0xFF
        other ^= 0x09 if other & 0x80 else 0
        value = 0x63
        for turn in range(5):
            value ^= (other << turn | other >> (8 - turn)) & 0xFF
        box[one] = value
        if one == 1:
            return box, [box.index(byte) for byte in range(256)]


def _times(left: int, right: int) -> int:
    """Return the product of two bytes in AES's field."""
    product = 0
    for bit in range(7, -1, -1):
        product = product << 1 ^ (0x11B if product & 0x80 else 0)
        product ^= left if right >> bit & 1 else 0
    return product


def _columns(bytes_: list[int], factors: tuple[int, int, int, int]) -> NDArray[np.uint32]:
    """Return what each byte adds to a column, little-endian, for the first row."""
    words = [sum(_times(byte, factor) << 8 * row for row, factor in enumerate(factors)) for byte in bytes_]
    return np.array(words, np.uint32)


_BOX, _INVERSE = _boxes()
BOX, INVERSE = np.array(_BOX, np.uint32), np.array(_INVERSE, np.uint32)
FORWARD = _columns(_BOX, (2, 1, 1, 3))
BACKWARD = _columns(_INVERSE, (14, 9, 13, 11))
UNMIX = _columns(list(range(256)), (14, 9, 13, 11))


@njit(nogil=True, inline="always")
def _byte(word: Word, row: int) -> Word:
    return np.uint32(word >> np.uint32(8 * row)) & np.uint32(255)


@njit(nogil=True, inline="always")
def _column(table: Words, a: Word, b: Word, c: Word, d: Word) -> Word:
    """Return the sum of what a byte of each word gives, each row turned to its place."""
    word = table[_byte(a, 0)]
    two, three, four = table[_byte(b, 1)], table[_byte(c, 2)], table[_byte(d, 3)]
    word ^= np.uint32(two << np.uint32(8)) | np.uint32(two >> np.uint32(24))
    word ^= np.uint32(three << np.uint32(16)) | np.uint32(three >> np.uint32(16))
    return np.uint32(word ^ (np.uint32(four << np.uint32(24)) | np.uint32(four >> np.uint32(8))))


@njit(nogil=True, inline="always")
def _boxed(table: Words, a: Word, b: Word, c: Word, d: Word) -> Word:
    """Return a column of the last round."""
    word = table[_byte(a, 0)] | np.uint32(table[_byte(b, 1)] << np.uint32(8))
    word |= np.uint32(table[_byte(c, 2)] << np.uint32(16))
    return np.uint32(word | np.uint32(table[_byte(d, 3)] << np.uint32(24)))


@njit(nogil=True)
def _expand(keys: Words, lane: int, schedule: Words) -> int:
    """Fill ``schedule`` with the round keys of ``lane``; return how many words they are."""
    size = len(keys)
    for row in range(size):
        schedule[row] = keys[row, lane]
    total, constant = 4 * (size + 7), np.uint32(1)
    for row in range(size, total):
        word = schedule[row - 1]
        if row % size == 0:
            word = np.uint32(word >> np.uint32(8)) | np.uint32(word << np.uint32(24))
            word = _boxed(BOX, word, word, word, word) ^ constant
            more = np.uint32(0x11B) if constant & np.uint32(0x80) else np.uint32(0)
            constant = np.uint32(np.uint32(constant << np.uint32(1)) ^ more)
        elif size == 8 and row % size == 4:
            word = _boxed(BOX, word, word, word, word)
        schedule[row] = schedule[row - size] ^ word
    return total


@njit(cache=True, nogil=True)
def encrypt(keys: Words, texts: Words, out: Words) -> None:
    """Encrypt a block of every lane, with keys of four words, six or eight."""
    key = np.empty(MOST, np.uint32)
    for lane in range(keys.shape[1]):
        total = _expand(keys, lane, key)
        a, b, c, d = texts[0, lane], texts[1, lane], texts[2, lane], texts[3, lane]
        a, b, c, d = a ^ key[0], b ^ key[1], c ^ key[2], d ^ key[3]
        for at in range(4, total - 4, 4):
            one, two = _column(FORWARD, a, b, c, d), _column(FORWARD, b, c, d, a)
            three, four = _column(FORWARD, c, d, a, b), _column(FORWARD, d, a, b, c)
            a, b, c, d = one ^ key[at], two ^ key[at + 1], three ^ key[at + 2], four ^ key[at + 3]
        out[0, lane] = _boxed(BOX, a, b, c, d) ^ key[total - 4]
        out[1, lane] = _boxed(BOX, b, c, d, a) ^ key[total - 3]
        out[2, lane] = _boxed(BOX, c, d, a, b) ^ key[total - 2]
        out[3, lane] = _boxed(BOX, d, a, b, c) ^ key[total - 1]


@njit(cache=True, nogil=True)
def decrypt(keys: Words, texts: Words, out: Words) -> None:
    """Decrypt a block of every lane, with keys of four words, six or eight."""
    key = np.empty(MOST, np.uint32)
    for lane in range(keys.shape[1]):
        total = _expand(keys, lane, key)
        for at in range(4, total - 4):
            word = key[at]
            key[at] = _column(UNMIX, word, word, word, word)
        a, b, c, d = texts[0, lane], texts[1, lane], texts[2, lane], texts[3, lane]
        a, b = a ^ key[total - 4], b ^ key[total - 3]
        c, d = c ^ key[total - 2], d ^ key[total - 1]
        for at in range(total - 8, 0, -4):
            one, two = _column(BACKWARD, a, d, c, b), _column(BACKWARD, b, a, d, c)
            three, four = _column(BACKWARD, c, b, a, d), _column(BACKWARD, d, c, b, a)
            a, b, c, d = one ^ key[at], two ^ key[at + 1], three ^ key[at + 2], four ^ key[at + 3]
        out[0, lane] = _boxed(INVERSE, a, d, c, b) ^ key[0]
        out[1, lane] = _boxed(INVERSE, b, a, d, c) ^ key[1]
        out[2, lane] = _boxed(INVERSE, c, b, a, d) ^ key[2]
        out[3, lane] = _boxed(INVERSE, d, c, b, a) ^ key[3]
