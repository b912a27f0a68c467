"""Tells from the first bytes whether something is a disk or a volume, without reading more of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.core.streams import Reader

HEAD = 8192  # bytes that recognition needs: a GPT header at sector 1 of 4,096-byte sectors ends there
SECTOR = 512
BOOT_MARK = b"\x55\xaa"  # at byte 510 of an MBR and of the boot sector of NTFS, FAT and exFAT
RAID_MARK = b"\xfc\x4e\x2b\xa9\1\0\0\0"  # and version 1
ENTRY = struct.Struct("<B3xB3xII")  # of an MBR: status, type, first sector, sectors
FOREIGN = (  # what is told, and not read: where its mark stands, the mark, and what people call it
    (0, b"LUKS\xba\xbe", "LUKS"),
    (3, b"-FVE-FS-", "BitLocker"),
    (3, b"ReFS\0\0\0\0", "ReFS"),
    (32, b"NXSB", "APFS"),
    (65600, b"_BHRfS_M", "Btrfs"),
)
PROTECTIVE = 0xEE  # type of what keeps programs that know no GPT away


def filesystem(head: bytes) -> str:
    """Return what starts with ``head``: ``ntfs``, ``fat``, ``exfat``, ``ext``, ``xfs`` or ""."""
    if _is_ext(head):
        return "ext"
    if _is_xfs(head):
        return "xfs"
    if head[510:512] != BOOT_MARK:
        return ""
    if head[3:11] == b"NTFS    ":
        return "ntfs"
    if head[3:11] == b"EXFAT   ":
        return "exfat"
    return "fat" if _is_fat(head) else ""


def partition_table(head: bytes, size: int) -> str:
    """Return the kind of table that cuts a disk of ``size`` bytes: ``gpt``, ``mbr`` or ""."""
    if head[510:512] == BOOT_MARK and any(kind == PROTECTIVE for _, kind, _, _ in _mbr(head)):
        return "gpt"  # whatever else an MBR names beside it, and whether its own head is there or not
    if _is_mbr(head, size):
        return "mbr"  # even if a GPT of earlier times stands behind it
    return "gpt" if any(head[at : at + 8] == b"EFI PART" for at in (SECTOR, 4096)) else ""


def is_disk(head: bytes, size: int) -> bool:
    """Return whether a file of ``size`` bytes that starts with ``head`` is an image of a disk or volume."""
    return bool(
        filesystem(head) or partition_table(head, size) or lvm_label(head) is not None or is_member(head)
    )


def foreign(reader: Reader, start: int) -> str:
    """Return what begins at byte ``start`` that is no file system which is read here; "" for nothing known.

    Raises:
        UnreadableError: It cannot be read.
    """
    return next((kind for at, mark, kind in FOREIGN if reader.read_at(start + at, len(mark)) == mark), "")


def lvm_label(head: bytes) -> int | None:
    """Return where the label is that makes a disk one of LVM2's; None without one."""
    return next((at for at in range(0, 4 * SECTOR, SECTOR) if head[at : at + 8] == b"LABELONE"), None)


def is_member(head: bytes) -> bool:
    """Return whether a disk is of a software RAID of Linux whose superblocks stand at its start."""
    return any(head[at : at + 8] == RAID_MARK for at in (0, 4096))


def _is_ext(head: bytes) -> bool:
    """The superblock is at byte 1024; its magic has but 16 bits, so that its neighbours must make sense."""
    if head[1080:1082] != b"\x53\xef" or len(head) < 1024 + 80:
        return False
    inodes, blocks = struct.unpack_from("<II", head, 1024)
    first_block, block_size = struct.unpack_from("<II", head, 1024 + 20)
    (revision,) = struct.unpack_from("<I", head, 1024 + 76)
    return inodes > 0 and blocks > 0 and block_size <= 6 and first_block <= 1 and revision <= 1


def _is_xfs(head: bytes) -> bool:
    """The magic has 32 bits, and the size of a block is there twice."""
    if head[:4] != b"XFSB" or len(head) < SECTOR or not 9 <= head[120] <= 16:
        return False
    return int.from_bytes(head[4:8], "big") == 1 << head[120]


def _is_fat(head: bytes) -> bool:
    """A FAT boot sector has no magic of its own: its BIOS parameter block must make sense."""
    sector_size, per_cluster, reserved, tables = struct.unpack_from("<HBHB", head, 11)
    return (
        head[0] in {0xEB, 0xE9}
        and sector_size in {512, 1024, 2048, 4096}
        and per_cluster in {1, 2, 4, 8, 16, 32, 64, 128}
        and reserved > 0
        and tables in {1, 2}
        and head[21] >= 0xF0
    )


def _mbr(head: bytes) -> Iterator[tuple[int, ...]]:
    """Yield status, type, first sector and sectors of the entries of an MBR."""
    return ENTRY.iter_unpack(head[446:510])


def _is_mbr(head: bytes, size: int) -> bool:
    """Every entry must be empty or well-formed, and the first sector of at least one be on the disk.

    Where a partition ends is not asked: a truncated image is an image.
    """
    if head[510:512] != BOOT_MARK:
        return False
    inside = False
    for status, kind, first, sectors in _mbr(head):
        if status not in {0x00, 0x80}:
            return False
        if kind and sectors and first:
            inside = inside or first * SECTOR < size
    return inside


def ntfs_cluster(head: bytes) -> int:
    """Return the bytes of a cluster by the first sector of NTFS; above 128 its factor is a power of two."""
    sector, factor = struct.unpack_from("<HB", head, 11)
    return int(sector) * (factor if factor <= 128 else 1 << (256 - factor & 31))
