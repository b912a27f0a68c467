"""Where the files of a disk have their bytes, as its file systems say."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.listing import Listing
from unransom.evidence.filesystems.ntfs.table import OWN
from unransom.evidence.filesystems.ntfs.volume import NtfsVolume
from unransom.evidence.filesystems.tsk import FileSystem, Locator
from unransom.evidence.filesystems.xfs.inodes import HEAD, Inodes, superblock
from unransom.evidence.filesystems.xfs.volume import XfsVolume
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage, attributes
from unransom.evidence.volumes.partitions import Volume, disk_of, volumes

MOST_FILES = 500_000
EXT_ROOT, EXT_FIRST = 2, 11  # inodes between them are the system's own, and mostly zeros
NOT_STORED = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
UNREADABLE = (OSError, UnreadableError, *TSK_ERRORS)


class Extent(NamedTuple):
    """A run of a disk's bytes that a file or a folder has, or had.

    Attributes:
        start, end: Bytes of the disk.
        stop: Byte behind the file's last one; 0 where that is not in here, or not known.
        used: The file was not deleted.
        system: It belongs to the file system itself.
        checked: It has ends enough to tell where its blocks belong: of NTFS.
    """

    start: int
    end: int
    stop: int = 0
    used: bool = True
    system: bool = False
    checked: bool = False


def file_runs(disk: Reader) -> Iterator[Extent]:
    """Yield where files and folders have their bytes, as far as that can be read."""
    image = TskImage(disk)
    for volume in volumes(image):
        try:
            if volume.filesystem:
                yield from _in_volume(disk_of(volume, disk), volume)
        except UNREADABLE:
            continue


def _in_volume(disk: Reader, volume: Volume) -> Iterator[Extent]:
    if volume.filesystem == "xfs":
        yield from _xfs(disk, volume)
        return
    try:
        filesystem = FileSystem(TskImage(disk), volume.start, volume.filesystem)
    except OSError:
        if volume.filesystem == "ntfs":
            yield from (Extent(*each, checked=True) for each in NtfsVolume(disk, volume.start).runs())
        return
    yield from _tsk(filesystem)


def _tsk(filesystem: FileSystem) -> Iterator[Extent]:
    for number in _records(filesystem):
        try:
            with filesystem.image.lock:
                yield from list(_blocks(filesystem, number))
        except TSK_ERRORS:
            continue


def _records(filesystem: FileSystem) -> Iterable[int]:
    """Return the numbers of files; FAT has one for each place where an entry of a folder may be."""
    if filesystem.kind in {"fat", "exfat"}:
        listed = Listing(filesystem, "", b"").files()
        refs = (each for each in listed if isinstance(each, FileRef) and each.size)
        return (Locator.parse(each.locator).record for each in refs)
    numbers = range(min(int(filesystem.handle.info.last_inum), MOST_FILES))
    return [EXT_ROOT, *numbers[EXT_FIRST:]] if filesystem.kind == "ext" else numbers


def _blocks(filesystem: FileSystem, number: int) -> Iterator[Extent]:
    file = filesystem.handle.open_meta(inode=number)
    used = bool(int(file.info.meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC))
    regular = int(file.info.meta.type) == int(pytsk3.TSK_FS_META_TYPE_REG)
    system = not regular or (filesystem.kind == "ntfs" and number < OWN)
    block = int(filesystem.handle.info.block_size)
    for attribute, info in attributes(file):
        for run in attribute:
            if int(run.flags) & NOT_STORED or int(run.len) <= 0:
                continue
            start = filesystem.start + int(run.addr) * block
            length, left = int(run.len) * block, 0 if system else _left(info, int(run.offset) * block)
            stop = start + left if 0 < left < length else 0
            yield Extent(start, start + length, stop, used, system, filesystem.kind == "ntfs")


def _left(info: Any, offset: int) -> int:
    """Return the bytes of an attribute from ``offset`` on; 0 where it is packed."""
    packed = int(info.flags) & (int(pytsk3.TSK_FS_ATTR_COMP) | int(pytsk3.TSK_FS_ATTR_ENC))
    return 0 if packed else int(info.size) - offset


def _xfs(disk: Reader, volume: Volume) -> Iterator[Extent]:
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
                yield Extent(start, start + extent.blocks * layout.block)
