"""The old encryption of ZIP archives (PKWARE APPNOTE 6.1): its three words of state, and its cipher.

The words are X, Y and Z. A byte p is locked with a byte made of Z, and then

    X = crc32(X, p);  Y = (Y + low(X)) * 0x08088405 + 1;  Z = crc32(Z, high(Y)).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

MULTIPLIER = 0x08088405
INVERSE = np.uint32(0xD94FA8CD)  # of the multiplier
POLYNOMIAL = 0xEDB88320
START = (0x12345678, 0x23456789, 0x34567890)
BYTE = np.uint32(0xFF)
ONE = np.uint32(1)
S8, S24 = np.uint32(8), np.uint32(24)

Words = Any  # arrays of uint32


def _crc_tables() -> tuple[Words, Words]:
    forward = np.zeros(256, np.uint32)
    backward = np.zeros(256, np.uint32)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
        forward[byte] = crc
        backward[crc >> 24] = (crc << 8 & 0xFFFFFFFF) ^ byte
    return forward, backward


CRC, CRC_BACK = _crc_tables()


@njit(cache=True, nogil=True, inline="always")
def forth(crc: np.uint32, byte: np.uint32) -> np.uint32:
    """Return the CRC of one more byte."""
    return np.uint32((crc >> S8) ^ CRC[(crc ^ byte) & BYTE])


@njit(cache=True, nogil=True, inline="always")
def back(crc: np.uint32, byte: np.uint32) -> np.uint32:
    """Return the CRC of one byte less."""
    return np.uint32((crc << S8) ^ CRC_BACK[crc >> S24] ^ byte)


@njit(cache=True, nogil=True, inline="always")
def stream_byte(z: np.uint32) -> np.uint32:
    """Return the byte of keystream that ``z`` gives."""
    low = (z & np.uint32(0xFFFF)) | np.uint32(2)
    return np.uint32((low * (low ^ ONE) >> S8) & BYTE)


@njit(cache=True, nogil=True)
def decrypt(state: Words, data: Any, out: Any) -> None:
    """Decrypt ``data`` into ``out`` and leave ``state``, three words, behind its last byte."""
    x, y, z = state[0], state[1], state[2]
    for at in range(len(data)):
        byte = np.uint32(data[at]) ^ stream_byte(z)
        out[at] = byte
        x = forth(x, byte)
        y = np.uint32(np.uint32(y + (x & BYTE)) * np.uint32(MULTIPLIER) + ONE)
        z = forth(z, y >> S24)
    state[0], state[1], state[2] = x, y, z


@njit(cache=True, nogil=True)
def feed(state: Words, plain: Any) -> None:
    """Take ``state`` behind ``plain``: the bytes of a password, or of a member."""
    x, y, z = state[0], state[1], state[2]
    for byte in plain:
        x = forth(x, np.uint32(byte))
        y = np.uint32(np.uint32(y + (x & BYTE)) * np.uint32(MULTIPLIER) + ONE)
        z = forth(z, y >> S24)
    state[0], state[1], state[2] = x, y, z


@njit(cache=True, nogil=True)
def rewind(state: Words, data: Any) -> None:
    """Take ``state``, which stands behind the locked bytes ``data``, back to before the first of them."""
    x, y, z = state[0], state[1], state[2]
    for at in range(len(data) - 1, -1, -1):
        z = back(z, y >> S24)
        y = np.uint32((y - ONE) * INVERSE - (x & BYTE))
        x = back(x, np.uint32(data[at]) ^ stream_byte(z))
    state[0], state[1], state[2] = x, y, z


class ZipCrypto:
    """Decrypts a member, its header of twelve bytes first."""

    spill = 1 << 62  # a byte that is wrong makes all that follow wrong

    def __init__(self, state: bytes) -> None:
        """Begin with ``state``: X, Y and Z as they are before a member's header, little-endian."""
        self._state = np.frombuffer(state, "<u4").astype(np.uint32)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out`` of the same length; they may be the same memory."""
        decrypt(self._state, np.frombuffer(data, np.uint8), np.frombuffer(out, np.uint8))


def state_of(password: bytes) -> bytes:
    """Return the state that every member of an archive begins with under ``password``."""
    state = np.array(START, np.uint32)
    feed(state, np.frombuffer(password, np.uint8))
    return state.astype("<u4").tobytes()
