"""Members of Linux's software RAID: what they belong to, and where the data of a mirror begins.

Source: the layout of the superblock of version 1 in Linux's raid/md_p.h.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MARK = b"\xfc\x4e\x2b\xa9\x01\0\0\0"  # magic, and version 1
PLACES = (4096, 0)  # of the superblock, in versions 1.2 and 1.1
SECTOR = 512
MIRROR = 1  # level


class Member(NamedTuple):
    """A disk of an array.

    Attributes:
        level: As of RAID; -1 for disks one after the other.
        disks: How many the array has.
        start, size: Bytes of the data, from the member's first byte.
    """

    level: int
    disks: int
    start: int
    size: int


def member(head: bytes) -> Member | None:
    """Return what the disk or partition that begins with ``head`` is a member of; None for no array."""
    place = next((at for at in PLACES if head[at : at + 8] == MARK), None)
    if place is None or len(head) < place + 256:
        return None
    level, disks = struct.unpack_from("<i16xI", head, place + 72)
    start, size = struct.unpack_from("<QQ", head, place + 128)
    if not 0 < disks <= 4096 or max(start, size) >= 1 << 50:
        return None
    return Member(level, disks, start * SECTOR, size * SECTOR)
