"""Which blocks of a volume of ext2, ext3 or ext4 are in use, as its groups' bitmaps say.

Source: the Linux kernel's documentation, "Block and Inode Bitmaps" and "Block Group Descriptors".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.bitmaps import bits_of, runs
from unransom.evidence.filesystems.ext.layout import VACANT, Superblock, places, superblock


def used(reader: Reader, start: int) -> Iterator[Span]:
    """Yield what files and the file system itself have of the volume at ``start``; spans may overlap.

    Raises:
        UnreadableError: A descriptor or a bitmap cannot be read.
    """
    found = superblock(reader, start)
    if found is None:
        return
    yield Span(start, found.place(found.begin(0)))  # what is in front of the superblock's block
    cluster = found.block * found.cluster
    for group, descriptor in enumerate(found.descriptors(reader)):
        if len(descriptor) < found.descriptor:
            return
        bitmap = places(descriptor)[0]
        (flags,) = struct.unpack_from("<H", descriptor, 18)
        if flags & VACANT:
            yield from _of_group(found, group, descriptor)
        elif bitmap < found.blocks:
            bits = reader.read_at(found.place(bitmap), -(-found.group // found.cluster // 8))
            begin = found.first + group * found.group
            yield from runs(bits_of(bits), found.place(begin), cluster)


def _of_group(found: Superblock, group: int, descriptor: bytes) -> Iterator[Span]:
    """Yield what the file system itself has of a group, in whole clusters."""
    blocks, inodes, table = places(descriptor)
    taken = [found.own(group), Span(blocks, blocks + 1), Span(inodes, inodes + 1)]
    taken.append(Span(table, table + -(-found.per_group * found.inode // found.block)))
    for span in taken:
        if span and span.end <= found.blocks:
            first = (span.start - found.first) // found.cluster * found.cluster + found.first
            last = -(-(span.end - found.first) // found.cluster) * found.cluster + found.first
            yield Span(found.place(first), found.place(last))
