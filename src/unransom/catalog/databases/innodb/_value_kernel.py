"""Values of fields as the buffers of Arrow arrays; compiled, import it only where needed.

Every kernel takes the pages and, by row, where the field starts and its length; negative lengths are
fields without a value, and their place in the output is left as it is.
"""

from __future__ import annotations

import numpy as np
from numba import njit

POWERS = np.array([10**power for power in range(10)], np.uint64)
DIGIT_BYTES = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 4], np.int64)
MICROS = np.array([0, 10000, 100, 1], np.int64)  # of one unit, by bytes of the fraction
DAY = 86_400_000_000  # microseconds


@njit(cache=True, nogil=True)
def big_endian(data, at, length):  # type: ignore[no-untyped-def]
    """Return the unsigned number of ``length`` bytes."""
    value = np.uint64(0)
    for place in range(length):
        value = value << np.uint64(8) | np.uint64(data[at + place])
    return value


@njit(cache=True, nogil=True)
def unsigned(data, starts, lengths, out):  # type: ignore[no-untyped-def]
    """Read unsigned numbers."""
    for row in range(len(starts)):
        if lengths[row] >= 0:
            out[row] = big_endian(data, starts[row], lengths[row])


@njit(cache=True, nogil=True)
def signed(data, starts, lengths, out):  # type: ignore[no-untyped-def]
    """Read numbers whose sign bit is flipped."""
    for row in range(len(starts)):
        length = lengths[row]
        if length > 0:
            value = big_endian(data, starts[row], length)
            half = np.uint64(1) << np.uint64(8 * length - 1)
            out[row] = np.int64(value - half)


@njit(cache=True, nogil=True)
def fixed(data, starts, lengths, width, out):  # type: ignore[no-untyped-def]
    """Copy ``width`` bytes of each field into a row of ``out``, zeros where it is shorter."""
    for row in range(len(starts)):
        for place in range(min(lengths[row], width)):
            out[row, place] = data[starts[row] + place]


@njit(cache=True, nogil=True)
def _multiply_add(limbs, row, count, factor, addend):  # type: ignore[no-untyped-def]
    carry = addend
    for limb in range(count):
        value = np.uint64(limbs[row, limb]) * factor + carry
        limbs[row, limb] = np.uint32(value & np.uint64(0xFFFFFFFF))
        carry = value >> np.uint64(32)


@njit(cache=True, nogil=True)
def decimals(data, starts, lengths, precision, scale, out):  # type: ignore[no-untyped-def]
    """Read packed decimals into little-endian limbs of 32 bits, two's complement."""
    whole = precision - scale
    count = out.shape[1]
    for row in range(len(starts)):
        if lengths[row] < 0:
            continue
        at = starts[row]
        flip = np.uint64(0x80)
        negative = data[at] & 0x80 == 0
        for part in range(2):
            digits = whole if part == 0 else scale
            first = digits % 9 if part == 0 else 9
            while digits > 0:
                group = first if part == 0 and digits % 9 else min(9, digits)
                width = DIGIT_BYTES[group]
                value = np.uint64(0)
                for place in range(width):
                    byte = np.uint64(data[at + place]) ^ flip
                    flip = np.uint64(0)
                    value = value << np.uint64(8) | (byte ^ np.uint64(0xFF) if negative else byte)
                at += width
                _multiply_add(out, row, count, POWERS[group], value)
                digits -= group
        if negative:
            carry = np.uint64(1)
            for limb in range(count):
                value = np.uint64(~out[row, limb]) % np.uint64(1 << 32) + carry
                out[row, limb] = np.uint32(value & np.uint64(0xFFFFFFFF))
                carry = value >> np.uint64(32)


@njit(cache=True, nogil=True)
def days(year, month, day):  # type: ignore[no-untyped-def]
    """Return the days since 1970-01-01."""
    year -= 1 if month <= 2 else 0
    era = year // 400
    within = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    of_era = within * 365 + within // 4 - within // 100 + of_year
    return era * 146097 + of_era - 719468


@njit(cache=True, nogil=True)
def is_date(year, month, day):  # type: ignore[no-untyped-def]
    """Return whether the calendar has this day."""
    if month < 1 or month > 12 or day < 1 or year > 9999:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 28 + leap if month == 2 else 30 + (month + month // 8) % 2
    return day <= longest


@njit(cache=True, nogil=True)
def dates(data, starts, lengths, out, valid):  # type: ignore[no-untyped-def]
    """Read dates as days since 1970; clears ``valid`` of what no calendar has, e.g. 0000-00-00."""
    for row in range(len(starts)):
        if lengths[row] < 3:
            continue
        value = np.int64(big_endian(data, starts[row], 3)) & 0x7FFFFF
        year, month, day = value >> 9, value >> 5 & 15, value & 31
        if is_date(year, month, day):
            out[row] = days(year, month, day)
        else:
            valid[row] = False


@njit(cache=True, nogil=True)
def moments(data, starts, lengths, out, valid):  # type: ignore[no-untyped-def]
    """Read DATETIME as microseconds since 1970; clears ``valid`` of what no calendar has."""
    for row in range(len(starts)):
        length = lengths[row]
        if length < 5:
            continue
        value = np.int64(big_endian(data, starts[row], 5)) - (1 << 39)
        month = value >> 22
        year, month, day = month // 13, month % 13, value >> 17 & 31
        hour, minute, second = value >> 12 & 31, value >> 6 & 63, value & 63
        if value < 0 or not is_date(year, month, day) or hour > 23 or minute > 59 or second > 59:
            valid[row] = False
            continue
        fraction = np.int64(big_endian(data, starts[row] + 5, length - 5)) * MICROS[length - 5]
        clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
        out[row] = days(year, month, day) * DAY + clock


@njit(cache=True, nogil=True)
def stamps(data, starts, lengths, out, valid):  # type: ignore[no-untyped-def]
    """Read TIMESTAMP as microseconds since 1970 UTC; clears ``valid`` of the zero date."""
    for row in range(len(starts)):
        length = lengths[row]
        if length < 4:
            continue
        value = np.int64(big_endian(data, starts[row], 4))
        fraction = np.int64(big_endian(data, starts[row] + 4, length - 4)) * MICROS[length - 4]
        if value == 0 and fraction == 0:
            valid[row] = False
        out[row] = value * 1_000_000 + fraction


@njit(cache=True, nogil=True)
def offsets(lengths, trims, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the running sum of the lengths less ``trims``; returns the last."""
    total = np.int64(0)
    out[0] = 0
    for row in range(len(lengths)):
        if lengths[row] > 0:
            total += np.int64(lengths[row]) - trims[row]
        out[row + 1] = total
    return total


@njit(cache=True, nogil=True)
def trailing(data, starts, lengths, unit, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the bytes of trailing spaces, characters of ``unit`` bytes ending in 0x20."""
    for row in range(len(starts)):
        count = 0
        first = starts[row]
        at = first + max(lengths[row], 0) - unit
        while at >= first and data[at + unit - 1] == 0x20:
            zeros = True
            for place in range(unit - 1):
                zeros = zeros and data[at + place] == 0
            if not zeros:
                break
            count += unit
            at -= unit
        out[row] = count


@njit(cache=True, nogil=True)
def gather(data, starts, ends, out):  # type: ignore[no-untyped-def]
    """Copy each field to where the running sums ``ends`` put it; returns whether all bytes are ASCII."""
    seen = np.uint8(0)
    for row in range(len(starts)):
        to = ends[row]
        first = starts[row]
        for place in range(ends[row + 1] - to):
            byte = data[first + place]
            out[to + place] = byte
            seen |= byte
    return seen < 0x80
