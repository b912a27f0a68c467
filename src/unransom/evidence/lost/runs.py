"""Where the files of a disk have their bytes, as its file systems say."""

from __future__ import annotations

import itertools
import stat
import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.spans import Span, gaps, merge
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.ext.layout import VACANT, places, superblock
from unransom.evidence.filesystems.listing import Listing
from unransom.evidence.filesystems.ntfs.table import OWN
from unransom.evidence.filesystems.ntfs.volume import NtfsVolume
from unransom.evidence.filesystems.tsk import FileSystem, Locator
from unransom.evidence.filesystems.xfs.inodes import HEAD, Inodes
from unransom.evidence.filesystems.xfs.inodes import superblock as xfs_superblock
from unransom.evidence.filesystems.xfs.volume import XfsVolume
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage, attributes
from unransom.evidence.volumes.partitions import Volume, disk_of, places_on, volumes

MOST_FILES = 500_000
EXT_ROOT, EXT_FIRST = 2, 11  # inodes between them are the system's own, and mostly zeros
FREE_INODES, FLAGS = struct.Struct("<14xH"), struct.Struct("<18xH8xH")  # of a group's descriptor of ext
NO_INODES = 1  # flag of a group: its table of inodes and their bitmap were never written
NOT_STORED = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
UNREADABLE = (OSError, UnreadableError, *TSK_ERRORS)


class Extent(NamedTuple):
    """A run of a disk's bytes that a file or a folder has, or had.

    Attributes:
        start, end: Bytes of the disk.
        stop: Byte behind the file's last one; 0 where that is not in here, or not known.
        used: The file was not deleted.
        system: It belongs to the file system itself.
        checked: All that has bytes there is a file that is known: of NTFS, whose own structures are files.
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


def unheld(disk: Reader) -> list[Span]:
    """Return what no file that is known has of a disk, whatever the maps of free space say.

    Where records of files are lost, their clusters are given out in these maps, and no list has the files.
    """
    held: list[Span] = []
    for volume in volumes(TskImage(disk)):
        try:
            found = [each for each in _in_volume(disk_of(volume, disk), volume) if each.used]
        except UNREADABLE:
            continue
        held += places_on(disk, volume, (Span(each.start, each.end) for each in found))
    return list(gaps(merge(held), disk.size))


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
    if volume.filesystem == "ext":
        yield from _ext(disk, volume.start)
    yield from _tsk(filesystem, disk)


def _ext(disk: Reader, start: int) -> Iterator[Extent]:
    """Yield what ext has of its own, as far as that holds something."""
    found = superblock(disk, start)
    if found is None:
        return
    block = found.block
    for group, data in enumerate(found.descriptors(disk)):
        if len(data) < found.descriptor or found.place(found.begin(group)) >= disk.size:
            return
        bitmap, inode_bitmap, table = places(data)
        (free,) = FREE_INODES.unpack_from(data)
        flags, unused = FLAGS.unpack_from(data)
        inodes = max(0, found.per_group - max(free, unused)) * found.inode
        copied = len(found.own(0)) if not group and found.groups > 1 else int(found.has_copy(group))
        runs = [
            (found.begin(group), copied * block),  # what the first one reserves names the others' places
            (bitmap, 0 if flags & VACANT else block),
            (inode_bitmap, 0 if flags & NO_INODES else block),
            (table, 0 if flags & NO_INODES else inodes),
        ]
        for first, length in runs:
            if length and 0 <= first < found.blocks:
                place = found.place(first)
                yield Extent(place, place + length, system=True)


def _tsk(filesystem: FileSystem, disk: Reader) -> Iterator[Extent]:
    for number in _records(filesystem, disk):
        try:
            with filesystem.image.lock:
                yield from list(_blocks(filesystem, number))
        except TSK_ERRORS:
            continue


def _records(filesystem: FileSystem, disk: Reader) -> Iterable[int]:
    """Return the numbers of files; FAT has one for each place where an entry of a folder may be."""
    if filesystem.kind in {"fat", "exfat"}:
        listed = Listing(filesystem, "", b"").files()
        refs = (each for each in listed if isinstance(each, FileRef) and each.size)
        return (Locator.parse(each.locator).record for each in refs)
    if filesystem.kind == "ext":
        return itertools.islice(_inodes(disk, filesystem.start), MOST_FILES)
    return range(min(int(filesystem.handle.info.last_inum), MOST_FILES))


def _inodes(disk: Reader, start: int) -> Iterator[int]:
    """Yield the numbers of inodes that were ever written; of the system's own the root and the journal."""
    found = superblock(disk, start)
    for group, data in enumerate(found.descriptors(disk) if found else ()):
        if found is None or len(data) < FLAGS.size:
            return
        flags, unused = FLAGS.unpack_from(data)
        vacant = flags & NO_INODES or FREE_INODES.unpack_from(data)[0] == found.per_group
        count = 0 if vacant else max(0, found.per_group - unused)
        first = group * found.per_group + 1
        numbers = range(first, min(first + count, found.inodes + 1))
        yield from (each for each in numbers if each in {EXT_ROOT, found.journal} or each >= EXT_FIRST)


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
            if filesystem.kind == "ext" and EXT_ROOT < number < EXT_FIRST:  # of a journal the head is sure
                yield Extent(start, start + block, system=True)
                return
            length, left = int(run.len) * block, 0 if system else _left(info, int(run.offset) * block)
            stop = start + left if 0 < left < length else 0
            yield Extent(start, start + length, stop, used, system, filesystem.kind == "ntfs")


def _left(info: Any, offset: int) -> int:
    """Return the bytes of an attribute from ``offset`` on; 0 where it is packed."""
    packed = int(info.flags) & (int(pytsk3.TSK_FS_ATTR_COMP) | int(pytsk3.TSK_FS_ATTR_ENC))
    return 0 if packed else int(info.size) - offset


def _xfs(disk: Reader, volume: Volume) -> Iterator[Extent]:
    layout = xfs_superblock(disk.read_at(volume.start, HEAD))
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
                length, left = extent.blocks * layout.block, inode.size - extent.start * layout.block
                yield Extent(start, start + length, start + left if 0 < left < length else 0)
