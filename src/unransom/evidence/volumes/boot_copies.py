"""The copies that NTFS, exFAT and FAT32 keep of their first sector.

Sources: Microsoft, exFAT file system specification, 3.1 and 3.4; Microsoft, FAT32 file system specification,
BPB_BkBootSec; for NTFS, whose copy stands behind the volume, what Windows and mkntfs write.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.streams import Reader
from unransom.evidence.volumes import signatures
from unransom.evidence.volumes.gpt import read

SECTORS = (512, 1024, 2048, 4096)  # bytes that a sector may have
EXFAT_COPY, EXFAT_SUMMED = 12, 11  # sectors before the copy; of it under the checksum in the one that follows
EXFAT_CHANGING = (106, 107, 112)  # bytes of the first sector that the checksum leaves out
FAT_COPY = 6  # sectors before the copy
INFO = b"RRaA"  # the sector behind the copy begins so
RESERVED_TABLES_LENGTH = (("<H", 14), ("<B", 16), ("<I", 36))  # in sectors but for the number of tables


class Boot(NamedTuple):
    """A first sector by its copy: file system, bytes of the volume that it tells, the first 512 bytes."""

    filesystem: str
    size: int
    data: bytes


def copied(reader: Reader, start: int, size: int) -> Boot | None:
    """Return the first sector of a volume, None where there is no copy of one that fits its place.

    Args:
        reader: The disk.
        start: Byte where the volume begins.
        size: Bytes that it may have; a copy of NTFS's stands at their end.
    """
    for sector in SECTORS:
        for found in (_exfat(reader, start, sector), _fat(reader, start, sector)):
            if found and 0 < found.size <= reader.size - start:
                return found
        for end in (start + size, start + size + sector):
            boot = ntfs(read(reader, end - sector, 512))
            if boot and sector_of(boot.data) == sector:
                surplus = end - start - boot.size
                if 0 <= surplus < signatures.ntfs_cluster(boot.data):
                    return boot._replace(size=size)
    return None


def ntfs(data: bytes) -> Boot | None:
    """Return the first sector of an NTFS volume if ``data`` is one; its copy belongs to the volume."""
    if data[3:11] != b"NTFS    " or signatures.filesystem(data) != "ntfs":
        return None
    return Boot("ntfs", (int.from_bytes(data[40:48], "little") + 1) * sector_of(data), data[:512])


def ntfs_copies(reader: Reader, begin: int, length: int) -> Iterator[tuple[int, Boot]]:
    """Yield where NTFS volumes begin that end within some bytes of a disk, and their first sectors."""
    tail = read(reader, begin, length)
    for place in range(0, len(tail) - 511, 512):
        boot = ntfs(tail[place : place + 512])
        start = begin + place + sector_of(boot.data) - boot.size if boot else -1
        if boot and start >= 0:
            yield start, boot


def sector_of(data: bytes) -> int:
    """Return the bytes of a sector by the first sector of NTFS or FAT."""
    return int.from_bytes(data[11:13], "little")


def exfat_size(data: bytes) -> int:
    """Return the bytes of an exFAT volume by its first sector."""
    return int.from_bytes(data[72:80], "little") << min(data[108], 12)


def fat_size(data: bytes) -> int:
    """Return the bytes of a FAT volume by its first sector."""
    small, large = struct.unpack_from("<H", data, 19)[0], struct.unpack_from("<I", data, 32)[0]
    return int(small or large) * sector_of(data)


def _exfat(reader: Reader, start: int, sector: int) -> Boot | None:
    """Return the first sector of exFAT, if the copy's checksum holds."""
    place = start + EXFAT_COPY * sector
    data = read(reader, place, 512)
    if signatures.filesystem(data) != "exfat" or 1 << min(data[108], 12) != sector:
        return None
    data = read(reader, place, (EXFAT_SUMMED + 1) * sector)
    sums = data[EXFAT_SUMMED * sector :]
    if len(sums) < sector or sums != sums[:4] * (sector // 4):  # the same, over and over
        return None
    total = 0
    for at, byte in enumerate(data[: EXFAT_SUMMED * sector]):
        if at not in EXFAT_CHANGING:
            total = (total >> 1 | total << 31 & 0xFFFFFFFF) + byte & 0xFFFFFFFF
    return Boot("exfat", exfat_size(data), data[:512]) if sums[:4] == total.to_bytes(4, "little") else None


def _fat(reader: Reader, start: int, sector: int) -> Boot | None:
    """Return the first sector of FAT32: the copy tells where it stands, and a table is where it says.

    It has no checksum: what was formatted over since is told by the tables, of which one may be lost.
    """
    data = read(reader, start + FAT_COPY * sector, sector + len(INFO))
    if signatures.filesystem(data) != "fat" or data[sector:] != INFO:
        return None
    small, place = struct.unpack_from("<H", data, 22)[0], struct.unpack_from("<H", data, 50)[0]
    if small or place != FAT_COPY or sector_of(data) != sector:
        return None
    reserved, tables, length = (struct.unpack_from(form, data, at)[0] for form, at in RESERVED_TABLES_LENGTH)
    heads = [read(reader, start + (reserved + number * length) * sector, 4) for number in range(tables)]
    begun = any(
        head[:3] == data[21:22] + b"\xff\xff" and head[3] & 15 == 15 for head in heads if len(head) == 4
    )
    return Boot("fat", fat_size(data), data[:512]) if begun else None
