"""KCipher-2 (RFC 7008): Akira's second generation."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.fields import multiples
from unransom.crypto.ciphers.stream import Keystream

Words = NDArray[np.uint32]
STATE = 20  # words: register A 5, register B 11, then L1, R1, L2, R2
AES_POLYNOMIAL = 0x11B


def _substitution() -> Words:
    """Return, for each byte, what it adds to the output of the AES S-box and column mixing."""
    table = []
    for byte in range(256):
        inverse = next((other for other in range(256) if _product(byte, other) == 1), 0)
        box = 0x63
        for shift in range(5):
            box ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        table.append(_product(box, 2) | box << 8 | box << 16 | _product(box, 3) << 24)
    return np.array(table, np.uint32)


def _product(left: int, right: int) -> int:
    """Return the product of two bytes in AES's field."""
    product = 0
    for bit in range(8):
        product ^= left << bit if right >> bit & 1 else 0
    for bit in range(14, 7, -1):
        product ^= AES_POLYNOMIAL << (bit - 8) if product >> bit & 1 else 0
    return product


ALPHA0 = multiples(0x1C3, (24, 3, 12, 71))
ALPHA1 = multiples(0x12D, (230, 156, 93, 29))
ALPHA2 = multiples(0x14D, (34, 16, 199, 248))
ALPHA3 = multiples(0x165, (157, 253, 56, 16))
SUBSTITUTION = _substitution()


@njit(nogil=True, inline="always")
def _times(table: Words, word: np.uint32) -> np.uint32:
    return np.uint32(word << np.uint32(8)) ^ table[word >> np.uint32(24)]


@njit(nogil=True, inline="always")
def _substituted(word: np.uint32) -> np.uint32:
    out = SUBSTITUTION[word & np.uint32(255)]
    for byte in range(1, 4):
        part = SUBSTITUTION[(word >> np.uint32(8 * byte)) & np.uint32(255)]
        out ^= np.uint32((part << np.uint32(8 * byte)) | (part >> np.uint32(32 - 8 * byte)))
    return out


@njit(nogil=True, inline="always")
def _clock(x: Words, high: np.uint32, low: np.uint32) -> None:
    """Move the registers on; ``high`` and ``low`` are fed back into B and A, zero but at the start."""
    a0, a2, a3 = x[0], x[2], x[3]
    b0, b1, b6, b8 = x[5], x[6], x[11], x[13]
    left, right = _substituted(np.uint32(x[19] + x[9])), _substituted(np.uint32(x[18] + x[14]))
    x[18], x[19] = _substituted(x[16]), _substituted(x[17])
    x[16], x[17] = left, right
    for index in range(4):
        x[index] = x[index + 1]
    x[4] = _times(ALPHA0, a0) ^ a3 ^ low
    for index in range(5, 15):
        x[index] = x[index + 1]
    one = _times(ALPHA1, b0) if a2 & np.uint32(0x40000000) else _times(ALPHA2, b0)
    two = _times(ALPHA3, b8) if a2 & np.uint32(0x80000000) else b8
    x[15] = one ^ b1 ^ b6 ^ two ^ high


@njit(nogil=True, inline="always")
def _high(x: Words) -> np.uint32:
    return np.uint32(x[15] + x[18]) ^ x[16] ^ x[0]


@njit(nogil=True, inline="always")
def _low(x: Words) -> np.uint32:
    return np.uint32(x[5] + x[19]) ^ x[17] ^ x[4]


@njit(cache=True, nogil=True)
def _begin(key: Words, iv: Words) -> Words:
    """Return the state for a key and an IV of four words each."""
    keys = np.empty(12, np.uint32)
    keys[:4] = key
    for index in range(4, 12):
        word = keys[index - 1]
        if index % 4 == 0:
            turned = np.uint32((word << np.uint32(8)) | (word >> np.uint32(24)))
            word = _substituted(turned) ^ np.uint32(index // 4 << 24)
        keys[index] = keys[index - 4] ^ word
    x = np.zeros(STATE, np.uint32)
    for index in range(5):
        x[index] = keys[4 - index]
    x[5], x[6], x[7], x[8], x[9] = keys[10], keys[11], iv[0], iv[1], keys[8]
    x[10], x[11], x[12], x[13], x[14], x[15] = keys[9], iv[2], iv[3], keys[7], keys[5], keys[6]
    for _ in range(24):
        _clock(x, _high(x), _low(x))
    return x


@njit(cache=True, nogil=True)
def _run(state: Words, out: Words) -> None:
    """Fill ``out`` with keystream, the higher word of each pair first."""
    x = state.copy()
    for index in range(0, len(out), 2):
        out[index] = _high(x)
        out[index + 1] = _low(x)
        _clock(x, np.uint32(0), np.uint32(0))
    state[:] = x


class KCipher2(Keystream):
    """KCipher-2 keystream."""

    def __init__(self, key: bytes, iv: bytes, order: Literal["big", "little"] = "big") -> None:
        """Start with ``key`` and ``iv``, 16 bytes each, read as big-endian words.

        Args:
            key: The key.
            iv: The initialisation vector.
            order: Of the bytes of each 64 bits of keystream; the standard says big-endian.
        """
        super().__init__()
        if len(key) != 16 or len(iv) != 16:
            raise ValueError(f"KCipher-2 takes a key and an IV of 16 bytes, not {len(key)} and {len(iv)}")
        self._state = _begin(*(np.frombuffer(part, ">u4").astype(np.uint32) for part in (key, iv)))
        self._order = order

    def _fill(self, words: Words) -> None:
        _run(self._state, words)
        if self._order == "big":
            words.byteswap(inplace=True)
        else:
            words[:] = words.reshape(-1, 2)[:, ::-1].reshape(-1)
