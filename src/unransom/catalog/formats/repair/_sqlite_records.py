"""The records on the pages of an SQLite database, read with nothing taken on trust."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader

TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER = 13, 5, 10, 2
FILE_HEADER = 100
ZEROS = 16  # bytes in front of a page of zeros that are zeros too where it is of the record
COLUMNS = 4096  # columns of a record at most; SQLite allows 32,767 when built so
LONGEST = 1 << 30  # bytes of a record at most
WIDTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
ENCODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}

Row = tuple[int, tuple[object, ...]]


class Layout(NamedTuple):
    """How a database is laid out.

    Attributes:
        size: Bytes of a page.
        usable: Bytes of it that are used.
        pages: Pages in the file.
        encoding: Of texts.
    """

    size: int
    usable: int
    pages: int
    encoding: str


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length at ``at``, and the offset behind it; -1 where it is cut off."""
    value = 0
    for index in range(9):
        if at >= len(data):
            return 0, -1
        byte = data[at]
        at += 1
        if index == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 127
        if byte < 128:
            break
    return value, at


def _is_wiped(before: bytes, page: bytes) -> bool:
    """Return whether a page of the end of a record was zeroed: what is in front of it ends in no zeros."""
    return not any(page) and bool(before[-ZEROS:].strip(b"\0"))


