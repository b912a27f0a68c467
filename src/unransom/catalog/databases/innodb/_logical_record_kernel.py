"""Records of COMPACT or DYNAMIC rows put on a page and taken off as the server does it; compiled.

Import it only where needed. Which room a record takes, and in which order freed room is used again, is not
told by MySQL's redo log, so that it is done here exactly as there.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._logical_redo_kernel import compressed
from unransom.catalog.databases.innodb._record_kernel import HEADER, INFIMUM, SUPREMUM, u16
from unransom.catalog.databases.innodb._redo_page_kernel import (
    COMPACT_ENDS,
    DATA,
    FREE,
    GARBAGE,
    HEAP,
    HEAP_TOP,
    LAST_INSERT,
    RECORDS,
)

LEVEL = 64  # place in a page
LEAST = DATA + len(COMPACT_ENDS)  # where the first record's room begins
NODE = 1  # status of a record of an inner page


@njit(cache=True, nogil=True)
def put(page, at, value):  # type: ignore[no-untyped-def]
    """Write a number of two bytes."""
    page[at], page[at + 1] = value >> 8 & 0xFF, value & 0xFF


@njit(cache=True, nogil=True)
def measured(page, origin, data, shape, wanted):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    """Return the bytes of a record before and from its origin on, and where one field is and how long.

    -1 of what is no record of an index of this ``shape``: where its fields are told, how many they are, and
    how many are unique.
    """
    fields, count, unique = shape
    if origin < HEADER or origin > len(page):
        return -1, -1, -1, 0
    status = page[origin - 3] & 7
    if status > NODE:
        return (HEADER, 8, -1, 0) if origin in (INFIMUM, SUPREMUM) else (-1, -1, -1, 0)
    nullable = 0
    for each in range(count):
        nullable += data[fields + 2 * each] >> 7 == 0
    nulls = origin - HEADER - 1
    lengths = nulls - (nullable + 7) // 8
    if lengths < -1:
        return -1, -1, -1, 0
    number, size, start, found = 0, 0, -1, 0
    for each in range(min(count, unique + 1) if status == NODE else count):
        kind = u16(data, fields + 2 * each)
        width = kind & 0x7FFF
        null = False
        if not kind & 0x8000:
            null = page[nulls - number // 8] >> number % 8 & 1 == 1
            number += 1
        if status == NODE and each == unique:
            width = 4
        elif null:
            width = -1
        elif width in (0, 0x7FFF):
            big = width != 0
            if lengths < 0:
                return -1, -1, -1, 0
            width = np.int64(page[lengths])
            lengths -= 1
            if big and width & 0x80:
                if lengths < 0:
                    return -1, -1, -1, 0
                width = (width & 0x3F) << 8 | np.int64(page[lengths])
                lengths -= 1
        if each == wanted:
            start, found = size, width
        size += max(width, 0)
    if status == NODE and unique == count:
        if wanted == count:
            start, found = size, 4
        size += 4
    if origin + size > len(page):
        return -1, -1, -1, 0
    return origin - lengths - 1, size, start, found


@njit(cache=True, nogil=True)
def behind(page, origin):  # type: ignore[no-untyped-def]
    """Return the record behind one, 0 behind the last that was freed."""
    step = u16(page, origin - 2)
    return (origin + step) % 65536 if step else 0


@njit(cache=True, nogil=True)
def link(page, origin, following):  # type: ignore[no-untyped-def]
    put(page, origin - 2, (following - origin) % 65536 if following else 0)


@njit(cache=True, nogil=True)
def is_place(page, origin):  # type: ignore[no-untyped-def]
    """Return whether a record of the page may begin there."""
    return LEAST + HEADER <= origin <= min(u16(page, HEAP_TOP), len(page) - 8)


@njit(cache=True, nogil=True)
def in_front(page, wanted):  # type: ignore[no-untyped-def]
    """Return the record in the list before ``wanted``, -1 where that is not in it."""
    at = INFIMUM
    for _ in range(u16(page, HEAP) & 0x7FFF):
        following = behind(page, at)
        if following == wanted:
            return at
        if not is_place(page, following):
            return -1
        at = following
    return -1


@njit(cache=True, nogil=True)
def insert(page, data, at, end, shape, before):  # type: ignore[no-untyped-def]  # noqa: C901
    """Insert what is told behind the record ``before``; returns its origin, or -1, and where that ended."""
    failed = np.int64(-1), np.int64(at)
    if before != INFIMUM and not is_place(page, before):
        return failed
    told, at = compressed(data, at, end)
    size, extra, same, info = told >> 1, np.int64(0), np.int64(0), np.int64(0)
    if told & 1:
        info = np.int64(data[at])
        extra, at = compressed(data, at + 1, end)
        same, at = compressed(data, at, end)
    own_extra, own_size = np.int64(0), np.int64(0)
    if same or not told & 1:
        own_extra, own_size, _, _ = measured(page, before, data, shape, -1)
        if own_extra < 0:
            return failed
        if not told & 1:
            info = np.int64(page[before - 5] & 0xF0 | page[before - 3] & 7)
            extra, same = np.int64(own_extra), np.int64(own_extra + own_size - size)
    if not 0 <= same <= own_extra + own_size or not HEADER <= extra <= same + size or at + size > end:
        return failed
    made = np.zeros(same + size, np.uint8)
    made[:same] = page[before - own_extra : before - own_extra + same]
    made[same:] = data[at : at + size]
    made[extra - 5] = info & 0xF0
    made[extra - 3] = info & 7
    has_extra, has_size, _, _ = measured(made, extra, data, shape, -1)
    if has_extra != extra or has_size != same + size - extra or info & 7 != (u16(page, LEVEL) > 0):
        return failed
    begin, number = room(page, len(made), data, shape)
    if begin < 0:
        return failed
    origin = begin + extra
    page[begin : begin + len(made)] = made
    put(page, origin - 4, number << 3 | info & 7)
    link(page, origin, behind(page, before))
    link(page, before, origin)
    put(page, RECORDS, u16(page, RECORDS) + 1)
    put(page, LAST_INSERT, origin)
    return np.int64(origin), np.int64(at + size)


@njit(cache=True, nogil=True)
def room(page, size, data, shape):  # type: ignore[no-untyped-def]
    """Take room for a record; returns where it begins and its number on the page, -1 where there is none."""
    first, top = u16(page, FREE), u16(page, HEAP_TOP)
    if first:
        if not is_place(page, first):
            return -1, 0
        extra, length, _, _ = measured(page, first, data, shape, -1)
        if extra < 0 or first - extra < LEAST or first + length > top:
            return -1, 0
        if extra + length >= size:
            put(page, FREE, behind(page, first))
            put(page, GARBAGE, (u16(page, GARBAGE) - size) % 65536)
            return first - extra, u16(page, first - 4) >> 3
    if top < LEAST or top + size > len(page) - 8:
        return -1, 0
    number = u16(page, HEAP)
    put(page, HEAP, number + 1)
    put(page, HEAP_TOP, top + size)
    return top, number & 0x7FFF


@njit(cache=True, nogil=True)
def free(page, before, data, shape):  # type: ignore[no-untyped-def]
    """Take the record behind ``before`` out of the list and free its room."""
    origin = behind(page, before)
    if not is_place(page, origin):
        return False
    extra, size, _, _ = measured(page, origin, data, shape, -1)
    if extra < 0 or not u16(page, RECORDS):
        return False
    link(page, before, behind(page, origin))
    link(page, origin, u16(page, FREE))
    put(page, FREE, origin)
    put(page, GARBAGE, (u16(page, GARBAGE) + extra + size) % 65536)
    put(page, RECORDS, u16(page, RECORDS) - 1)
    put(page, LAST_INSERT, 0)
    return True
