"""The pages of an SQLite database, checked one by one; compiled, import it only where needed.

A b-tree page has a header, an array of cell offsets and cells; each cell has its payload's size, and
each record in it a header whose column types must add up to that size. That ties nearly all bytes of
a page but the values themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

BROKEN, OVERFLOW, EMPTY, TREE, POINTERS = range(5)  # kinds of pages
INDEX_INNER, TABLE_INNER, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
SMALLEST = 480  # bytes of a page that SQLite uses
MOST = (1 << 31) - 1  # pages of a database
FIRST = 4  # cells by which a page is known
LONGEST = 1 << 30  # bytes of a record at most
FILE_HEADER = 100  # bytes in front of the first page's own header


@njit(cache=True, nogil=True)
def _number(page, at, size):  # type: ignore[no-untyped-def]
    value = np.int64(0)
    for index in range(at, at + size):
        value = value << 8 | np.int64(page[index])
    return value


@njit(cache=True, nogil=True)
def _long(page, at, end):  # type: ignore[no-untyped-def]
    """Return (64 bits with sign, offset behind them); offset -1 where they run over ``end``."""
    value = np.int64(0)
    for index in range(9):
        if at >= end:
            return value, np.int64(-1)
        byte = np.int64(page[at])
        at += 1
        value = value << 8 | byte if index == 8 else value << 7 | (byte & 127)
        if byte < 128 or index == 8:
            break
    return value, np.int64(at)


@njit(cache=True, nogil=True)
def _varint(page, at, end):  # type: ignore[no-untyped-def]
    """Return (value, offset behind it); offset -1 where it runs over ``end``; values over 2**48 as that."""
    value, at = _long(page, at, end)
    return (value if 0 <= value < 1 << 48 else np.int64(1 << 48)), at


@njit(cache=True, nogil=True)
def _local(payload, kind, usable):  # type: ignore[no-untyped-def]
    """Return how many bytes of a payload stand in its cell."""
    most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    if payload <= most:
        return payload
    least = (usable - 12) * 32 // 255 - 23
    local = least + (payload - least) % (usable - 4)
    return local if local <= most else least


@njit(cache=True, nogil=True)
def _width(kind):  # type: ignore[no-untyped-def]
    """Return the bytes of a value of a column's type, -1 for a type that none has."""
    if kind >= 12:
        return (kind - 12) // 2
    if kind < 5:
        return kind
    if kind < 8:
        return 6 if kind == 5 else 8
    return 0 if kind < 10 else -1


@njit(cache=True, nogil=True)
def _record_fits(page, at, end, payload):  # type: ignore[no-untyped-def]
    """Tell whether the record header at ``at`` adds up to ``payload`` bytes; True where ``end`` hides it."""
    header, cursor = _varint(page, at, end)
    if cursor < 0 or header < cursor - at or header > payload:
        return False
    stop = at + header
    if stop > end:
        return True
    total = header
    while cursor < stop:
        kind = np.int64(page[cursor])
        cursor += 1
        if kind >= 128:
            kind, cursor = _varint(page, cursor - 1, stop)
        width = _width(kind)
        if cursor < 0 or width < 0:
            return False
        total += width
    return total == payload


@njit(cache=True, nogil=True)
def _payload_end(page, cursor, kind, usable, pages):  # type: ignore[no-untyped-def]
    """Return the end of a cell whose payload size is at ``cursor``, -1 where it does not fit."""
    payload, cursor = _varint(page, cursor, usable)
    if kind == TABLE_LEAF and cursor >= 0:
        _, cursor = _varint(page, cursor, usable)
    if cursor < 0 or payload >= 1 << 31:
        return -1
    local = _local(payload, kind, usable)
    end = cursor + local
    if end + 4 * (local < payload) > usable or not _record_fits(page, cursor, end, payload):
        return -1
    if local == payload:
        return end
    return end + 4 if 1 <= _number(page, end, 4) <= pages else -1


@njit(cache=True, nogil=True)
def _cell_size(page, at, kind, usable, pages):  # type: ignore[no-untyped-def]
    """Return the bytes of the cell at ``at``, -1 where it is no cell."""
    cursor = np.int64(at)
    if kind in (INDEX_INNER, TABLE_INNER):
        if not 1 <= _number(page, at, 4) <= pages:
            return -1
        cursor += 4
    if kind == TABLE_INNER:
        _, end = _varint(page, cursor, usable)
    else:
        end = _payload_end(page, cursor, kind, usable, pages)
    return -1 if end < 0 else max(end - at, 4)


