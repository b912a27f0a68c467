"""The records of a ZIP archive: local headers, central directory, its end, data descriptors."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._reading import rfind
from unransom.core.streams import Reader

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR64 = b"PK\x06\x07"
DESCRIPTOR = b"PK\x07\x08"
EXTRA_DATA = b"PK\x06\x08"
SIGNATURE = b"PK\x05\x05"
ZIP64 = b"\x01\x00"  # kind of the extra field with numbers of 64 bits

LOCAL_SIZE = 30
CENTRAL_SIZE = 46
USUAL = 160  # bytes of names and extra fields that are read with a header at once
END_SIZE = 22
END64_SIZE = 56
LOCATOR64_SIZE = 20
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF

ENCRYPTED = 1 << 0
STREAMED = 1 << 3  # sizes and CRC-32 follow the data
UNUSED_FLAGS = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 15

STORED, DEFLATE, DEFLATE64, BZIP2, LZMA, ZSTD, XZ = 0, 8, 9, 12, 14, 93, 95
METHODS = frozenset(range(21)) | {ZSTD, 94, XZ, 96, 97, 98, 99}
HIGHEST_VERSION = 99  # of the specification, in tenths; 6.3 is the newest

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")


class Entry(msgspec.Struct):
    """What a local header or a central directory entry says of a member.

    Attributes:
        name: As in the file.
        flags, method, time: As in the file; ``time`` is DOS time and date in one number.
        crc, packed, size: CRC-32, compressed and plain size; 0 in a streamed local header.
        header: Bytes of this record in all.
        offset: Of the local header, as the central directory has it; 0 in a local header.
    """

    name: bytes
    flags: int
    method: int
    time: int
    crc: int
    packed: int
    size: int
    header: int
    offset: int = 0

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name[:120].decode("utf-8", "backslashreplace")


class Directory(msgspec.Struct):
    """Where the central directory is.

    Attributes:
        start, size, count: First byte in the reader, bytes and entries.
        shift: Bytes in front of the archive that its offsets do not count.
        records: First byte of the records behind the directory (zip64 end or end record).
        end: Just behind the archive's comment.
        split: The archive is one part of several.
    """

    start: int
    size: int
    count: int
    shift: int
    records: int
    end: int
    split: bool = False


def read_local(data: bytes) -> Entry | None:
    """Parse a local header from the bytes at its start; None where that is none."""
    if len(data) < LOCAL_SIZE:
        return None
    magic, version, flags, method, clock, date, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(
        data
    )
    if magic != LOCAL or version & 0xFF > HIGHEST_VERSION or method not in METHODS or flags & UNUSED_FLAGS:
        return None
    name = data[LOCAL_SIZE : LOCAL_SIZE + name_size]
    extra = data[LOCAL_SIZE + name_size : LOCAL_SIZE + name_size + extra_size]
    if FULL32 in {packed, size}:
        size, packed, _ = _zip64(extra, size, packed, 0)
    header = LOCAL_SIZE + name_size + extra_size
    return Entry(name, flags, method, clock | date << 16, crc, packed, size, header)


def local_at(reader: Reader, offset: int) -> Entry | None:
    """Return the local header at ``offset``; None where there is none."""
    head = reader.read_at(offset, LOCAL_SIZE + USUAL)
    if len(head) < LOCAL_SIZE or head[:4] != LOCAL:
        return None
    variable = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    if variable > USUAL:
        head += reader.read_at(offset + LOCAL_SIZE + USUAL, variable - USUAL)
    if len(head) < LOCAL_SIZE + variable:
        return None  # its name reaches beyond the end: the signature alone is left, or comes by chance
    return read_local(head)


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return size, packed size and offset with those that are full taken from the zip64 extra field."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4
        if kind == 1:
            values = [
                int.from_bytes(extra[at : at + 8], "little")
                for at in range(position, min(position + length, len(extra)) - 7, 8)
            ]
            taken = [
                values.pop(0) if value == FULL32 and values else value for value in (size, packed, offset)
            ]
            return taken[0], taken[1], taken[2]
        position += length
    return size, packed, offset


def central_entries(reader: Reader, start: int, end: int) -> Iterator[Entry]:
    """Yield the entries of the central directory from ``start``, until one does not hold or at ``end``."""
    while start + CENTRAL_SIZE <= end:
        head = reader.read_at(start, CENTRAL_SIZE + USUAL)
        if len(head) < CENTRAL_SIZE or head[:4] != CENTRAL:
            return
        fields = _CENTRAL.unpack_from(head)
        _, _, _, flags, method, clock, date, crc, packed, size, name_size, extra_size, comment_size = fields[
            :13
        ]
        header = CENTRAL_SIZE + name_size + extra_size + comment_size
        if start + header > end or method not in METHODS:
            return
        if name_size + extra_size > USUAL:
            head = reader.read_at(start, CENTRAL_SIZE + name_size + extra_size)
        variable = head[CENTRAL_SIZE : CENTRAL_SIZE + name_size + extra_size]
        offset = fields[16]
        if FULL32 in {packed, size, offset}:
            size, packed, offset = _zip64(variable[name_size:], size, packed, offset)
        yield Entry(
            variable[:name_size], flags, method, clock | date << 16, crc, packed, size, header, offset
        )
        start += header


def find_directory(reader: Reader) -> Directory | None:
    """Return the central directory by the last end record that is consistent; None where there is none."""
    low = max(0, reader.size - END_SIZE - 2 * FULL16)  # a comment, and as much behind the archive
    position = reader.size
    for _ in range(64):
        position = rfind(reader, END, low, position)
        if position < 0:
            return None
        if directory := directory_at(reader, position):
            return directory
        position += len(END) - 1
    return None


def directory_at(reader: Reader, position: int) -> Directory | None:
    """Return the central directory by the end record at ``position``; None where that does not hold."""
    record = reader.read_at(position, END_SIZE)
    if len(record) < END_SIZE:
        return None
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack(record)
    records = position
    split = disk not in {0, FULL16} or first_disk not in {0, FULL16} or here != count
    end = position + END_SIZE + comment
    if (found := _end64(reader, position)) is not None:
        records, count, size, offset = found
        split = False
    start = records - size
    if end > reader.size or start < 0 or (start < offset and not split) or count * CENTRAL_SIZE > size:
        return None
    if count and reader.read_at(start, 4) != CENTRAL:
        return None
    return Directory(start, size, count, start - offset, records, end, split)


def _end64(reader: Reader, position: int) -> tuple[int, int, int, int] | None:
    """Return position, count, size and offset by the zip64 end record whose locator ends at ``position``."""
    locator = reader.read_at(position - LOCATOR64_SIZE, LOCATOR64_SIZE) if position >= LOCATOR64_SIZE else b""
    if locator[:4] != LOCATOR64:
        return None
    # The place the locator names is off where bytes stand in front of the archive; look right before it too.
    for at in (int.from_bytes(locator[8:16], "little"), position - LOCATOR64_SIZE - END64_SIZE):
        record = reader.read_at(at, END64_SIZE)
        if len(record) == END64_SIZE and record[:4] == END64:
            *_, count, size, offset = _END64.unpack(record)
            return at, count, size, offset
    return None


def descriptor_size(reader: Reader, position: int, crc: int, packed: int, size: int) -> int | None:
    """Return how long the data descriptor at ``position`` is; None where it does not agree.

    It comes with or without a signature and with sizes of 4 or 8 bytes; no field says which.
    """
    data = reader.read_at(position, 24)
    for magic in (DESCRIPTOR, b""):
        for width in (4, 8):
            expected = (
                magic
                + struct.pack("<I", crc)
                + (packed & (1 << 8 * width) - 1).to_bytes(width, "little")
                + (size & (1 << 8 * width) - 1).to_bytes(width, "little")
            )
            if data.startswith(expected):
                return len(expected)
    return None
