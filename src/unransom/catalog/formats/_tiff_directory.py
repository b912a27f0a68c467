"""The directories of TIFF and BigTIFF: entries, their values, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from unransom.catalog.formats._deflate import Budget
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
NUMBERS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
VALUES_CAP = 1 << 22  # values of one entry that are read
DIRECTORIES_CAP = 1 << 14
SUB_DIRECTORIES = (330, 34665, 34853, 40965)


class Layout(msgspec.Struct, frozen=True):
    """Byte order (``little`` or ``big``) and whether it is BigTIFF."""

    order: Literal["little", "big"]
    wide: bool

    @property
    def word(self) -> int:
        """Bytes of an offset."""
        return 8 if self.wide else 4

    def number(self, data: bytes) -> int:
        """Return the unsigned number that ``data`` is."""
        return int.from_bytes(data, self.order)


class Entry(msgspec.Struct, frozen=True):
    """A directory entry: its tag, type and count, and where its values lie."""

    tag: int
    type: int
    count: int
    position: int

    @property
    def end(self) -> int:
        """Offset behind its values."""
        return self.position + self.count * SIZES[self.type]


class Directory(msgspec.Struct, frozen=True):
    """A directory: where it lies, its entries by tag, and how many are of unknown type or out of order."""

    start: int
    end: int
    entries: dict[int, Entry]
    odd: int
    following: int


class BrokenError(Exception):
    """The directories do not hold; the message is for people."""

    def __init__(self, position: int, why: Message) -> None:
        super().__init__(str(why))
        self.position = position
        self.why = why


def layout_of(head: bytes) -> Layout | None:
    """Return the layout that the first 16 bytes announce, None where they do not."""
    orders: dict[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}
    order = orders.get(head[:2])
    if order is None or len(head) < 8:
        return None
    version = int.from_bytes(head[2:4], order)
    if version == 43:
        fits = len(head) >= 16 and int.from_bytes(head[4:6], order) == 8 and head[6:8] == b"\0\0"
        return Layout(order, True) if fits else None
    return Layout(order, False) if version == 42 else None


class Directories:
    """All directories of a file, in the order of the chain, each followed by its sub-directories."""

    def __init__(self, reader: Reader, layout: Layout) -> None:
        self._reader = reader
        self._layout = layout
        self._budget = Budget(reader.size)  # directories may share arrays of values

    def __iter__(self) -> Iterator[Directory]:
        """Yield the directories.

        Raises:
            BrokenError: One does not hold.
        """
        layout = self._layout
        word = self._reader.read_at(8 if layout.wide else 4, layout.word)
        waiting = [layout.number(word)]
        seen: set[int] = set()
        while waiting and len(seen) < DIRECTORIES_CAP:
            start = waiting.pop()
            if start == 0 or start in seen:
                continue
            seen.add(start)
            directory = self._at(start)
            yield directory
            waiting.append(directory.following)
            for tag in SUB_DIRECTORIES:
                if entry := directory.entries.get(tag):
                    waiting.extend(self.values(entry)[:DIRECTORIES_CAP])

    def values(self, entry: Entry | None) -> list[int]:
        """Return the values of an entry of unsigned numbers; none where there are too many or none."""
        if entry is None or entry.type not in NUMBERS or entry.count > VALUES_CAP:
            return []
        size = entry.count * SIZES[entry.type]
        if not self._budget.spend(size, 0):
            return []
        data = self._reader.read_at(entry.position, size)
        order = "<" if self._layout.order == "little" else ">"
        return np.frombuffer(data, order + NUMBERS[entry.type]).tolist()

    def _at(self, start: int) -> Directory:
        """Return the directory at ``start``."""
        layout = self._layout
        counter, step = (8, 20) if layout.wide else (2, 12)
        count = layout.number(self._reader.read_at(start, counter))
        end = start + counter + count * step + layout.word
        if not count or end > self._reader.size or start < 8:
            raise BrokenError(start, say("the TIFF directory at byte {offset} does not hold", offset=start))
        data = self._reader.read_at(start + counter, end - start - counter)
        entries: dict[int, Entry] = {}
        odd = last = 0
        for at in range(0, count * step, step):
            entry = self._entry(data[at : at + step], start + counter + at)
            odd += entry is None or entry.tag < last
            if entry is not None:
                last = entry.tag
                entries[entry.tag] = entry
        if 2 * odd > count:
            raise BrokenError(start, say("the TIFF directory at byte {offset} does not hold", offset=start))
        return Directory(start, end, entries, odd, layout.number(data[-layout.word :]))

    def _entry(self, data: bytes, position: int) -> Entry | None:
        """Return the entry whose bytes ``data`` stand at ``position``; None where its type is unknown."""
        layout = self._layout
        tag, kind = layout.number(data[:2]), layout.number(data[2:4])
        if kind not in SIZES:
            return None
        count = layout.number(data[4 : 4 + layout.word])
        if count * SIZES[kind] <= layout.word:
            return Entry(tag, kind, count, position + 4 + layout.word)
        entry = Entry(tag, kind, count, layout.number(data[-layout.word :]))
        if entry.end > self._reader.size:
            raise BrokenError(
                min(entry.position, self._reader.size),
                say("the TIFF tag {tag} points behind the end of the file", tag=tag),
            )
        return entry
