"""The log of a VHDX: changes to its tables that were noted, and not yet made, when the machine stopped.

A log is a ring of entries. What counts is the run of entries that ends with the newest one and begins where
that one says. Every sector of an entry carries the entry's number, so that a torn one is told by that.

Source: Microsoft, [MS-VHDX], "Log".
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers.mapped import Mapped, Piece

SECTOR = 4096
ENTRY = struct.Struct("<4s4xIIQI4x16sQQ")  # mark; length, tail, number; descriptors; log's identifier; sizes
DESCRIPTOR = struct.Struct("<4s4sQQQ")  # mark; last bytes; first bytes or length; place; number
LARGEST = 1 << 28  # bytes of a log
MOST_SECTORS = 1 << 18  # that all entries together change: 1 GiB
FARTHEST = 1 << 50


class Entry(NamedTuple):
    """An entry of a log.

    Attributes:
        place, length: Bytes of the log.
        tail: Where the run begins that this entry may end.
        number: Counts up.
        size: Bytes that the image should have after it.
        changes: Sectors of the image and what belongs there; None for zeros.
    """

    place: int
    length: int
    tail: int
    number: int
    size: int
    changes: dict[int, bytes | None]


def replayed(reader: Reader, offset: int, length: int, identifier: bytes) -> Reader | None:
    """Return the image with what its log has to change; None where the log makes no sense.

    Args:
        reader: The image.
        offset: Where its log begins.
        length: Bytes of the log.
        identifier: Of the log; entries with another one are of earlier times.

    Raises:
        UnreadableError: It cannot be read.
    """
    if not 0 < length <= LARGEST or length % SECTOR:
        return None
    log = reader.read_at(offset, length)
    if len(log) < length:
        return None
    entries = {entry.place: entry for entry in _entries(log, identifier)}
    for last in sorted(entries.values(), key=lambda each: -each.number):
        run = _run(entries, last, length)
        if run:
            changes: dict[int, bytes | None] = {}
            for entry in run:
                changes |= entry.changes
            return Changed(reader, changes, max(reader.size, run[-1].size)) if changes else reader
    return None


def _run(entries: dict[int, Entry], last: Entry, length: int) -> list[Entry]:
    """Return the entries from the tail of ``last`` up to it; none where one is missing between them."""
    run, place, number = list[Entry](), last.tail, 0
    for _ in range(len(entries)):
        entry = entries.get(place)
        if entry is None or (run and entry.number != number + 1):
            return []
        run.append(entry)
        if entry.place == last.place:
            return run
        place, number = (place + entry.length) % length, entry.number
    return []


def _entries(log: bytes, identifier: bytes) -> Iterator[Entry]:
    """Yield every entry that is whole."""
    ring = log + log
    room = MOST_SECTORS
    for place in range(0, len(log), SECTOR):
        if log[place : place + 4] != b"loge":
            continue
        _, length, tail, number, count, whose, _, size = ENTRY.unpack_from(log, place)
        sound = whose == identifier and SECTOR <= length <= len(log) and length % SECTOR == 0
        if sound and tail < len(log) and number and size < FARTHEST:
            changes = _changes(ring[place : place + length], number, count, room)
            if changes is not None:
                room -= len(changes)
                yield Entry(place, length, tail, number, size, changes)


def _changes(entry: bytes, number: int, count: int, room: int) -> dict[int, bytes | None] | None:
    """Return what an entry changes; None where it is torn, or changes more than ``room`` sectors."""
    data = -(-(ENTRY.size + count * DESCRIPTOR.size) // SECTOR) * SECTOR
    if data > len(entry):
        return None
    changes: dict[int, bytes | None] = {}
    for index in range(count):
        at = ENTRY.size + index * DESCRIPTOR.size
        mark, last, first, place, own = DESCRIPTOR.unpack_from(entry, at)
        if own != number or place % SECTOR or place >= FARTHEST or len(changes) > room:
            return None
        if mark == b"zero" and first % SECTOR == 0 and first // SECTOR <= room:
            changes |= dict.fromkeys(range(place // SECTOR, (place + first) // SECTOR))
        elif mark == b"desc" and _carries(entry[data : data + SECTOR], number):
            changes[place // SECTOR] = (
                first.to_bytes(8, "little") + entry[data + 8 : data + SECTOR - 4] + last
            )
            data += SECTOR
        else:
            return None
    return changes


def _carries(sector: bytes, number: int) -> bool:
    """Return whether a sector is one of the entry ``number``."""
    if len(sector) < SECTOR or sector[:4] != b"data":
        return False
    return (sector[4:8] + sector[-4:]) == struct.pack("<II", number >> 32, number & 0xFFFFFFFF)


class Changed(Mapped):
    """An image with sectors that its log has anew."""

    def __init__(self, reader: Reader, changes: dict[int, bytes | None], size: int) -> None:
        """Lay ``changes``, by the numbers of sectors, over ``reader``; behind its end are zeros."""
        self.size = size
        self._reader = reader
        self._changes = changes
        self._sectors = sorted(changes)

    def piece_at(self, offset: int) -> Piece:
        """Return the sector of the log that has byte ``offset``, or where it is in the image."""
        sector, inside = divmod(offset, SECTOR)
        if sector in self._changes:
            data = self._changes[sector]
            return Piece(SECTOR - inside, BytesReader(data) if data else None, inside)
        index = bisect_right(self._sectors, sector)
        end = self._sectors[index] * SECTOR if index < len(self._sectors) else self.size
        end = min(end, self.size) if offset < self.size else end
        if offset >= self._reader.size:
            return Piece(end - offset)
        return Piece(min(end, self._reader.size) - offset, self._reader, offset)
