"""Numbers, dates and times decoded from cells as machine code, a column at a time.

Every function takes ``cells``, the bytes with starts and lengths in them, and ``column``: where to put
values, whether there is a value, and doubts, one more for each row with a value that the server could not
have stored.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

DAY = 86_400_000_000  # microseconds
EPOCH_0001 = 719_162  # days from 0001-01-01 to 1970-01-01
EPOCH_1900 = 25_567  # days from 1900-01-01 to 1970-01-01
LAST_DAY = 3_652_058  # 9999-12-31, counted from 0001-01-01
TICKS = 25_920_000  # of 1/300 s in a day


@njit(cache=True, nogil=True)
def little(data, start, length):
    """Return up to eight bytes as an unsigned number."""
    value = np.uint64(0)
    for index in range(min(length, 8)):
        value |= np.uint64(data[start + index]) << np.uint64(8 * index)
    return value


@njit(cache=True, nogil=True)
def excess(data, start, length):
    """Return a number of row compression: big-endian, the sign bit turned round."""
    if length == 0:
        return np.int64(0)
    value = np.int64(data[start]) - 128
    for index in range(1, min(length, 8)):
        value = value << 8 | np.int64(data[start + index])
    return value


@njit(cache=True, nogil=True)
def signed(value, width):
    """Return ``value`` of ``width`` bytes as a signed number."""
    shift = np.uint64(64 - 8 * width)
    return np.int64(np.uint64(value) << shift) >> np.int64(shift)


@njit(cache=True, nogil=True)
def integers(cells, width, packed, column):
    """Decode integers of ``width`` bytes; of one byte they have no sign."""
    data, starts, lengths = cells
    out, valid, doubts = column
    for row in range(len(starts)):
        length = lengths[row]
        valid[row] = length >= 0
        out[row] = 0
        if length < 0:
            continue
        if width == 1:
            out[row] = np.int64(little(data, starts[row], min(length, 1)))
        elif packed:
            out[row] = excess(data, starts[row], length)
        else:
            out[row] = signed(little(data, starts[row], width), width)
        if length > width or (length < width and not packed):
            doubts[row] += 1


@njit(cache=True, nogil=True)
def bits(cells, bit, packed, column):
    """Decode bits: number ``bit`` of a byte; packed ones are one byte or none."""
    data, starts, lengths = cells
    out, valid, _ = column
    for row in range(len(starts)):
        length = lengths[row]
        valid[row] = length >= 0
        out[row] = length > 0 and (packed or data[starts[row]] >> bit & 1 != 0)


@njit(cache=True, nogil=True)
def floats(cells, width, column):
    """Copy floating-point numbers of ``width`` bytes; short ones lack their lowest bytes."""
    data, starts, lengths = cells
    out, valid, doubts = column
    for row in range(len(starts)):
        length = lengths[row]
        valid[row] = 0 <= length <= width
        out[row] = 0
        if length > width:
            doubts[row] += 1
        elif length > 0:
            out[row] = little(data, starts[row], length) << np.uint64(8 * (width - length))
        high = (out[row] >> np.uint64(8 * width - 16)) & np.uint64(0x7F80 if width == 4 else 0x7FF0)
        if high == np.uint64(0x7F80 if width == 4 else 0x7FF0):
            doubts[row] += 1  # infinity or no number: the server stores neither


@njit(cache=True, nogil=True)
def wide(cells, width, packed, column):
    """Decode money, integers of ``width`` bytes in ten-thousandths, into 128 bits each."""
    data, starts, lengths = cells
    out, valid, _ = column
    for row in range(len(starts)):
        length = lengths[row]
        valid[row] = length >= 0
        value = np.int64(0)
        if length >= 0:
            if packed:
                value = excess(data, starts[row], length)
            else:
                value = signed(little(data, starts[row], width), width)
        out[row, 0] = value
        out[row, 1] = -1 if value < 0 else 0


@njit(cache=True, nogil=True)
def _store(limbs, negative, out, row):
    """Put four 32-bit limbs into 128 bits, two's complement."""
    low = np.uint64(limbs[0]) | np.uint64(limbs[1]) << np.uint64(32)
    high = np.uint64(limbs[2]) | np.uint64(limbs[3]) << np.uint64(32)
    if negative:
        low, high = ~low + np.uint64(1), ~high + np.uint64(1 if low == 0 else 0)
    out[row, 0], out[row, 1] = np.int64(low), np.int64(high)


@njit(cache=True, nogil=True)
def _grow(limbs, factor, add):
    """Multiply four limbs by a small number and add one."""
    carry = np.uint64(add)
    for index in range(4):
        carry += np.uint64(limbs[index]) * np.uint64(factor)
        limbs[index] = carry & np.uint64(0xFFFFFFFF)
        carry >>= np.uint64(32)
    return carry == 0


