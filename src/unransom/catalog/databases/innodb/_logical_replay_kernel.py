"""Pages of one tablespace brought forward by MySQL's redo log; compiled, import it only where needed."""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb import _logical_redo_kernel as log
from unransom.catalog.databases.innodb._logical_page_kernel import done
from unransom.catalog.databases.innodb._record_kernel import u16
from unransom.catalog.databases.innodb._redo_kernel import UNWANTED

EXTENTS, STATE = 150, 24  # where the descriptors of extents begin; bytes of one in front of its bits
FREED = -1  # instead of where the last mini-transaction ended


@njit(cache=True, nogil=True)
def _extent_pages(size):  # type: ignore[no-untyped-def]
    """Return the pages of an extent: 1 MiB, and 64 of larger pages."""
    return max((1 << 20) // size, 64) if size <= 16384 else 64


@njit(cache=True, nogil=True)
def _give_up(page, place, frozen, since):  # type: ignore[no-untyped-def]
    """Forget a page, until it begins anew."""
    page[:] = 0
    frozen[place] = True
    since[place] = 0


@njit(cache=True, nogil=True)
def _release(record, data, places, kept):  # type: ignore[no-untyped-def]  # noqa: C901
    """Forget the pages that a write to the descriptors of extents says to be free.

    What such a page says is no longer part of any table, and may have moved to others.
    """
    number, kind, at, end, lsn = record
    pages, frozen, since, ends = kept
    size = pages.shape[1]
    extent = _extent_pages(size)
    width = STATE + extent // 4
    if kind == log.STRING:
        start, begin, length = u16(data, at), at + 4, u16(data, at + 2)
    else:
        start, begin, length = u16(data, at), np.int64(0), np.int64(kind)
    value = np.int64(0)
    if begin == 0:
        value, behind = log.compressed(data, at + 2, end)
        if kind == 8:
            value = np.int64(0)
            for each in range(4):
                value = value << 8 | np.int64(data[behind + each])
    for each in range(length):
        where = start + each - EXTENTS
        if where < 0 or where % width < STATE or where // width >= size // extent:
            continue
        bits = np.int64(data[begin + each]) if begin else value >> 8 * (length - 1 - each) & 0xFF
        if not begin and length == 8 and each < 4:
            continue
        for pair in range(4):
            page = number + where // width * extent + (where % width - STATE) * 4 + pair
            place = places[page] if page < len(places) else -1
            if bits >> 2 * pair & 1 and place >= 0 and lsn >= since[place]:
                _give_up(pages[place], place, frozen, since)
                ends[place] = FREED


@njit(cache=True, nogil=True)
def replay(data, dialect, origin, space, places, kept, used):  # type: ignore[no-untyped-def]  # noqa: C901
    """Do what whole mini-transactions say to the pages of one tablespace.

    ``origin`` is the LSN of a sector, and the bytes that sectors hold from there to ``data``. ``places`` says
    by page number where a page is kept, or why not; ``kept`` are by place the pages, whether one may have
    changed without this log, from which LSN on mini-transactions are done to it, and where the last of them
    ended. Returns how many places are used.
    """
    pages, frozen, since, ends = kept
    at = np.int64(0)
    while at < len(data):
        stop = log.transaction(data, at, dialect)
        if stop < 0:
            break
        lsn, end = log.lsn_at(origin[0], origin[1] + at), log.lsn_at(origin[0], origin[1] + stop)
        while at < stop:
            kind, of_space, number, body, at = log.record(data, at, stop, dialect)
            if of_space != space or number < 0 or kind in {33, 34, 35, 47, 54, 55, 61, 65}:
                continue
            if number % pages.shape[1] == 0 and (kind <= 8 or kind == log.STRING):
                _release((number, kind, body, at, lsn), data, places, kept)
            if number >= len(places) or places[number] == UNWANTED:
                continue
            begins = kind in {log.INIT_PAGE, log.INIT_PAGE_AGAIN}
            if begins and places[number] < 0 and used < len(pages):
                places[number] = used
                since[used] = 0
                used += 1
            place = places[number]
            if place < 0 or lsn < since[place]:
                continue
            if begins:
                frozen[place], since[place] = False, lsn
            if frozen[place] or not done(pages[place], kind, space, number, data, body, at):
                _give_up(pages[place], place, frozen, since)
            ends[place] = end
        at = stop
    return used
