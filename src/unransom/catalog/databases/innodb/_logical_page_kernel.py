"""What records of MySQL's redo log do to a page of COMPACT or DYNAMIC rows; compiled.

Import it only where needed. They say what the server did, not which bytes it wrote. The directory of a page
is made anew at the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb import _logical_redo_kernel as log
from unransom.catalog.databases.innodb._logical_record_kernel import (
    LEAST,
    behind,
    free,
    in_front,
    insert,
    is_place,
    link,
    measured,
    put,
)
from unransom.catalog.databases.innodb._record_kernel import INFIMUM, SUPREMUM, u16
from unransom.catalog.databases.innodb._redo_page_kernel import (
    FREE,
    GARBAGE,
    HEAP,
    HEAP_TOP,
    LAST_INSERT,
    RECORDS,
    SLOTS,
    TYPE,
    begin_index,
    make_empty,
)

SDI, INDEX = 17853, 17855  # types of pages
KEEP_SYSTEM = 4  # flag of a change: transaction and roll pointer stay


@njit(cache=True, nogil=True)
def _delete_end(page, first, data, shape):  # type: ignore[no-untyped-def]
    """Delete a record and all behind it: they are freed as the list that they are."""
    if first == SUPREMUM:
        return True
    before = in_front(page, behind(page, INFIMUM) if first == INFIMUM else first)
    if before < 0:
        return False
    if before == INFIMUM:
        return _empty(page)
    at, last, total, gone = first, first, 0, 0
    while at != SUPREMUM:
        extra, size, _, _ = measured(page, at, data, shape, -1)
        if not is_place(page, at) or extra < 0 or gone >= u16(page, RECORDS):
            return False
        total, gone, last = total + extra + size, gone + 1, at
        at = behind(page, at)
    link(page, before, SUPREMUM)
    link(page, last, u16(page, FREE))
    put(page, FREE, first)
    put(page, GARBAGE, (u16(page, GARBAGE) + total) % 65536)
    put(page, RECORDS, u16(page, RECORDS) - gone)
    put(page, LAST_INSERT, 0)
    return True


@njit(cache=True, nogil=True)
def _delete_start(page, first, data, shape):  # type: ignore[no-untyped-def]
    """Delete the records before one, each for itself."""
    if first == INFIMUM:
        return True
    for _ in range(u16(page, RECORDS) + 1):
        if behind(page, INFIMUM) == first:
            return True
        if not free(page, INFIMUM, data, shape):
            return False
    return False


@njit(cache=True, nogil=True)
def _empty(page):  # type: ignore[no-untyped-def]
    """Make an index page without records of one with some."""
    kind = u16(page, TYPE)
    begin_index(page, True)
    put(page, TYPE, kind)
    return True


@njit(cache=True, nogil=True)
def _reorganize(page, data, shape):  # type: ignore[no-untyped-def]
    """Lay the records down anew in the order of the list."""
    old, at = page.copy(), behind(page, INFIMUM)
    top, last, number = LEAST, INFIMUM, 2
    _empty(page)
    while at != SUPREMUM:
        if not is_place(old, at) or number >= u16(old, HEAP) & 0x7FFF:
            return False
        extra, size, _, _ = measured(old, at, data, shape, -1)
        if extra < 0 or top + extra + size > len(page) - 8:
            return False
        page[top : top + extra + size] = old[at - extra : at + size]
        origin = top + extra
        page[origin - 5] &= 0xF0
        put(page, origin - 4, number << 3 | old[at - 3] & 7)
        link(page, last, origin)
        top, last, number = top + extra + size, origin, number + 1
        at = behind(old, at)
    link(page, last, SUPREMUM)
    put(page, HEAP_TOP, top)
    put(page, HEAP, 0x8000 | number)
    put(page, RECORDS, number - 2)
    return number - 2 == u16(old, RECORDS)


@njit(cache=True, nogil=True)
def _system(page, origin, data, at, end, shape, keep):  # type: ignore[no-untyped-def]
    """Write transaction and roll pointer into a record, or let them stay.

    Returns whether that was possible, and where they end.
    """
    position, at = log.compressed(data, at, end)
    roll = at
    high, at = log.compressed(data, at + 7, end)
    if keep:
        return True, at + 4
    extra, _, start, found = measured(page, origin, data, shape, position)
    if extra < 0 or start < 0 or found != 6 or origin + start + 13 > len(page):
        return False, at + 4
    put(page, origin + start, high)
    page[origin + start + 2 : origin + start + 6] = data[at : at + 4]
    page[origin + start + 6 : origin + start + 13] = data[roll : roll + 7]
    return True, at + 4


@njit(cache=True, nogil=True)
def _update(page, data, at, end, shape):  # type: ignore[no-untyped-def]
    """Write values over those of a record, which are as long."""
    keep = data[at] & KEEP_SYSTEM != 0
    _, past = log.compressed(data, at + 1, end)
    _, past = log.compressed(data, past + 7, end)
    origin = u16(data, past + 4)
    if not is_place(page, origin):
        return False
    good, at = _system(page, origin, data, at + 1, end, shape, keep)
    if not good:
        return False
    page[origin - 5] = page[origin - 5] & 0x0F | data[at + 2] & 0xF0
    changed, at = log.compressed(data, at + 3, end)
    for _ in range(changed):
        number, at = log.compressed(data, at, end)
        size, at = log.compressed(data, at, end)
        null = size == 0xFFFFFFFF
        if number < 1017:  # what is not stored has higher ones
            extra, _, start, found = measured(page, origin, data, shape, number)
            if extra < 0 or start < 0 or found != (-1 if null else size):
                return False
            if not null:
                page[origin + start : origin + start + size] = data[at : at + size]
        at += 0 if null else size
    return True


@njit(cache=True, nogil=True)
def _mark(page, origin, deleted):  # type: ignore[no-untyped-def]
    if not is_place(page, origin):
        return False
    page[origin - 5] = page[origin - 5] & ~np.uint8(0x20) | (0x20 if deleted else 0)
    return True


@njit(cache=True, nogil=True)
def _copy(page, data, at, end, shape):  # type: ignore[no-untyped-def]
    """Insert some records behind the last."""
    before = in_front(page, SUPREMUM)
    while at < end:
        if before < 0:
            return False
        stop = log.insert_end(data, at, end)
        if stop < 0:
            return False
        before, at = insert(page, data, at, stop, shape, before)
    put(page, LAST_INSERT, 0)
    return before >= 0


@njit(cache=True, nogil=True)
def _operate(page, kind, data, at, end):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911
    """Do what a record says that tells of its index."""
    at, shape = log.index_of(data, kind, at, end)
    if shape[1] < 0 or not u16(page, HEAP) & 0x8000 or u16(page, HEAP_TOP) < LEAST:
        return False
    does = log.OPERATION[kind]
    if does == log.INSERT:
        return insert(page, data, at + 2, end, shape, u16(data, at))[0] >= 0
    if does == log.UPDATE:
        return _update(page, data, at, end, shape)
    if does == log.CLUSTERED_MARK:
        keep, origin = data[at] & KEEP_SYSTEM != 0, u16(data, end - 2)
        deleted = data[at + 1]
        good = _mark(page, origin, deleted)
        return good and _system(page, origin, data, at + 2, end, shape, keep)[0]
    if does == log.COPY:
        return _copy(page, data, at + 4, end, shape)
    if does == log.REORGANIZE:
        return _reorganize(page, data, shape)
    if does == log.DELETE:
        before = in_front(page, u16(data, at))
        return before >= 0 and free(page, before, data, shape)
    if does == log.DELETE_END:
        return _delete_end(page, u16(data, at), data, shape)
    return does == log.DELETE_START and _delete_start(page, u16(data, at), data, shape)


@njit(cache=True, nogil=True)
def done(page, kind, space, number, data, at, end):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911
    """Do what a record says to its page; returns whether it makes sense and is known."""
    if kind in (log.INIT_PAGE, log.INIT_PAGE_AGAIN):
        make_empty(page, number, space)
        page[8:16] = 0
        return True
    if kind == log.STRING:
        place, size = u16(data, at), u16(data, at + 2)
        if place < 4 or place + size > len(page):
            return False
        page[place : place + size] = data[at + 4 : at + 4 + size]
        return True
    if kind <= 8:
        return _number(page, kind, data, at, end)
    if kind in (log.COMPACT_CREATE, log.COMPACT_SDI_CREATE):
        begin_index(page, True)
        if kind == log.COMPACT_SDI_CREATE:
            put(page, TYPE, SDI)
        return True
    if log.OPERATION[kind]:
        return _operate(page, kind, data, at, end)
    if kind in (log.SECONDARY_MARK, log.OLD_SECONDARY_MARK):
        return u16(page, HEAP) & 0x8000 != 0 and _mark(page, u16(data, end - 2), data[end - 3])
    if kind == log.MINIMUM_MARK and is_place(page, u16(data, at)):
        page[u16(data, at) - 5] |= 0x10
        return True
    return False


@njit(cache=True, nogil=True)
def _number(page, size, data, at, end):  # type: ignore[no-untyped-def]
    """Write a number of 1, 2, 4 or 8 bytes."""
    place = u16(data, at)
    if place < 4 or place + size > len(page):
        return False
    if size == 8:
        high, at = log.compressed(data, at + 2, end)
        for each in range(4):
            page[place + each] = high >> 8 * (3 - each) & 0xFF
        page[place + 4 : place + 8] = data[at : at + 4]
        return True
    value, _ = log.compressed(data, at + 2, end)
    for each in range(size):
        page[place + each] = value >> 8 * (size - 1 - each) & 0xFF
    return True


@njit(cache=True, nogil=True)
def finish(page):  # type: ignore[no-untyped-def]  # noqa: C901
    """Make the directory of an index page anew; returns whether its records are a list as they should be."""
    if u16(page, TYPE) not in {INDEX, SDI}:
        return True
    count, heap = u16(page, RECORDS), u16(page, HEAP) & 0x7FFF
    if not u16(page, HEAP) & 0x8000 or count + 2 > heap or u16(page, HEAP_TOP) > len(page) - 8:
        return False
    seen = np.zeros(heap, np.bool_)
    at, owned, slots = INFIMUM, 0, 1
    put(page, len(page) - 10, INFIMUM)
    page[INFIMUM - 5] = page[INFIMUM - 5] & 0xF0 | 1
    for _ in range(count):
        at = behind(page, at)
        if not is_place(page, at):
            return False
        number = u16(page, at - 4) >> 3
        if not 1 < number < heap or seen[number]:
            return False
        seen[number] = True
        owned += 1
        page[at - 5] &= 0xF0
        if owned == 8:
            page[at - 5] |= 8
            slots += 1
            if u16(page, HEAP_TOP) > len(page) - 8 - 2 * slots - 2:
                return False
            put(page, len(page) - 8 - 2 * slots, at)
            owned = 0
    if behind(page, at) != SUPREMUM or u16(page, HEAP_TOP) > len(page) - 10 - 2 * slots:
        return False
    page[SUPREMUM - 5] = page[SUPREMUM - 5] & 0xF0 | owned + 1
    slots += 1
    put(page, len(page) - 8 - 2 * slots, SUPREMUM)
    put(page, SLOTS, slots)
    return True