@njit(cache=True, nogil=True)
def _variable_decimal(data, start, length, scale, limbs):
    """Decode a decimal of row compression: exponent, then three digits in ten bits each."""
    exponent = np.int64(data[start] & 0x7F) - 64
    digits, fits = 0, True
    groups = ((length - 1) * 8 + 9) // 10
    wanted = exponent + 1 + scale  # digits up to the last one of the scale
    for group in range(groups):
        value = 0
        for index in range(10):
            bit = group * 10 + index
            byte = 1 + bit // 8
            value = value << 1 | (data[start + byte] >> (7 - bit % 8) & 1 if byte < length else 0)
        for part in (100, 10, 1):
            digit = value // part % 10
            if digits < wanted:
                fits &= _grow(limbs, 10, digit)
            elif digit:
                fits = False
            digits += 1
        if value > 999:
            return False
    for _ in range(min(wanted - digits, 40)):
        fits &= _grow(limbs, 10, 0)
    return fits


@njit(cache=True, nogil=True)
def decimals(cells, scale, packed, limits, column):
    """Decode decimals: a byte for the sign, then the digits as an integer; packed ones have an exponent."""
    data, starts, lengths = cells
    out, valid, doubts = column
    limbs = np.zeros(4, np.uint64)
    for row in range(len(starts)):
        length, start = lengths[row], starts[row]
        valid[row] = length >= 0
        limbs[:] = 0
        out[row, 0] = out[row, 1] = 0
        if length <= 0:
            continue
        if packed:
            valid[row] = _variable_decimal(data, start, length, scale, limbs)
            doubts[row] += not valid[row]
            _store(limbs, data[start] & 0x80 == 0, out, row)
            continue
        for index in range((min(length, 17) - 1) // 4):
            limbs[index] = little(data, start + 1 + 4 * index, 4)
        _store(limbs, data[start] == 0, out, row)
        if data[start] > 1 or not _below(limbs, limits):
            doubts[row] += 1
            valid[row] = False


@njit(cache=True, nogil=True)
def _below(limbs, limits):
    """Tell whether four limbs are below four others."""
    for index in range(3, -1, -1):
        if limbs[index] != limits[index]:
            return limbs[index] < limits[index]
    return False


@njit(cache=True, nogil=True)
def datetimes(cells, packed, column):
    """Decode datetime: days since 1900 and 1/300 s; microseconds since 1970, rounded as the server shows."""
    data, starts, lengths = cells
    out, valid, doubts = column
    for row in range(len(starts)):
        length, start = lengths[row], starts[row]
        valid[row] = length >= 0
        out[row] = 0
        if length < 0:
            continue
        if packed:
            both = excess(data, start, length)
            days, ticks = both >> 32, both & 0xFFFFFFFF
        else:
            ticks = np.int64(little(data, start, 4))
            days = signed(little(data, start + 4, 4), 4)
        if ticks >= TICKS or days < -53690 or days > 2958463:
            doubts[row] += 1
            valid[row] = False
            continue
        out[row] = (days - EPOCH_1900) * DAY + (ticks * 10 + 1) // 3 * 1000


@njit(cache=True, nogil=True)
def small_datetimes(cells, column):
    """Decode smalldatetime: minutes and days since 1900; short ones lack the minutes."""
    data, starts, lengths = cells
    out, valid, doubts = column
    for row in range(len(starts)):
        length = lengths[row]
        valid[row] = 0 <= length <= 4
        out[row] = 0
        if length < 0:
            continue
        both = little(data, starts[row], length) << np.uint64(8 * (4 - min(length, 4)))
        minutes, days = np.int64(both & np.uint64(0xFFFF)), np.int64(both >> np.uint64(16))
        if minutes >= 1440 or length > 4:
            doubts[row] += 1
            valid[row] = False
            continue
        out[row] = (days - EPOCH_1900) * DAY + minutes * 60_000_000


@njit(cache=True, nogil=True)
def times(cells, time_width, with_date, unit, column):
    """Decode date, time, datetime2 and the UTC part of datetimeoffset.

    Args:
        cells: Bytes, starts and lengths; short ones lack their highest bytes.
        time_width: Bytes of the time, 0 for a date.
        with_date: Three bytes with days follow.
        unit: How many of the stored units make a day.
        column: Gets the time of day in stored units, days since 1970, validity, doubts.
    """
    data, starts, lengths = cells
    out, days, valid, doubts = column
    for row in range(len(starts)):
        length, start = lengths[row], starts[row]
        valid[row] = length >= 0
        out[row] = days[row] = 0
        if length < 0:
            continue
        out[row] = np.int64(little(data, start, min(length, time_width)))
        if with_date:
            rest = max(min(length - time_width, 3), 0)
            days[row] = np.int64(little(data, start + time_width, rest)) - EPOCH_0001
        if out[row] >= unit or days[row] > LAST_DAY - EPOCH_0001:
            doubts[row] += 1
            valid[row] = False
