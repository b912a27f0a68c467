"""What the blocks of a disk say of where they are: structures of file systems that name their own place.

Sources: UEFI specification (GPT); Linux-NTFS Project, "NTFS Documentation"; the Linux kernel's documentation
of ext4; XFS Algorithms & Data Structures, 3rd edition; Microsoft's FAT32 specification.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from unransom.evidence.filesystems.ntfs.records import DATA, attributes, fixed
from unransom.evidence.filesystems.xfs.inodes import superblock
from unransom.evidence.volumes import signatures

SECTOR = 512
SHORT_TREES = (b"IAB3", b"FIB3", b"AB3B", b"AB3C", b"RMB3", b"R3FC", b"BMA3")
DOT = b".          \x10"
RECORD = 1024  # bytes of a record of NTFS, with every disk of 512-byte sectors


class Sighting(NamedTuple):
    """A structure that says where it is.

    Attributes:
        kind: ``gpt``, ``ext``, ``xfs``, ``ntfs``, ``fat`` or ``exfat``.
        volume: Tells volumes of one kind apart; b"" where it is the one that was begun last.
        place: Byte of the file.
        offset: Byte of the volume, of the disk for a GPT; or the number of a record, of a cluster.
        what: Its name.
        data: What else is needed of it.
    """

    kind: str
    volume: bytes
    place: int
    offset: int
    what: str
    data: bytes = b""


def sightings(block: bytes, place: int) -> Iterator[Sighting]:
    """Yield what is seen in a block of the file that begins at byte ``place``."""
    sectors = np.frombuffer(block[: len(block) // SECTOR * SECTOR], "<u4").reshape(-1, SECTOR // 4)
    firsts = sectors[:, 0]
    for number in np.flatnonzero((firsts[:, None] == WORDS).any(axis=1)).tolist():
        at = number * SECTOR
        yield from LOOKS[int(firsts[number])](block, at, place + at)
    for number in np.flatnonzero((firsts & 0xFFFF) == _word(b"IN\0\0")).tolist():
        yield from _xfs_inode(block, number * SECTOR, place + number * SECTOR)
    for number in np.flatnonzero((sectors[:, 14] & 0xFFFF) == 0xEF53).tolist():
        yield from _ext(block, number * SECTOR, place + number * SECTOR)
    jumps = (firsts & 0xFF == 0xEB) | (firsts & 0xFF == 0xE9)
    boots = (sectors[:, 127] >> 16 == 0xAA55) & jumps
    for number in np.flatnonzero(boots).tolist():
        yield from _boot(block, number * SECTOR, place + number * SECTOR)


def _boot(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    head = block[at : at + SECTOR]
    kind = signatures.filesystem(head)
    if kind in {"ntfs", "fat", "exfat"}:
        yield Sighting(kind, b"", place, 0, "boot", head)


def _gpt(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    if block[at : at + 8] == b"EFI PART" and at + SECTOR <= len(block):
        own, other = struct.unpack_from("<QQ", block, at + 24)
        if own > other > 0 and own < 1 << 46:
            yield Sighting("gpt", b"", place, own * SECTOR, "copy")


def _record(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    """A record of NTFS; the first one says where all are."""
    data = fixed(block[at : at + RECORD]) if at + RECORD <= len(block) else None
    if data is None or not 42 <= struct.unpack_from("<H", data, 20)[0] < 512:
        return
    number, runs = struct.unpack_from("<I", data, 44)[0], b""
    if number == 0:
        found = (each.runs for each in attributes(data) if each.kind == DATA and not each.name)
        pieces = [
            (cluster, count) for cluster, count in next(found, ()) if cluster is not None and count < 1 << 40
        ]
        runs = b"".join(struct.pack("<QQ", *piece) for piece in pieces if 0 <= piece[0] < 1 << 60)
    yield Sighting("ntfs", b"", place, number, "record", runs)


def _ext(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    data = block[at : at + 1024]
    if len(data) < 1024 or signatures.filesystem(bytes(1024) + data) != "ext":
        return
    first, bits, per_group = struct.unpack_from("<II4xI", data, 20)
    (group,) = struct.unpack_from("<H", data, 90)
    offset = ((group * per_group + first) << 10 + bits) if group else 1024
    yield Sighting("ext", data[104:120], place, offset, "superblock", data)


def _xfs_head(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    """A superblock of XFS; the header behind it says of which group."""
    layout = superblock(block[at : at + SECTOR])
    size = struct.unpack_from(">H", block, at + 102)[0] if layout else 0
    group = block[at + size : at + size + 12]
    if layout and group[:4] == b"XAGF" and len(group) == 12:
        number = struct.unpack_from(">I", group, 8)[0]
        offset = number * layout.group * layout.block
        yield Sighting("xfs", block[at + 32 : at + 48], place, offset, "group", block[at : at + SECTOR])


def _xfs_block(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    mark = block[at : at + 4]
    short = mark in SHORT_TREES
    where, identifier = (24 if mark == b"BMA3" else 16, 40 if mark == b"BMA3" else 32) if short else (8, 24)
    if at + 64 <= len(block):
        (sector,) = struct.unpack_from(">Q", block, at + where)
        if sector < 1 << 50:
            yield Sighting(
                "xfs", block[at + identifier : at + identifier + 16], place, sector * SECTOR, "block"
            )


def _xfs_inode(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    """An inode of version 3 knows its number."""
    if block[at : at + 2] == b"IN" and block[at + 4] == 3 and at + 176 <= len(block):
        (number,) = struct.unpack_from(">Q", block, at + 152)
        yield Sighting("xfs", block[at + 160 : at + 176], place, number, "inode")


def _dot(block: bytes, at: int, place: int) -> Iterator[Sighting]:
    """The first entry of a folder of FAT names the folder's own first cluster."""
    if block[at : at + 12] == DOT and block[at + 32 : at + 34] == b"..":
        high, low = struct.unpack_from("<H4xH", block, at + 20)
        yield Sighting("fat", b"", place, (high << 16 | low), "folder")


def _word(mark: bytes) -> int:
    return int.from_bytes(mark[:4], "little")


Look = Callable[[bytes, int, int], Iterator[Sighting]]
LOOKS: dict[int, Look] = {
    _word(b"EFI "): _gpt,
    _word(b"FILE"): _record,
    _word(b"XFSB"): _xfs_head,
    _word(DOT): _dot,
}
LOOKS |= {_word(mark): _xfs_block for mark in (*SHORT_TREES, b"XDB3", b"XDD3", b"XDF3")}
WORDS = np.array(list(LOOKS), np.uint32)
