"""Compressed records cut into cells as machine code: row compression, and page compression on top of it.

A compressed record has four bits a column that tell how long its value is, then the short values, then
those of more than eight bytes. On a page with page compression a value starts with how many bytes of the
column's anchor it repeats, or is the number of an entry in the page's dictionary.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.mssql.cells import COMPLEX, FIRST_RECORD, NULL, u16

CLUSTER = 30  # columns that share one entry of the cluster array
LONG, TRUE, SYMBOL, SYMBOL_2 = 10, 11, 12, 13  # what four bits say besides lengths
HAS_ANCHOR, HAS_DICTIONARY = 2, 4
PAGE_COMPRESSED = 0x80  # in the type flags of a page's header
SPARE = 16  # bytes of scratch that hold constants: a byte 0, a byte 1
WIDEST = 1056  # columns of a record, with the server's own
ROOM = 1 << 16  # bytes of scratch that the values of one record may take


@njit(cache=True, nogil=True)
def _columns(data, start):
    """Return a record's number of columns and where their codes begin."""
    columns = np.int64(data[start + 1])
    if columns & 0x80:
        return (columns & 0x7F) << 8 | np.int64(data[start + 2]), start + 3
    return columns, start + 2


@njit(cache=True, nogil=True)
def _code(data, codes, column):
    return data[codes + column // 2] >> (4 * (column % 2)) & 15


@njit(cache=True, nogil=True)
def _short(data, code, at):
    """Return the length that a code stands for and how many bytes it takes, -1 for an unknown code."""
    if code == 0:
        return NULL, 0
    if code <= 9:
        return np.int64(code) - 1, np.int64(code) - 1
    if code == LONG:
        return 0, 0
    if code == TRUE:
        return 1, 0
    if code == SYMBOL:
        return -2 - np.int64(data[at]), 1
    if code == SYMBOL_2:
        return -2 - u16(data, at), 2
    return NULL, -1


@njit(cache=True, nogil=True)
def _raw(data, start, limit, places, lengths):
    """Cut one record into raw values; returns its number of columns, -1 where it does not fit.

    A length is NULL, ``-2 - symbol`` for an entry of the dictionary, or has COMPLEX set; a place of -1 is
    that of a bit that is set.
    """
    if start + 3 > limit:
        return -1
    columns, codes = _columns(data, start)
    clusters = (columns - 1) // CLUSTER if columns else 0
    at = codes + (columns + 1) // 2 + clusters
    if columns > len(places):
        return -1
    longs = 0
    for column in range(columns):
        if at > limit:
            return -1
        code = _code(data, codes, column)
        places[column] = -1 if code == TRUE else at
        lengths[column], taken = _short(data, code, at)
        if taken < 0:
            return -1
        at += taken
        longs += code == LONG
    if longs == 0:
        return columns if at <= limit else -1
    return _long(data, (codes, columns, at, clusters, longs), limit, places, lengths)


@njit(cache=True, nogil=True)
def _long(data, record, limit, places, lengths):
    """Add the places and lengths of long values; returns the number of columns, -1 where it does not fit."""
    codes, columns, at, clusters, longs = record
    if at + 3 > limit or u16(data, at + 1) < longs:
        return -1
    table = at + 3
    base = table + 2 * u16(data, at + 1) + clusters
    index, last = 0, 0
    if base > limit:
        return -1
    for column in range(columns):
        if _code(data, codes, column) != LONG:
            continue
        end = u16(data, table + 2 * index)
        length = (end & 0x7FFF) - last
        if length < 0 or base + last + length > limit:
            return -1
        places[column] = base + last
        lengths[column] = length | (COMPLEX if end & 0x8000 else 0)
        last = end & 0x7FFF
        index += 1
    return columns


@njit(cache=True, nogil=True)
def _dictionary(data, page, limit):
    """Return where a page's dictionary is, 0 where it has none or one that does not fit."""
    info = page + FIRST_RECORD
    if data[info] & HAS_DICTIONARY == 0:
        return 0
    at = info + u16(data, info + 3)
    if at + 2 > limit or at + 2 + 2 * u16(data, at) > limit:
        return 0
    return at


@njit(cache=True, nogil=True)
def _symbol(data, dictionary, symbol, limit):
    """Return where an entry of the dictionary starts and its length, -1 where there is no such entry."""
    if dictionary == 0 or symbol >= u16(data, dictionary):
        return 0, -1
    table = dictionary + 2
    begin = u16(data, table + 2 * symbol - 2) if symbol else 2 + 2 * u16(data, dictionary)
    end = u16(data, table + 2 * symbol)
    if end < begin or dictionary + end > limit:
        return 0, -1
    return dictionary + begin, end - begin


@njit(cache=True, nogil=True)
def _expand(data, value, anchor, scratch, used):
    """Put a value together from its anchor and its own bytes; returns its length, -1 if it does not fit."""
    (place, length), (base, most) = value, anchor
    share, skip = most, 0
    if length > 0:
        share, skip = np.int64(data[place]), 1
        if share & 0x80 and length > 1:
            share, skip = (share & 0x7F) << 8 | np.int64(data[place + 1]), 2
    whole = share + length - skip
    if share > most or used + whole > len(scratch):
        return -1
    for index in range(share):
        scratch[used + index] = data[base + index]
    for index in range(length - skip):
        scratch[used + share + index] = data[place + skip + index]
    return whole


@njit(cache=True, nogil=True)
def _anchors(data, page, limit, places, lengths):
    """Cut a page's anchor record into values; returns where its dictionary is, 0 for none."""
    lengths[:] = NULL
    info = page + FIRST_RECORD
    if page < 0 or data[info] & HAS_ANCHOR == 0:
        return 0
    if _raw(data, info + (7 if data[info] & HAS_DICTIONARY else 5), limit, places, lengths) < 0:
        lengths[:] = NULL
    return _dictionary(data, page, limit)


@njit(cache=True, nogil=True)
def _value(data, value, anchor, dictionary, limit, scratch):
    """Return where a value is and its length: from the dictionary, and with its anchor, where it has them.

    The length is less than NULL where the value does not fit; the last number is how many bytes of
    ``scratch``, which is given with how many are used, it takes.
    """
    (place, length), (buffer, used) = value, scratch
    if length < NULL:
        place, length = _symbol(data, dictionary, -2 - length, limit)
        if length < 0:
            return place, np.int64(-2), 0
    if anchor[1] < 0 or anchor[1] >= COMPLEX or length >= COMPLEX:
        return place, length, 0
    whole = _expand(data, (place, length), anchor, buffer, used)
    if whole < 0:
        return place, np.int64(-2), 0
    return len(data) + used, whole, whole


@njit(cache=True, nogil=True)
def cut_compressed(data, records, order, scratch, result):
    """Cut compressed records into cells; values put together go to ``scratch``, which follows ``data``.

    Returns how many records were cut: fewer than there are where ``scratch`` was full.

    Args:
        data: Bytes that hold the records.
        records: Where each begins, where it must have ended, and where its page begins: -1 for a record that
            is not on a page with page compression.
        order: For each column of the table, its number in compressed records, -1 for none.
        scratch: Bytes to put values into; its first two become 0 and 1.
        result: Gets starts and lengths of the cells, and whether a record's own counts fit together.
    """
    (starts, limits, pages), (cell_starts, cell_lengths, sound) = records, result
    places, lengths = np.zeros(WIDEST, np.int64), np.zeros(WIDEST, np.int64)
    anchors, anchor_lengths = np.zeros(WIDEST, np.int64), np.full(WIDEST, NULL, np.int64)
    scratch[0], scratch[1] = 0, 1
    used, page, dictionary = SPARE, -1, 0
    for row in range(len(starts)):
        if used + ROOM > len(scratch) and row > 0:
            return row
        if pages[row] != page:
            page = pages[row]
            dictionary = _anchors(data, page, limits[row], anchors, anchor_lengths)
        columns = _raw(data, starts[row], limits[row], places, lengths)
        sound[row] = columns >= 0
        for column in range(len(order)):
            number = order[column]
            cell_lengths[column, row] = NULL
            cell_starts[column, row] = starts[row]
            if number < 0 or number >= columns or lengths[number] == NULL:
                continue
            if places[number] < 0:
                cell_starts[column, row], cell_lengths[column, row] = len(data) + 1, 1
                continue
            place, length, taken = _value(
                data,
                (places[number], lengths[number]),
                (anchors[number], anchor_lengths[number]),
                dictionary,
                limits[row],
                (scratch, used),
            )
            sound[row] &= length >= 0
            used += taken
            cell_starts[column, row], cell_lengths[column, row] = place, max(length, NULL)
    return len(starts)
