"""What records of MariaDB's redo log do to a page; compiled, import it only where needed.

Slots of the directory, and how many records each owns, are not kept: rows are found without them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._record_kernel import HEADER, OLD_HEADER, u16

WRITE, MEMSET = 3, 4  # types of records; what is left moves bytes
INIT_COMPACT = 1  # what extended records do; 0 begins a page in the older format
INSERT_HEAP_REDUNDANT, INSERT_REUSE_REDUNDANT, INSERT_HEAP_COMPACT, INSERT_REUSE_COMPACT = range(4, 8)
DELETE_REDUNDANT, DELETE_COMPACT = 8, 9
NUMBER, TYPE, SPACE = 4, 24, 34  # places in a page
SLOTS, HEAP_TOP, HEAP, FREE, GARBAGE, LAST_INSERT, DIRECTION, RECORDS = 38, 40, 42, 44, 46, 48, 51, 54
PRIVATE_END, DATA = 64, 94
INDEX = 17855
COMPACT_ENDS = np.frombuffer(
    bytes.fromhex("010002000d") + b"infimum\0" + bytes.fromhex("01000b0000") + b"supremum", np.uint8
)
OLD_ENDS = np.frombuffer(
    bytes.fromhex("08010000030074") + b"infimum\0" + bytes.fromhex("09010008030000") + b"supremum\0", np.uint8
)


@njit(cache=True, nogil=True)
def varint(data, at, end):  # type: ignore[no-untyped-def]
    """Return a number and where it ends; -1 of what is none."""
    if at >= end:
        return -1, at
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    more = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first > 0xF0 or at + more >= end:
        return -1, at
    value = first & (0x3F >> (more - 1)) if more < 4 else np.int64(0)
    for place in range(1, more + 1):
        value = value << 8 | np.int64(data[at + place])
    least = np.int64(0)
    for each in range(more):
        least += np.int64(1) << 7 * (each + 1)
    return value + least, at + more + 1


@njit(cache=True, nogil=True)
def _put(page, at, value):  # type: ignore[no-untyped-def]
    page[at], page[at + 1] = value >> 8 & 0xFF, value & 0xFF


@njit(cache=True, nogil=True)
def make_empty(page, number, space):  # type: ignore[no-untyped-def]
    """Make an empty page."""
    page[:] = 0
    page[8:16] = 0xFF
    for place in range(4):
        page[NUMBER + place] = number >> 8 * (3 - place) & 0xFF
        page[SPACE + place] = space >> 8 * (3 - place) & 0xFF


@njit(cache=True, nogil=True)
def begin_index(page, compact):  # type: ignore[no-untyped-def]
    """Make an empty index page; its level and whose it is are written besides."""
    ends = COMPACT_ENDS if compact else OLD_ENDS
    _put(page, TYPE, INDEX)
    page[SLOTS:PRIVATE_END] = 0
    page[DATA:] = 0
    page[SLOTS + 1] = 2
    page[DIRECTION] = 5
    _put(page, HEAP, 0x8002 if compact else 2)
    _put(page, HEAP_TOP, DATA + len(ends))
    page[DATA : DATA + len(ends)] = ends
    _put(page, len(page) - 10, 99 if compact else 101)
    _put(page, len(page) - 12, 112 if compact else 116)
    return True


@njit(cache=True, nogil=True)
def _room(page, reuse, extra, size, shift, compact):  # type: ignore[no-untyped-def]
    """Take room for a record; returns where it begins and its number on the page, -1 where there is none."""
    top, least = u16(page, HEAP_TOP), DATA + (len(COMPACT_ENDS) if compact else len(OLD_ENDS))
    if not reuse:
        heap = u16(page, HEAP)
        if top < least or top + extra + size > len(page) - 8:
            return -1, 0
        _put(page, HEAP, heap + 1)
        _put(page, HEAP_TOP, top + extra + size)
        return top, heap & 0x7FFF
    free = u16(page, FREE)
    if free < least + 5 or free > top or top > len(page):
        return -1, 0
    following = u16(page, free - 2)
    if compact:
        begin = free - extra + (-(shift >> 1) if shift & 1 else shift >> 1)
        following = (free + following) % 65536 if following else 0
        heap = u16(page, free - 4) >> 3
    else:
        begin = free - _old_extra(page, free)
        heap = u16(page, free - 5) >> 3
    if begin < least or begin + extra + size > top:
        return -1, 0
    _put(page, FREE, following)
    _put(page, GARBAGE, (u16(page, GARBAGE) - extra - size) % 65536)
    return begin, heap


@njit(cache=True, nogil=True)
def _insert_compact(page, reuse, data, at, end):  # type: ignore[no-untyped-def]
    """Insert a record: the end of its header and the beginning of its values are those of the one before."""
    before, at = varint(data, at, end)
    shift = np.int64(0)
    if reuse:
        shift, at = varint(data, at, end)
    head, at = varint(data, at, end)
    same_head, at = varint(data, at, end)
    same, at = varint(data, at, end)
    before += 99
    own = head >> 3
    size = same + end - at - own
    if min(before - 99, shift, head, same_head, same) < 0 or before + same > len(page) or size < 0:
        return False
    if before - 5 - same_head < 0 or end - at < own:
        return False
    begin, heap = _room(page, reuse, 5 + same_head + own, size, shift, True)
    if begin < 0:
        return False
    shared = page[before - 5 - same_head : before - 5].copy()
    values = page[before : before + same].copy()
    following = (before + u16(page, before - 2)) % 65536
    page[begin : begin + own] = data[at : at + own]
    page[begin + own : begin + own + same_head] = shared
    origin = begin + own + same_head + 5
    page[origin - 5] = (head & 3) << 4
    status = (head & 4) if u16(page, PRIVATE_END) == 0 else 1
    _put(page, origin - 4, heap << 3 | status)
    _put(page, origin - 2, (following - origin) % 65536)
    _put(page, before - 2, (origin - before) % 65536)
    page[origin : origin + same] = values
    page[origin + same : origin + size] = data[at + own : end]
    _put(page, LAST_INSERT, origin)
    _put(page, RECORDS, u16(page, RECORDS) + 1)
    return True


@njit(cache=True, nogil=True)
def _insert_redundant(page, reuse, data, at, end):  # type: ignore[no-untyped-def]
    """The same in the older format of records."""
    before, at = varint(data, at, end)
    head, at = varint(data, at, end)
    same_head, at = varint(data, at, end)
    same, at = varint(data, at, end)
    before += 101
    if min(before - 101, head, same_head, same) < 0 or before + same > len(page):
        return False
    short, fields = head >> 2 & 1, (head >> 3) + 1
    extra = 6 + fields * (1 if short else 2)
    own = extra - 6 - same_head
    if own < 0 or own > end - at or fields > 1023 or before - 6 - same_head < 0:
        return False
    header = np.zeros(extra, np.uint8)
    header[:own] = data[at : at + own]
    header[own:] = page[before - 6 - same_head : before]
    size = _old_size(header, 0, short)
    if own + size - same != end - at:
        return False
    values = page[before : before + same].copy()
    begin, heap = _room(page, reuse, extra, size, 0, False)
    if begin < 0:
        return False
    origin = begin + extra
    header[extra - 6] = (head & 3) << 4
    number = heap << 11 | fields << 1 | short
    header[extra - 5], header[extra - 4], header[extra - 3] = (
        number >> 16 & 0xFF,
        number >> 8 & 0xFF,
        number & 0xFF,
    )
    _put(header, extra - 2, u16(page, before - 2))
    page[begin:origin] = header
    _put(page, before - 2, origin)
    page[origin : origin + same] = values
    page[origin + same : origin + size] = data[at + own : end]
    _put(page, LAST_INSERT, origin)
    _put(page, RECORDS, u16(page, RECORDS) + 1)
    return True


@njit(cache=True, nogil=True)
def _delete_compact(page, data, at, end):  # type: ignore[no-untyped-def]
    """Take the record behind a given one out of the list."""
    before, at = varint(data, at, end)
    extra, at = varint(data, at, end)
    size, at = varint(data, at, end)
    before, extra = before + 99, extra + HEADER
    if before < 99 or before > len(page) - 8 or extra < HEADER or size < 0:
        return False
    origin = (before + u16(page, before - 2)) % 65536
    if origin - extra < DATA or origin + size > len(page):
        return False
    following = (origin + u16(page, origin - 2)) % 65536
    _put(page, before - 2, (following - before) % 65536)
    free = u16(page, FREE)
    link = (free - origin) % 65536 if free else 0
    _give_back(page, origin, extra, size, u16(page, origin - 4) >> 3, link)
    return True


@njit(cache=True, nogil=True)
def _delete_redundant(page, data, at, end):  # type: ignore[no-untyped-def]
    """The same in the older format of records."""
    before, at = varint(data, at, end)
    before += 101
    if before < 101 or before > len(page) - 8:
        return False
    origin = u16(page, before - 2)
    if origin < DATA + OLD_HEADER or origin > len(page) - 8:
        return False
    extra = _old_extra(page, origin)
    if origin - extra < DATA:
        return False
    size = _old_size(page, origin - extra, page[origin - 3] & 1)
    if origin + size > len(page):
        return False
    _put(page, before - 2, u16(page, origin - 2))
    _give_back(page, origin, extra, size, u16(page, origin - 5) >> 3, u16(page, FREE))
    return True


@njit(cache=True, nogil=True)
def _old_extra(page, origin):  # type: ignore[no-untyped-def]
    """Return the bytes in front of ``origin`` that belong to a record of the older format."""
    fields = u16(page, origin - 4) >> 1 & 0x3FF
    return OLD_HEADER + fields * (1 if page[origin - 3] & 1 else 2)


@njit(cache=True, nogil=True)
def _old_size(data, at, short):  # type: ignore[no-untyped-def]
    """Return where the last field of a record ends, by its header at ``at``, without its marks."""
    return np.int64(data[at] & 0x7F) if short else u16(data, at) & 0x3FFF


@njit(cache=True, nogil=True)
def _give_back(page, origin, extra, size, heap, link):  # type: ignore[no-untyped-def]
    """Free the room of a record; ``link`` is what it says then of the one that was freed before."""
    _put(page, RECORDS, (u16(page, RECORDS) - 1) % 65536)
    _put(page, LAST_INSERT, 0)
    last = (u16(page, HEAP) - 1) & 0xFFFF
    if heap == last & 0x7FFF:
        saved = u16(page, HEAP_TOP) - origin - size
        _put(page, HEAP_TOP, origin - extra)
        _put(page, HEAP, last)
        _put(page, GARBAGE, (u16(page, GARBAGE) - saved) % 65536)
        page[origin - extra : origin + size] = 0
        return
    _put(page, FREE, origin)
    _put(page, GARBAGE, (u16(page, GARBAGE) + extra + size) % 65536)
    _put(page, origin - 2, link)
    page[origin : origin + size] = 0


@njit(cache=True, nogil=True)
def extended(page, data, at, end):  # type: ignore[no-untyped-def]
    """Do what a record with a type of its own says."""
    if at >= end:
        return False
    kind = data[at]
    if kind <= INIT_COMPACT:
        return begin_index(page, kind == INIT_COMPACT)
    if kind in {INSERT_HEAP_COMPACT, INSERT_REUSE_COMPACT}:
        return _insert_compact(page, kind == INSERT_REUSE_COMPACT, data, at + 1, end)
    if kind in {INSERT_HEAP_REDUNDANT, INSERT_REUSE_REDUNDANT}:
        return _insert_redundant(page, kind == INSERT_REUSE_REDUNDANT, data, at + 1, end)
    if kind == DELETE_COMPACT:
        return _delete_compact(page, data, at + 1, end)
    return kind == DELETE_REDUNDANT and _delete_redundant(page, data, at + 1, end)


@njit(cache=True, nogil=True)
def written(page, kind, offset, data, at, end):  # type: ignore[no-untyped-def]  # noqa: C901
    """Write, fill or move bytes; returns where on the page that ended, -1 where it makes no sense."""
    step, at = varint(data, at, end)
    offset += step
    if step < 0 or offset < 8 or offset >= len(page) or at >= end:
        return -1
    if kind == WRITE:
        if offset + end - at > len(page):
            return -1
        page[offset : offset + end - at] = data[at:end]
        return offset + end - at
    size, at = varint(data, at, end)
    if size < 0 or offset + size > len(page) or at >= end:
        return -1
    if kind == MEMSET:
        for place in range(size):
            page[offset + place] = data[at + place % (end - at)]
        return offset + size
    source, at = varint(data, at, end)
    if source < 0:
        return -1
    source = offset - (source >> 1) - 1 if source & 1 else offset + (source >> 1) + 1
    if source < 8 or source + size > len(page):
        return -1
    page[offset : offset + size] = page[source : source + size].copy()
    return offset + size
