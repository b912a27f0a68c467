"""The files of volumes of ext4 that The Sleuth Kit does not read: in clusters, or with folders in inodes.

Source: the Linux kernel's documentation, "ext4 Data Structures and Algorithms".
"""

from __future__ import annotations

import errno
import stat
import struct
from bisect import bisect_right
from collections.abc import Iterator

from unransom.core.errors import UnreadableError
from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers.mapped import Mapped, Piece
from unransom.evidence.filesystems.ext import folders, inodes
from unransom.evidence.filesystems.ext.inodes import Extent
from unransom.evidence.filesystems.ext.layout import Layout, layout, superblock
from unransom.evidence.filesystems.unix import Inode, Name, UnixVolume

ROOT = 2  # number of its inode
FIRST = 11  # of those that are not the file system's own
INDEXED = 0x1000  # flag of a folder whose first block is the root of an index
LARGEST_FOLDER = 1 << 32  # bytes
PARENT = 4  # bytes in front of the names of a folder that stands in its inode
ATTRIBUTES = 0xEA020000  # in front of what stands in an inode behind its fields
ATTRIBUTE = struct.Struct("<BBHIII")  # length of its name, kind, offset, inode, size, hash
SYSTEM, DATA = 7, b"data"  # kind and name of the attribute that goes on with the content


def is_needed(image: Reader, start: int) -> bool:
    """Return whether the volume of ext at ``start`` has what The Sleuth Kit cannot read, or no root."""
    found = superblock(image, start)
    if found is None:
        return False
    if found.cluster > 1 or found.inline:
        return True
    try:
        return not ExtVolume(image, start).has_root()
    except (OSError, UnreadableError):
        return False


class ExtVolume(UnixVolume):
    """A volume with ext2, ext3 or ext4."""

    def __init__(self, image: Reader, start: int) -> None:
        """Open the volume of ``image`` that begins at ``start``.

        Raises:
            OSError: It has no superblock that makes sense.
            UnreadableError: It cannot be read.
        """
        found = layout(image, start)
        if found is None:
            raise OSError(errno.EINVAL, "no superblock of ext")
        super().__init__(start, ROOT)
        self._image = image
        self._layout = found

    def _load(self, number: int) -> inodes.Inode:
        found = inodes.load(self._image, self._layout, number)
        if found is None:
            raise UnreadableError(0, 1, "no inode of that number")
        return found

    def _names(self, folder: int) -> Iterator[Name]:
        inode = self._load(folder)
        if inode.flags & inodes.INLINE:
            for part in (inode.blocks[PARENT:], self._attribute(folder)):
                yield from self._entries(part, gaps=True)
            return
        content = self._content(folder)
        for offset in range(0, min(content.size, LARGEST_FOLDER), self._layout.block):
            block = content.read_at(offset, self._layout.block)
            yield from self._entries(block, gaps=not inode.flags & INDEXED or offset > 0)

    def _entries(self, block: bytes, *, gaps: bool) -> Iterator[Name]:
        length = int.from_bytes(block[4:6], "little")
        gaps = gaps and not (block[:4] == bytes(4) and length == len(block))  # a part of an index
        for entry in folders.entries(block, self._layout.inodes):
            if entry.name not in {b".", b".."} and (entry.live or (gaps and entry.kind == 1)):
                yield Name(entry.name, entry.inode, deleted=not entry.live)

    def _content(self, number: int) -> Reader:
        inode = self._load(number)
        if inode.flags & inodes.INLINE:
            return BytesReader((inode.blocks + self._attribute(number))[: inode.size])
        found = inodes.extents(self._image, self._layout, inode) if inode.size else []
        if found is None:
            raise UnreadableError(0, max(inode.size, 1), "a list of extents that makes no sense")
        return Content(self._image, self._layout, inode.size, found)

    def _numbers(self) -> Iterator[int]:
        return iter(range(FIRST, self._layout.inodes + 1))

    def _is_folder(self, number: int) -> bool:
        inode = self._load(number)
        if inode.flags & inodes.INLINE:
            return 0 < int.from_bytes(inode.blocks[:PARENT], "little") <= self._layout.inodes
        block = self._content(number).read_at(0, self._layout.block)
        return len(block) >= folders.TAIL and folders.own(block) == number

    def _is_used(self, inode: Inode) -> bool:
        found = self._load(inode.number)
        return found.links > 0 and not found.deleted

    def _is_kept(self, inode: Inode) -> bool:
        found = self._load(inode.number)
        return stat.S_ISREG(found.mode) and not found.links

    def _attribute(self, number: int) -> bytes:
        """Return what stands of a content behind the fields of its inode."""
        place = self._layout.inode_at(number)
        data = self._image.read_at(place, self._layout.inode) if place is not None else b""
        if len(data) < 132:
            return b""
        begin = 128 + struct.unpack_from("<H", data, 128)[0]
        if data[begin : begin + 4] != ATTRIBUTES.to_bytes(4, "little"):
            return b""
        first = at = begin + 4
        while at + ATTRIBUTE.size <= len(data) and any(data[at : at + 4]):
            length, kind, offset, _, size, _ = ATTRIBUTE.unpack_from(data, at)
            name = data[at + ATTRIBUTE.size : at + ATTRIBUTE.size + length]
            if kind == SYSTEM and name == DATA:
                return data[first + offset : first + offset + size]
            at += ATTRIBUTE.size + (length + 3 & ~3)
        return b""


class Content(Mapped):
    """The bytes of a file; its extents are in its own order."""

    def __init__(self, image: Reader, layout: Layout, size: int, extents: list[Extent]) -> None:
        self.size = size
        self._image = image
        self._layout = layout
        self._extents = extents
        self._starts = [extent.logical for extent in extents]

    def piece_at(self, offset: int) -> Piece:
        """Return the extent that byte ``offset`` is in, or the hole."""
        block, inside = divmod(offset, self._layout.block)
        number = bisect_right(self._starts, block) - 1
        following = self._starts[number + 1] if number + 1 < len(self._starts) else 1 << 62
        extent = self._extents[number] if number >= 0 else Extent(0, 0, 0)
        if block >= extent.logical + extent.blocks:
            return Piece(min(following * self._layout.block, self.size) - offset)
        blocks = min(extent.logical + extent.blocks, following) - block
        length = min(blocks * self._layout.block - inside, self.size - offset)
        if not extent.written:
            return Piece(length)
        place = self._layout.place(extent.block + block - extent.logical)
        return Piece(length, self._image, place + inside)
