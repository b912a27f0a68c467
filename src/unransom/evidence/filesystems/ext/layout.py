"""How a volume of ext2, ext3 or ext4 is laid out.

Source: the Linux kernel's documentation, "ext4 Data Structures and Algorithms".
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import NamedTuple

from unransom.core.streams import Reader

SUPER = 1024  # offset of the superblock
MAGIC = 0xEF53
WIDE = 0x80  # feature: block numbers have 64 bits
SCATTERED = 0x10  # feature: the descriptors of groups do not stand together
MOST_GROUPS = 1 << 22


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


def layout(reader: Reader, start: int) -> Layout | None:
    """Return the layout of the volume that begins at ``start``; None where it makes no sense."""
    head = reader.read_at(start + SUPER, 1024)
    if len(head) < 1024 or struct.unpack_from("<H", head, 56)[0] != MAGIC:
        return None
    inodes, low = struct.unpack_from("<II", head)
    first, log_size = struct.unpack_from("<II", head, 20)
    blocks_per_group, _, per_group = struct.unpack_from("<III", head, 32)
    (revision,) = struct.unpack_from("<I", head, 76)
    inode = struct.unpack_from("<H", head, 88)[0] if revision else 128
    (features,) = struct.unpack_from("<I", head, 96)
    journal, device = struct.unpack_from("<II", head, 224)
    wide = bool(features & WIDE)
    blocks = low | (struct.unpack_from("<I", head, 336)[0] << 32 if wide else 0)
    descriptor = struct.unpack_from("<H", head, 254)[0] if wide else 32
    sound = log_size <= 6 and 0 < per_group <= 1 << 20 and 0 < blocks_per_group <= 8 << 10 + log_size
    sound = sound and inode in {128, 256, 512, 1024, 2048, 4096} and 32 <= descriptor <= 1024
    if not sound or features & SCATTERED or blocks <= first:
        return None
    block = 1024 << log_size
    groups = -(-(blocks - first) // blocks_per_group)
    if groups > MOST_GROUPS or inode > block:
        return None
    table = reader.read_at(start + (first + 1) * block, groups * descriptor)
    tables = tuple(_table(table[at : at + descriptor], blocks) for at in range(0, len(table), descriptor))
    return Layout(start, block, blocks, inodes, per_group, inode, 0 if device else journal, tables)


def _table(descriptor: bytes, blocks: int) -> int:
    """Return the block of a group's table of inodes; 0 where it makes no sense."""
    if len(descriptor) < 32:
        return 0
    (block,) = struct.unpack_from("<I", descriptor, 8)
    if len(descriptor) >= 64:
        block |= struct.unpack_from("<I", descriptor, 40)[0] << 32
    return int(block) if block < blocks else 0
