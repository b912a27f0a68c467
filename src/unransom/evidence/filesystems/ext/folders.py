"""Names in blocks of folders of ext2, ext3 and ext4: those that count, and those in the gaps behind them.

Source: the Linux kernel's documentation, "Directory Entries".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

FOLDER = 2  # kind of an entry
KINDS = 8
TAIL = 12  # bytes of the entry that holds a checksum


class Entry(NamedTuple):
    """A name and the inode that it stands for; ``live`` unless it only stands in a gap."""

    name: bytes
    inode: int
    kind: int
    live: bool


def is_folder(block: bytes) -> bool:
    """Return whether the entries of a block follow each other up to its end."""
    at, named = 0, False
    while at + 8 <= len(block):
        inode, length, size, kind = struct.unpack_from("<IHBB", block, at)
        if length < 8 or length % 4 or at + length > len(block) or size + 8 > length:
            return False
        if kind >= KINDS and not (inode == 0 and kind == 0xDE and length == TAIL):
            return False
        named = named or bool(inode and size)
        at += length
    return at == len(block) and named


def entries(block: bytes, inodes: int) -> Iterator[Entry]:
    """Yield the names in a block that `is_folder`; of inodes up to the number ``inodes`` only."""
    at = 0
    while at + 8 <= len(block):
        inode, length, size, _ = struct.unpack_from("<IHBB", block, at)
        if length < 8 or at + length > len(block):
            return
        behind = at + 8 + (size + 3 & ~3)
        entry = _entry(block, at, at + length, inodes, live=bool(inode))
        if entry:
            yield entry
        elif not inode:
            behind = at  # the first entry of a block: only its inode is cleared
        yield from _gap(block, behind, at + length, inodes)
        at += length


def _gap(block: bytes, at: int, end: int, inodes: int) -> Iterator[Entry]:
    """Yield names between ``at`` and ``end`` that were removed."""
    while at + 12 <= end:
        entry = _entry(block, at, end, inodes, live=False)
        if entry is None:
            at += 4
            continue
        yield entry
        at += 8 + (len(entry.name) + 3 & ~3)


def _entry(block: bytes, at: int, end: int, inodes: int, *, live: bool) -> Entry | None:
    inode, length, size, kind = struct.unpack_from("<IHBB", block, at)
    name = block[at + 8 : at + 8 + size]
    sound = 0 < inode <= inodes and size and at + 8 + size <= end and kind < KINDS
    sound = sound and length % 4 == 0 and length >= 8 + size and b"\0" not in name and b"/" not in name
    return Entry(name, inode, kind, live) if sound else None


def own(block: bytes) -> int:
    """Return the inode of the folder that a block is the first one of; 0 for another block."""
    inode, _, size, _ = struct.unpack_from("<IHBB", block)
    return int(inode) if size == 1 and block[8:9] == b"." else 0
