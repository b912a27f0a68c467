"""The checksums of InnoDB pages; compiled, import it only where needed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_CASTAGNOLI = 0x82F63B78  # bits reversed
_MASK_1, _MASK_2 = np.uint32(1463735687), np.uint32(1653893711)  # of InnoDB's fold


def _tables() -> NDArray[np.uint32]:
    """Return eight tables: the CRC-32C of each byte followed by 0 to 7 zero bytes."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        tables[0, byte] = value
    for row in range(1, 8):
        tables[row] = tables[row - 1] >> np.uint32(8) ^ tables[0][tables[row - 1] & np.uint32(0xFF)]
    return tables


_TABLES = _tables()


@njit(cache=True, nogil=True)
def _crc(data, tables):  # type: ignore[no-untyped-def]
    crc = np.uint32(0xFFFFFFFF)
    eights = len(data) // 8 * 8
    for at in range(0, eights, 8):
        value = np.uint32(0)
        for place in range(4):
            byte = (crc >> np.uint32(8 * place)) & np.uint32(0xFF)
            value ^= tables[7 - place, byte ^ data[at + place]]
            value ^= tables[3 - place, data[at + 4 + place]]
        crc = value
    for at in range(eights, len(data)):
        crc = crc >> np.uint32(8) ^ tables[0, (crc & np.uint32(0xFF)) ^ data[at]]
    return crc ^ np.uint32(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def _fold(data):  # type: ignore[no-untyped-def]
    value = np.uint32(0)
    for byte in data:
        mixed = (value ^ np.uint32(byte) ^ _MASK_2) << np.uint32(8)
        value = np.uint32(np.uint32(np.uint32(mixed + value) ^ _MASK_1) + np.uint32(byte))
    return value


def crc32c(data: memoryview) -> int:
    """Return the CRC-32C of ``data``."""
    return int(_crc(np.frombuffer(data, np.uint8), _TABLES))


def fold(data: memoryview) -> int:
    """Return InnoDB's old hash of ``data``, 32 bits of it."""
    return int(_fold(np.frombuffer(data, np.uint8)))
