"""The files of a volume with XFS."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.unix import Inode, Name, UnixVolume
from unransom.evidence.filesystems.xfs.folders import entries, is_folder
from unransom.evidence.filesystems.xfs.free import CHUNK, inode_chunks
from unransom.evidence.filesystems.xfs.inodes import HEAD, Inodes, superblock


class XfsVolume(UnixVolume):
    """A volume with XFS."""

    def __init__(self, image: Reader, start: int, size: int) -> None:
        """Open the ``size`` bytes of ``image`` from ``start``.

        Raises:
            OSError: They have no superblock.
            UnreadableError: It cannot be read.
        """
        layout = superblock(image.read_at(start, HEAD))
        if layout is None:
            raise OSError(errno.EINVAL, "no superblock of XFS")
        super().__init__(start, layout.root)
        self._image = image
        self._inodes = Inodes(Part(image, start, max(size, layout.blocks * layout.block)), layout)

    def _load(self, number: int) -> Inode:
        return self._inodes.load(number)

    def _names(self, folder: int) -> Iterator[Name]:
        inode = self._inodes.load(folder)
        for entry in entries(inode, self._inodes.content(inode), self._inodes.layout):
            yield Name(entry.name, entry.inode)

    def _content(self, number: int) -> Reader:
        return self._inodes.content(self._inodes.load(number))

    def _numbers(self) -> Iterator[int]:
        for first, _ in inode_chunks(self._image, self._start, self._inodes.layout):
            yield from range(first, first + CHUNK)

    def _is_folder(self, number: int) -> bool:
        inode = self._inodes.load(number)
        return is_folder(inode, self._inodes.content(inode), self._inodes.layout)

    def _is_used(self, inode: Inode) -> bool:
        return inode.mode != 0

    def _is_kept(self, inode: Inode) -> bool:
        return False  # a deleted inode's size is cleared
