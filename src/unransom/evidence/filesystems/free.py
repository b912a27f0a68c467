"""Which clusters of the file systems on a disk belong to no file: where deleted files may still lie.

Read from the file systems' own maps: the file ``$Bitmap`` of NTFS, the bitmaps of the groups of ext2, ext3
and ext4, the trees of free extents of XFS, the table of FAT, the bitmap of exFAT. A group whose bitmap was
never written has no file in it. Whatever lies outside of the file systems that can be read so counts as free.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span, gaps
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.bitmaps import bits_of, runs
from unransom.evidence.filesystems.ext.space import used as used_by_ext
from unransom.evidence.filesystems.fat_map import used_by_exfat, used_by_fat
from unransom.evidence.filesystems.tsk import FileSystem
from unransom.evidence.filesystems.xfs.free import free_blocks
from unransom.evidence.filesystems.xfs.inodes import HEAD, superblock
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage
from unransom.evidence.volumes.partitions import Volume, disk_of, places_on, volumes

NTFS_BITMAP = 6  # number of its record
UNREADABLE = (OSError, UnreadableError, *TSK_ERRORS)


def free_spans(image: Reader) -> list[Span] | None:
    """Return what no file has of the disk in ``image``; None where there is no map that can be read."""
    known = False
    used: list[Span] = []
    handle = TskImage(image)
    for volume in volumes(handle):
        try:
            taken = list(_placed(handle, volume))
        except UNREADABLE:
            continue
        known = known or bool(volume.filesystem)
        used += taken
    return list(gaps(used, image.size)) if known else None


def _placed(image: TskImage, volume: Volume) -> Iterator[Span]:
    """Return where on the disk lies what belongs to the files of a volume."""
    reader = disk_of(volume, image.reader)
    used = _used(image if reader is image.reader else TskImage(reader), volume)
    return places_on(image.reader, volume, used)


def _used(image: TskImage, volume: Volume) -> Iterator[Span]:
    """Yield what belongs to the files of a volume."""
    if volume.filesystem == "ntfs":
        yield from _ntfs(image, volume)
    elif volume.filesystem == "ext":
        yield from used_by_ext(image.reader, volume.start)
    elif volume.filesystem == "xfs":
        yield from _xfs(image.reader, volume)
    elif volume.filesystem == "fat":
        yield from used_by_fat(image.reader, volume.start)
    elif volume.filesystem == "exfat":
        yield from used_by_exfat(image.reader, volume.start)


def _xfs(reader: Reader, volume: Volume) -> Iterator[Span]:
    layout = superblock(reader.read_at(volume.start, HEAD))
    if layout:
        size = layout.blocks * layout.block
        free = free_blocks(reader, volume.start, layout)
        for used in gaps((Span(each.start - volume.start, each.end - volume.start) for each in free), size):
            yield Span(volume.start + used.start, volume.start + used.end)


def _ntfs(image: TskImage, volume: Volume) -> Iterator[Span]:
    filesystem = FileSystem(image, volume.start, volume.filesystem)
    with image.lock:
        cluster = int(filesystem.handle.info.block_size)
        file = filesystem.handle.open_meta(inode=NTFS_BITMAP)
        size = int(file.info.meta.size)
    for start in range(0, size, CHUNK):
        with image.lock:
            bitmap = bytes(file.read_random(start, min(CHUNK, size - start)))
        yield from runs(bits_of(bitmap), volume.start + start * 8 * cluster, cluster)
