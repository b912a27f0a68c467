"""The files of an Expert Witness image, and the sections in them: where the chunks of the disk are.

Source: J. Metz, Expert Witness Compression Format (EWF), version 1.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

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
HEAD = 32  # bytes that tell what a segment is
COMPRESSED = 1 << 31  # bit of an entry
PACKED, SUMMED, PATTERN = 1, 2, 4  # how a chunk is stored: compressed, with a checksum, as 8 bytes repeated
SLACK = 4096  # bytes by which a chunk may be longer packed than unpacked
TABLE = struct.Struct("<I4xQ4xI")  # entries, base, checksum
MOST_SECTIONS = 1 << 16  # of one file
MOST_ENTRIES = 1 << 20  # of one table
LARGEST_CHUNK = 1 << 26  # bytes
LAST_NUMBERED = 99  # segment; letters follow

Unpack = Callable[[memoryview, int], bytes]  # what is packed, and bytes of it unpacked


class Section(NamedTuple):
    """A section: its name, where its content begins, and where the next section does."""

    name: str
    start: int
    end: int


class Places(NamedTuple):
    """Where chunks are that follow each other on the disk.

    Attributes:
        reader: The segment.
        starts: First byte of each chunk; of a chunk that repeats a pattern, the pattern.
        sizes: Bytes that each takes at most, a checksum behind it included.
        kinds: How each is stored: bits as of ``PACKED``.
    """

    reader: Reader
    starts: np.ndarray
    sizes: np.ndarray
    kinds: np.ndarray


class Table(Protocol):
    """Where some chunks are, those that follow the chunks of the table before."""

    @property
    def entries(self) -> int:
        """How many chunks there are."""
        ...

    def load(self, chunk: int) -> Places:
        """Return where they are; ``chunk`` is bytes of the disk in one.

        Raises:
            UnreadableError: That cannot be read.
        """
        ...


class ShortTable(NamedTuple):
    """A table of entries of 32 bits.

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

    def load(self, chunk: int) -> Places:
        """Return where the chunks are: the place is in the low 31 bits, the top bit for compressed."""
        data = self.reader.read_at(self.place, self.entries * 4)
        if len(data) < self.entries * 4:
            raise UnreadableError(0, 1, "a table of chunks is cut off")
        entries = np.frombuffer(data, "<u4")
        starts = (entries & (COMPRESSED - 1)).astype(np.int64) + self.base
        # Chunks may be followed by other sections: what is behind the end of a stream is passed over.
        end = min(self.end, int(starts[-1]) + 2 * (chunk + SLACK))
        kinds = np.where(entries & COMPRESSED, PACKED, SUMMED).astype(np.uint8)
        return Places(self.reader, starts, np.diff(starts, append=end), kinds)


class Contents(NamedTuple):
    """All that is known of an image before a chunk is read.

    Attributes:
        size: Bytes of the disk.
        chunk: Bytes of a chunk.
        tables: In the order of the disk.
        unpack: Unpacks a chunk, or raises `UnreadableError`.
    """

    size: int
    chunk: int
    tables: Sequence[Table]
    unpack: Unpack


def contents(opening: Opening) -> Contents:
    """Walk through all segments of an image.

    Raises:
        OSError: There is no description of the disk, or it makes no sense.
        UnreadableError: A segment cannot be read.
    """
    size = chunk = 0
    tables: list[ShortTable] = []
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
    return Contents(size, chunk, tables, inflater())


@functools.cache
def inflater() -> Unpack:
    """Return what inflates a stream with its checksum: ISA-L where it is installed, else zlib."""
    library: Any = zlib
    with contextlib.suppress(ImportError):
        from isal import isal_zlib as library  # noqa: PLC0415 an extra

    def inflate(packed: memoryview, size: int) -> bytes:
        try:
            return bytes(library.decompress(packed, 15, size))
        except (zlib.error, library.error) as error:
            raise UnreadableError(0, size, str(error)) from error

    return inflate


def segment_name(first: bytes, number: int, upper: bool | None = None) -> bytes:
    """Return the path of segment ``number`` (from 1) of the image whose first segment is ``first``.

    Args:
        first: Its path.
        number: From 1.
        upper: Whether letters are capitals; else as the first one of the ending is.
    """
    stem, letter = first[:-3], first[-3]
    if number <= LAST_NUMBERED:
        return stem + bytes([letter]) + b"%02d" % number
    rest = number - LAST_NUMBERED - 1
    base = ord("A") if (letter < ord("a") if upper is None else upper) else ord("a")
    return stem + bytes([min(letter + rest // 676, 255), base + rest // 26 % 26, base + rest % 26])


def _segments(opening: Opening) -> Iterator[Reader]:
    head = opening.reader.read_at(0, FILE_HEADER.size)
    if len(head) < FILE_HEADER.size or FILE_HEADER.unpack(head)[2] != 1:
        raise invalid("it is not the first segment of the image")
    yield opening.reader

    def follows(head: bytes, number: int) -> bool:
        return head[:8] == MARK and FILE_HEADER.unpack_from(head)[2] == number

    yield from further_segments(opening, follows)


def further_segments(
    opening: Opening, follows: Callable[[bytes, int], bool], upper: bool | None = None
) -> Iterator[Reader]:
    """Yield the segments behind the first one, up to one that is not there.

    Args:
        opening: The first.
        follows: Whether a file is a segment of the image, by its first bytes and the number it should have.
        upper: As of `segment_name`.
    """
    if not opening.path[-2:].isdigit():
        return
    for number in itertools.count(2):
        try:
            reader = opening.files.open(segment_name(opening.path, number, upper))
        except OSError:
            return
        head = reader.read_at(0, HEAD)
        if len(head) < HEAD or not follows(head, number):
            return
        yield reader


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


def _table(reader: Reader, section: Section, spare: Section | None) -> ShortTable:
    """Return a table, or its copy where its checksums show that it is damaged.

    Raises:
        OSError: Both are damaged.
    """
    for each in (section, spare):
        found = _read_table(reader, each, section) if each else None
        if found:
            return found
    raise invalid("a table of chunks and its copy")


def _read_table(reader: Reader, section: Section, first: Section) -> ShortTable | None:
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
    start = base + int.from_bytes(data[:4], "little") % (1 << 31)
    behind = data[entries * 4 :]
    # SMART has the chunks here instead of a checksum: only a copy can decide, and there is none.
    summed = len(behind) == 4 and place + entries * 4 + 4 <= section.end and start != place + entries * 4
    if summed and zlib.adler32(data[: entries * 4]) != int.from_bytes(behind, "little"):
        return None
    table_start = first.start - SECTION.size
    return ShortTable(reader, place, entries, base, table_start if start < table_start else first.end)


def _digests(opening: Opening, reader: Reader, section: Section) -> None:
    data = reader.read_at(section.start, 36)
    if len(data) >= 16 and any(data[:16]):
        opening.files.digests["md5"] = data[:16].hex()
    if section.name == "digest" and len(data) == 36 and any(data[16:]):
        opening.files.digests["sha1"] = data[16:].hex()