class Pages:
    """The pages of a database, read one by one."""

    def __init__(self, reader: Reader, layout: Layout, lost: list[Span] | None = None) -> None:
        """Read ``reader``, of which the ranges ``lost`` are known to be lost."""
        self._reader = reader
        self._lost = lost or []
        self.layout = layout
        self._last = (0, b"")  # what was read last is mostly asked for again

    def page(self, number: int) -> bytes:
        """Return the usable part of a page, the first being 1; empty where there is none."""
        if not 1 <= number <= self.layout.pages:
            return b""
        if self._last[0] != number:
            data = self._reader.read_at((number - 1) * self.layout.size, self.layout.usable)
            self._last = number, data
        return self._last[1]

    def _is_left(self, number: int, start: int, end: int) -> bool:
        """Return whether nothing in a range of a page is known to be lost."""
        base = (number - 1) * self.layout.size
        at = bisect_right(self._lost, base + start, key=lambda span: span.end)
        return at == len(self._lost) or self._lost[at].start >= base + end

    def is_filled(self, number: int) -> bool:
        """Return whether a cell of a leaf of a table ends where the page does, as its first one did."""
        page = self.page(number)
        for at in self._cells(page, FILE_HEADER if number == 1 else 0, 8):
            size, cursor = varint(page, at)
            cursor = varint(page, cursor)[1] if cursor > 0 else -1
            local = self._local(size, leaf=True)
            if cursor > 0 and cursor + local + 4 * (local < size) == len(page):
                return True
        return False

    def partial_leaves(self) -> list[int]:
        """Return the leaf pages of tables that are lost in part, whose head and list of cells are left."""
        found = []
        for span in self._lost:
            first, last = span.start // self.layout.size + 1, (span.end - 1) // self.layout.size + 1
            for number in {first, last}:
                start = FILE_HEADER if number == 1 else 0
                page = self.page(number)
                cells = int.from_bytes(page[start + 3 : start + 5])
                end = start + 8 + 2 * cells
                if page[start : start + 1] == bytes([TABLE_LEAF]) and self._is_left(number, start, end):
                    found.append(number)
        return sorted(set(found))

    def kind(self, number: int) -> int:
        """Return the type byte of a page of a tree, 0 for others."""
        page = self.page(number)
        at = FILE_HEADER if number == 1 else 0
        return page[at] if len(page) > at and page[at] in {2, 5, 10, 13} else 0

    def children(self, number: int) -> list[int]:
        """Return the pages that an inner page points at."""
        page = self.page(number)
        start = FILE_HEADER if number == 1 else 0
        if len(page) < start + 12:
            return []
        found = [
            int.from_bytes(page[at : at + 4]) for at in self._cells(page, start, 12) if at + 4 <= len(page)
        ]
        return [*found, int.from_bytes(page[start + 8 : start + 12])]

    def _cells(self, page: bytes, start: int, header: int) -> tuple[int, ...]:
        count = int.from_bytes(page[start + 3 : start + 5])
        room = (len(page) - start - header) // 2
        return struct.unpack_from(f">{min(count, room)}H", page, start + header)

    def rows(self, number: int, missing: list[int] | None = None) -> Iterator[Row]:
        """Yield the rows of a leaf page of a table.

        Args:
            number: Of the page.
            missing: Gets the page's number for each row whose end is on a page that is lost.
        """
        page = self.page(number)
        start = FILE_HEADER if number == 1 else 0
        if len(page) < start + 8:
            return
        for at in self._cells(page, start, 8):
            size, cursor = varint(page, at)
            rowid, cursor = varint(page, cursor) if cursor > 0 else (0, -1)
            if cursor < 0 or size > LONGEST:
                continue
            row = self.record(self._payload(number, cursor, size, leaf=True), size)
            if row is not None and self._is_left(number, at, cursor):
                yield rowid - (1 << 64) * (rowid >> 63), row
            elif missing is not None:
                missing.append(number)

    def entries(self, number: int) -> Iterator[tuple[object, ...]]:
        """Yield the records of a page of an index, or of a table without row numbers."""
        page = self.page(number)
        inner = self.kind(number) == INDEX_INNER
        for at in self._cells(page, 0, 12 if inner else 8):
            size, cursor = varint(page, at + 4 * inner)
            if cursor < 0 or size > LONGEST:
                continue
            row = self.record(self._payload(number, cursor, size, leaf=False), size)
            if row is not None and self._is_left(number, at, cursor):
                yield row

    def _payload(self, number: int, at: int, size: int, *, leaf: bool) -> bytes:
        """Return the payload of a cell with what stands on further pages, as far as it is left."""
        page = self.page(number)
        local = self._local(size, leaf=leaf)
        if not self._is_left(number, at, at + local + 4 * (local < size)):
            return b""
        if local == size:
            return page[at : at + size]
        parts = [page[at : at + local]]
        following = int.from_bytes(page[at + local : at + local + 4])
        left = size - local
        seen: set[int] = set()
        while left > 0 and following and following not in seen:
            seen.add(following)
            more = self.page(following)
            if self._is_foreign(following, more, left) or _is_wiped(parts[-1], more):
                break
            parts.append(more[4 : 4 + left])
            left -= len(more) - 4
            following = int.from_bytes(more[:4])
        return b"".join(parts)

    def _local(self, size: int, *, leaf: bool) -> int:
        """Return how much of a payload of ``size`` bytes stands on the page itself."""
        usable = self.layout.usable
        most = usable - 35 if leaf else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (usable - 4)
        return local if local <= most else least

    def chain(self, number: int, left: int) -> list[int]:
        """Return the pages from ``number`` on that hold ``left`` bytes of a row, as far as there are any."""
        found: list[int] = []
        while left > 0 and 0 < number <= self.layout.pages and len(found) < self.layout.pages:
            found.append(number)
            left -= self.layout.usable - 4
            number = int.from_bytes(self.page(number)[:4])
        return found

    def _is_foreign(self, number: int, page: bytes, left: int) -> bool:
        """Return whether a page is none of the end of a record: it, or the next one's number, is lost."""
        if len(page) <= 4 or int.from_bytes(page[:4]) > self.layout.pages or number == 1:
            return True
        return not self._is_left(number, 0, min(4 + left, len(page)))

    def record(self, payload: bytes, size: int) -> tuple[object, ...] | None:
        """Return the values of a record of ``size`` bytes; None where it does not hold or is cut off."""
        header, cursor = varint(payload, 0)
        if len(payload) < size or cursor < 0 or not cursor <= header <= size:
            return None
        kinds: list[int] = []
        while cursor < header and len(kinds) < COLUMNS:
            kind, cursor = varint(payload, cursor)
            if cursor < 0 or kind in {10, 11}:
                return None
            kinds.append(kind)
        if cursor != header:
            return None
        widths = [WIDTHS[kind] if kind < 12 else (kind - 12) // 2 for kind in kinds]
        if header + sum(widths) != size:
            return None
        values: list[object] = []
        for kind, width in zip(kinds, widths, strict=True):
            values.append(self._value(kind, payload[header : header + width]))
            header += width
        return tuple(values)

    def _value(self, kind: int, data: bytes) -> object:
        if kind == 0:
            return None
        if kind < 7:
            return int.from_bytes(data, "big", signed=True)
        if kind == 7:
            return struct.unpack(">d", data)[0]
        if kind < 10:
            return kind - 8
        return data if kind % 2 == 0 else data.decode(self.layout.encoding, "replace")
