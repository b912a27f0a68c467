"""The files of an Expert Witness image of version 2 (Ex01), and where the chunks of the disk are in them.

A section is described behind its content, and each description tells where the one before is: a segment is
walked through from its end.

Source: J. Metz, Expert Witness Compression Format (EWF), version 2.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.containers.ewf_segments import (
    LARGEST_CHUNK,
    MOST_ENTRIES,
    MOST_SECTIONS,
    PACKED,
    PATTERN,
    SUMMED,
    Contents,
    Places,
    Table,
    further_segments,
    inflater,
)
from unransom.evidence.containers.opening import Opening, invalid, unsupported

MARK = b"EVF2\x0d\x0a\x81\x00"
FILE_HEADER = struct.Struct("<8sBBHI16s")  # mark, version, compression, number, identifier of the set
SECTION = struct.Struct("<IIQQII16s12xI")  # kind, flags, place of the one before, bytes, own size, padding
SECTION_SIZE = b"\x40\0\0\0"  # its own size, as it stands in every description
SECTION_SIZE_AT = 24
DEVICE, CASE, TABLE, MD5, SHA1, KEYS, DONE = 1, 2, 4, 8, 9, 11, 15  # kinds
ENCRYPTED = 2  # flag
TABLE_HEADER = struct.Struct("<QI4xI12x")  # first chunk, entries, checksum
ENTRY = np.dtype([("start", "<i8"), ("size", "<u4"), ("kind", "<u4")])
LONGEST_TEXT = 1 << 20  # bytes of a description
BYTE_ORDER_MARKS = {b"\xff\xfe", b"\xfe\xff"}
WHOLE, BLOCK = b"BZh", b"\x31\x41\x59\x26\x53\x59"  # how bzip2 begins: a stream, and a block of one
BZIP2 = (WHOLE, BLOCK)


class Section(NamedTuple):
    """A section: its kind and flags, and where its content begins and ends, without what pads it."""

    kind: int
    flags: int
    start: int
    end: int


class LongTable(NamedTuple):
    """A table whose entries have place, size and kind.

    Attributes:
        reader: The segment.
        first: Number of its first chunk.
        place: First byte of the entries.
        entries: How many chunks there are.
    """

    reader: Reader
    first: int
    place: int
    entries: int

    def load(self, chunk: int) -> Places:
        """Return where the chunks are."""
        size = self.entries * ENTRY.itemsize
        data = self.reader.read_at(self.place, size + 4)
        if len(data) < size + 4 or zlib.adler32(data[:size]) != int.from_bytes(data[size:], "little"):
            raise UnreadableError(0, 1, "a table of chunks is damaged")
        entries = np.frombuffer(data[:size], ENTRY)
        kinds = (entries["kind"] & (PACKED | SUMMED | PATTERN)).astype(np.uint8)
        kinds[kinds & PACKED == 0] &= ~np.uint8(PATTERN)  # a pattern counts as compression only
        sizes = entries["size"].astype(np.int64)
        return Places(self.reader, entries["start"], sizes, kinds)


class NoTable(NamedTuple):
    """Chunks that no table tells of."""

    entries: int

    def load(self, chunk: int) -> Places:
        """Raise: where the chunks are is not known."""
        raise UnreadableError(0, 1, "a table of chunks is missing")


class _Read:
    """What was read of an image so far.

    Attributes:
        tables: Of chunks.
        told: Of disk and acquisition, by tag.
        done: Whether the last segment has its end.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.tables: list[LongTable] = []
        self.told: dict[str, str] = {}
        self.done = False

    def take(self, reader: Reader, section: Section) -> None:
        """Take in a section of a segment.

        Raises:
            UnsupportedImageError: The image is encrypted.
        """
        if section.kind == KEYS or section.flags & ENCRYPTED:
            raise unsupported(
                say("the image is encrypted"),
                say("let the program that made it write one that is not, or a raw image"),
            )
        if section.kind in {DEVICE, CASE}:
            self.told |= _told(reader, section)
        elif section.kind == TABLE:
            self.tables += _table(self._opening, reader, section)
        elif section.kind in {MD5, SHA1}:
            _digest(self._opening, reader, section)
        self.done = self.done or section.kind == DONE

    def number(self, tag: str) -> int:
        """Return a number that was told, 0 for none."""
        text = self.told.get(tag, "").strip()
        return int(text) if text.isdecimal() and len(text) < 20 else 0


