"""Finds what is left of deleted files on a disk, in every file system that keeps something of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ext import deleted as ext
from unransom.evidence.filesystems.ext import nodes as ext_nodes
from unransom.evidence.filesystems.ntfs import deleted as ntfs
from unransom.evidence.filesystems.remnants import Remnant
from unransom.evidence.filesystems.xfs import deleted as xfs
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes.partitions import volumes

FINDERS: dict[str, Callable[[Reader, int], Iterator[Remnant]]] = {
    "ext": ext.remnants,
    "ntfs": ntfs.remnants,
    "xfs": xfs.remnants,
}


def remnants(image: Reader, nodes: Sequence[int] = ()) -> Iterator[Remnant]:
    """Yield what is left of deleted files on the disk in ``image``, volume by volume.

    Paths are as in the list of the disk's files: below ``volume-N/`` where it has several file systems.

    Args:
        image: The disk.
        nodes: Where blocks with extents of ext4 stand that no file has.
    """
    every = volumes(TskImage(image))
    several = sum(bool(volume.filesystem) for volume in every) > 1
    for number, volume in enumerate(every, 1):
        find = FINDERS.get(volume.filesystem)
        if find is None or len(volume.spans) > 1:
            continue
        prefix = b"volume-%d/" % number if several else b""
        try:
            for each in find(image, volume.start):
                yield msgspec.structs.replace(each, path=prefix + each.path) if each.path else each
            if volume.filesystem == "ext":
                within = (at for at in nodes if 0 <= at - volume.start < volume.size)
                yield from ext_nodes.remnants(image, volume.start, within)
        except UnreadableError:
            continue
