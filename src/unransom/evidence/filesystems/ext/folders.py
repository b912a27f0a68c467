"""Names in blocks of folders of ext2, ext3 and ext4: those that count, and those in the gaps behind them.

Source: the Linux kernel's documentation, "Directory Entries".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

FIELDS = struct.Struct("<IHBB")  # at the beginning of an entry: inode, length, bytes of the name, kind
FOLDER = 2  # kind of an entry
KINDS = 8
TAIL = 12  # bytes of the entry that holds a checksum
SHORT = 512  # bytes of an entry that is remembered,
REMEMBERED = 1 << 14  # and how many are: the copies of a block in a journal differ in one or two


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
        inode, length, size, kind = FIELDS.unpack_from(block, at)
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
        length = FIELDS.unpack_from(block, at)[1]
        if length < 8 or at + length > len(block):
            return
        names = _remembered if length <= SHORT else _names
        yield from names(block[at : at + length], inodes)
        at += length


def _names(stored: bytes, inodes: int) -> tuple[Entry, ...]:
    """Return the name of an entry, which is ``stored`` with the gap behind it, and those in the gap."""
    inode, _, size, _ = FIELDS.unpack_from(stored)
    entry = _entry(stored, 0, len(stored), inodes, live=bool(inode))
    behind = 8 + (size + 3 & ~3) if entry or inode else 0  # the first of a block: only its inode is cleared
    return (*([entry] if entry else []), *_gap(stored, behind, len(stored), inodes))


_remembered = lru_cache(REMEMBERED)(_names)


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
    inode, length, size, kind = FIELDS.unpack_from(block, at)
    if not (0 < inode <= inodes and 0 < size <= length - 8 and kind < KINDS and length % 4 == 0):
        return None  # nearly all that stands in gaps
    name = block[at + 8 : at + 8 + size]
    sound = at + 8 + size <= end and b"\0" not in name and b"/" not in name
    return Entry(name, inode, kind, live) if sound else None


def own(block: bytes) -> int:
    """Return the inode of the folder that a block is the first one of; 0 for another block."""
    inode, _, size, _ = FIELDS.unpack_from(block)
    return int(inode) if size == 1 and block[8:9] == b"." else 0
