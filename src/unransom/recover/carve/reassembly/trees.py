"""SQLite databases: every page is checked as it comes, and at the end whether all hang together.

Pages have no numbers. But each is of a kind that can be told by itself, and the trees that begin in the
schema lead to every page once: inner pages to others, long rows to pages that go on, free pages in a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

import numpy as np

from unransom.catalog.formats import sqlite
from unransom.catalog.formats.repair._sqlite_records import (
    FILE_HEADER,
    INDEX_INNER,
    INDEX_LEAF,
    TABLE_INNER,
    TABLE_LEAF,
    Layout,
    Pages,
)
from unransom.core.streams import Reader
from unransom.recover.carve.reassembly.seams import Part

MOST_PAGES = 1 << 20  # of a database that is put together
TABLE, INDEX = {TABLE_INNER, TABLE_LEAF}, {INDEX_INNER, INDEX_LEAF}
ROOT = 3  # column of the schema with the page on which a table begins


def begin(reader: Reader) -> Iterator[Part]:
    """Yield the pages of the database that begins ``reader``: without pages of zeros, and with such.

    Nothing where the database does not say how many there are.
    """
    header = sqlite.read_header(reader.read_at(0, FILE_HEADER))
    if header is not None and 1 < header.pages <= MOST_PAGES:
        for zeros in (False, True):
            yield Part(0, header.pages * header.size, Following(header, zeros=zeros))


class Following:
    """Pages that follow each other, the first page first."""

    ended = False

    def __init__(self, header: sqlite.Header, *, zeros: bool) -> None:
        """Expect the pages that ``header`` counts; ``zeros`` says whether some may be empty."""
        self._header = header
        self._zeros = zeros
        self._number = 1  # of the next page
        self._cut = b""

    def feed(self, data: bytes) -> bool:
        """Take what follows; return whether the pages in it are pages."""
        from unransom.catalog.formats._sqlite_pages import (  # noqa: PLC0415  numba is slow to import
            BROKEN,
            EMPTY,
            Frame,
            sort_pages,
        )

        header = self._header
        data = self._cut + data
        whole = len(data) // header.size * header.size
        self._cut = data[whole:]
        if not whole:
            return True
        step = header.usable // 5 + 1 if header.vacuum else 0
        frame = Frame(self._number, header.size, header.usable, header.pages, step)
        kinds, _ = sort_pages(data[:whole], frame)
        self._number += whole // header.size
        rows = np.frombuffer(data, np.uint8, whole).reshape(-1, header.size)
        empty = (kinds == EMPTY) & ~rows.any(1)
        return not (kinds == BROKEN).any() and (self._zeros or not empty.any())

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each piece whether it may follow."""
        return [copy(self).feed(piece) for piece in pieces]

    def fork(self) -> Following:
        """Return a copy that goes on by itself."""
        return copy(self)

    def holds(self) -> bool:
        """Return whether all pages have come."""
        return not self._cut and self._number == self._header.pages + 1


def hangs_together(reader: Reader) -> bool:
    """Return whether the trees and lists of a database lead to every page of it, and to each once."""
    header = sqlite.read_header(reader.read_at(0, FILE_HEADER))
    if header is None or not header.pages:
        return False
    pages = Pages(reader, Layout(header.size, header.usable, header.pages, "utf-8"))
    seen = _Seen(header)
    try:
        for root in _roots(pages, seen):
            seen.add([root])
            _walk(pages, root, seen)
        seen.add(sqlite.free_pages(reader, header).tolist())
    except _TwiceError:
        return False
    return seen.complete


class _TwiceError(Exception):
    """A page is led to twice, or is none."""


class _Seen:
    """The pages that something leads to."""

    def __init__(self, header: sqlite.Header) -> None:
        self._taken = np.zeros(header.pages + 1, np.bool_)
        self._taken[0] = True
        lock = sqlite.LOCK_BYTE // header.size + 1
        if lock <= header.pages:
            self._taken[lock] = True
        if header.vacuum:
            self._taken[2 :: header.usable // 5 + 1] = True

    def add(self, numbers: Sequence[int]) -> None:
        """Take pages.

        Raises:
            _TwiceError: One of them is taken.
        """
        for number in numbers:
            if not 0 < number < len(self._taken) or self._taken[number]:
                raise _TwiceError
            self._taken[number] = True

    @property
    def complete(self) -> bool:
        """Whether every page is taken."""
        return bool(self._taken.all())


def _roots(pages: Pages, seen: _Seen) -> Iterator[int]:
    """Yield the pages on which trees begin; those of the schema are taken on the way."""
    seen.add([1])
    leaves = list(_walk(pages, 1, seen))
    for leaf in leaves:
        for _, row in pages.rows(leaf):
            root = row[ROOT] if len(row) > ROOT else 0
            if isinstance(root, int) and root:
                yield root


def _walk(pages: Pages, root: int, seen: _Seen) -> list[int]:
    """Take all pages of a tree and those on which long rows go on; return its leaves.

    Raises:
        _TwiceError: A page is not of the tree's kind, is taken already, or rows are out of order.
    """
    family = TABLE if pages.kind(root) in TABLE else INDEX
    leaves, left = [], [root]
    while left:
        number = left.pop()
        kind = pages.kind(number)
        if kind not in family:
            raise _TwiceError
        if kind in {TABLE_INNER, INDEX_INNER}:
            children = pages.children(number)
            seen.add(children)
            left += reversed(children)
        else:
            leaves.append(number)
        for chain in pages.chains(number):
            seen.add(chain)
    if family is TABLE and not _ascend(pages, leaves):
        raise _TwiceError
    return leaves


def _ascend(pages: Pages, leaves: Sequence[int]) -> bool:
    """Return whether the rows on the leaves of a table are in order."""
    last = -(1 << 63) - 1
    for leaf in leaves:
        ids = pages.row_ids(leaf)
        if ids and (ids[0] <= last or ids != sorted(ids)):
            return False
        last = ids[-1] if ids else last
    return True
