"""The attack of Biham and Kocher as their paper gives it, for comparison: one way down after the other.

In numba: for each Z, down through the Z that fit the keystream, and for each row of them every Y and X that
fit, each followed to its end before the next, as a plain program in C does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from unransom.crypto.ciphers.zipcrypto import CRC, CRC_BACK

MULTIPLIER = 0x08088405
INVERSE = np.uint32(pow(MULTIPLIER, -1, 1 << 32))
U = np.uint32


def _stream_rows() -> tuple[Any, Any]:
    """Return bits 2 to 15 of every Z by its keystream byte and bits 10 to 15, and how many there are."""
    rows, counts = np.zeros((256, 64, 64), np.uint32), np.zeros((256, 64), np.int64)
    for low in range(0, 1 << 16, 4):
        byte = (low | 2) * (low | 3) >> 8 & 0xFF
        rows[byte, low >> 10, counts[byte, low >> 10]] = low
        counts[byte, low >> 10] += 1
    return rows, counts


def _fibers(steps: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the bytes whose product with the inverse has a high byte near a given one, and how many."""
    rows, counts = np.zeros((256, 8), np.uint32), np.zeros(256, np.int64)
    for byte in range(256):
        high = (byte * int(INVERSE) & 0xFFFFFFFF) >> 24
        for step in steps:
            at = (high + step) % 256
            rows[at, counts[at]] = byte
            counts[at] += 1
    return rows, counts


ROWS, ROW_COUNTS = _stream_rows()
TWO, TWO_COUNTS = _fibers((0, 1))
THREE, THREE_COUNTS = _fibers((0, 1, 255))


@njit(nogil=True)
def _forth(crc: Any, byte: Any) -> Any:
    return U((crc >> U(8)) ^ CRC[(crc ^ byte) & U(255)])


@njit(nogil=True)
def _back(crc: Any, byte: Any) -> Any:
    return U((crc << U(8)) ^ CRC_BACK[crc >> U(24)] ^ byte)


@njit(nogil=True)
def _byte(z: Any) -> Any:
    low = (z & U(0xFFFF)) | U(2)
    return U((low * (low ^ U(1)) >> U(8)) & U(255))


@njit(nogil=True)
def searched(candidates: Any, stream: Any, plain: Any, place: int) -> Any:
    """Try ``candidates`` for the Z at ``place``; return X, Y and Z there of the last that fits, or zeros."""
    z, y = np.zeros(8, np.uint32), np.zeros(8, np.uint32)
    turn, above = np.zeros(9, np.int64), np.zeros(8, np.uint32)
    found = np.zeros(3, np.uint32)
    for candidate in candidates:
        z[7], level = candidate, 7
        turn[7], above[7] = 0, _back(z[7], U(0)) & U(0xFFFFFC00)
        while level < 8:
            byte, middle = stream[place - 8 + level], (above[level] >> U(10)) & U(63)
            if turn[level] == ROW_COUNTS[byte, middle]:
                level += 1
                continue
            z[level - 1] = above[level] | ROWS[byte, middle, turn[level]]
            turn[level] += 1
            bare = z[level] & U(0xFFFFFFFC)
            z[level] = bare | ((_back(bare, U(0)) ^ z[level - 1]) >> U(8))
            if level < 7:
                y[level + 1] = U((_back(z[level + 1], U(0)) ^ z[level]) << U(24))
            if level > 1:
                level -= 1
                turn[level], above[level] = 0, _back(z[level], U(0)) & U(0xFFFFFC00)
            else:
                _all_y(z[7], y, stream, plain, place, found)
    return found


@njit(nogil=True)
def _all_y(z7: Any, y: Any, stream: Any, plain: Any, place: int, found: Any) -> None:
    """Follow every Y of the last byte that fits the one before it."""
    high, below = y[7] & U(0xFF000000), y[6] & U(0xFF000000)
    product = U(high * INVERSE - INVERSE)
    down, x, turn = np.zeros(8, np.uint32), np.zeros(8, np.uint32), np.zeros(9, np.int64)
    for middle in range(1 << 16):
        fiber = ((below >> U(24)) - (product >> U(24))) & U(255)
        for at in range(THREE_COUNTS[fiber]):
            low = THREE[fiber, at]
            if U(product + low * INVERSE - below) > U(0x00FFFFFF + 0xFF):
                continue
            down[7], level = high | U(middle << 8) | low, 7
            turn[7] = 0
            while level < 8:
                once = U((down[level] - U(1)) * INVERSE)
                twice = U((once - U(1)) * INVERSE - (y[level - 2] & U(0xFF000000)))
                fits = twice >> U(24)
                if turn[level] == TWO_COUNTS[fits]:
                    level += 1
                    continue
                byte = TWO[fits, turn[level]]
                turn[level] += 1
                before = U(once - byte)
                if U(twice - byte * INVERSE) > U(0x00FFFFFF + 0xFF) or before >> U(24) != y[level - 1] >> U(
                    24
                ):
                    continue
                down[level - 1], x[level] = before, byte
                if level > 4:
                    level -= 1
                    turn[level] = 0
                else:
                    _test(z7, down[7], x, stream, plain, place, found)
        product = U(product + (INVERSE << U(8)))


@njit(nogil=True)
def _test(z: Any, y: Any, x: Any, stream: Any, plain: Any, place: int, found: Any) -> None:
    """Keep the state before ``place`` if it gives all that is known."""
    whole = x[4]
    for at in range(5, 8):
        whole = (_forth(whole, U(plain[place - 8 + at])) & U(0xFFFFFF00)) | x[at]
    now_x, now_y, now_z = whole, y, z
    for at in range(place, len(stream)):
        if _byte(now_z) != U(stream[at]):
            return
        now_x = _forth(now_x, U(plain[at]))
        now_y = U(U(now_y + (now_x & U(255))) * U(MULTIPLIER) + U(1))
        now_z = _forth(now_z, now_y >> U(24))
    now_x, now_y, now_z = whole, y, z
    for at in range(place - 1, -1, -1):
        now_z = _back(now_z, now_y >> U(24))
        now_y = U((now_y - U(1)) * INVERSE - (now_x & U(255)))
        now_x = _back(now_x, U(plain[at]))
        if _byte(now_z) != U(stream[at]):
            return
    found[0], found[1], found[2] = whole, y, z
