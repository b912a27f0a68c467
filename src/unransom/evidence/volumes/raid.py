"""Members of Linux's software RAID: what their superblocks say of the array and of their place in it.

Source: the layouts of the superblocks of version 0.90 and 1 in Linux's raid/md_p.h.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader

MAGIC = 0xA92B4EFC
SECTOR = 512
OLD_SIZE = 4096  # bytes of a superblock of version 0.90
OLD_ROUND = 64 * 1024
LINEAR, STRIPES, MIRROR, PARITY_LAST, PARITY, PARITY_TWICE, MIRRORED_STRIPES = -1, 0, 1, 4, 5, 6, 10
LEVELS = {LINEAR, STRIPES, MIRROR, PARITY_LAST, PARITY, PARITY_TWICE, MIRRORED_STRIPES}
SPARE = 0xFFFE  # roles from here on have no data
RESHAPING = 4  # feature: the data are being moved to another layout
MOST_DISKS = 384
LARGEST = 1 << 50  # bytes


class Member(NamedTuple):
    """A disk of an array.

    Attributes:
        level: As of RAID; -1 for disks one after the other.
        disks: How many the array has.
        start, size: Bytes of the data, from the member's first byte.
        array: Identifier of the array.
        role: Its number in the array; -1 for one that has no data.
        layout: How parity or copies go round.
        chunk: Bytes of a stripe on a disk.
        events: How often the array had changed; a member that dropped out has fewer.
        reshaping: Whether the layout was being changed.
    """

    level: int
    disks: int
    start: int
    size: int
    array: bytes = b""
    role: int = 0
    layout: int = 0
    chunk: int = 0
    events: int = 0
    reshaping: bool = False


def member(reader: Reader, start: int, size: int) -> Member | None:
    """Return what the disk or partition at byte ``start`` is a member of; None for no array.

    A superblock stands 4 KiB behind the start (version 1.2), at it (1.1), or near the end (1.0, 0.90).
    """
    near_end = (size // SECTOR - 16) // 8 * 8 * SECTOR
    for place in (4096, 0, near_end):
        found = _new(_read(reader, start, place, size), place)
        if found:
            return found
    place = size // OLD_ROUND * OLD_ROUND - OLD_ROUND
    return _old(_read(reader, start, place, size), place)


def _read(reader: Reader, start: int, place: int, size: int) -> bytes:
    if not 0 <= place <= size - SECTOR:
        return b""
    try:
        return reader.read_at(start + place, min(OLD_SIZE, size - place))
    except UnreadableError:
        return b""


def _new(data: bytes, place: int) -> Member | None:
    """Return what a superblock of version 1 at byte ``place`` says."""
    if len(data) < SECTOR or struct.unpack_from("<II", data) != (MAGIC, 1):
        return None
    (features,) = struct.unpack_from("<I", data, 8)
    level, layout, used, chunk, disks = struct.unpack_from("<iIQII", data, 72)
    first, size, own = struct.unpack_from("<QQQ", data, 128)
    number, events, roles = (
        struct.unpack_from("<I", data, 160)[0],
        struct.unpack_from("<Q", data, 200)[0],
        struct.unpack_from("<I", data, 220)[0],
    )
    role = SPARE
    if number < roles and 256 + 2 * number + 2 <= len(data):
        (role,) = struct.unpack_from("<H", data, 256 + 2 * number)
    if own * SECTOR != place:
        return None
    size = min(used, size) if used and level not in {LINEAR, STRIPES} else size
    return _checked(
        Member(
            level,
            disks,
            first * SECTOR,
            size * SECTOR,
            data[16:32],
            role if role < SPARE else -1,
            layout,
            chunk * SECTOR,
            events,
            bool(features & RESHAPING),
        )
    )


def _old(data: bytes, place: int) -> Member | None:
    """Return what a superblock of version 0.90 at byte ``place`` says: the data stand in front of it."""
    if len(data) < OLD_SIZE or struct.unpack_from("<III", data) != (MAGIC, 0, 90):
        return None
    words = struct.unpack("<1024I", data)
    level = words[7] - (1 << 32) if words[7] >> 31 else words[7]
    size = words[8] * 1024 if words[8] and level not in {LINEAR, STRIPES} else place
    identifier = struct.pack("<4I", words[5], *words[13:16])
    role = words[992 + 3]
    events = words[40] << 32 | words[39]
    role = role if role < words[10] else -1
    return _checked(Member(level, words[10], 0, size, identifier, role, words[64], words[65], events))


def _checked(found: Member) -> Member | None:
    sound = found.level in LEVELS and 0 < found.disks <= MOST_DISKS and max(found.start, found.size) < LARGEST
    if found.level not in {LINEAR, MIRROR}:
        sound = sound and SECTOR <= found.chunk <= 1 << 30 and found.chunk % SECTOR == 0
    return found if sound and found.role < found.disks else None
