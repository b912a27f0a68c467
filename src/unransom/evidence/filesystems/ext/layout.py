"""How a volume of ext2, ext3 or ext4 is laid out.

Source: the Linux kernel's documentation, "ext4 Data Structures and Algorithms".
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader

SUPER = 1024  # offset of the superblock
MAGIC = 0xEF53
WIDE = 0x80  # feature: block numbers have 64 bits
SCATTERED = 0x10  # feature: the descriptors of groups do not stand together
INLINE = 0x8000  # feature: small files and folders stand in their inodes
FEW_COPIES, TWO_COPIES = 0x1, 0x200  # features: only some groups have a copy of the superblock
CLUSTERS = 0x200  # feature: a bit of a bitmap stands for several blocks
VACANT = 2  # flag of a group: its bitmap was never written, no file has any of its blocks
MOST_GROUPS = 1 << 22


class Superblock(NamedTuple):
    """What the superblock says of where things are.

    Attributes:
        start: Where the volume begins in the image.
        block: Bytes of a block.
        first: The first block of the first group.
        blocks: In all.
        group: Blocks of a group.
        cluster: Blocks that a bit of a group's bitmap stands for.
        inodes: In all.
        per_group: Inodes of a group.
        inode: Bytes of an inode.
        journal: Number of the journal's inode, 0 for none in the volume.
        descriptor: Bytes of the descriptor of a group.
        reserved: Blocks that are kept behind the descriptors for more of them.
        together: Blocks of descriptors that stand together; others stand in the groups that they are of.
        copies: The only groups besides the first with a copy of the superblock; None where powers tell.
        every: Whether each group has a copy.
        inline: Whether small files and folders may stand in their inodes.
    """

    start: int
    block: int
    first: int
    blocks: int
    group: int
    cluster: int
    inodes: int
    per_group: int
    inode: int
    journal: int
    descriptor: int
    reserved: int
    together: int
    copies: tuple[int, ...] | None
    every: bool
    inline: bool

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return -(-(self.blocks - self.first) // self.group)

    def place(self, block: int) -> int:
        """Return where a block is in the image."""
        return self.start + block * self.block

    def begin(self, group: int) -> int:
        """Return the block that the superblock of a group would stand in."""
        return self.first + group * self.group or (1 if self.block == SUPER else 0)

    def has_copy(self, group: int) -> bool:
        """Return whether a group begins with the superblock or a copy of it."""
        if group == 0 or self.every:
            return True
        if self.copies is not None:
            return group in self.copies
        return group == 1 or any(_is_power(group, base) for base in (3, 5, 7))

    def descriptors(self, reader: Reader) -> Iterator[bytes]:
        """Yield the descriptor of each group; shorter than ``descriptor`` where the image ends before it."""
        each = self.block // self.descriptor
        for number in range(-(-self.groups // each)):
            data = reader.read_at(self.place(self._descriptor_block(number)), self.block)
            for index in range(min(each, self.groups - number * each)):
                yield data[index * self.descriptor : (index + 1) * self.descriptor]

    def own(self, group: int) -> Span:
        """Return the blocks at the start of a group that the superblock and descriptors take."""
        begin, each = self.begin(group), self.block // self.descriptor
        number, inside = divmod(group, each)
        length = 0
        if self.has_copy(group):
            length = 1 + min(self.together, -(-self.groups // each)) + self.reserved
        if number >= self.together and inside in {0, 1, each - 1}:
            length = self.has_copy(group) + 1
        return Span(begin, begin + length)

    def _descriptor_block(self, number: int) -> int:
        if number < self.together:
            return self.begin(0) + 1 + number
        group = number * (self.block // self.descriptor)
        return self.begin(group) + self.has_copy(group)


class Layout(NamedTuple):
    """A volume.

    Attributes:
        start: Where it begins in the image.
        block: Bytes of a block.
        blocks: In all.
        inodes: In all.
        per_group: Inodes of a group.
        inode: Bytes of an inode.
        journal: Number of the journal's inode, 0 for none in the volume.
        tables: Block of each group's table of inodes.
    """

    start: int
    block: int
    blocks: int
    inodes: int
    per_group: int
    inode: int
    journal: int
    tables: tuple[int, ...]

    def place(self, block: int) -> int:
        """Return where a block is in the image."""
        return self.start + block * self.block

    def inode_at(self, number: int) -> int | None:
        """Return where an inode is in the image; None for a number that there is none of."""
        group, index = divmod(number - 1, self.per_group)
        if number < 1 or group >= len(self.tables):
            return None
        return self.place(self.tables[group]) + index * self.inode


class Tables:
    """Tells which inodes a block has that belongs to a table of them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._starts = sorted((table, group) for group, table in enumerate(layout.tables) if table)
        self._blocks = -(-layout.per_group * layout.inode // layout.block)

    def first_inode(self, block: int) -> int | None:
        """Return the number of the first inode in ``block``; None where it is of no table."""
        index = bisect_right(self._starts, (block, 1 << 62)) - 1
        if index < 0:
            return None
        table, group = self._starts[index]
        if block >= table + self._blocks:
            return None
        inside = (block - table) * (self._layout.block // self._layout.inode)
        return group * self._layout.per_group + inside + 1


def superblock(reader: Reader, start: int) -> Superblock | None:
    """Return what the superblock of the volume at ``start`` says; None where it makes no sense."""
    head = reader.read_at(start + SUPER, 1024)
    if len(head) < 1024 or struct.unpack_from("<H", head, 56)[0] != MAGIC:
        return None
    inodes, low = struct.unpack_from("<II", head)
    first, log_size, log_cluster = struct.unpack_from("<III", head, 20)
    group, _, per_group = struct.unpack_from("<III", head, 32)
    (revision,) = struct.unpack_from("<I", head, 76)
    inode = struct.unpack_from("<H", head, 88)[0] if revision else 128
    compatible, features, writing = struct.unpack_from("<III", head, 92)
    (reserved,) = struct.unpack_from("<H", head, 206)
    journal, device = struct.unpack_from("<II", head, 224)
    wide = bool(features & WIDE)
    blocks = low | (struct.unpack_from("<I", head, 336)[0] << 32 if wide else 0)
    descriptor = struct.unpack_from("<H", head, 254)[0] if wide else 32
    clusters = log_cluster - log_size if writing & CLUSTERS else 0
    sound = log_size <= 6 and 0 <= clusters <= 20 and 0 < per_group <= 1 << 20
    sound = sound and 0 < group <= 8 << 10 + log_size + clusters and first <= 1 and blocks > first
    sound = sound and inode in {128, 256, 512, 1024, 2048, 4096} and inode <= 1024 << log_size
    if not sound or descriptor not in {32, 64, 128, 256, 512, 1024}:
        return None
    found = Superblock(
        start=start,
        block=1024 << log_size,
        first=first,
        blocks=blocks,
        group=group,
        cluster=1 << clusters,
        inodes=inodes,
        per_group=per_group,
        inode=inode,
        journal=0 if device else journal,
        descriptor=descriptor,
        reserved=reserved,
        together=struct.unpack_from("<I", head, 260)[0] if features & SCATTERED else MOST_GROUPS,
        copies=struct.unpack_from("<II", head, 588) if compatible & TWO_COPIES else None,
        every=not writing & FEW_COPIES and not compatible & TWO_COPIES,
        inline=bool(features & INLINE),
    )
    return found if found.groups <= MOST_GROUPS else None


def layout(reader: Reader, start: int) -> Layout | None:
    """Return the layout of the volume that begins at ``start``; None where it makes no sense."""
    found = superblock(reader, start)
    if found is None:
        return None
    tables = tuple(_table(each, found.blocks) for each in found.descriptors(reader))
    return Layout(
        start, found.block, found.blocks, found.inodes, found.per_group, found.inode, found.journal, tables
    )


def _is_power(number: int, base: int) -> bool:
    power = base
    while power < number:
        power *= base
    return power == number


def _table(descriptor: bytes, blocks: int) -> int:
    """Return the block of a group's table of inodes; 0 where it makes no sense."""
    block = places(descriptor)[2]
    return block if block < blocks else 0


def places(descriptor: bytes) -> tuple[int, int, int]:
    """Return the blocks of a group's bitmaps of blocks and inodes, and of its table of inodes."""
    if len(descriptor) < 32:
        return 0, 0, 0
    low = struct.unpack_from("<III", descriptor)
    high = struct.unpack_from("<III", descriptor, 32) if len(descriptor) >= 64 else (0, 0, 0)
    blocks, inodes, table = (one | other << 32 for one, other in zip(low, high, strict=True))
    return blocks, inodes, table
