"""The files of an Expert Witness image, and the sections in them: where the chunks of the disk are.

Source: J. Metz, Expert Witness Compression Format (EWF), version 1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers.opening import Opening, invalid

MARK = b"EVF\x09\x0d\x0a\xff\x00"
FILE_HEADER = struct.Struct("<8sBHH")
SECTION = struct.Struct("<16sQQ40xI")
VOLUME = struct.Struct("<4xIIIQ")  # chunks, sectors of a chunk, bytes of a sector, sectors
SMALL_VOLUME = 94  # bytes of the section as SMART writes it: 32 bits for the sectors
TABLE = struct.Struct("<I4xQ4xI")  # entries, base, checksum
MOST_SECTIONS = 1 << 16  # of one file
MOST_ENTRIES = 1 << 20  # of one table
LARGEST_CHUNK = 1 << 26  # bytes
LAST_NUMBERED = 99  # segment; letters follow


class Section(NamedTuple):
    """A section: its name, where its content begins, and where the next section does."""

    name: str
    start: int
    end: int


class Table(NamedTuple):
    """Where some chunks are, those that follow the chunks of the table before.

    Attributes:
        reader: The segment.
        place: First byte of the entries.
        entries: How many chunks there are.
        base: What is added to the entries.
        end: Where the last chunk ends at the latest.
    """

    reader: Reader
    place: int
    entries: int
    base: int
    end: int

    def load(self) -> np.ndarray:
        """Return the entries: the place in the low 31 bits, the top bit for compressed.

        Raises:
            UnreadableError: They cannot be read.
        """
        data = self.reader.read_at(self.place, self.entries * 4)
        if len(data) < self.entries * 4:
            raise UnreadableError(0, 1, "a table of chunks is cut off")
        return np.frombuffer(data, "<u4")


class Contents(NamedTuple):
    """All that is known of an image before a chunk is read.

    Attributes:
        size: Bytes of the disk.
        chunk: Bytes of a chunk.
        tables: In the order of the disk.
    """

    size: int
    chunk: int
    tables: list[Table]


def contents(opening: Opening) -> Contents:
    """Walk through all segments of an image.

    Raises:
        OSError: There is no description of the disk, or it makes no sense.
        UnreadableError: A segment cannot be read.
    """
    size = chunk = 0
    tables: list[Table] = []
    done = False
    for reader in _segments(opening):
        sections = list(_sections(opening, reader))
        for index, section in enumerate(sections):
            if section.name in {"volume", "disk"} and not size:
                size, chunk = _volume(reader, section)
            elif section.name == "table":
                spare = sections[index + 1] if index + 1 < len(sections) else None
                tables.append(_table(reader, section, spare if spare and spare.name == "table2" else None))
            elif section.name in {"hash", "digest"}:
                _digests(opening, reader, section)
            done = done or section.name == "done"
    if not size:
        raise invalid("nothing says how large the disk is")
    if not done:
        opening.note(
            say("the image has no end: segments are missing, or it was never finished"),
            say("it was read up to where it ends; put the missing segments beside the others"),
        )
    return Contents(size, chunk, tables)


def segment_name(first: bytes, number: int) -> bytes:
    """Return the path of segment ``number`` (from 1) of the image whose first segment is ``first``."""
    stem, letter = first[:-3], first[-3]
    if number <= LAST_NUMBERED:
        return stem + bytes([letter]) + b"%02d" % number
    rest = number - LAST_NUMBERED - 1
    base = ord("a") if letter >= ord("a") else ord("A")
    return stem + bytes([min(letter + rest // 676, 255), base + rest // 26 % 26, base + rest % 26])


def _segments(opening: Opening) -> Iterator[Reader]:
    head = opening.reader.read_at(0, FILE_HEADER.size)
    if len(head) < FILE_HEADER.size or FILE_HEADER.unpack(head)[2] != 1:
        raise invalid("it is not the first segment of the image")
    yield opening.reader
    if not opening.path[-2:].isdigit():
        return
    number = 2
    while True:
        path = segment_name(opening.path, number)
        try:
            reader = opening.files.open(path)
        except OSError:
            return
        head = reader.read_at(0, FILE_HEADER.size)
        if len(head) < FILE_HEADER.size or head[:8] != MARK or FILE_HEADER.unpack(head)[2] != number:
            return
        yield reader
        number += 1


def _sections(opening: Opening, reader: Reader) -> Iterator[Section]:
    offset = FILE_HEADER.size
    for _ in range(MOST_SECTIONS):
        head = reader.read_at(offset, SECTION.size)
        if len(head) < SECTION.size:
            return
        name, following, _, checksum = SECTION.unpack(head)
        if zlib.adler32(head[:72]) != checksum:
            opening.note(
                say("a section of the image is damaged"),
                say("the image was read up to it"),
            )
            return
        end = following if following > offset else reader.size
        yield Section(name.rstrip(b"\0").decode("latin-1"), offset + SECTION.size, end)
        if following <= offset:  # the last one points at itself
            return
        offset = following


def _volume(reader: Reader, section: Section) -> tuple[int, int]:
    data = reader.read_at(section.start, 32)
    if len(data) < VOLUME.size:
        raise invalid("a description of the disk that is cut off")
    _, per_chunk, sector, sectors = VOLUME.unpack_from(data)
    if section.end - section.start <= SMALL_VOLUME + SECTION.size:
        sectors &= 0xFFFFFFFF
    chunk = per_chunk * sector
    if not 512 <= chunk <= LARGEST_CHUNK or not 0 < sectors < 1 << 52:
        raise invalid("a description of the disk that makes no sense")
    return sectors * sector, chunk


def _table(reader: Reader, section: Section, spare: Section | None) -> Table:
    """Return a table, or its copy where its checksums show that it is damaged.

    Raises:
        OSError: Both are damaged.
    """
    for each in (section, spare):
        found = _read_table(reader, each, section) if each else None
        if found:
            return found
    raise invalid("a table of chunks and its copy")


def _read_table(reader: Reader, section: Section, first: Section) -> Table | None:
    head = reader.read_at(section.start, TABLE.size)
    if len(head) < TABLE.size:
        return None
    entries, base, checksum = TABLE.unpack(head)
    if zlib.adler32(head[:20]) != checksum or not 0 < entries <= MOST_ENTRIES:
        return None
    place = section.start + TABLE.size
    data = reader.read_at(place, entries * 4 + 4)
    if len(data) < entries * 4:
        return None
    behind = data[entries * 4 :]
    if len(behind) == 4 and place + entries * 4 + 4 <= section.end:
        # SMART has chunks here instead of a checksum: only a copy can decide, and there is none.
        sound = zlib.adler32(data[: entries * 4]) == int.from_bytes(behind, "little")
        if not sound and section.end - place < entries * 512:
            return None
    start = base + int.from_bytes(data[:4], "little") % (1 << 31)
    table_start = first.start - SECTION.size
    return Table(reader, place, entries, base, table_start if start < table_start else first.end)


def _digests(opening: Opening, reader: Reader, section: Section) -> None:
    data = reader.read_at(section.start, 36)
    if len(data) >= 16 and any(data[:16]):
        opening.files.digests["md5"] = data[:16].hex()
    if section.name == "digest" and len(data) == 36 and any(data[16:]):
        opening.files.digests["sha1"] = data[16:].hex()
