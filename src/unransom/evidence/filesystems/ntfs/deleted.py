"""Files that were deleted from NTFS: records that are free, and names in the gaps of folders and in the log.

A free record has all that it had: name, times, where the bytes lie, or the bytes themselves. A record that
was given out again is lost; the entry of its folder often still stands behind those that count, in the folder
or in ``$LogFile``, with name, size and times.
"""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.filesystems.ntfs.records import (
    DATA,
    FILE_NAME,
    FOLDER,
    INDEX,
    STANDARD,
    USED,
    Attribute,
    FileName,
    Volume,
    attributes,
    file_name,
    fixed,
    spans,
    volume,
)
from unransom.evidence.filesystems.remnants import NOWHERE, Remnant, Trace

ROOT = 5
LOG = 2  # record of ``$LogFile``
OWN = 24  # records of the file system's own files
BLOCK = 4096  # bytes of a block of a folder or of the log
MOST_RECORDS = 1 << 28
MOST_BYTES = 1 << 36  # of folders and of the log that are read
MOST_NAMES = 1 << 22
DEEPEST = 128  # folders in each other


class _Record(NamedTuple):
    """A record: its number, how often it was used, and what it says."""

    number: int
    sequence: int
    flags: int
    base: int
    names: tuple[FileName, ...]
    data: tuple[Attribute, ...]
    folder: tuple[Attribute, ...]


