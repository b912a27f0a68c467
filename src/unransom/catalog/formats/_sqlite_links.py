"""What the pages of an SQLite database lead to: pages of trees below others, and the ends of long records.

A page of zeros looks like the end of a long record. What leads to a page tells what it has to be.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.catalog.formats._sqlite_pages import (
    EMPTY,
    FILE_HEADER,
    INDEX_INNER,
    OVERFLOW,
    POINTERS,
    TABLE_INNER,
    TABLE_LEAF,
    TREE,
    Frame,
    _local,
    _number,
    _varint,
)

SHORTEST = 32  # bytes in its cell of a record that goes on elsewhere: 35 at least
BLANK = 5  # kind of a page that is nothing but zeros


@njit(cache=True, nogil=True)
def _lead(below, number):  # type: ignore[no-untyped-def]
    """Note that a page of a tree leads to ``number``, which may be cut off."""
    if number < len(below):
        below[number] = True


@njit(cache=True, nogil=True)
def _long(page, at, kind):  # type: ignore[no-untyped-def]
    """Return where a record's cell says on which page it goes on, and how many bytes; 0 of them for none."""
    payload, cursor = _varint(page, at, len(page))
    if kind == TABLE_LEAF and cursor >= 0:
        _, cursor = _varint(page, cursor, len(page))
    local = _local(payload, kind, len(page))
    return (cursor + local, payload - local) if cursor >= 0 else (cursor, np.int64(0))


@njit(cache=True, nogil=True)
def _look_tree(page, start, below, heads, count):  # type: ignore[no-untyped-def]
    """Note what a sound page of a tree leads to; return how many records go on elsewhere by now."""
    kind = page[start]
    inner = kind in (INDEX_INNER, TABLE_INNER)
    array = start + (12 if inner else 8)
    if inner:
        _lead(below, _number(page, start + 8, 4))
    for cell in range(_number(page, start + 3, 2)):
        at = _number(page, array + 2 * cell, 2)
        if inner:
            _lead(below, _number(page, at, 4))
        if kind == TABLE_INNER:
            continue
        tail, size = _long(page, at + 4 * inner, kind)
        if size > 0 and count < len(heads):
            heads[count, 0], heads[count, 1] = _number(page, tail, 4), size
            count += 1
    return count


@njit(cache=True, nogil=True)
def _look(data, frame, free, kinds, below, following, heads):  # type: ignore[no-untyped-def]
    """Note what pages lead to; return how many records go on elsewhere."""
    count = 0
    for index in range(len(data) // frame.size):
        number = frame.first + index
        page = data[index * frame.size : index * frame.size + frame.usable]
        if kinds[number] == OVERFLOW:
            following[number] = _number(page, 0, 4)
        elif kinds[number] == EMPTY and not page.any():
            kinds[number] = BLANK
        elif kinds[number] == TREE and not free[number]:
            count = _look_tree(page, FILE_HEADER if number == 1 else 0, below, heads, count)
    return count


@njit(cache=True, nogil=True)
def _follow(heads, room, free, kinds, used, following, wrong):  # type: ignore[no-untyped-def]
    """Follow records from page to page; note where one does not go on as long as it is."""
    for index in range(len(heads)):
        page, left = heads[index, 0], -(-heads[index, 1] // room)
        while left > 0 and 1 <= page < len(kinds):
            if used[page] or free[page] or kinds[page] not in (OVERFLOW, EMPTY, BLANK):
                wrong[page] = True
                break
            used[page] = True
            left -= 1
            if left and not following[page]:
                wrong[page] = True
            page = np.int64(following[page])


class Links:
    """What the pages of a database lead to."""

    def __init__(self, pages: int, free: NDArray[np.int64]) -> None:
        """Expect ``pages`` pages, of which those numbered in ``free`` hold nothing."""
        self._free = np.zeros(pages + 1, np.bool_)
        self._free[free[(free >= 1) & (free <= pages)]] = True
        self._kinds = np.zeros(pages + 1, np.uint8)
        self._below = np.zeros(pages + 1, np.bool_)
        self._following = np.zeros(pages + 1, np.uint32)
        self._heads: list[NDArray[np.uint32]] = []
        self._count = 0

    def look(self, data: bytes, frame: Frame, kinds: NDArray[np.uint8]) -> None:
        """Note what the pages in ``data`` lead to, which are of ``kinds``."""
        end = frame.first + len(kinds)
        self._kinds[frame.first : end] = kinds
        heads = np.empty((len(kinds) * (frame.size // SHORTEST), 2), np.int64)
        count = _look(
            np.frombuffer(data, np.uint8, len(kinds) * frame.size),
            frame,
            self._free,
            self._kinds,
            self._below,
            self._following,
            heads,
        )
        if self._count <= len(self._kinds):  # each needs a page of its own
            self._heads.append(heads[:count].astype(np.uint32))
            self._count += count

    def wrong(self, usable: int) -> NDArray[np.int64]:
        """Return the pages that are not what others lead to, and those of zeros that none leads to."""
        used = np.zeros(len(self._kinds), np.bool_)
        wrong = self._below & (self._kinds != TREE)
        heads = np.concatenate([*self._heads, np.empty((0, 2), np.uint32)]).astype(np.int64)
        _follow(heads, usable - 4, self._free, self._kinds, used, self._following, wrong)
        wrong |= (self._kinds == BLANK) & ~used & ~self._free
        wrong[0] = False
        return np.flatnonzero(wrong & (self._kinds != POINTERS))
