"""Inodes of ext2, ext3 and ext4, and where the bytes of files are.

Source: the Linux kernel's documentation, "ext4 Data Structures and Algorithms".
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ext.layout import Layout

EXTENTS, INLINE = 0x80000, 0x10000000  # flags of an inode
EXTENT_MAGIC = 0xF30A
UNWRITTEN = 32768  # longest extent; a length above it stands for zeros
DEEPEST = 5  # levels of a tree of extents
MOST_EXTENTS = 1 << 20  # of a file
DIRECT = 12  # numbers of blocks in an inode without extents
LARGEST = 1 << 46  # bytes of a file


class Inode(NamedTuple):
    """A file or folder.

    Attributes:
        number: As folders name it.
        generation: Drawn anew whenever the number is given to another file.
        mode: Kind and rights, as ``st_mode``.
        size: Bytes.
        links: Names that it has.
        deleted: Seconds since 1970; 0 for what is there.
        modified, changed, created: Nanoseconds since 1970 UTC; ``created`` None where it is not kept.
        flags: Of the inode.
        blocks: The 60 bytes that say where its bytes are.
    """

    number: int
    generation: int
    mode: int
    size: int
    links: int
    deleted: int
    modified: int
    changed: int
    created: int | None
    flags: int
    blocks: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file that is there, with content of its own."""
        return stat.S_ISREG(self.mode) and self.links > 0 and not self.deleted and 0 < self.size <= LARGEST

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder that is there."""
        return stat.S_ISDIR(self.mode) and self.links > 0 and not self.deleted


class Extent(NamedTuple):
    """Blocks of a file that follow each other on the volume; ``written`` is False for zeros."""

    logical: int
    blocks: int
    block: int
    written: bool = True


def parse(number: int, data: bytes) -> Inode:
    """Return the inode that ``data``, 128 bytes or more, has."""
    mode, size = struct.unpack_from("<H2xI", data)
    changed, modified, deleted = struct.unpack_from("<iiI", data, 12)
    links, flags = struct.unpack_from("<H4xI", data, 26)
    generation, _, high = struct.unpack_from("<III", data, 100)
    if stat.S_ISREG(mode):
        size |= high << 32
    later, fraction, created = 0, 0, None
    extra = struct.unpack_from("<H", data, 128)[0] if len(data) >= 160 else 0
    if 128 + extra >= 152 and len(data) >= 152:
        later, fraction = struct.unpack_from("<II", data, 132)
        created = _time(*struct.unpack_from("<iI", data, 144))
    return Inode(
        number,
        generation,
        mode,
        size,
        links,
        deleted,
        _time(modified, fraction),
        _time(changed, later),
        created,
        flags,
        data[40:100],
    )


def _time(seconds: int, extra: int) -> int:
    return (seconds + ((extra & 3) << 32)) * 1_000_000_000 + min(extra >> 2, 999_999_999)


def load(reader: Reader, layout: Layout, number: int) -> Inode | None:
    """Return an inode as it stands in its table; None where there is none of that number."""
    place = layout.inode_at(number)
    data = reader.read_at(place, layout.inode) if place is not None else b""
    return parse(number, data) if len(data) >= 128 else None


def extents(reader: Reader, layout: Layout, inode: Inode) -> list[Extent] | None:
    """Return the extents of an inode by their places in the file; None where they make no sense."""
    if inode.flags & INLINE:
        return None
    if inode.flags & EXTENTS:
        found: list[Extent] = []
        return sorted(found) if tree(reader, layout, inode.blocks, found) else None
    return _mapped(reader, layout, inode)


def tree(reader: Reader, layout: Layout, root: bytes, found: list[Extent]) -> bool:
    """Append the extents of a tree to ``found``; return whether all of it makes sense."""
    pending, seen = [(root, DEEPEST)], set[int]()
    while pending:
        node, above = pending.pop()
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != EXTENT_MAGIC or depth >= above or not 0 < count <= (len(node) - 12) // 12:
            return False
        for index in range(count):
            at = 12 + 12 * index
            if not depth:
                extent = _extent(node, at)
                if extent.block + extent.blocks > layout.blocks or not extent.blocks:
                    return False
                found.append(extent)
                continue
            _, low, high = struct.unpack_from("<IIH", node, at)
            child = low | high << 32
            if child in seen or not 0 < child < layout.blocks or len(found) > MOST_EXTENTS:
                return False
            seen.add(child)
            data = reader.read_at(layout.place(child), layout.block)
            if len(data) < layout.block:
                return False
            pending.append((data, depth))
    return True


def _extent(node: bytes, at: int) -> Extent:
    logical, length, high, low = struct.unpack_from("<IHHI", node, at)
    written = length <= UNWRITTEN
    return Extent(logical, length if written else length - UNWRITTEN, low | high << 32, written)


def _mapped(reader: Reader, layout: Layout, inode: Inode) -> list[Extent] | None:
    """Return the extents of an inode that names every block; None where a name makes no sense."""
    numbers = struct.unpack("<15I", inode.blocks)
    wanted = min(-(-inode.size // layout.block), MOST_EXTENTS)
    found = list(numbers[:DIRECT])
    for level, number in enumerate(numbers[DIRECT:], 1):
        if len(found) < wanted:
            found += _pointed(reader, layout, number, level, wanted - len(found))
    extents: list[Extent] = []
    for logical, block in enumerate(found[:wanted]):
        if block >= layout.blocks:
            return None
        last = extents[-1] if extents else None
        if last and block and last.block + last.blocks == block and last.logical + last.blocks == logical:
            extents[-1] = last._replace(blocks=last.blocks + 1)
        elif block:
            extents.append(Extent(logical, 1, block))
    return extents if extents and len(found) >= wanted else None


def _pointed(reader: Reader, layout: Layout, number: int, level: int, most: int) -> list[int]:
    """Return the numbers of blocks that a block of numbers stands for, ``level`` steps down."""
    each = layout.block // 4
    if not 0 < number < layout.blocks:
        return [0] * min(most, each**level)
    data = reader.read_at(layout.place(number), layout.block)
    below = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    if level == 1:
        return list(below[:most])
    found: list[int] = []
    for child in below:
        if len(found) >= most:
            break
        found += _pointed(reader, layout, child, level - 1, most - len(found))
    return found


def content(layout: Layout, end: int, listed: list[Extent], nowhere: int) -> list[Span]:
    """Return where ``end`` bytes of a file lie in the image; zeros that nobody stores from ``nowhere`` on."""
    spans: list[Span] = []
    position = 0
    for extent in listed:
        start = extent.logical * layout.block
        if start > position:
            spans.append(Span(nowhere, nowhere + min(start, end) - position))
        length = min(extent.blocks * layout.block, end - start)
        if length <= 0:
            break
        place = layout.place(extent.block) if extent.written else nowhere
        spans.append(Span(place, place + length))
        position = start + length
    if position < end:
        spans.append(Span(nowhere, nowhere + end - position))
    return spans


def data_blocks(listed: list[Extent]) -> Iterator[int]:
    """Yield the blocks of a small file, e.g. of a folder, in its order."""
    for extent in listed:
        yield from range(extent.block, extent.block + extent.blocks)
