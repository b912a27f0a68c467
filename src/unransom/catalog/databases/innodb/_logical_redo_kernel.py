"""The records of the redo log of MySQL, and of MariaDB up to 10.4; compiled, import it only where needed.

A mini-transaction is one record with a flag, or several and one that ends them. A record has a type, the
numbers of a space and of a page, and a body whose length only its type tells, with the widths of fields of
an index in it. So behind what is no known record nothing can be read up to the next block that says where
one begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._record_kernel import u16

INCOMPLETE, IMPOSSIBLE = -1, -2  # instead of where a record ends
SINGLE = 0x80  # flag of a type: the record is a mini-transaction
END, DUMMY, CHECKPOINT, TABLE_META = 31, 32, 56, 62
STRING, INIT_PAGE, INIT_PAGE_AGAIN = 30, 29, 59
INSERT, CLUSTERED_MARK, DELETE, UPDATE, COPY, REORGANIZE = 67, 68, 69, 70, 71, 72
ZIP_REORGANIZE, ZIP_COMPRESS, DELETE_END, DELETE_START = 73, 74, 75, 76
CREATE, COMPACT_CREATE, SECONDARY_MARK = 19, 37, 11
OLD_SECONDARY_MARK, OLD_MINIMUM_MARK, MINIMUM_MARK = 40, 26, 36
SDI_CREATE, COMPACT_SDI_CREATE = 63, 64
MARIADB = 1  # dialect, of 10.2 to 10.4; 0 is MySQL
MOST_FIELDS = 1100
NO_SHAPE = (np.int64(0), np.int64(-1), np.int64(0))
PAYLOAD, BLOCK, BLOCK_HEAD = 496, 512, 12  # bytes that a block holds; its size; in front of what it holds
NO_INDEX, OLD_INDEX, INDEX = 0, 1, 2  # what is said of an index in a record: nothing, up to 8.0.27, since

# By type of record: the one that does the same since MySQL 8.0.28, and how the index is told.
OPERATION = np.zeros(128, np.uint8)
TELLS = np.zeros(128, np.uint8)
for _new, _olds in {
    INSERT: (9, 38), CLUSTERED_MARK: (10, 39), UPDATE: (13, 41), DELETE: (14, 42), DELETE_END: (15, 43),
    DELETE_START: (16, 44), COPY: (17, 45), REORGANIZE: (18, 46), ZIP_COMPRESS: (0, 52),
    ZIP_REORGANIZE: (0, 53),
}.items():  # fmt: skip
    OPERATION[[_new, *_olds]] = _new
    TELLS[_new], TELLS[_olds[1]] = INDEX, OLD_INDEX
OPERATION[0] = 0
TELLS[OLD_SECONDARY_MARK] = OLD_INDEX

# By type: bytes of bodies that are always as long, -1 of others, -2 of no type.
LENGTHS = np.full(128, IMPOSSIBLE, np.int64)
LENGTHS[[1, 2, 4, 8, 20, 22, 23, 24, 25, 30, 33, 34, 35, 47, 50, 51, 54, 55]] = INCOMPLETE
LENGTHS[[19, 21, 27, 29, 37, 57, 58, 59, 63, 64]] = 0
LENGTHS[[11, 40]] = 3
LENGTHS[[26, 36]] = 2
LENGTHS[[60, 61]] = 8
LENGTHS[48], LENGTHS[49], LENGTHS[65] = 8, 24, 16
LENGTHS[np.flatnonzero(OPERATION)] = INCOMPLETE


@njit(cache=True, nogil=True)
def compressed(data, at, end):  # type: ignore[no-untyped-def]  # noqa: C901
    """Return a number of 32 bits and where it ends; -1 and a verdict of what is none."""
    if at >= end:
        return np.int64(-1), np.int64(INCOMPLETE)
    first = np.int64(data[at])
    more, value = 0, first
    if first >= 0xFE:
        more, value = 3, np.int64(0xFF)
    elif first >= 0xFC:
        more, value = 2, np.int64(0xFFFE) | first & 1
    elif first >= 0xF8:
        more, value = 1, np.int64(0xFFFFFC) | first & 3
    elif first >= 0xF0:
        more, value = 4, np.int64(0)
    elif first >= 0xE0:
        more, value = 3, first & 0x0F
    elif first >= 0xC0:
        more, value = 2, first & 0x1F
    elif first >= 0x80:
        more, value = 1, first & 0x3F
    if at + more >= end:
        return np.int64(-1), np.int64(INCOMPLETE)
    for place in range(at + 1, at + 1 + more):
        value = value << 8 | np.int64(data[place])
    return value, np.int64(at + 1 + more)


@njit(cache=True, nogil=True)
def skip_wide(data, at, end):  # type: ignore[no-untyped-def]
    """Return where a number of 64 bits ends whose lower half is whole."""
    _, at = compressed(data, at, end)
    return at if at < 0 else at + 4 if at + 4 <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def _skip_short(data, at, end):  # type: ignore[no-untyped-def]
    """Return where a number of 64 bits ends both halves of which are compressed."""
    if at >= end:
        return np.int64(INCOMPLETE)
    if data[at] == 0xFF:
        _, at = compressed(data, at + 1, end)
    if at >= 0:
        _, at = compressed(data, at, end)
    return at


@njit(cache=True, nogil=True)
def index_of(data, kind, at, end):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911, PLR0912
    """Return where what is said of the index ends, and where its fields are, how many, how many are unique.

    -1 fields of an index whose records cannot be measured by it: those in the older format, and those whose
    columns came or went at once.
    """
    tells = TELLS[kind]
    if tells == NO_INDEX:
        return np.int64(at), NO_SHAPE
    known, flags = True, np.int64(1)
    if tells == INDEX:
        if at + 2 > end:
            return np.int64(INCOMPLETE), NO_SHAPE
        flags = np.int64(data[at + 1])
        if data[at] != 1 or flags > 7:
            return np.int64(IMPOSSIBLE), NO_SHAPE
        at += 2
        known = flags == 1
        if not flags & 3:
            return np.int64(at), NO_SHAPE
    if at + 6 > end:
        return np.int64(INCOMPLETE), NO_SHAPE
    count, unique = u16(data, at), np.int64(0)
    at += 2
    if flags & 1:
        if flags & 4 or (tells == OLD_INDEX and count & 0x8000):
            known = False
            count &= 0x7FFF
            at += 2
        unique = u16(data, at)
        at += 2
    if count > MOST_FIELDS or unique > count:
        return np.int64(IMPOSSIBLE), NO_SHAPE
    fields = at
    if flags & 1:
        at += 2 * count
    if flags & 2:
        if at + 2 > end:
            return np.int64(INCOMPLETE), NO_SHAPE
        changed = u16(data, at)
        at += 2
        for _ in range(changed):
            if at + 4 > end:
                return np.int64(INCOMPLETE), NO_SHAPE
            at += 4 + (data[at + 2] >> 7) + (data[at + 2] >> 6 & 1)
    if at > end:
        return np.int64(INCOMPLETE), NO_SHAPE
    return np.int64(at), (np.int64(fields), count if known else np.int64(-1), unique)


@njit(cache=True, nogil=True)
def insert_end(data, at, end):  # type: ignore[no-untyped-def]
    """Return where what is inserted ends, without its place."""
    size, at = compressed(data, at, end)
    if at < 0:
        return at
    if size & 1:
        if at >= end:
            return np.int64(INCOMPLETE)
        _, at = compressed(data, at + 1, end)
        if at >= 0:
            _, at = compressed(data, at, end)
        if at < 0:
            return at
    if size >> 1 > 65536:
        return np.int64(IMPOSSIBLE)
    at += size >> 1
    return at if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def _update_end(data, at, end):  # type: ignore[no-untyped-def]  # noqa: C901
    """Return where an update in place ends, from what it says of the transaction on."""
    _, at = compressed(data, at, end)
    if at < 0:
        return at
    at = skip_wide(data, at + 7, end)
    if at < 0:
        return at
    count, at = compressed(data, at + 3, end)
    if at < 0:
        return at
    if count > MOST_FIELDS:
        return np.int64(IMPOSSIBLE)
    for _ in range(count):
        _, at = compressed(data, at, end)
        if at < 0:
            return at
        size, at = compressed(data, at, end)
        if at < 0:
            return at
        if size != 0xFFFFFFFF:
            if size > 65536:
                return np.int64(IMPOSSIBLE)
            at += size
    return at if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def _operation_end(data, kind, at, end):  # type: ignore[no-untyped-def]  # noqa: C901
    """Return where a body with an index in it ends."""
    at, _ = index_of(data, kind, at, end)
    if at < 0:
        return at
    does = OPERATION[kind]
    if does == INSERT:
        return insert_end(data, at + 2, end)
    if does == UPDATE:
        return _update_end(data, at + 1, end)
    if does == CLUSTERED_MARK:
        _, at = compressed(data, at + 2, end)
        if at < 0:
            return at
        at = skip_wide(data, at + 7, end)
        if at < 0:
            return at
        at += 2
    elif does == COPY:
        if at + 4 > end:
            return np.int64(INCOMPLETE)
        size = u16(data, at) << 16 | u16(data, at + 2)
        if size > 1 << 20:
            return np.int64(IMPOSSIBLE)
        at += 4 + size
    elif does in (ZIP_COMPRESS, ZIP_REORGANIZE):
        at += 1
    elif does != REORGANIZE:
        at += 2
    return np.int64(at) if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def _named_end(data, at, end, names):  # type: ignore[no-untyped-def]
    """Return where some names of files end."""
    for _ in range(names):
        if at + 2 > end:
            return np.int64(INCOMPLETE)
        at += 2 + u16(data, at)
    return np.int64(at) if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def _body_end(data, kind, at, end, dialect):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911, PLR0912
    """Return where the body of a record ends."""
    length = LENGTHS[kind]
    if dialect == MARIADB and kind in (62, 63, 64):
        length = 0 if kind == 62 else 5 if kind == 63 else 17
    if length >= 0 and TELLS[kind] == NO_INDEX:
        return np.int64(at + length) if at + length <= end else np.int64(INCOMPLETE)
    if length == IMPOSSIBLE:
        return np.int64(IMPOSSIBLE)
    if kind <= 8:
        if at + 2 > end:
            return np.int64(INCOMPLETE)
        if kind == 8:
            return skip_wide(data, at + 2, end)
        value, at = compressed(data, at + 2, end)
        return np.int64(IMPOSSIBLE) if at >= 0 and value >> 8 * kind else at
    if kind == OLD_SECONDARY_MARK:
        at, _ = index_of(data, kind, at, end)
        return at if at < 0 else np.int64(at + 3) if at + 3 <= end else np.int64(INCOMPLETE)
    if OPERATION[kind]:
        return _operation_end(data, kind, at, end)
    if kind in (24, 25):
        return skip_wide(data, at, end)
    if kind in (22, 23):
        return compressed(data, at, end)[1] if kind == 22 else np.int64(at)
    if kind in (20, 35, 55):
        return _named_end(data, at, end, 1)
    if kind in (34, 54):
        return _named_end(data, at, end, 2)
    if kind in (33, 47):
        return _named_end(data, at + 4, end, 1)
    if at + 4 > end:
        return np.int64(INCOMPLETE)
    if kind == STRING:
        at += 4 + u16(data, at + 2)
    elif kind == 50:
        at += 2 + np.int64(data[at + 1])
    else:
        at += 12 + u16(data, at) + u16(data, at + 2)
    return np.int64(at) if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def record(data, at, end, dialect):  # type: ignore[no-untyped-def]
    """Return type, space, page and body of the record at ``at``, and where it ends or why it does not."""
    kind = np.int64(data[at] & 0x7F)
    none = np.int64(-1)
    if kind in (END, DUMMY):
        return kind, none, none, np.int64(at + 1), np.int64(at + 1)
    if kind == CHECKPOINT:
        stop = np.int64(at + 9)
        return kind, none, none, np.int64(at + 1), stop if stop <= end else np.int64(INCOMPLETE)
    if kind == TABLE_META and dialect != MARIADB:
        return kind, none, none, np.int64(at + 1), _table_meta_end(data, at + 1, end)
    if LENGTHS[kind] == IMPOSSIBLE and not (dialect == MARIADB and kind == TABLE_META):
        return kind, none, none, none, np.int64(IMPOSSIBLE)
    space, body = compressed(data, at + 1, end)
    if body < 0:
        return kind, none, none, none, body
    page, body = compressed(data, body, end)
    if body < 0:
        return kind, none, none, none, body
    return kind, space, page, body, _body_end(data, kind, body, end, dialect)


@njit(cache=True, nogil=True)
def _table_meta_end(data, at, end):  # type: ignore[no-untyped-def]
    """Return where what is said of a table ends: its next number, or indexes that are corrupt."""
    for _ in range(2):
        at = _skip_short(data, at, end)
        if at < 0:
            return at
    if at + 2 > end:
        return np.int64(INCOMPLETE)
    if data[at] == 2:
        return _skip_short(data, at + 1, end)
    if data[at] != 1:
        return np.int64(IMPOSSIBLE)
    at += 2 + 12 * np.int64(data[at + 1])
    return np.int64(at) if at <= end else np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def transaction(data, at, dialect):  # type: ignore[no-untyped-def]
    """Return where the mini-transaction at ``at`` ends, or why it does not."""
    end = len(data)
    if at >= end:
        return np.int64(INCOMPLETE)
    single = data[at] & SINGLE or data[at] in (DUMMY, CHECKPOINT)
    while at < end:
        if not single and data[at] & SINGLE:
            return np.int64(IMPOSSIBLE)
        kind, _, _, _, at = record(data, at, end, dialect)
        if at < 0 or single or kind == END:
            return at
    return np.int64(INCOMPLETE)


@njit(cache=True, nogil=True)
def whole(data, dialect):  # type: ignore[no-untyped-def]
    """Return the bytes of the whole mini-transactions at the beginning, and why there are no more."""
    at = np.int64(0)
    while True:
        stop = transaction(data, at, dialect)
        if stop < 0:
            return at, stop
        at = stop


@njit(cache=True, nogil=True)
def lsn_at(first, held):  # type: ignore[no-untyped-def]
    """Return the LSN of what comes behind ``held`` bytes that blocks hold from the one at ``first`` on."""
    return first + held // PAYLOAD * BLOCK + held % PAYLOAD + BLOCK_HEAD


@njit(cache=True, nogil=True)
def touched(data, dialect, origin, space, before, seen):  # type: ignore[no-untyped-def]
    """Fill in by page of a space the LSN of the last mini-transaction before ``before``, and of all."""
    earlier, last = seen
    at = np.int64(0)
    while at < len(data):
        stop = transaction(data, at, dialect)
        lsn = lsn_at(origin[0], origin[1] + at)
        while at < stop:
            _, of_space, page, _, at = record(data, at, stop, dialect)
            if of_space == space and 0 <= page < len(last):
                last[page] = lsn
                if lsn < before:
                    earlier[page] = lsn
        if stop < 0:
            break
        at = stop


@njit(cache=True, nogil=True)
def spaces(data, dialect):  # type: ignore[no-untyped-def]
    """Return the ids of the tablespaces that whole mini-transactions are about, some of them often."""
    found = np.empty(len(data) // 3 + 1, np.int64)
    at, used = np.int64(0), 0
    while at < len(data):
        _, space, _, _, at = record(data, at, len(data), dialect)
        if at < 0:
            break
        if space >= 0 and (not used or found[used - 1] != space):
            found[used] = space
            used += 1
    return found[:used]
