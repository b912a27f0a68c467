"""Where the files of a disk have their bytes, as its file systems say."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.listing import Listing
from unransom.evidence.filesystems.tsk import FileSystem, Locator
from unransom.evidence.filesystems.xfs.inodes import HEAD, Inodes, superblock
from unransom.evidence.filesystems.xfs.volume import XfsVolume
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage, attributes
from unransom.evidence.volumes.partitions import Volume, volumes

MOST_FILES = 500_000
EXT_ROOT, EXT_FIRST = 2, 11  # inodes between them are the system's own, and mostly zeros
NOT_STORED = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
UNREADABLE = (OSError, UnreadableError, *TSK_ERRORS)


def file_runs(disk: Reader) -> Iterator[Span]:
    """Yield where files and folders have their bytes, as far as that can be read."""
    image = TskImage(disk)
    for volume in volumes(image):
        try:
            if volume.filesystem == "xfs":
                yield from _xfs(disk, volume)
            elif volume.filesystem:
                yield from _tsk(FileSystem(image, volume.start, volume.filesystem))
        except UNREADABLE:
            continue


def _tsk(filesystem: FileSystem) -> Iterator[Span]:
    block = int(filesystem.handle.info.block_size)
    for number in _records(filesystem):
        try:
            with filesystem.image.lock:
                found = list(_blocks(filesystem, number))
        except TSK_ERRORS:
            continue
        for first, last in found:
            yield Span(filesystem.start + first * block, filesystem.start + last * block)


def _records(filesystem: FileSystem) -> Iterable[int]:
    """Return the numbers of files; FAT has one for each place where an entry of a folder may be."""
    if filesystem.kind in {"fat", "exfat"}:
        listed = Listing(filesystem, "", b"").files()
        refs = (each for each in listed if isinstance(each, FileRef) and not each.deleted and each.size)
        return (Locator.parse(each.locator).record for each in refs)
    numbers = range(min(int(filesystem.handle.info.last_inum), MOST_FILES))
    return [EXT_ROOT, *numbers[EXT_FIRST:]] if filesystem.kind == "ext" else numbers


def _blocks(filesystem: FileSystem, number: int) -> Iterator[tuple[int, int]]:
    file = filesystem.handle.open_meta(inode=number)
    if not int(file.info.meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC):
        return
    for attribute, _ in attributes(file):
        for run in attribute:
            if not int(run.flags) & NOT_STORED and int(run.len) > 0:
                yield int(run.addr), int(run.addr) + int(run.len)


def _xfs(disk: Reader, volume: Volume) -> Iterator[Span]:
    layout = superblock(disk.read_at(volume.start, HEAD))
    if layout is None:
        return
    inodes = Inodes(Part(disk, volume.start, layout.blocks * layout.block), layout)
    listed = XfsVolume(disk, volume.start, volume.size).files("", b"")
    for _, ref in zip(range(MOST_FILES), listed, strict=False):
        if not isinstance(ref, FileRef) or not ref.size:
            continue
        inode = inodes.load(Locator.parse(ref.locator).record)
        if not stat.S_ISREG(inode.mode):
            continue
        for extent in inodes.extents(inode):
            start = inodes.place(extent.block)
            if extent.written and start is not None:
                start += volume.start
                yield Span(start, start + extent.blocks * layout.block)
