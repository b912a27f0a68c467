"""Sosemanuk written after its specification (Berbain et al., 2008), a word at a time.

The words are compiled, else gigabytes would take hours; all of Serpent is plain Python and numpy.
"""

import functools
import struct
from itertools import combinations

import numpy as np
from Cryptodome.Util.strxor import strxor
from numba import njit

MASK = 0xFFFFFFFF
BOXES = [
    "38f1a65bed42709c",
    "fc27905a1be86d34",
    "86793cafd1e40b52",
    "0fb8c963d124a75e",
    "1f83c0b6254a9e7d",
    "f52b4a9c03e8d671",
    "72c5846be91fd3a0",
    "1df0e82b74ca9356",
]  # Serpent's, by input from 0 to 15
ALPHA, OVER_ALPHA = (23, 245, 48, 239), (16, 39, 6, 64)  # powers of beta


def _left(value: int, count: int) -> int:
    return (value << count | value >> (32 - count)) & MASK


def _box(number: int, words: list[int]) -> list[int]:
    out = [0, 0, 0, 0]
    for bit in range(32):
        column = sum((word >> bit & 1) << row for row, word in enumerate(words))
        value = int(BOXES[number][column], 16)
        for row in range(4):
            out[row] |= (value >> row & 1) << bit
    return out


def _mixed(words: list[int]) -> list[int]:
    a, b, c, d = words
    a, c = _left(a, 13), _left(c, 3)
    b, d = _left(b ^ a ^ c, 1), _left(d ^ c ^ a << 3 & MASK, 7)
    a, c = _left(a ^ b ^ d, 5), _left(c ^ d ^ b << 7 & MASK, 22)
    return [a, b, c, d]


def _subkeys(key: bytes) -> list[list[int]]:
    padded = (key + b"\x01")[:32].ljust(32, b"\0")
    words = list(struct.unpack("<8I", padded))
    for index in range(100):
        fresh = words[-8] ^ words[-5] ^ words[-3] ^ words[-1] ^ 0x9E3779B9 ^ index
        words.append(_left(fresh, 11))
    return [_box((3 - group) % 8, words[8 + 4 * group : 12 + 4 * group]) for group in range(25)]


def _multiplied(left: int, right: int) -> int:
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left = left << 1 ^ (0x1A9 if left & 0x80 else 0)
        right >>= 1
    return product


def _table(powers: tuple[int, ...]) -> list[int]:
    beta = [1]
    for _ in range(254):
        beta.append(_multiplied(beta[-1], 2))
    return [int.from_bytes(bytes(_multiplied(byte, beta[power]) for power in powers)) for byte in range(256)]


TABLES = np.array([_table(ALPHA), _table(OVER_ALPHA)], np.uint32)


def _start(key: bytes, iv: bytes) -> tuple[list[int], int, int]:
    keys = _subkeys(key)
    words, after = list(struct.unpack("<4I", iv)), {}
    for number in range(24):
        words = _mixed(_box(number % 8, [word ^ sub for word, sub in zip(words, keys[number], strict=True)]))
        after[number + 1] = words
    last = [word ^ sub for word, sub in zip(words, keys[24], strict=True)]
    register = [*last[::-1], after[18][1], after[18][3], *after[12][::-1]]
    return register, after[18][0], after[18][2]


def _terms(row: int) -> list[tuple[int, ...]]:
    """Return the products of input bits whose sum is a bit of the box of the keystream."""
    values = [int(digit, 16) >> row & 1 for digit in BOXES[2]]
    subsets = [bits for count in range(5) for bits in combinations(range(4), count)]
    return [
        bits
        for bits in subsets
        if sum(values[place] for place in range(16) if place & sum(1 << bit for bit in bits) == place) & 1
    ]


ONES = np.uint32(MASK)
TERMS = [_terms(row) for row in range(4)]


@njit(cache=True)
def _run(s, r, times, over, outputs, dropped):  # type: ignore[no-untyped-def]
    """Fill ``outputs`` and ``dropped``, and move the ten words of ``s`` and both registers ``r`` on."""
    for at in range(len(outputs)):
        old, above = s[0], s[9]
        product = np.uint32(r[0] * 0x54655307)
        r[0] = r[1] + (s[1] ^ s[8] if r[0] & 1 else s[1])
        r[1] = product << 7 | product >> 25
        outputs[at] = np.uint32(above + r[0]) ^ r[1]
        dropped[at] = old
        fresh = above ^ s[3] >> 8 ^ over[s[3] & 0xFF] ^ old << 8 ^ times[old >> 24]
        for place in range(9):
            s[place] = s[place + 1]
        s[9] = fresh


class Sosemanuk:
    """A stream that goes on with every call."""

    def __init__(self, key: bytes, iv: bytes = bytes(16)) -> None:
        """Begin the stream of ``key`` and ``iv``."""
        register, r1, r2 = _start(key, iv)
        self._register = np.array(register, np.uint32)
        self._words = np.array([r1, r2], np.uint32)
        self._left = b""  # of the keystream that was made

    def encrypt(self, data: bytes) -> bytes:
        """Return ``data`` under the next bytes of the keystream."""
        stream = self._left + self._stream(-(-(len(data) - len(self._left)) // 16))
        self._left = stream[len(data) :]
        return strxor(data, stream[: len(data)]) if data else b""

    def _stream(self, blocks: int) -> bytes:
        outputs, dropped = np.zeros((2, 4 * max(blocks, 0)), np.uint32)
        _run(self._register, self._words, *TABLES, outputs, dropped)
        words, boxed = np.ascontiguousarray(outputs.reshape(-1, 4).T), dropped.reshape(-1, 4).T
        for row, terms in enumerate(TERMS):
            products = [
                functools.reduce(np.bitwise_and, [words[bit] for bit in bits]) if bits else ONES
                for bits in terms
            ]
            boxed[row] ^= functools.reduce(np.bitwise_xor, products)
        return dropped.astype("<u4", copy=False).tobytes()


def sosemanuk(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``data`` under the keystream of ``key`` and ``iv``."""
    return Sosemanuk(key, iv).encrypt(data)
