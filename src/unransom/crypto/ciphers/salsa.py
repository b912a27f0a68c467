"""Salsa20 from a raw 64-byte state, with any number of rounds (D. J. Bernstein, "The Salsa20 family", 2007).

LockBit 3 fills all 16 words, the four constants included, with random bytes, which no library takes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 64  # bytes
CONSTANTS = b"expand 32-byte k"


@njit(cache=True, nogil=True, inline="always")
def _turn(left: np.uint32, right: np.uint32, count: int) -> np.uint32:
    """Return the sum of two words, modulo 2**32, rotated left."""
    total = np.uint32(left + right)
    return np.uint32((total << np.uint32(count)) | (total >> np.uint32(32 - count)))


@njit(cache=True, nogil=True)
def _xor_blocks(
    state: NDArray[np.uint32], first: int, rounds: int, data: NDArray[np.uint32], out: NDArray[np.uint32]
) -> None:
    """XOR ``data``, 16 words a block, with the keystream from block ``first`` on."""
    base = np.uint64(state[8]) | (np.uint64(state[9]) << np.uint64(32))
    word = np.empty(16, np.uint32)
    for block in range(len(data) // 16):
        counter = base + np.uint64(first) + np.uint64(block)
        low = np.uint32(counter & np.uint64(0xFFFFFFFF))
        high = np.uint32(counter >> np.uint64(32))
        x0, x1, x2, x3 = state[0], state[1], state[2], state[3]
        x4, x5, x6, x7 = state[4], state[5], state[6], state[7]
        x8, x9, x10, x11 = low, high, state[10], state[11]
        x12, x13, x14, x15 = state[12], state[13], state[14], state[15]
        for _ in range(rounds // 2):
            x4 ^= _turn(x0, x12, 7)
            x8 ^= _turn(x4, x0, 9)
            x12 ^= _turn(x8, x4, 13)
            x0 ^= _turn(x12, x8, 18)
            x9 ^= _turn(x5, x1, 7)
            x13 ^= _turn(x9, x5, 9)
            x1 ^= _turn(x13, x9, 13)
            x5 ^= _turn(x1, x13, 18)
            x14 ^= _turn(x10, x6, 7)
            x2 ^= _turn(x14, x10, 9)
            x6 ^= _turn(x2, x14, 13)
            x10 ^= _turn(x6, x2, 18)
            x3 ^= _turn(x15, x11, 7)
            x7 ^= _turn(x3, x15, 9)
            x11 ^= _turn(x7, x3, 13)
            x15 ^= _turn(x11, x7, 18)
            x1 ^= _turn(x0, x3, 7)
            x2 ^= _turn(x1, x0, 9)
            x3 ^= _turn(x2, x1, 13)
            x0 ^= _turn(x3, x2, 18)
            x6 ^= _turn(x5, x4, 7)
            x7 ^= _turn(x6, x5, 9)
            x4 ^= _turn(x7, x6, 13)
            x5 ^= _turn(x4, x7, 18)
            x11 ^= _turn(x10, x9, 7)
            x8 ^= _turn(x11, x10, 9)
            x9 ^= _turn(x8, x11, 13)
            x10 ^= _turn(x9, x8, 18)
            x12 ^= _turn(x15, x14, 7)
            x13 ^= _turn(x12, x15, 9)
            x14 ^= _turn(x13, x12, 13)
            x15 ^= _turn(x14, x13, 18)
        word[0], word[1], word[2], word[3] = x0 + state[0], x1 + state[1], x2 + state[2], x3 + state[3]
        word[4], word[5], word[6], word[7] = x4 + state[4], x5 + state[5], x6 + state[6], x7 + state[7]
        word[8], word[9], word[10], word[11] = x8 + low, x9 + high, x10 + state[10], x11 + state[11]
        word[12], word[13], word[14], word[15] = (
            x12 + state[12],
            x13 + state[13],
            x14 + state[14],
            x15 + state[15],
        )
        start = block * 16
        for index in range(16):
            out[start + index] = data[start + index] ^ word[index]


class Salsa:
    """Salsa20 keystream from a raw state; encryption and decryption are the same."""

    spill = 0

    def __init__(self, state: bytes, rounds: int = 20) -> None:
        """Start with ``state``, 64 bytes: 16 little-endian words, words 8 and 9 are the block counter."""
        if len(state) != BLOCK:
            raise ValueError(f"a Salsa20 state has 64 bytes, not {len(state)}")
        self._state = np.frombuffer(state, "<u4").astype(np.uint32)
        self._rounds = rounds
        self._block = 0
        self._rest = b""  # keystream of a block that was begun

    @classmethod
    def from_key(cls, key: bytes, nonce: bytes, rounds: int = 20) -> Salsa:
        """Return the cipher of a 32-byte ``key`` and an 8-byte ``nonce``, counter 0."""
        parts = [CONSTANTS[index : index + 4] for index in range(0, 16, 4)]
        return cls(parts[0] + key[:16] + parts[1] + nonce + bytes(8) + parts[2] + key[16:] + parts[3], rounds)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """XOR ``data`` with the next bytes of the keystream into ``out``; they may be the same memory."""
        source = np.frombuffer(data, np.uint8)
        target = np.frombuffer(out, np.uint8)
        begun = min(len(self._rest), len(source))
        if begun:
            target[:begun] = source[:begun] ^ np.frombuffer(self._rest[:begun], np.uint8)
            self._rest = self._rest[begun:]
            source, target = source[begun:], target[begun:]
        whole = len(source) // BLOCK * BLOCK
        self._xor(source[:whole], target[:whole])
        tail = len(source) - whole
        if tail:
            stream = np.zeros(BLOCK, np.uint8)
            self._xor(stream, stream)
            target[whole:] = source[whole:] ^ stream[:tail]
            self._rest = stream[tail:].tobytes()

    def _xor(self, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
        """XOR whole blocks and move on."""
        _xor_blocks(self._state, self._block, self._rounds, source.view("<u4"), target.view("<u4"))
        self._block += len(source) // BLOCK
