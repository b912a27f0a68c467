"""Undo logs: what the records of tables held before they were changed, and which were deleted.

A record of an undo log has the key of a row, the old values of the columns that were changed, and where the
change before it is. Records stay on their pages until these are written anew, long after they are needed.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.schema import MOST_COLUMNS, Layout
from unransom.catalog.databases.innodb.tablespace import Tablespace

UNDO = 2  # type of pages
FIRST = 56  # bytes in front of the first record of a page
UPDATED, REVIVED, DELETED = (
    12,
    13,
    14,
)  # types of records: a row changed, a deleted one made anew, one deleted
TYPE, BLOB_FLAG = 0x0F, 0x40  # bits of a record's first byte; MySQL 8 has one more byte behind it
SAME_ORDER = 0x10  # no column of an index was changed, so that none of them is listed
MARKED, HIDDEN = 0x20, 0x10  # bits of a row: it was deleted; it is none
NULL, OUTSIDE = 0xFFFFFFFF, 0xFFFFFFFF - 16384  # lengths: of NULL; from here on, values go on off the page
VIRTUAL = 1023  # number of a column from which on it is not stored
MOST_RECORDS = 1 << 20
NUMBERS = (
    (0x80, 0, 0x7F, 0), (0xC0, 1, 0x3F, 0), (0xE0, 2, 0x1F, 0), (0xF0, 3, 0x0F, 0), (0xF8, 4, 0, 0),
    (0xFC, 1, 3, 0xFFFFFC00), (0xFE, 2, 1, 0xFFFE0000), (0xFF, 3, 0, 0xFF000000),
)  # fmt: skip  # by the first byte of a packed number: bound, bytes behind, its own bits, what is left out
INSERTED = 1 << 55  # bit of a roll pointer: behind it is only that the row was not there


class Change(NamedTuple):
    """A change to a row.

    Attributes:
        page, at: Where its record is; a roll pointer names both.
        kind: ``UPDATED``, ``REVIVED`` or ``DELETED``.
        marked: The row was deleted before the change.
        trx, roll: Transaction number and roll pointer that the row had before it.
        key: Values of the key.
        old: Values that the row had before it, by field; None for NULL.
        whole: The old values of all fields that were changed are in ``old``.
    """

    page: int
    at: int
    kind: int
    marked: bool
    trx: int
    roll: int
    key: tuple[bytes, ...]
    old: dict[int, bytes | None]
    whole: bool


class Undo:
    """The records of the undo logs in some tablespaces."""

    def __init__(self, spaces: Iterable[Tablespace]) -> None:
        """Find them on the sound pages of ``spaces``."""
        self._spaces = [space for space in spaces if _undo_pages(space).any()]
        self._places = array("q")  # by record: tablespace, page, where it begins and ends, table
        for number, space in enumerate(self._spaces):
            for kept, data in space.groups(np.flatnonzero(_undo_pages(space)).astype(np.int64)):
                for page, one in zip(kept.tolist(), data.reshape(-1, space.logical), strict=True):
                    self._index(number, page, one)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return len(self._places) > 0

    def _index(self, space: int, number: int, page: NDArray[np.uint8]) -> None:
        data = page.tobytes()
        for at, end in _records(page):
            table = _table(data[at + 2 : end - 2])
            if table is not None and len(self._places) < 5 * MOST_RECORDS:
                self._places.extend((space, number, at, end, table))

    def tables(self) -> list[int]:
        """Return the ids of the tables that are changed, the most often first."""
        return [table for table, _ in Counter(self._rows()[:, 4].tolist()).most_common()]

    def changes(self, table: int, layout: Layout) -> list[Change]:
        """Return the changes to a table whose records are laid out by ``layout``; others make no sense."""
        found: list[Change] = []
        rows = self._rows()
        for space, page, at, end, _ in rows[rows[:, 4] == table].tolist():
            data = self._spaces[space].page(page) or b""
            try:
                change = _change(_Cursor(data[at + 2 : end - 2]), layout)
            except (IndexError, ValueError):
                continue
            found.append(change._replace(page=page, at=at))
        return found

    def _rows(self) -> NDArray[np.int64]:
        return np.frombuffer(self._places, np.int64).reshape(-1, 5) if self else np.zeros((0, 5), np.int64)


def has_undo(space: Tablespace) -> bool:
    """Return whether pages of undo logs are in ``space``."""
    return bool(_undo_pages(space).any())


def _undo_pages(space: Tablespace) -> NDArray[np.bool_]:
    return (space.table["kind"] == UNDO) & (space.table["verdict"] == pages.VALID)


def _records(page: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return where records begin and end: each begins with its end and ends with its beginning."""
    pairs = page[:-1].astype(np.int64) << 8 | page[1:]
    ends = np.arange(FIRST + 8, len(page) - 7)
    starts = pairs[ends - 2]
    likely = (starts >= FIRST) & (starts + 8 <= ends)
    ends, starts = ends[likely], starts[likely]
    good = pairs[starts] == ends
    return list(zip(starts[good].tolist(), ends[good].tolist(), strict=True))


