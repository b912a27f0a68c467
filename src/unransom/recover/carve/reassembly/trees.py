"""SQLite databases: every page is checked as it comes, and at the end whether all hang together.

Pages have no numbers. But each is of a kind that can be told by itself, and the trees that begin in the
schema lead to every page once: inner pages to others, long rows to pages that go on, free pages in a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
REMEMBERED = 1 << 16  # pages of one database

Memory = dict[tuple[bool, bytes], "Facts"]  # what pages say, by whether it is the first, and a hash of it


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
        size = self._header.size
        data = self._cut + data
        whole = len(data) // size * size
        self._cut = data[whole:]
        fit = not whole or bool(self._pages(data[:whole]).all())
        self._number += whole // size
        return fit

    def _pages(self, data: bytes) -> NDArray[np.bool_]:
        """Return which of the pages in ``data``, the next ones of the database, may be such."""
        from unransom.catalog.formats._sqlite_pages import (  # noqa: PLC0415  numba is slow to import
            BROKEN,
            EMPTY,
            Frame,
            sort_pages,
        )

        header = self._header
        step = header.usable // 5 + 1 if header.vacuum else 0
        kinds, _ = sort_pages(data, Frame(self._number, header.size, header.usable, header.pages, step))
        fit = kinds != BROKEN
        if not self._zeros and (empty := np.flatnonzero(kinds == EMPTY)).size:
            fit[empty] = np.frombuffer(data, np.uint8).reshape(-1, header.size)[empty].any(1)
        return fit

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each piece whether it may follow."""
        size = len(pieces[0]) if pieces else 0
        if self._cut or self._number == 1 or self._header.vacuum or size % self._header.size:
            return [copy(self).feed(piece) for piece in pieces]
        # No number of a page matters: those of all pieces are looked at in one call.
        fit: list[list[bool]] = self._pages(b"".join(pieces)).reshape(len(pieces), -1).tolist()
        return [all(each) for each in fit]

    def fork(self) -> Following:
        """Return a copy that goes on by itself."""
        return copy(self)

    def holds(self) -> bool:
        """Return whether all pages have come."""
        return not self._cut and self._number == self._header.pages + 1


class Facts(NamedTuple):
    """What a page of a tree says.

    Attributes:
        kind: Its type byte, 0 for a page of no tree.
        children: The pages that it points at.
        tails: The pages on which long rows of it go on, and how many bytes of them.
        ends: Numbers of the first and the last row on a leaf of a table; None where there are no rows.
        rises: The rows are in order.
    """

    kind: int
    children: tuple[int, ...]
    tails: list[list[int]]
    ends: tuple[int, int] | None
    rises: bool


class Trees(Pages):
    """Pages of which is remembered what they say, also for the next arrangement of the same pages."""

    def __init__(self, reader: Reader, layout: Layout, memory: Memory) -> None:
        super().__init__(reader, layout)
        self._memory = memory

    def facts(self, number: int) -> Facts:
        """Return what a page says."""
        key = number == 1, blake2b(self.page(number), digest_size=16).digest()
        found = self._memory.get(key) or self._facts(number)
        if len(self._memory) < REMEMBERED:
            self._memory[key] = found
        return found

    def _facts(self, number: int) -> Facts:
        kind = self.kind(number)
        if kind == 0:
            return Facts(0, (), [], None, rises=True)
        from unransom.catalog.formats._sqlite_pages import read_cells  # noqa: PLC0415  numba is slow to import

        children = self.children(number) if kind in {TABLE_INNER, INDEX_INNER} else ()
        ids, tails = read_cells(self.page(number), FILE_HEADER if number == 1 else 0)
        ends = (int(ids[0]), int(ids[-1])) if len(ids) else None
        return Facts(kind, tuple(children), tails.tolist(), ends, bool((ids[1:] >= ids[:-1]).all()))


def hangs_together(reader: Reader, memory: Memory | None = None) -> bool:
    """Return whether the trees and lists of a database lead to every page of it, and to each once.

    Args:
        reader: The database.
        memory: What is known of pages, kept for the next call with others in their places.
    """
    header = sqlite.read_header(reader.read_at(0, FILE_HEADER))
    if header is None or not header.pages:
        return False
    layout = Layout(header.size, header.usable, header.pages, "utf-8")
    pages = Trees(reader, layout, {} if memory is None else memory)
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


def _roots(pages: Trees, seen: _Seen) -> Iterator[int]:
    """Yield the pages on which trees begin; those of the schema are taken on the way."""
    seen.add([1])
    leaves = list(_walk(pages, 1, seen))
    for leaf in leaves:
        for _, row in pages.rows(leaf):
            root = row[ROOT] if len(row) > ROOT else 0
            if isinstance(root, int) and root:
                yield root


def _walk(pages: Trees, root: int, seen: _Seen) -> list[int]:
    """Take all pages of a tree and those on which long rows go on; return its leaves.

    Raises:
        _TwiceError: A page is not of the tree's kind, is taken already, or rows are out of order.
    """
    family = TABLE if pages.facts(root).kind in TABLE else INDEX
    leaves, left, last = [], [root], -(1 << 63) - 1
    while left:
        number = left.pop()
        page = pages.facts(number)
        if page.kind not in family or not page.rises:
            raise _TwiceError
        seen.add(page.children)
        left += reversed(page.children)
        if page.kind in {TABLE_LEAF, INDEX_LEAF}:
            leaves.append(number)
        for tail in page.tails:
            seen.add(pages.chain(*tail))
        if page.ends is not None:
            if page.ends[0] <= last:
                raise _TwiceError
            last = page.ends[1]
    return leaves
