"""The log of XFS: inodes of files and names in folders as they were.

Every sector of a record begins with the number of the log's turn; what stood there is in the record's head. A
record of which a later turn has written over a part is read up to there. Numbers are in the order of the
processor that wrote them: this reads the little-endian ones.

Source: XFS Algorithms & Data Structures, 3rd edition, "Journaling Log".
"""

from __future__ import annotations

import stat
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.core.streams import CHUNK, Reader
from unransom.evidence.filesystems.xfs.inodes import (
    BIG_COUNTS,
    BIG_TIMES,
    CORE_V3,
    EPOCH,
    EXTENTS,
    HEAD,
    INODE_MARK,
    Inode,
)

SECTOR = 512
MARK = b"\xfe\xed\xba\xbe"
TURN = 64  # sectors whose first words are in one head
LONGEST = 1 << 20  # bytes of a record
MOST = 1 << 31  # bytes of a log
INODE_ITEM = 0x123B
HAS_EXTENTS = 4  # field of an item
CORE = struct.Struct("<2sHBB")


class Change(NamedTuple):
    """A part of a record: when it was written (the larger, the later), and its bytes."""

    order: int
    data: bytes


class Logged(NamedTuple):
    """An inode as it was, and its generation."""

    order: int
    inode: Inode
    generation: int


def changes(reader: Reader, start: int, block: int, place: int) -> Iterator[Change]:
    """Yield the parts of all records in the log of the volume that begins at ``start``.

    Args:
        reader: The image.
        start: Where the volume begins.
        block: Bytes of a block.
        place: Where the log begins in the image.
    """
    (blocks,) = struct.unpack_from(">I", reader.read_at(start, HEAD), 96)
    size = min(blocks * block, MOST) // SECTOR * SECTOR
    for at in range(0, size, CHUNK):
        data = reader.read_at(place + at, min(CHUNK, size - at))
        for inside in range(0, len(data), SECTOR):
            if data.startswith(MARK, inside):
                yield from _record(reader, place, size, at + inside)


def _record(reader: Reader, place: int, size: int, at: int) -> Iterator[Change]:
    head = reader.read_at(place + at, SECTOR)
    if len(head) < SECTOR:
        return
    cycle, version, length, order = struct.unpack_from(">IIIQ", head, 4)
    (buffer,) = struct.unpack_from(">I", head, 320)
    heads = max(1, -(-min(buffer, LONGEST) // (TURN * SECTOR))) if version & 2 else 1
    if not 0 < length <= LONGEST:
        return
    whole = _circle(reader, place, size, at, (heads - 1) * SECTOR + -(-length // SECTOR) * SECTOR)
    words = head[44 : 44 + 4 * TURN]
    for number in range(heads - 1):
        words += whole[number * SECTOR + 4 : number * SECTOR + 4 + 4 * TURN]
    data = bytearray()
    turn = cycle.to_bytes(4, "big")
    for index, start in enumerate(range((heads - 1) * SECTOR, len(whole), SECTOR)):
        if not whole.startswith(turn, start) or index >= len(words) // 4:
            break
        data += words[4 * index : 4 * index + 4] + whole[start + 4 : start + SECTOR]
    yield from _parts(bytes(data[:length]), order)


def _circle(reader: Reader, place: int, size: int, at: int, length: int) -> bytes:
    """Return ``length`` bytes behind the sector of the log at ``at``, which is a circle."""
    start = (at + SECTOR) % size
    first = reader.read_at(place + start, min(length, size - start))
    return first + reader.read_at(place, min(length, size) - len(first)) if len(first) < length else first


def _parts(data: bytes, order: int) -> Iterator[Change]:
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at + 4)
        if at + 12 + length > len(data):
            return
        if length:
            yield Change(order, data[at + 12 : at + 12 + length])
        at += 12 + length


def inodes(parts: Iterable[Change]) -> Iterator[Logged]:
    """Yield the inodes of files in parts of records that come with their extents."""
    last = deque[Change](maxlen=3)
    for part in parts:
        last.append(part)
        if len(last) < 3:
            continue
        item, core, fork = last
        if len(item.data) < 24 or struct.unpack_from("<H", item.data)[0] != INODE_ITEM:
            continue
        fields, number = struct.unpack_from("<I8xQ", item.data, 4)
        if not fields & HAS_EXTENTS or len(core.data) < CORE_V3 or len(fork.data) % 16:
            continue
        mark, mode, version, form = CORE.unpack_from(core.data)
        if mark == INODE_MARK[::-1] and version == 3 and form == EXTENTS and stat.S_ISREG(mode):
            yield Logged(core.order, *_inode(core.data, number, mode, fork.data))


def _inode(core: bytes, number: int, mode: int, fork: bytes) -> tuple[Inode, int]:
    (size,) = struct.unpack_from("<Q", core, 56)
    (count,) = struct.unpack_from("<I", core, 76)
    (generation,) = struct.unpack_from("<I", core, 92)
    (flags,) = struct.unpack_from("<Q", core, 120)
    if flags & BIG_COUNTS:
        (count,) = struct.unpack_from("<Q", core, 24)
    modified, changed, created = (
        _time(core[at : at + 8], big=bool(flags & BIG_TIMES)) for at in (40, 48, 144)
    )
    return Inode(number, mode, size, modified, changed, created, EXTENTS, count, fork), generation


def _time(data: bytes, *, big: bool) -> int:
    if big:
        return int.from_bytes(data, "little") + EPOCH * 1_000_000_000
    seconds, nanoseconds = struct.unpack("<iI", data)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