class _Table:
    """The master file table."""

    def __init__(self, reader: Reader, place: Volume) -> None:
        self._reader = reader
        self._place = place
        self._left = MOST_BYTES
        first = self.record(0, reader.read_at(place.start + place.table * place.cluster, place.record))
        self._spans = spans(place, first.data[0], NOWHERE) if first and first.data else None

    def record(self, number: int, data: bytes) -> _Record | None:
        """Return what a record says; None where it is none."""
        whole = fixed(data) if len(data) == self._place.record and data[:4] == b"FILE" else None
        if whole is None:
            return None
        sequence, _, _, flags = struct.unpack_from("<HHHH", whole, 16)
        (base,) = struct.unpack_from("<Q", whole, 32)
        every = list(attributes(whole))
        names = (file_name(each.content) for each in every if each.kind == FILE_NAME and each.content)
        return _Record(
            number,
            sequence,
            flags,
            base & (1 << 48) - 1,
            _dated([name for name in names if name], every),
            tuple(each for each in every if each.kind == DATA and not each.name),
            tuple(each for each in every if each.kind == INDEX),
        )

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield parts of the table: number of the first record, and bytes."""
        number, size = 0, self._place.record
        for span in self._spans or ():
            if span.start >= NOWHERE:
                number += len(span) // size
                continue
            for start in range(span.start, span.end, CHUNK):
                data = self._read(start, min(CHUNK, span.end - start))
                yield number, data
                number += len(data) // size
                if number > MOST_RECORDS:
                    return

    def _read(self, start: int, length: int) -> bytes:
        try:
            return self._reader.read_at(start, length)
        except UnreadableError:
            return bytes(length)

    def records(self) -> Iterator[_Record]:
        """Yield every record that makes sense, free or not."""
        size = self._place.record
        for first, data in self.blocks():
            for index in range(len(data) // size):
                if data.startswith(b"FILE", index * size):
                    record = self.record(first + index, data[index * size : (index + 1) * size])
                    if record:
                        yield record

    def pieces(self, attribute: Attribute) -> Iterator[bytes]:
        """Yield the blocks of a folder or of the log."""
        for span in spans(self._place, attribute, NOWHERE) or ():
            if span.start >= NOWHERE or self._left < 0:
                continue
            self._left -= len(span)
            for start in range(span.start, span.end, CHUNK):
                data = self._read(start, min(CHUNK, span.end - start))
                for at in range(0, len(data), BLOCK):
                    block = data[at : at + BLOCK]
                    yield (fixed(block) if block[:4] in {b"INDX", b"RCRD"} else None) or block


def _dated(names: list[FileName], every: list[Attribute]) -> tuple[FileName, ...]:
    """Return names with the times of the record: those beside a name are of when it was given."""
    standard = next((each.content for each in every if each.kind == STANDARD and each.content), b"")
    if len(standard) < 16:
        return tuple(names)
    now = file_name(b"\0" * 8 + standard[:16] * 2 + b"\0" * 24 + b"\1\0" + b"x\0")
    if now is None:
        return tuple(names)
    return tuple(name._replace(created=now.created, modified=now.modified) for name in names)


def remnants(reader: Reader, start: int) -> Iterator[Remnant]:
    """Yield files that were deleted from the volume that begins at ``start``."""
    place = volume(reader, start)
    if place is None:
        return
    table = _Table(reader, place)
    found = _Sorted(table.records())
    for record in found.free:
        yield from _of_record(place, record, found.parts.get(record.number, []), found.folders)
    yield from _of_names(table, found)


class _Sorted:
    """The records of the table by what they are.

    Attributes:
        folders: Name of each folder.
        free: Records of files that are gone.
        named: Folder and name of all that has a record.
        indexes: Where names stand besides: in folders, and in the log.
        parts: Parts of files that go on in further records.
    """

    def __init__(self, records: Iterable[_Record]) -> None:
        self.folders: dict[int, FileName] = {}
        self.free: list[_Record] = []
        self.named: set[tuple[int, bytes]] = set()
        self.indexes: list[Attribute] = []
        self.parts: dict[int, list[Attribute]] = defaultdict(list)
        for record in records:
            if record.base:
                self.parts[record.base] += record.data
            else:
                self._add(record)

    def _add(self, record: _Record) -> None:
        self.named.update((name.parent, name.name) for name in record.names)
        if record.number == LOG:
            self.indexes += record.data
        if record.flags & FOLDER and record.names:
            self.folders[record.number] = _long(record.names)
            self.indexes += record.folder
        elif not record.flags & USED and record.number >= OWN and record.names:
            self.free.append(record)


def _of_record(
    place: Volume, record: _Record, parts: list[Attribute], folders: dict[int, FileName]
) -> Iterator[Remnant]:
    """Yield the file of a free record."""
    pieces = sorted([*record.data, *parts], key=lambda each: each.first)
    if not pieces or any(each.packed for each in pieces):
        return
    first = pieces[0]
    whole = first._replace(runs=tuple(run for each in pieces for run in each.runs))
    where: list[Span] | None = [] if first.content is not None else spans(place, whole, NOWHERE)
    if where is None or not first.size:
        return
    name = _long(record.names)
    yield Remnant(
        path=_path(name, folders),
        size=first.size,
        spans=tuple(where),
        content=first.content or b"",
        modified=name.modified,
        created=name.created,
        trace=Trace.RECORD,
    )


def _of_names(table: _Table, found: _Sorted) -> Iterator[Remnant]:
    """Yield files of which a name is left and no record, each with its sizes once."""
    known = np.array(sorted({*found.folders, ROOT}), np.uint64)
    seen: set[tuple[int, bytes, int]] = set()
    records = (data for _, data in table.blocks())
    every = (block for attribute in found.indexes for block in table.pieces(attribute))
    for data in itertools.chain(every, records):
        for name in _names_in(data, known):
            key = (name.parent, name.name, name.size)
            if (name.parent, name.name) in found.named or key in seen or name.short or name.folder:
                continue
            seen.add(key)
            if len(seen) > MOST_NAMES:
                return
            yield Remnant(
                path=_path(name, found.folders),
                size=name.size or None,
                modified=name.modified,
                created=name.created,
                trace=Trace.FOLDER,
            )


def _names_in(data: bytes, known: NDArray[np.uint64]) -> Iterator[FileName]:
    """Yield the names anywhere in ``data`` whose folder is one of ``known``."""
    words = np.frombuffer(data, "<u8", len(data) // 8)
    numbers = words & np.uint64((1 << 48) - 1)
    fitting = (words >> np.uint64(48) > 0) & np.isin(numbers, known)
    for index in np.flatnonzero(fitting).tolist():
        name = file_name(data, index * 8)
        if name:
            yield name


def _long(names: tuple[FileName, ...]) -> FileName:
    return next((name for name in names if not name.short), names[0])


def _path(name: FileName, folders: dict[int, FileName]) -> bytes:
    """Return the path of a name; without what is not known of it."""
    parts = [name.name]
    parent = name.parent
    while parent != ROOT and parent in folders and len(parts) < DEEPEST:
        parts.append(folders[parent].name)
        parent = folders[parent].parent
    return b"/".join(reversed(parts))
