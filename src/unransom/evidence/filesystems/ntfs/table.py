"""The master file table of NTFS: every record that makes sense, and what lies where records say."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.filesystems.ntfs.folders import Reference
from unransom.evidence.filesystems.ntfs.records import (
    DATA,
    FILE_NAME,
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
)
from unransom.evidence.filesystems.remnants import NOWHERE

BLOCK = 4096  # bytes of a block of a folder, of the log, or of a journal
MOST_RECORDS = 1 << 28
MOST_BYTES = 1 << 36  # of folders, log and journal that are read
OWN = 24  # records of the file system's own files
ALONE = Reference(0, 0)
LAST = 0xFFFF  # the number before 1
CHANGES = "$J".encode("utf-16-le")  # stream of the journal of changes


class Record(NamedTuple):
    """A record: its number, how often it was given out, and what it says.

    Attributes:
        own: Number, and how often the record was given out; a free one has the next number already.
        flags: Whether it is used, and whether it is a folder.
        base: The record that this one goes on from; `ALONE` where it is from none.
        names: Names of the file.
        data: Its content.
        journal: Its stream ``$J``.
        folder: What is in it.
    """

    own: Reference
    flags: int
    base: Reference
    names: tuple[FileName, ...]
    data: tuple[Attribute, ...]
    journal: tuple[Attribute, ...]
    folder: tuple[Attribute, ...]

    @property
    def number(self) -> int:
        """Its number."""
        return self.own.record

    @property
    def is_used(self) -> bool:
        """Whether it is given out."""
        return bool(self.flags & USED)

    @property
    def called(self) -> Reference:
        """What others call it, or called it while it was given out."""
        before = self.own.sequence - 1 or LAST
        return self.own if self.is_used else Reference(self.own.record, before)


class Table:
    """The master file table."""

    def __init__(self, reader: Reader, place: Volume) -> None:
        self._reader = reader
        self._place = place
        self._left = MOST_BYTES
        copies = (self._first(each) for each in (place.table, place.mirror))
        first = next((each for each in copies if each and each.data), None)
        self._spans = self._where(first.data[0]) if first else []

    def _first(self, cluster: int) -> Record | None:
        """Return the record of the table itself, which stands at ``cluster``; None where it is lost."""
        return self.record(
            0, self._read(self._place.start + cluster * self._place.cluster, self._place.record)
        )

    def _where(self, first: Attribute) -> list[Span]:
        """Return where the table lies, whose own first record may go on in others."""
        size = sum(count for _, count in first.runs) * self._place.cluster
        self._spans = spans(self._place, first._replace(size=min(size, first.size)), NOWHERE) or []
        if size >= first.size:
            return self._spans
        rest = (each.data for each in self.records() if each.base.record == 0 and each.base.sequence)
        return spans(self._place, strung([first, *itertools.chain(*rest)]), NOWHERE) or self._spans

    def record(self, number: int, data: bytes) -> Record | None:
        """Return what a record says; None where it is none."""
        whole = fixed(data) if len(data) == self._place.record and data[:4] == b"FILE" else None
        if whole is None:
            return None
        sequence, _, _, flags = struct.unpack_from("<HHHH", whole, 16)
        (base,) = struct.unpack_from("<Q", whole, 32)
        every = list(attributes(whole))
        names = (file_name(each.content) for each in every if each.kind == FILE_NAME and each.content)
        return Record(
            Reference(number, sequence),
            flags,
            Reference.of(base),
            _dated([name for name in names if name], every),
            tuple(each for each in every if each.kind == DATA and not each.name),
            tuple(each for each in every if each.kind == DATA and each.name == CHANGES),
            tuple(each for each in every if each.kind == INDEX),
        )

    def load(self, number: int) -> Record | None:
        """Return the record of a number; None where it makes no sense."""
        offset = number * self._place.record
        for span in self._spans:
            if offset < len(span) and span.start < NOWHERE:
                return self.record(number, self._read(span.start + offset, self._place.record))
            offset -= len(span)
            if offset < 0:
                return None
        return None

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield parts of the table: number of the first record, and bytes."""
        number, size = 0, self._place.record
        for span in self._spans:
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

    def records(self) -> Iterator[Record]:
        """Yield every record that makes sense, free or not."""
        size = self._place.record
        for first, data in self.blocks():
            for index in range(len(data) // size):
                if data.startswith(b"FILE", index * size):
                    record = self.record(first + index, data[index * size : (index + 1) * size])
                    if record:
                        yield record

    def pieces(self, attribute: Attribute) -> Iterator[bytes]:
        """Yield the blocks of a folder, of the log, or of a journal."""
        if attribute.content:
            yield attribute.content
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


def strung(pieces: Iterable[Attribute]) -> Attribute:
    """Return an attribute that goes on in several records, as one."""
    every = sorted(pieces, key=lambda each: each.first)
    return every[0]._replace(runs=tuple(run for each in every for run in each.runs))


def long_name(names: tuple[FileName, ...]) -> FileName:
    """Return the name of a file that is not the one for DOS."""
    return next((name for name in names if not name.short), names[0])
