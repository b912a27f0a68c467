"""A database with the pages of its own logs laid over it, where they are of the same database."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats import sqlite
from unransom.catalog.formats.repair._sqlite_logs import Logged, read_logged
from unransom.catalog.formats.repair._sqlite_records import (
    FILE_HEADER,
    INDEX_INNER,
    INDEX_LEAF,
    TABLE_INNER,
    TABLE_LEAF,
)
from unransom.catalog.formats.repair.repair import Count, Damaged
from unransom.core.messages import Message, say
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader

COMPARED = 256  # pages that log and database both have
WAL_VERSION = 2  # of databases with a write-ahead log
KINDS = frozenset({TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER})
COUNTER, COOKIE = 24, 40  # offsets in the first page: of changes, and of those of the schema
MASK = 0xFFFFFFFF
SPREAD = 16  # pages of a database that was cut off, for each that is left
SLACK = 1024
PIECE = 16  # bytes of cells that are compared


class Overlaid(NamedTuple):
    """A database with what its log adds.

    Attributes:
        damaged: It, with pages of the log in it.
        page: Bytes of a page, 0 where no log is used.
        pages: Numbers of the pages that are from the log.
        counts: How many those are.
        missing: What to know of the logs.
    """

    damaged: Damaged
    page: int = 0
    pages: frozenset[int] = frozenset()
    counts: tuple[Count, ...] = ()
    missing: tuple[Message, ...] = ()


class _Layered:
    """A database whose pages are read from a log where that has them.

    Attributes:
        size: Bytes of the database as the log leaves it.
    """

    def __init__(self, reader: Reader, logged: Logged) -> None:
        self._reader = reader
        self._logged = logged
        self.size = logged.pages * logged.page

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, zeros where neither has any."""
        length = max(min(length, self.size - offset), 0)
        out = bytearray(self._reader.read_at(offset, length))
        out += bytes(length - len(out))
        page, places = self._logged.page, self._logged.places
        for number in range(offset // page + 1, -(-(offset + length) // page) + 1):
            if number in places:
                begin = (number - 1) * page
                low, high = max(begin, offset), min(begin + page, offset + length)
                out[low - offset : high - offset] = self._logged.reader.read_at(
                    places[number] + low - begin, high - low
                )
        return bytes(out)


def overlay(damaged: Damaged) -> Overlaid:
    """Lay the pages of the logs of a database over it.

    A write-ahead log goes over all, as SQLite reads it; else a journal undoes what never ended.
    A log that is shown to be of another database, or of another time, is not used.
    """
    told: list[Message] = []
    found = [logged for each in damaged.logs if (logged := read_logged(each))]
    for each in sorted(found, key=lambda each: not each.ahead):
        logged = _bounded(each, damaged.reader.size // each.page)
        like, unlike = _kinship(damaged, logged)
        why_not = _foreign(damaged, logged, like, unlike)
        if why_not is None:
            if not like:
                told.append(
                    say("only its name tells that the log {name} is of this database", name=_name(logged))
                )
            return _over(damaged, logged, told)
        told.append(why_not)
    return Overlaid(damaged, missing=tuple(told))


def _bounded(logged: Logged, there: int) -> Logged:
    """Return a log without pages far behind all others: each page of a database is in it or in its log."""
    most = SPREAD * (there + len(logged.places)) + SLACK
    places = {number: at for number, at in logged.places.items() if number <= most}
    return logged._replace(places=places, pages=min(logged.pages, max(there, *places, 0)))


def _over(damaged: Damaged, logged: Logged, told: list[Message]) -> Overlaid:
    page = logged.page
    over = frozenset(logged.places)
    lost = [*merge(damaged.lost)]
    size = damaged.reader.size
    if size < logged.pages * page:
        lost.append(Span(size, logged.pages * page))
    if logged.gaps and logged.ahead:
        told.append(
            say("{count} frames of the write-ahead log are lost: some rows may be older", count=logged.gaps)
        )
    elif logged.gaps:
        told.append(
            say(
                "{count} pages of the journal are lost: some rows may be of a transaction that never ended",
                count=logged.gaps,
            )
        )
    layered = Damaged(
        _Layered(damaged.reader, logged),
        damaged.name,
        tuple(merge(_outside(lost, over, page, logged.pages))),
        damaged.siblings,
    )
    what = "pages from the write-ahead log" if logged.ahead else "pages from the journal"
    return Overlaid(layered, page, over, (Count(what, len(over)),), tuple(told))


def _outside(lost: list[Span], over: frozenset[int], page: int, pages: int) -> list[Span]:
    """Return lost ranges without the pages that a log has."""
    found: list[Span] = []
    ordered = sorted(over)
    for span in lost:
        start, end = span.start, min(span.end, pages * page)
        first, behind = bisect_left(ordered, start // page + 1), bisect_right(ordered, -(-end // page))
        for number in ordered[first:behind]:
            if start < (number - 1) * page:
                found.append(Span(start, (number - 1) * page))
            start = max(start, number * page)
        if start < end:
            found.append(Span(start, end))
    return found


def _foreign(damaged: Damaged, logged: Logged, like: int, unlike: int) -> Message | None:
    """Return why a log is not of this database as it lies, None where nothing speaks against it."""
    name = _name(logged)
    head = damaged.reader.read_at(0, logged.page)
    if damaged.lost_from(0, logged.page) < logged.page:
        head = b""
    header = sqlite.read_header(head)
    if header and not _at_one(head, header, logged):
        return say("the log {name} is of another state of the database: it was not used", name=name)
    if like < unlike and not (len(logged.places) == logged.pages and _same(head, logged.content(1))):
        return say("the log {name} is of another database: it was not used", name=name)
    return None


def _name(logged: Logged) -> str:
    return "-wal" if logged.ahead else "-journal"


def _at_one(head: bytes, header: sqlite.Header, logged: Logged) -> bool:
    """Return whether a log may be of a database with this head, by the counter of its changes."""
    if header.size != logged.page:
        return False
    if logged.ahead and WAL_VERSION not in head[18:20]:
        return False  # such a log is emptied before a database goes on without one
    if 1 not in logged.places:
        return logged.ahead or header.pages == logged.pages  # what ends one keeps the page of the counter
    first = logged.content(1)
    if not logged.ahead:
        return (_at(head, COUNTER) - _at(first, COUNTER)) & MASK in {0, 1}
    # A log that was open all the time has the same counter in all its pages.
    return all((_at(first, place) - _at(head, place)) & MASK < 1 << 31 for place in (COUNTER, COOKIE))


def _at(page: bytes, place: int) -> int:
    return int(struct.unpack_from(">I", page, place)[0])


def _kinship(damaged: Damaged, logged: Logged) -> tuple[int, int]:
    """Return how many pages that both have hold some of the same, and how many do not.

    A page and its newer self have cells in common, or rows of the same numbers.
    """
    like = unlike = 0
    for number in sorted(logged.places):
        begin = (number - 1) * logged.page
        end = begin + logged.page
        if number == 1 or end > damaged.reader.size or damaged.lost_from(begin, end) < end:
            continue
        pair = damaged.reader.read_at(begin, logged.page), logged.content(number)
        if not all(_is_sound(page, number, logged) for page in pair):
            continue
        same = _same(*pair)
        like, unlike = like + same, unlike + (not same)
        if like + unlike == COMPARED:
            break
    return like, unlike


def _is_sound(page: bytes, number: int, logged: Logged) -> bool:
    from unransom.catalog.formats._sqlite_pages import MOST, Frame, sort_pages  # noqa: PLC0415  numba is slow

    if page[0] not in KINDS:
        return False
    _, strong = sort_pages(page, Frame(number, logged.page, logged.page, MOST, 0))
    return bool(strong[0])


def _same(old: bytes, new: bytes) -> bool:
    """Return whether two pages have cells in common, or rows of the same numbers but on the first page."""
    from unransom.catalog.formats._sqlite_pages import read_cells  # noqa: PLC0415  numba is slow to import

    if sqlite.recognise(old):
        return bool(_pieces(old, FILE_HEADER) & _pieces(new, FILE_HEADER))
    if not old or old[0] != new[0]:
        return False
    if old[0] == TABLE_LEAF:
        ids, _ = read_cells(old, 0)
        others, _ = read_cells(new, 0)
        if np.intersect1d(ids, others).size:
            return True
    return bool(_pieces(old) & _pieces(new))


def _pieces(page: bytes, base: int = 0) -> set[bytes]:
    """Return the first bytes of the cells of a page whose header is at ``base``."""
    start = base + (12 if page[base] in {TABLE_INNER, INDEX_INNER} else 8)
    count = min(int.from_bytes(page[base + 3 : base + 5]), (len(page) - start) // 2)
    places = struct.unpack_from(f">{count}H", page, start)
    return {page[at : at + PIECE] for at in places}
