"""Volumes of a disk whose head is lost: by the copies that tables and file systems keep of themselves.

GPT has a copy at the end of the disk; NTFS, exFAT and FAT32 have one of their first sector, ext has copies of
its superblock in groups of blocks. What stands at the usual starts of volumes is looked at as well. Where no
copy of FAT's is left, its tables and folders tell what the first sector did.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unransom.core.spans import Span, gaps
from unransom.core.streams import Reader, file_of
from unransom.evidence.volumes import boot_copies, fat_geometry, gpt, signatures

MIB = gpt.MIB
OLD_START = 63 * 512  # bytes; where partitions began before Windows Vista
SWEPT = 64 << 30  # bytes at whose multiples of 1 MiB volumes are looked for
BLOCKS = (1024, 2048, 4096)  # bytes of a block of ext; a group has eight times as many
COPIES = (1, 3, 5, 7)  # groups of ext with a copy of the superblock: the first ones
SUPERBLOCK = 1024  # bytes of ext's, and where it is
MOST_DESCRIPTORS = 1 << 24  # bytes
WIDE = 0x80  # feature of ext: descriptors of groups have a size of their own


class Patch(NamedTuple):
    """Bytes that belong at an offset of the disk, where they are lost."""

    offset: int
    data: bytes


class Found(NamedTuple):
    """A volume: bytes, file system, and what must be put back for it to open."""

    start: int
    size: int
    filesystem: str
    patches: tuple[Patch, ...] = ()


class Patched:
    """A reader with some of its bytes put back."""

    def __init__(self, reader: Reader, patches: Sequence[Patch]) -> None:
        self._reader = reader
        self._patches = patches
        self.size = reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the reader ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        end = min(offset + length, self.size)
        data = bytearray(max(end - offset, 0))
        covered = []
        for patch in self._patches:
            start, stop = max(patch.offset, offset), min(patch.offset + len(patch.data), end)
            if start < stop:
                data[start - offset : stop - offset] = patch.data[start - patch.offset : stop - patch.offset]
                covered.append(Span(start - offset, stop - offset))
        for gap in gaps(covered, len(data)):  # only these: what is put back may be lost below
            data[gap.start : gap.end] = self._reader.read_at(offset + gap.start, gap.end - gap.start)
        return bytes(data)


def partitions(reader: Reader) -> list[tuple[int, int, str]]:
    """Return start, size and label of the partitions that the copy of a GPT names; none without one."""
    found = gpt.copy(reader)
    return found.partitions if found else []


def sweep(reader: Reader) -> list[Found]:
    """Return the volumes that begin where volumes usually do, or end where the disk does."""
    found = [each for start in (0, OLD_START) if (each := _copied(reader, start, reader.size - start))]
    if not found:
        found = list(swept(reader, Span(MIB, min(reader.size, SWEPT))))
    for end in gpt.ends(reader):
        for start, boot in boot_copies.ntfs_copies(reader, max(0, end - gpt.TAIL), gpt.TAIL):
            if not any(each.start <= start < each.start + each.size for each in found):
                found.append(Found(start, boot.size, "ntfs", (Patch(start, boot.data),)))
    first = _measured(reader, 0, min((each.start for each in found), default=reader.size))
    return sorted([*found, first] if first else found)


def repaired(reader: Reader, start: int, size: int) -> Found | None:
    """Return the volume at ``start`` by copies of its first sectors, or by the tables of FAT, else None."""
    return _copied(reader, start, size) or _measured(reader, start, size)


def _measured(reader: Reader, start: int, size: int) -> Found | None:
    """Return the FAT volume at ``start`` by its tables and folders, None where these do not tell it."""
    data = fat_geometry.boot_of(reader, start, size)
    return Found(start, boot_copies.fat_size(data), "fat", (Patch(start, data),)) if data else None


def _copied(reader: Reader, start: int, size: int) -> Found | None:
    """Return the volume at ``start`` by a copy of its first sectors, None where there is none."""
    found = _ext(reader, start)
    if found:
        return found
    boot = boot_copies.copied(reader, start, size)
    return Found(start, boot.size, boot.filesystem, (Patch(start, boot.data),)) if boot else None


def readable(head: bytes, start: int) -> tuple[Patch, ...]:
    """Return what must be put for the first sector of an NTFS volume with clusters of more than 128 sectors.

    Windows writes such numbers of sectors as a power of two, which The Sleuth Kit does not know: the same
    volume is told to it in larger sectors.
    """
    sector, factor = struct.unpack_from("<HB", head, 11)
    power = 256 - factor
    larger = 1 << power >> 7  # sectors of the disk in one of those that are told
    if not 128 < factor < 256 or not 7 < power <= 12 or not 512 <= sector * larger < 1 << 16:
        return ()
    sectors = int.from_bytes(head[40:48], "little") // larger
    data = head[:11] + struct.pack("<HB", sector * larger, 128) + head[14:40] + sectors.to_bytes(8, "little")
    return (Patch(start, data),)


def is_bare(reader: Reader) -> bool:
    """Return whether a disk or volume without a head is all that there is: no container around it.

    The copy of its table, or of its first sector, stands where it says that it does.
    """
    boot = boot_copies.copied(reader, 0, reader.size)
    return (boot is not None and reader.size - boot.size < MIB) or bool(partitions(reader))


def size_of(head: bytes, kind: str) -> int:
    """Return the bytes of a volume by its first ones, 0 where they do not say."""
    if kind == "ntfs":
        boot = boot_copies.ntfs(head)
        return boot.size if boot else 0
    if kind == "ext":
        blocks, bits = struct.unpack_from("<I", head, 1028)[0], struct.unpack_from("<I", head, 1048)[0]
        return int(blocks) << (10 + min(int(bits), 6))
    if kind == "xfs":
        return int(struct.unpack_from(">I", head, 4)[0] * struct.unpack_from(">Q", head, 8)[0])
    if kind == "fat":
        return boot_copies.fat_size(head)
    return boot_copies.exfat_size(head)


def swept(reader: Reader, part: Span) -> Iterator[Found]:
    """Yield the volumes in a part of a disk that begin at multiples of 1 MiB."""
    file = file_of(reader)
    start = -(-part.start // MIB) * MIB
    while start < part.end:
        head = gpt.read(reader, start, signatures.HEAD)
        kind = signatures.filesystem(head)
        size = min(size_of(head, kind), part.end - start) if kind and not _is_copy(head, kind) else 0
        found = Found(start, size, kind) if size > 0 else None
        if not found:
            found = _xfs(head, start) if kind == "xfs" else _copied(reader, start, part.end - start)
        if found and found.start >= part.start:
            yield found
        hole = file.hole_at(start) if file and not found else 0
        end = found.start + found.size if found else start + hole
        start = max(start + MIB, -(-end // MIB) * MIB)


def _is_copy(head: bytes, kind: str) -> bool:
    """Return whether a superblock says of itself that it is not the first one of its volume."""
    if kind == "ext":
        return head[SUPERBLOCK + 90 : SUPERBLOCK + 92] != b"\0\0"
    return kind == "xfs" and _xfs_group(head) > 0


def _xfs_group(head: bytes) -> int:
    """Return of which group of XFS the superblock is, by the header behind it; 0 without one."""
    behind = struct.unpack_from(">H", head, 102)[0]
    return (
        int.from_bytes(head[behind + 8 : behind + 12], "big") if head[behind : behind + 4] == b"XAGF" else 0
    )


def _xfs(head: bytes, place: int) -> Found | None:
    """Return the volume of which a copy of the superblock of XFS is at ``place``."""
    block, group = int.from_bytes(head[4:8], "big"), int.from_bytes(head[84:88], "big")
    start, size = place - _xfs_group(head) * group * block, size_of(head, "xfs")
    if start < 0 or not place < start + size:
        return None
    return Found(start, size, "xfs", (Patch(start, head[:512]),))


def _ext(reader: Reader, start: int) -> Found | None:
    for block, number in itertools.product(BLOCKS, COPIES):
        first = int(block == SUPERBLOCK)
        copy = first + number * 8 * block
        data = gpt.read(reader, start + copy * block, SUPERBLOCK)
        if signatures.filesystem(bytes(SUPERBLOCK) + data) != "ext":
            continue
        bits, group = struct.unpack_from("<I", data, 24)[0], struct.unpack_from("<H", data, 90)[0]
        if bits > 6 or 1024 << bits != block or group != number:
            continue
        blocks, per_group = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 32)[0]
        if per_group != 8 * block:
            continue
        wide = struct.unpack_from("<I", data, 96)[0] & WIDE
        descriptor = struct.unpack_from("<H", data, 254)[0] if wide else 32
        groups = -(-(blocks - first) // per_group) if per_group else 0
        length = min(groups * max(descriptor, 32), MOST_DESCRIPTORS)
        table = gpt.read(reader, start + (copy + 1) * block, length)
        patches = (
            Patch(start + SUPERBLOCK, data[:90] + b"\0\0" + data[92:]),
            Patch(start + (first + 1) * block, table),
        )
        return Found(start, blocks * block, "ext", patches)
    return None