def contents(opening: Opening) -> Contents:
    """Walk through all segments of an image.

    Raises:
        OSError: There is no description of the disk, or it makes no sense.
        UnreadableError: A segment cannot be read.
        UnsupportedImageError: It is encrypted.
    """
    read = _Read(opening)
    for reader in _segments(opening):
        for section in reversed(list(_sections(opening, reader))):
            read.take(reader, section)
    if not read.done:
        opening.note(
            say("the image has no end: segments are missing, or it was never finished"),
            say("it was read up to where it ends; put the missing segments beside the others"),
        )
    sector = read.number("bp")
    size, chunk = read.number("ts") * sector, read.number("sb") * sector
    if not 512 <= chunk <= LARGEST_CHUNK or not 0 < size < 1 << 62:
        raise invalid("a description of the disk that makes no sense")
    return Contents(size, chunk, list(_in_order(read.tables, -(-size // chunk))), _unpack)


def _segments(opening: Opening) -> Iterator[Reader]:
    head = opening.reader.read_at(0, FILE_HEADER.size)
    if len(head) < FILE_HEADER.size or FILE_HEADER.unpack(head)[4] != 1:
        raise invalid("it is not the first segment of the image")
    yield opening.reader

    def follows(other: bytes, number: int) -> bool:
        mark, *_, found, images = FILE_HEADER.unpack(other)
        return bool(mark == MARK and found == number and images == head[16:])

    yield from further_segments(opening, follows, opening.path[-4:-3].isupper())


def _sections(opening: Opening, reader: Reader) -> Iterator[Section]:
    """Yield the sections of a segment, the last one first."""
    place = reader.size - SECTION.size
    if _described(reader, place) is None:
        opening.note(say("a section of the image is damaged"), say("the image was read up to it"))
        place = _last(reader)
    for _ in range(MOST_SECTIONS):
        found = _described(reader, place)
        if found is None:
            return
        kind, flags, before, size, _, padding, *_ = found
        yield Section(kind, flags, place - size, place - min(padding, size))
        if before >= place:  # each lies in front of the next
            return
        place = before


def _described(reader: Reader, place: int) -> tuple[int, ...] | None:
    """Return what stands at ``place``, where that describes a section."""
    if place < FILE_HEADER.size:
        return None
    data = reader.read_at(place, SECTION.size)
    if len(data) < SECTION.size or zlib.adler32(data[:60]) != int.from_bytes(data[60:], "little"):
        return None
    found: tuple[int, ...] = SECTION.unpack(data)
    return found if found[3] <= place - FILE_HEADER.size else None


def _last(reader: Reader) -> int:
    """Return where the last section is described in a segment that was cut off; 0 for none."""
    end = reader.size
    while end > 0:
        start = max(0, end - CHUNK)
        data = reader.read_at(start, min(CHUNK + SECTION.size, reader.size - start))
        at = data.rfind(SECTION_SIZE)
        while at >= 0:
            if _described(reader, start + at - SECTION_SIZE_AT):
                return start + at - SECTION_SIZE_AT
            at = data.rfind(SECTION_SIZE, 0, at + len(SECTION_SIZE) - 1)
        end = start
    return 0


def _told(reader: Reader, section: Section) -> dict[str, str]:
    """Return the values of a description by their tags."""
    data = reader.read_at(section.start, min(section.end - section.start, LONGEST_TEXT))
    if data[:2] not in BYTE_ORDER_MARKS:
        try:
            burst = data.startswith(BZIP2)
            data = (_burst if burst else zlib.decompressobj().decompress)(data, LONGEST_TEXT)
        except (UnreadableError, zlib.error):
            return {}
    lines = data.decode("utf-16", "replace").split("\n")
    return dict(zip(lines[2].split("\t"), lines[3].split("\t"), strict=False)) if len(lines) > 3 else {}


def _table(opening: Opening, reader: Reader, section: Section) -> Iterator[LongTable]:
    head = reader.read_at(section.start, TABLE_HEADER.size)
    if len(head) == TABLE_HEADER.size:
        first, entries, checksum = TABLE_HEADER.unpack(head)
        place = section.start + TABLE_HEADER.size
        fits = place + entries * ENTRY.itemsize + 4 <= section.end and 0 < entries <= MOST_ENTRIES
        if fits and zlib.adler32(head[:16]) == checksum:
            yield LongTable(reader, first, place, entries)
            return
    opening.note(say("a section of the image is damaged"), say("the image was read up to it"))


def _in_order(tables: list[LongTable], chunks: int) -> Iterator[Table]:
    """Yield tables that follow each other; what none of them tells of cannot be read."""
    position = 0
    for table in sorted(tables, key=lambda each: each.first):
        if table.first > position:
            yield NoTable(min(table.first, chunks) - position)
        position = max(position, min(table.first, chunks))
        left = min(table.first + table.entries, chunks) - position
        if left > 0:
            yield table if table.first == position else NoTable(left)
            position += table.entries if table.first == position else left
    if position < chunks:
        yield NoTable(chunks - position)


def _digest(opening: Opening, reader: Reader, section: Section) -> None:
    name, size = ("md5", 16) if section.kind == MD5 else ("sha1", 20)
    data = reader.read_at(section.start, size + 4)
    if zlib.adler32(data[:size]) == int.from_bytes(data[size:], "little") and len(data) == size + 4:
        opening.files.digests[name] = data[:size].hex()


def _unpack(packed: memoryview, size: int) -> bytes:
    """Unpack a chunk, in the way that its first bytes tell; what the header says is not asked."""
    return _burst(bytes(packed), size) if bytes(packed[:6]).startswith(BZIP2) else inflater()(packed, size)


def _burst(data: bytes, size: int) -> bytes:
    """Unpack a stream of bzip2; EnCase leaves out how one begins and ends.

    Raises:
        UnreadableError: It is damaged.
    """
    stream = bz2.BZ2Decompressor()
    try:
        out = piece = stream.decompress(data if data.startswith(WHOLE) else WHOLE + b"9" + data, size)
        while piece and len(out) < size and not stream.eof:  # it stops where its input ends, not its output
            piece = stream.decompress(b"", size - len(out))
            out += piece
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableError(0, size, str(error)) from error
    return out