class _Cursor:
    """Takes values out of a record.

    Raises:
        IndexError: It ends before.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        if not 0 <= length <= self.left():
            raise IndexError(length)
        self._at += length
        return self._data[self._at - length : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Return a number of 32 bits; its first bits say how many bytes it has, and how large ones begin."""
        first = self.byte()
        for bound, width, kept, begins in NUMBERS:
            if first < bound:
                return begins | (first & kept) << 8 * width | self._big(width)
        raise IndexError(first)

    def _big(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def short(self) -> int:
        """Return a number of eight bytes that is mostly small."""
        if self.left() and self._data[self._at] == 0xFF:
            self._at += 1
            return self.number() << 32 | self.number()
        return self.number()

    def long(self) -> int:
        """Return a number of eight bytes."""
        return self.number() << 32 | self._big(4)


def _table(record: bytes) -> int | None:
    """Return the table that a record is about, None where it says nothing of old values."""
    cursor = _Cursor(record)
    try:
        kind = cursor.byte()
        if kind & TYPE not in {UPDATED, REVIVED, DELETED}:
            return None
        if kind & BLOB_FLAG:
            cursor.byte()
        cursor.short()
        table = cursor.short()
    except IndexError:
        return None
    return table if table < 1 << 62 else None


def _change(cursor: _Cursor, layout: Layout) -> Change:
    """Return the change that a record tells.

    Raises:
        IndexError, ValueError: It does not fit ``layout``.
    """
    first = cursor.byte()
    kind = first & TYPE
    if first & BLOB_FLAG:
        cursor.byte()
    cursor.short()
    cursor.short()
    bits = cursor.byte()
    if bits & HIDDEN:
        raise ValueError(bits)
    trx, roll = cursor.long(), cursor.long()
    key = tuple(_value(cursor, layout, place)[0] or b"" for place in range(layout.key))
    old: dict[int, bytes | None] = {}
    whole = kind == DELETED or _take(cursor, layout, cursor.number(), old)
    if whole and (kind == DELETED or not first & SAME_ORDER):
        _take_ordered(cursor, layout, old)
    return Change(0, 0, kind, bool(bits & MARKED), trx, roll, key, old, whole)


def _take(cursor: _Cursor, layout: Layout, count: int, old: dict[int, bytes | None]) -> bool:
    """Take old values; return whether all of them could be."""
    if count > MOST_COLUMNS:
        raise ValueError(count)
    whole = True
    for _ in range(count):
        place = cursor.number()
        if place >= VIRTUAL:
            return False
        value, inside = _value(cursor, layout, place)
        whole &= inside
        if inside:
            old[place] = value
    return whole


def _take_ordered(cursor: _Cursor, layout: Layout, old: dict[int, bytes | None]) -> None:
    """Take the values of the columns that are in any index."""
    length = int.from_bytes(cursor.take(2), "big") - 2
    listed = _Cursor(cursor.take(length))
    while listed.left():
        place = listed.number()
        if place >= VIRTUAL:
            return
        value, inside = _value(listed, layout, place)
        if inside and layout.fields[place].whole:
            old.setdefault(place, value)


def _value(cursor: _Cursor, layout: Layout, place: int) -> tuple[bytes | None, bool]:
    """Return a value, and whether all of it is there.

    Raises:
        IndexError, ValueError: It is none of the field's.
    """
    kind = layout.fields[place]
    length = cursor.number()
    if length == NULL:
        if not kind.nullable:
            raise ValueError(place)
        return None, True
    if length == OUTSIDE:
        cursor.number()
        length = cursor.number()
        cursor.take(length & 0x3FFF)
        return None, False
    if length > OUTSIDE:
        cursor.take(length - OUTSIDE & 0x3FFF)
        return None, False
    value = cursor.take(length)
    width = kind.type.length
    if (width >= 0 and length != width) or length > max(kind.type.most, width, 0) * 4 + 4:
        raise ValueError(place)
    return value, True


def place_of(roll: int) -> tuple[int, int]:
    """Return the page and the place on it that a roll pointer names."""
    return roll >> 16 & 0xFFFFFFFF, roll & 0xFFFF


class Version(NamedTuple):
    """What a row was.

    Attributes:
        values: By field; None for NULL and for what is not known.
        sure: Confidence.
    """

    values: tuple[bytes | None, ...]
    sure: float


CHAINED, ALONE, IN_PART = 0.9, 0.6, 0.3  # the row names the change; its key does; the rest of it is not known


def versions(
    changes: Sequence[Change], row: Sequence[bytes | None] | None, layout: Layout
) -> Iterator[Version]:
    """Yield what a row was before each of the changes to its key, the newest first as far as that is told.

    Args:
        changes: To one key.
        row: Its values by field as they are now, None where it is lost.
        layout: Of the table's records.
    """
    left = {(change.page, change.at): change for change in changes}
    seen = {_told(row, layout)} if row is not None else set()
    if row is not None:
        roll = int.from_bytes(row[layout.key + 1] or b"", "big")
        chain = list(_chain(left, roll))
        sure = CHAINED
        if not chain:
            named = {place_of(change.roll) for change in changes}
            heads = [place for place in left if place not in named]
            chain = list(_chain(left, heads[0][0] << 16 | heads[0][1])) if len(heads) == 1 else []
            sure = ALONE
        values = list(row)
        for change in chain:
            if not change.whole:
                sure = IN_PART
            values = [change.old.get(place, value) for place, value in enumerate(values)]
            yield from _fresh(Version(tuple(values), sure), change, seen, layout)
    for change in left.values():
        known = dict(enumerate(change.key)) | change.old
        told = tuple(known.get(place) for place in range(len(layout.fields)))
        yield from _fresh(Version(told, IN_PART), change, seen, layout)


def _chain(left: dict[tuple[int, int], Change], roll: int) -> Iterator[Change]:
    """Yield the changes that lead from one to the next, and take them out of ``left``."""
    while not roll & INSERTED and (change := left.pop(place_of(roll), None)) is not None:
        yield change
        roll = change.roll


def _fresh(
    version: Version, change: Change, seen: set[tuple[bytes | None, ...]], layout: Layout
) -> Iterator[Version]:
    """Yield a version that the row had, unless it is known already."""
    told = _told(version.values, layout)
    if not change.marked and told not in seen:
        seen.add(told)
        yield version


def _told(values: Sequence[bytes | None], layout: Layout) -> tuple[bytes | None, ...]:
    return tuple(value for value, field in zip(values, layout.fields, strict=True) if field.column >= 0)
