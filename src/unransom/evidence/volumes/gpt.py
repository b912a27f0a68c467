"""GPT: the table at the head of a disk and its copy at the end, whichever of them is whole.

Source: UEFI specification, chapter "GUID Partition Table (GPT) Disk Layout".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader, file_of

MIB = 1 << 20
TAIL = 2 * MIB  # bytes in front of the end in which the copy is looked for
SECTORS = (512, 4096)
MARK = b"EFI PART"
HEADER = struct.Struct("<12xII4xQQ32xQIII")  # its size and checksum; own sector, the other's; entries, ...
ENTRY = struct.Struct("<16x16xQQQ72s")
LONGEST_HEADER = 512
MOST_ENTRIES = 1024


class Table(NamedTuple):
    """A GPT.

    Attributes:
        partitions: Start, size and label of each; bytes.
        whole: Whether its checksums hold.
        copy: Whether it is the one at the end of the disk.
    """

    partitions: list[tuple[int, int, str]]
    whole: bool
    copy: bool


def table(reader: Reader) -> Table | None:
    """Return the table of a disk: one whose checksums hold, else the first that names partitions."""
    found = []
    for each in _tables(reader):
        if each.whole:
            return each
        found.append(each)
    return next(iter(found), None)


def copy(reader: Reader) -> Table | None:
    """Return the copy of the table at the end of the disk, None where there is none."""
    return next((each for each in _tables(reader) if each.copy), None)


def ends(reader: Reader) -> Iterator[int]:
    """Yield where the disk ends, and where the last of what is stored of it does."""
    yield reader.size
    file = file_of(reader)
    position = reader.size
    for _ in range(64):  # a disk is often a little smaller than its tables have room for
        position = max(0, position - MIB)
        if file is None or position == 0 or file.hole_at(position) < MIB:
            break
    if position + MIB < reader.size:
        yield position + MIB


def _tables(reader: Reader) -> Iterator[Table]:
    """Yield the tables that name partitions, that at the head first."""
    for sector in SECTORS:
        found = _parsed(reader, read(reader, sector, LONGEST_HEADER), sector, copy=False)
        if found:
            yield found
    for end in ends(reader):
        begin = max(0, end - TAIL)
        tail = read(reader, begin, TAIL)
        place = tail.rfind(MARK)
        while place >= 0:
            found = _parsed(reader, tail[place : place + LONGEST_HEADER], begin + place, copy=True)
            if found:
                yield found
            place = tail.rfind(MARK, 0, place)


def _parsed(reader: Reader, header: bytes, place: int, *, copy: bool) -> Table | None:
    if header[: len(MARK)] != MARK or len(header) < HEADER.size:
        return None
    length, checksum, own, _, first, count, size, of_entries = HEADER.unpack_from(header)
    sector = next((each for each in SECTORS if own * each == place), 0)
    if not sector or not ENTRY.size <= size <= 4096 or count > MOST_ENTRIES:
        return None
    data = read(reader, first * sector, count * size)
    found = []
    for number in range(len(data) // size):
        start, last, _, label = ENTRY.unpack_from(data, number * size)
        if start and start <= last and any(data[number * size : number * size + 16]):
            name = label.decode("utf-16-le", "replace").split("\0")[0]
            found.append((start * sector, (last + 1 - start) * sector, name))
    whole = HEADER.size <= length <= len(header)
    whole = whole and zlib.crc32(header[:16] + bytes(4) + header[20:length]) == checksum
    return Table(found, whole and zlib.crc32(data) == of_entries, copy) if found else None


def read(reader: Reader, offset: int, length: int) -> bytes:
    """Return what is there of some bytes of a disk, b"" where they cannot be read."""
    if offset < 0:
        return b""
    try:
        return reader.read_at(offset, min(length, max(0, reader.size - offset)))
    except UnreadableError:
        return b""
