"""Sosemanuk (Berbain et al., eSTREAM portfolio, 2008): Babuk on ESXi, Megazord, ESXiArgs, Yanluowang.

A register of ten words over GF(2**32) and two words of a finite state machine, whose outputs go four by
four through an S-box of Serpent; key and IV are mixed by 24 rounds of Serpent.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.fields import multiples
from unransom.crypto.ciphers.lanes import rotated
from unransom.crypto.ciphers.stream import Keystream

Words = NDArray[np.uint32]
REGISTER = 10  # words
SCHEDULE = 100  # words: 25 keys of Serpent
GOLDEN = np.uint32(0x9E3779B9)
SERPENT = np.array(
    [
        [3, 8, 15, 1, 10, 6, 5, 11, 14, 13, 4, 2, 7, 0, 9, 12],
        [15, 12, 2, 7, 9, 0, 5, 10, 1, 11, 14, 8, 6, 13, 3, 4],
        [8, 6, 7, 9, 3, 12, 10, 15, 13, 1, 14, 4, 0, 11, 5, 2],
        [0, 15, 11, 8, 12, 9, 6, 3, 13, 1, 2, 4, 10, 7, 5, 14],
        [1, 15, 8, 3, 12, 0, 11, 6, 2, 5, 4, 10, 9, 14, 7, 13],
        [15, 5, 2, 11, 4, 10, 9, 12, 0, 3, 14, 8, 13, 6, 7, 1],
        [7, 2, 12, 5, 8, 4, 6, 11, 14, 9, 1, 15, 13, 3, 10, 0],
        [1, 13, 15, 0, 14, 8, 2, 11, 7, 4, 12, 10, 9, 3, 5, 6],
    ],
    np.uint32,
)
POLYNOMIAL = 0x1A9  # of beta: x^8 + x^7 + x^5 + x^3 + 1
TIMES_ALPHA = multiples(POLYNOMIAL, (23, 245, 48, 239))
OVER_ALPHA = multiples(POLYNOMIAL, (16, 39, 6, 64))


@njit(nogil=True)
def _substituted(box: int, words: Words) -> None:
    """Put each of the 32 columns of four bits through an S-box of Serpent."""
    out = np.zeros(4, np.uint32)
    for bit in range(32):
        column = 0
        for row in range(4):
            column |= ((words[row] >> np.uint32(bit)) & np.uint32(1)) << row
        for row in range(4):
            out[row] |= np.uint32(((SERPENT[box, column] >> np.uint32(row)) & np.uint32(1)) << np.uint32(bit))
    words[:] = out


@njit(nogil=True)
def _mixed(x: Words) -> None:
    """Apply Serpent's linear transformation."""
    x[0] = rotated(x[0], 13)
    x[2] = rotated(x[2], 3)
    x[1] = rotated(x[1] ^ x[0] ^ x[2], 1)
    x[3] = rotated(x[3] ^ x[2] ^ np.uint32(x[0] << np.uint32(3)), 7)
    x[0] = rotated(x[0] ^ x[1] ^ x[3], 5)
    x[2] = rotated(x[2] ^ x[3] ^ np.uint32(x[1] << np.uint32(7)), 22)


@njit(cache=True, nogil=True)
def _begin(key: Words, iv: Words) -> Words:
    """Return the register and the two words of the machine for a key of 8 words and an IV of 4."""
    schedule = np.empty(8 + SCHEDULE, np.uint32)
    schedule[:8] = key
    for index in range(8, 8 + SCHEDULE):
        mixed = schedule[index - 8] ^ schedule[index - 5] ^ schedule[index - 3] ^ schedule[index - 1]
        schedule[index] = rotated(np.uint32(mixed ^ GOLDEN ^ np.uint32(index - 8)), 11)
    keys = schedule[8:]
    for index in range(25):
        _substituted((3 - index) % 8, keys[4 * index : 4 * index + 4])
    x = iv.copy()
    state = np.empty(REGISTER + 2, np.uint32)
    for index in range(24):
        for word in range(4):
            x[word] ^= keys[4 * index + word]
        _substituted(index % 8, x)
        _mixed(x)
        if index == 11:
            state[6], state[7], state[8], state[9] = x[3], x[2], x[1], x[0]
        elif index == 17:
            state[4], state[5], state[10], state[11] = x[1], x[3], x[0], x[2]
    for word in range(4):
        state[3 - word] = x[word] ^ keys[96 + word]
    return state


@njit(cache=True, nogil=True)
def _run(state: Words, line: Words, out: Words) -> None:
    """Fill ``out`` with keystream and move ``state`` on; ``line`` is ``REGISTER`` words longer at least."""
    line[:REGISTER] = state[:REGISTER]
    first, second = state[REGISTER], state[REGISTER + 1]
    for t in range(len(out)):
        a, d, j = line[t], line[t + 3], line[t + 9]
        line[t + 10] = (
            j
            ^ np.uint32(d >> np.uint32(8))
            ^ OVER_ALPHA[d & np.uint32(255)]
            ^ np.uint32(a << np.uint32(8))
            ^ TIMES_ALPHA[a >> np.uint32(24)]
        )
        chosen = line[t + 1] ^ (line[t + 8] & np.uint32(-np.int32(first & np.uint32(1))))
        first, second = (
            np.uint32(second + chosen),
            rotated(np.uint32(first * np.uint32(0x54655307)), 7),
        )
        out[t] = np.uint32(j + first) ^ second
    state[:REGISTER] = line[len(out) : len(out) + REGISTER]
    state[REGISTER], state[REGISTER + 1] = first, second
    for t in range(0, len(out), 4):
        # Serpent's S2 as boolean operations (D. A. Osvik, "Speeding up Serpent", 2000).
        w, x, y, z = out[t], out[t + 1], out[t + 2], out[t + 3]
        keep = w
        w = (w & y) ^ z
        y = y ^ x ^ w
        z = (z | keep) ^ x
        keep ^= y
        x = z
        z = (z | keep) ^ w
        w &= x
        keep ^= w
        x = x ^ z ^ keep
        out[t] = y ^ line[t]
        out[t + 1] = z ^ line[t + 1]
        out[t + 2] = x ^ line[t + 2]
        out[t + 3] = ~keep ^ line[t + 3]


class Sosemanuk(Keystream):
    """Sosemanuk keystream."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Start with ``key``, 1 to 32 bytes, and ``iv``, 16 bytes."""
        super().__init__()
        if not 1 <= len(key) <= 32 or len(iv) != 16:
            raise ValueError(
                f"Sosemanuk takes a key of 1 to 32 bytes and an IV of 16, not {len(key)}, {len(iv)}"
            )
        padded = key if len(key) == 32 else key + b"\x01" + bytes(31 - len(key))
        self._state = _begin(_words(padded), _words(iv))
        self._line = np.empty(self.stretch // 4 + REGISTER, np.uint32)

    def _fill(self, words: Words) -> None:
        _run(self._state, self._line, words)


def _words(data: bytes) -> Words:
    return np.frombuffer(data, "<u4").astype(np.uint32)
