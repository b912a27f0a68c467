"""The superblock of XFS, inodes, and where the bytes of files are.

Source: XFS Algorithms & Data Structures, 3rd edition.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Mapped, Missing, Piece

MARK = b"XFSB"
HEAD = 512  # bytes of the superblock that are looked at
BLOCK_SIZES = range(9, 17)  # bits
INODE_MARK = b"IN"
CORE, CORE_V3 = 100, 176  # bytes in front of an inode's forks
LOCAL, EXTENTS, BTREE = 1, 2, 3  # formats of a fork
EXTENT = struct.Struct(">QQ")
TREE_MARKS = {b"BMAP": 24, b"BMA3": 72}  # bytes of the header of a block of a tree
BIG_TIMES, BIG_COUNTS = 1 << 3, 1 << 4  # flags of an inode
EPOCH = -(1 << 31)  # seconds; the beginning of big times
MOST_EXTENTS = 1 << 22  # of one file
DEEPEST = 9  # levels of a tree
FTYPE_V4, FTYPE_V5 = 1 << 9, 1  # features


class Superblock(NamedTuple):
    """How a volume is laid out.

    Attributes:
        block: Bytes of a block.
        blocks: In all.
        root: Inode of the root folder.
        group, groups: Blocks of an allocation group, and how many there are.
        inode: Bytes of an inode.
        inodes_bits, group_bits: Bits of an inode's number in its block, of a block's in its group.
        folder: Bytes of a block of a folder.
        kinds: Whether the entries of folders say what kind of file they are.
        version: 4 or 5.
    """

    block: int
    blocks: int
    root: int
    group: int
    groups: int
    inode: int
    inodes_bits: int
    group_bits: int
    folder: int
    kinds: bool
    version: int


def superblock(head: bytes) -> Superblock | None:
    """Return what a superblock says, None where ``head`` is none that makes sense."""
    if len(head) < HEAD or head[:4] != MARK:
        return None
    block, blocks = struct.unpack_from(">IQ", head, 4)
    (root,) = struct.unpack_from(">Q", head, 56)
    group, groups = struct.unpack_from(">II", head, 84)
    version, _, inode, _ = struct.unpack_from(">HHHH", head, 100)
    block_bits, _, inode_bits, inodes_bits, group_bits = head[120:125]
    features2, incompatible = struct.unpack_from(">I12xI", head, 200)
    version &= 15
    sound = block_bits in BLOCK_SIZES and block == 1 << block_bits and version in {4, 5}
    sound = sound and 8 <= inode_bits <= 11 and inode == 1 << inode_bits and inode <= block
    sound = sound and inodes_bits == block_bits - inode_bits and 0 < group <= 1 << group_bits <= 1 << 31
    if not sound or not 0 < groups <= 1 << 24 or head[192] > 8 or not 0 < blocks <= group * groups:
        return None
    kinds = bool(incompatible & FTYPE_V5 if version == 5 else features2 & FTYPE_V4)
    folder = min(block << head[192], 1 << 16)
    return Superblock(
        block, blocks, root, group, groups, inode, inodes_bits, group_bits, folder, kinds, version
    )


class Inode(NamedTuple):
    """A file or folder.

    Attributes:
        number: As entries of folders name it.
        mode: Kind and rights, as ``st_mode``.
        size: Bytes.
        modified, changed, created: Nanoseconds since 1970 UTC; ``created`` None where it is not kept.
        format: Of the fork with the data.
        extents: How many there are in it.
        fork: The fork.
    """

    number: int
    mode: int
    size: int
    modified: int
    changed: int
    created: int | None
    format: int
    extents: int
    fork: bytes


class Extent(NamedTuple):
    """Blocks of a file that follow each other on the volume; ``written`` is False for zeros."""

    start: int
    block: int
    blocks: int
    written: bool


class Inodes:
    """The inodes of a volume."""

    def __init__(self, reader: Reader, layout: Superblock) -> None:
        """Read the volume in ``reader``."""
        self.reader = reader
        self.layout = layout

    def load(self, number: int) -> Inode:
        """Return an inode.

        Raises:
            UnreadableError: There is none of that number, or it cannot be read.
        """
        layout = self.layout
        block = number >> layout.inodes_bits
        place = self.place(block)
        if place is None:
            raise UnreadableError(0, 1, f"no inode {number}")
        place += (number & ((1 << layout.inodes_bits) - 1)) * layout.inode
        data = self.reader.read_at(place, layout.inode)
        if len(data) < layout.inode or data[:2] != INODE_MARK:
            raise UnreadableError(place, layout.inode, f"no inode {number}")
        return _inode(number, data)

    def place(self, block: int) -> int | None:
        """Return where a block is by its number in the file system, None where it is nowhere."""
        group, inside = block >> self.layout.group_bits, block & ((1 << self.layout.group_bits) - 1)
        absolute = group * self.layout.group + inside
        if group >= self.layout.groups or inside >= self.layout.group or absolute >= self.layout.blocks:
            return None
        return absolute * self.layout.block

    def content(self, inode: Inode) -> Mapped:
        """Return a reader over the data of an inode.

        Raises:
            UnreadableError: The list of its extents is damaged.
        """
        return Content(self, inode)

    def extents(self, inode: Inode) -> Iterator[Extent]:
        """Yield the extents of an inode, in the order of the file where it is sound.

        Raises:
            UnreadableError: The list is damaged.
        """
        if inode.format == EXTENTS:
            yield from _extents(inode.fork, inode.extents)
        elif inode.format == BTREE:
            yield from self._tree(inode)

    def _tree(self, inode: Inode) -> Iterator[Extent]:
        if len(inode.fork) < 4:
            raise UnreadableError(0, 1, "a tree that is cut off")
        level, count = struct.unpack_from(">HH", inode.fork)
        pending = _pointers(inode.fork[4:], count)[::-1]
        seen: set[int] = set()
        while pending:
            number = pending.pop()
            place = self.place(number)
            if place is None or number in seen or level > DEEPEST:
                raise UnreadableError(0, 1, "a tree of extents that makes no sense")
            seen.add(number)
            block = self.reader.read_at(place, self.layout.block)
            header = TREE_MARKS.get(block[:4])
            if header is None or len(block) < self.layout.block:
                raise UnreadableError(place, self.layout.block, "no block of a tree")
            depth, count = struct.unpack_from(">HH", block, 4)
            if depth:
                pending.extend(_pointers(block[header:], count)[::-1])
            else:
                yield from _extents(block[header:], count)


class Content(Mapped):
    """The bytes of a file."""

    def __init__(self, inodes: Inodes, inode: Inode) -> None:
        self.size = inode.size
        self._inodes = inodes
        self._block = inodes.layout.block
        found = []
        for extent in inodes.extents(inode):
            found.append(extent)
            if len(found) > MOST_EXTENTS:
                raise UnreadableError(0, 1, "too many extents")
        found.sort()
        self._extents = found
        self._starts = [extent.start for extent in found]

    def piece_at(self, offset: int) -> Piece:
        """Return the extent that byte ``offset`` is in, or the hole."""
        block, inside = divmod(offset, self._block)
        number = bisect_right(self._starts, block) - 1
        following = self._starts[number + 1] if number + 1 < len(self._starts) else 1 << 62
        if number < 0 or block >= self._starts[number] + self._extents[number].blocks:
            return Piece(min(following * self._block, self.size) - offset)
        extent = self._extents[number]
        blocks = min(extent.start + extent.blocks, following) - block
        length = min(blocks * self._block - inside, self.size - offset)
        if not extent.written:
            return Piece(length)
        place = self._inodes.place(extent.block + block - extent.start)
        if place is None:
            return Piece(length, Missing(self.size, "an extent beyond the volume"), offset)
        return Piece(length, self._inodes.reader, place + inside)


def _inode(number: int, data: bytes) -> Inode:
    mode, version, form = struct.unpack_from(">HBB", data, 2)
    (size,) = struct.unpack_from(">Q", data, 56)
    (count,) = struct.unpack_from(">I", data, 76)
    core = CORE_V3 if version >= 3 else CORE
    flags = struct.unpack_from(">Q", data, 120)[0] if version >= 3 else 0
    if flags & BIG_COUNTS:
        (count,) = struct.unpack_from(">Q", data, 24)
    big = bool(flags & BIG_TIMES)
    created = _time(data[144:152], big=big) if version >= 3 else None
    end = core + data[82] * 8 if data[82] else len(data)
    modified, changed = _time(data[40:48], big=big), _time(data[48:56], big=big)
    return Inode(number, mode, size, modified, changed, created, form, count, data[core:end])


def _time(data: bytes, *, big: bool) -> int:
    if big:
        return int.from_bytes(data, "big") + EPOCH * 1_000_000_000
    seconds, nanoseconds = struct.unpack(">iI", data)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _pointers(data: bytes, count: int) -> list[int]:
    """Return the blocks below one: they stand behind the room for as many keys."""
    most = len(data) // 16
    return list(struct.unpack_from(f">{min(count, most)}Q", data, most * 8))


def _extents(data: bytes, count: int) -> Iterator[Extent]:
    whole = data[: min(count, len(data) // EXTENT.size) * EXTENT.size]
    for high, low in EXTENT.iter_unpack(whole):
        start = (high >> 9) & ((1 << 54) - 1)
        block = ((high & 0x1FF) << 43) | (low >> 21)
        yield Extent(start, block, low & ((1 << 21) - 1), not high >> 63)