@njit(cache=True, nogil=True)
def _is_tree(page, start, usable, pages, most):  # type: ignore[no-untyped-def]
    """Return the number of cells of a sound b-tree page whose header is at ``start``, -1 where it is none.

    No more than ``most`` of its cells are looked at.
    """
    kind = page[start]
    if kind not in (INDEX_INNER, TABLE_INNER, INDEX_LEAF, TABLE_LEAF):
        return -1
    free, cells = _number(page, start + 1, 2), _number(page, start + 3, 2)
    content = _number(page, start + 5, 2)
    content = content if content else 65536
    array = start + (12 if kind in (INDEX_INNER, TABLE_INNER) else 8)
    if free >= usable or page[start + 7] > 60 or content > usable or array + 2 * cells > content:
        return -1
    if kind in (INDEX_INNER, TABLE_INNER) and not 1 <= _number(page, start + 8, 4) <= pages:
        return -1
    total = 0
    for index in range(min(cells, most)):
        at = _number(page, array + 2 * index, 2)
        if at < content or at > usable - 4:
            return -1
        size = _cell_size(page, at, kind, usable, pages)
        total += size
        if size < 0 or total > usable - content:  # cells that overlap would take long to walk
            return -1
    return cells


@njit(cache=True, nogil=True)
def _are_pointers(page, number, usable, pages):  # type: ignore[no-untyped-def]
    """Tell whether page ``number`` has a type and a parent for each page behind it that exists."""
    wrong = 0
    for index in range(min(usable // 5, pages - number)):
        wrong += page[5 * index] > 5 or _number(page, 5 * index + 1, 4) > pages
    return wrong == 0


class Frame(NamedTuple):
    """Where pages stand.

    Attributes:
        first: Number of the first page at hand; the file's first page is 1.
        size: Bytes of a page.
        usable: Bytes of it that SQLite uses, at least 480.
        pages: Pages in the file.
        pointer_step: Every so many pages from page 2 on is a map of pointers; 0 where none is.
    """

    first: int
    size: int
    usable: int
    pages: int
    pointer_step: int


@njit(cache=True, nogil=True)
def _sort(data, frame, kinds, strong):  # type: ignore[no-untyped-def]
    for index in range(len(kinds)):
        page = data[index * frame.size : (index + 1) * frame.size]
        number = frame.first + index
        if frame.pointer_step and number > 1 and (number - 2) % frame.pointer_step == 0:
            kinds[index] = POINTERS if _are_pointers(page, number, frame.usable, frame.pages) else BROKEN
            continue
        cells = _is_tree(page, FILE_HEADER if number == 1 else 0, frame.usable, frame.pages, frame.usable)
        following = _number(page, 0, 4)
        if cells >= 0:
            kinds[index] = TREE
            strong[index] = cells > 0
        elif following <= frame.pages and number > 1:
            kinds[index] = OVERFLOW if following else EMPTY


def sort_pages(data: bytes, frame: Frame) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the kind of each whole page in ``data``, and which are b-tree pages with cells."""
    count = len(data) // frame.size
    kinds, strong = np.zeros(count, np.uint8), np.zeros(count, np.bool_)
    _sort(np.frombuffer(data, np.uint8), frame, kinds, strong)
    return kinds, strong


def begins_tree(page: bytes) -> bool:
    """Return whether ``page`` is one of a tree with cells, as far as its header and first cells tell."""
    return len(page) >= SMALLEST and _is_tree(np.frombuffer(page, np.uint8), 0, len(page), MOST, FIRST) > 0


@njit(cache=True, nogil=True)
def _read_cells(page, start, ids, tails):  # type: ignore[no-untyped-def]
    """Write the numbers of the rows of a leaf, and where rows go on; return how many of each there are."""
    usable, kind = len(page), page[start]
    count, long = 0, 0
    inner = kind in (INDEX_INNER, TABLE_INNER)
    array = start + (12 if inner else 8)
    cells = min(_number(page, start + 3, 2), (usable - array) // 2) if kind != TABLE_INNER else 0
    for index in range(cells):
        payload, cursor = _varint(page, _number(page, array + 2 * index, 2) + 4 * inner, usable)
        if kind == TABLE_LEAF and cursor >= 0:
            row, cursor = _long(page, cursor, usable)
            if cursor >= 0:
                ids[count] = row
                count += 1
        local = _local(payload, kind, usable)
        if cursor >= 0 and cursor + local + 4 <= usable and local < payload <= LONGEST:
            tails[long, 0], tails[long, 1] = _number(page, cursor + local, 4), payload - local
            long += 1
    return count, long


def read_cells(page: bytes, start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the cells of a page of a tree lead to.

    Args:
        page: The usable part of the page.
        start: Where its header stands.

    Returns:
        The numbers of the rows on a leaf of a table, in the order of its cells; and for each row that goes on
        elsewhere the page on which it does, and how many bytes of it.
    """
    most = len(page) // 2 if len(page) >= start + 12 else 0
    ids, tails = np.empty(most, np.int64), np.empty((most, 2), np.int64)
    if not most:
        return ids, tails
    rows, long = _read_cells(np.frombuffer(page, np.uint8), start, ids, tails)
    return ids[:rows], tails[:long]
