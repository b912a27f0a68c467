"""What values of each type may be; compiled, import it only where needed."""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._value_kernel import DIGIT_BYTES, POWERS, big_endian, is_date

MOST_PAGE = 1 << 28  # page numbers of an undo space
NONE, TRX, ROLL, DATE, DATETIME, ENUM, UTF8, ASCII, DECIMAL, LIMIT, CLOCK = range(11)  # checks


@njit(cache=True, nogil=True)
def _utf8(data, start, end):  # type: ignore[no-untyped-def]
    """Return whether the bytes are UTF-8 without control characters."""
    at = start
    while at < end:
        byte = data[at]
        if byte < 0x80:
            if byte < 0x20 and byte not in {9, 10, 13}:
                return False
            at += 1
            continue
        more = 1 if byte >> 5 == 6 else 2 if byte >> 4 == 14 else 3 if byte >> 3 == 30 else 0
        if more == 0 or at + more >= end or byte in {0xC0, 0xC1}:
            return False
        for place in range(1, more + 1):
            if data[at + place] >> 6 != 2:
                return False
        at += more + 1
    return True


@njit(cache=True, nogil=True)
def _printable(data, start, end):  # type: ignore[no-untyped-def]
    good = True
    for at in range(start, end):
        good &= data[at] >= 0x20 or data[at] in {9, 10, 13}
    return good


@njit(cache=True, nogil=True)
def _groups(data, start, precision, scale):  # type: ignore[no-untyped-def]
    """Return whether the groups of a packed decimal hold no more digits than they should."""
    at = start
    flip = np.uint64(0x80)
    negative = data[at] & 0x80 == 0
    for part in range(2):
        digits = precision - scale if part == 0 else scale
        while digits > 0:
            group = digits % 9 if part == 0 and digits % 9 else min(9, digits)
            value = np.uint64(0)
            for place in range(DIGIT_BYTES[group]):
                byte = np.uint64(data[at + place]) ^ flip
                flip = np.uint64(0)
                value = value << np.uint64(8) | (byte ^ np.uint64(0xFF) if negative else byte)
            if value >= POWERS[group]:
                return False
            at += DIGIT_BYTES[group]
            digits -= group
    return True


@njit(cache=True, nogil=True)
def plausible(data, start, length, check, low, high):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911
    """Return whether a value passes the check of its field."""
    if check == TRX:
        value = big_endian(data, start, 6)
        return value > 0 and value <= np.uint64(high)
    if check == ROLL:
        return big_endian(data, start + 1, 4) < np.uint64(MOST_PAGE)
    if check == DATE:
        value = np.int64(big_endian(data, start, 3))
        value &= 0x7FFFFF
        return value == 0 or is_date(value >> 9, value >> 5 & 15, value & 31)
    if check == DATETIME:
        value = np.int64(big_endian(data, start, 5)) - (1 << 39)
        if value == 0:
            return True
        month, clock = value >> 22, value & 0x1FFFF
        day = is_date(month // 13, month % 13, value >> 17 & 31)
        return value > 0 and day and clock >> 12 < 24 and clock >> 6 & 63 < 60 and clock & 63 < 60
    if check in {ENUM, LIMIT}:
        value = big_endian(data, start, length)
        return value >= np.uint64(low) and value <= np.uint64(high)
    if check == UTF8:
        return _utf8(data, start, start + length)
    if check == ASCII:
        return _printable(data, start, start + length)
    if check == DECIMAL:
        return _groups(data, start, low, high)
    if check == CLOCK:
        value = abs(np.int64(big_endian(data, start, 3)) - (1 << 23))
        return value >> 12 <= 839 and value >> 6 & 63 < 60 and value & 63 < 60
    return True
