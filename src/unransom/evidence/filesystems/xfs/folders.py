"""The entries of folders of XFS.

Source: XFS Algorithms & Data Structures, 3rd edition, "Directories".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.xfs.inodes import LOCAL, Inode, Superblock

HEADERS = {b"XD2B": 16, b"XD2D": 16, b"XDB3": 64, b"XDD3": 64}  # bytes in front of the entries
ALONE = {b"XD2B", b"XDB3"}  # a folder of one block, which ends with an index
DATA_END = 32 << 30  # bytes of a folder behind which there is its index
MOST_BLOCKS = 1 << 20  # of a folder
FREE = 0xFFFF
FOLDER = 4  # of an inode's mode, the highest four bits


class Entry(NamedTuple):
    """A name in a folder, and the inode that it stands for."""

    name: bytes
    inode: int


def entries(inode: Inode, content: Reader, layout: Superblock) -> Iterator[Entry]:
    """Yield the entries of a folder.

    Args:
        inode: The folder.
        content: Its data.
        layout: Of the volume.

    Raises:
        UnreadableError: A part of it cannot be read; what was before it was yielded.
    """
    if inode.format == LOCAL:
        yield from _short(inode.fork[: inode.size], kinds=layout.kinds)
        return
    lost: UnreadableError | None = None
    for start in range(0, min(content.size, DATA_END, MOST_BLOCKS * layout.folder), layout.folder):
        try:
            block = content.read_at(start, layout.folder)
        except UnreadableError as error:
            lost = error
            continue
        if block[:4] not in HEADERS:
            lost = lost or UnreadableError(start, layout.folder, "no block of a folder")
        else:
            yield from _block(block, kinds=layout.kinds)
    if lost:
        raise lost


def is_folder(inode: Inode, content: Reader, layout: Superblock) -> bool:
    """Return whether what an inode holds begins as a folder does; arguments as of `entries`.

    Raises:
        UnreadableError: It cannot be read.
    """
    if inode.mode >> 12 != FOLDER:
        return False
    if inode.format == LOCAL:
        fork = inode.fork[: inode.size]
        return len(fork) > 1 and len(list(_short(fork, kinds=layout.kinds))) == fork[0]
    return content.read_at(0, 4) in HEADERS


def _short(data: bytes, *, kinds: bool) -> Iterator[Entry]:
    """Yield the entries that stand in the inode itself."""
    if len(data) < 2:
        return
    count, wide = data[0], data[1] > 0
    size = 8 if wide else 4
    offset = 2 + size
    for _ in range(count):
        if offset + 3 > len(data):
            return
        length = data[offset]
        end = offset + 3 + length + kinds + size
        if end > len(data) or not length:
            return
        yield Entry(data[offset + 3 : offset + 3 + length], int.from_bytes(data[end - size : end], "big"))
        offset = end


def _block(block: bytes, *, kinds: bool) -> Iterator[Entry]:
    offset, end = HEADERS[block[:4]], len(block)
    if block[:4] in ALONE:
        (count,) = struct.unpack_from(">I", block, len(block) - 8)
        end = max(offset, len(block) - 8 - count * 8)
    while offset + 12 <= end:
        free, length = struct.unpack_from(">HH", block, offset)
        if free == FREE:
            offset += max(length, 8)
            continue
        inode, size = struct.unpack_from(">QB", block, offset)
        name = block[offset + 9 : offset + 9 + size]
        if name not in {b".", b"..", b""}:
            yield Entry(name, inode)
        offset += -(-(9 + size + kinds + 2) // 8) * 8
