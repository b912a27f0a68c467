"""Which blocks of a volume with XFS belong to no file, and where its inodes are, by the groups' trees.

Source: XFS Algorithms & Data Structures, 3rd edition, "Allocation Groups".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.filesystems.xfs.inodes import HEAD, Superblock

SHORT, LONG = 16, 56  # bytes of the header of a block of a tree, of version 4 and 5
FREE_HEAD, INODE_HEAD = b"XAGF", b"XAGI"
FREE_MARKS, INODE_MARKS = {b"ABTB": SHORT, b"AB3B": LONG}, {b"IABT": SHORT, b"IAB3": LONG}
CHUNK = 64  # inodes that a record stands for
MOST_LEAVES = 1 << 22
DEEPEST = 9
NONE = 0xFFFFFFFF


def free_blocks(reader: Reader, start: int, layout: Superblock) -> Iterator[Span]:
    """Yield where free blocks lie in the image of the volume that begins at ``start``."""
    for base, head in _heads(reader, start, layout, 1, FREE_HEAD):
        root, depth = struct.unpack_from(">I8xI", head, 16)
        for first, count in _records(reader, base, layout, root, depth, FREE_MARKS, 8):
            if first + count <= layout.group:
                yield Span(base + first * layout.block, base + (first + count) * layout.block)


def inode_chunks(reader: Reader, start: int, layout: Superblock) -> Iterator[tuple[int, int]]:
    """Yield the number of the first of 64 inodes, and where it lies in the image."""
    for number, (base, head) in enumerate(_heads(reader, start, layout, 2, INODE_HEAD)):
        root, depth = struct.unpack_from(">II", head, 20)
        for first, _ in _records(reader, base, layout, root, depth, INODE_MARKS, 16):
            block, inside = first >> layout.inodes_bits, first & (1 << layout.inodes_bits) - 1
            if block < layout.group:
                absolute = number << layout.group_bits + layout.inodes_bits | first
                yield absolute, base + block * layout.block + inside * layout.inode


def _heads(
    reader: Reader, start: int, layout: Superblock, sector: int, mark: bytes
) -> Iterator[tuple[int, bytes]]:
    """Yield where each group begins in the image, and its sector number ``sector``."""
    size = int.from_bytes(reader.read_at(start, HEAD)[102:104], "big")
    for number in range(layout.groups):
        base = start + number * layout.group * layout.block
        head = reader.read_at(base + sector * size, HEAD)
        yield base, head if head[:4] == mark and len(head) == HEAD else bytes(HEAD)


def _records(
    reader: Reader, base: int, layout: Superblock, root: int, depth: int, marks: dict[bytes, int], size: int
) -> Iterator[tuple[int, int]]:
    """Yield the first two numbers of each record in the leaves of a tree."""
    block, seen = root, set[int]()
    for _ in range(min(depth, DEEPEST) - 1):
        data, header = _node(reader, base, layout, block, marks)
        if not header:
            return
        keys = 4 if size == 16 else 8  # bytes of a key: of inodes the number alone
        most = (layout.block - header) // (keys + 4)
        (block,) = struct.unpack_from(">I", data, header + most * keys)
    while block != NONE and block not in seen and len(seen) < MOST_LEAVES:
        seen.add(block)
        data, header = _node(reader, base, layout, block, marks)
        if not header:
            return
        (count, _, block) = struct.unpack_from(">HII", data, 6)
        for index in range(min(count, (len(data) - header) // size)):
            first, second = struct.unpack_from(">II", data, header + index * size)
            yield first, second


def _node(
    reader: Reader, base: int, layout: Superblock, block: int, marks: dict[bytes, int]
) -> tuple[bytes, int]:
    """Return a block of a tree and the bytes of its header; 0 of them where it is none."""
    if not 0 < block < layout.group:
        return b"", 0
    data = reader.read_at(base + block * layout.block, layout.block)
    return data, marks.get(data[:4], 0) if len(data) == layout.block else 0
