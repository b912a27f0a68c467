"""Files that were deleted from XFS: free inodes that keep their extents, and inodes and names in the log.

A free inode keeps the extents that it had when it was last written back, and loses its size: how long the
file was is left to whoever reads it. The log has inodes with size and extents, and parts of folders.
"""

from __future__ import annotations

import contextlib
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.names import NOW, Name, Names
from unransom.evidence.filesystems.remnants import NOWHERE, Remnant, Trace
from unransom.evidence.filesystems.xfs import log
from unransom.evidence.filesystems.xfs.folders import FREE, HEADERS, entries
from unransom.evidence.filesystems.xfs.free import CHUNK, inode_chunks
from unransom.evidence.filesystems.xfs.inodes import (
    CORE,
    CORE_V3,
    EXTENT,
    HEAD,
    INODE_MARK,
    LOCAL,
    Extent,
    Inodes,
    Superblock,
    superblock,
)

MOST_FOLDERS = 1 << 20
MOST_EXTENTS = 256  # of a free inode
LARGEST = 1 << 46  # bytes of a file
FOLDER = 2  # kind of an entry
KINDS = 9
OWNER = 40  # offset of the inode in the header of a block of a folder, of version 5


class _File(NamedTuple):
    """A file that is gone: when it was seen, what is known of it, and where its bytes lay."""

    order: int
    size: int | None
    modified: int | None
    created: int | None
    extents: tuple[Extent, ...]


def remnants(reader: Reader, start: int) -> Iterator[Remnant]:
    """Yield files that were deleted from the volume that begins at ``start``."""
    layout = superblock(reader.read_at(start, HEAD))
    if layout is None:
        return
    volume = Inodes(Part(reader, start, layout.blocks * layout.block), layout)
    files = _logged(volume, _log_of(reader, start, volume))
    for number, file in _free(reader, start, layout):
        if not any(_same_place(file, other) for other in files.get(number, {}).values()):
            files[number].setdefault(-1, file)
    names = Names(layout.root)
    wanted = np.array(sorted(files), np.uint64)
    _walk(volume, names)
    for part in _log_of(reader, start, volume) if len(wanted) else ():
        _take(part.data, 0, part.order, wanted, names)
    for number, versions in files.items():
        for file in versions.values():
            before = max((each.order for each in versions.values() if each.order < file.order), default=-1)
            yield Remnant(
                path=names.path(number, before, file.order),
                size=file.size,
                spans=tuple(_content(volume, start, file)),
                modified=file.modified,
                created=file.created,
                trace=Trace.JOURNAL if file.size is not None else Trace.RECORD,
            )


def _log_of(reader: Reader, start: int, volume: Inodes) -> Iterator[log.Change]:
    """Yield the parts of records in the log, as far as it can be read."""
    (block,) = struct.unpack_from(">Q", reader.read_at(start, HEAD), 48)
    place = volume.place(block) if block else None
    if place is not None:
        with contextlib.suppress(UnreadableError):
            yield from log.changes(reader, start, volume.layout.block, start + place)


def _logged(volume: Inodes, parts: Iterable[log.Change]) -> dict[int, dict[int, _File]]:
    """Return the newest copy in the log of each file that is gone, by number and generation."""
    found: dict[int, dict[int, _File]] = defaultdict(dict)
    for order, inode, generation in log.inodes(parts):
        if not 0 < inode.size <= LARGEST or _is_there(volume, inode.number, generation):
            continue
        extents = tuple(sorted(volume.extents(inode)))
        older = found[inode.number].get(generation)
        if extents and (older is None or older.order <= order):
            file = _File(order, inode.size, inode.modified, inode.created, extents)
            found[inode.number][generation] = file
    return found


def _is_there(volume: Inodes, number: int, generation: int) -> bool:
    """Return whether an inode is in use, and as that generation of it."""
    place = volume.place(number >> volume.layout.inodes_bits)
    if place is None:
        return True
    inside = number & (1 << volume.layout.inodes_bits) - 1
    data = volume.reader.read_at(place + inside * volume.layout.inode, 100)
    in_use = data[:2] == INODE_MARK and data[2:4] != b"\0\0"
    return in_use and int.from_bytes(data[92:96], "big") == generation


def _free(reader: Reader, start: int, layout: Superblock) -> Iterator[tuple[int, _File]]:
    """Yield number and file of each free inode that still has extents."""
    for first, place in inode_chunks(reader, start, layout):
        data = reader.read_at(place, CHUNK * layout.inode)
        for index in range(len(data) // layout.inode):
            inode = data[index * layout.inode : (index + 1) * layout.inode]
            if inode[:4] != INODE_MARK + b"\0\0":
                continue
            extents = _left(inode[CORE_V3 if inode[4] >= 3 else CORE :], layout)
            if extents:
                yield first + index, _File(0, None, None, None, extents)


def _left(fork: bytes, layout: Superblock) -> tuple[Extent, ...]:
    """Return the extents that a free inode has kept: those that follow each other from its beginning."""
    found: list[Extent] = []
    position = 0
    for high, low in EXTENT.iter_unpack(fork[: min(len(fork) // 16, MOST_EXTENTS) * 16]):
        extent = Extent(
            high >> 9 & (1 << 54) - 1, (high & 0x1FF) << 43 | low >> 21, low & (1 << 21) - 1, not high >> 63
        )
        group, inside = extent.block >> layout.group_bits, extent.block & (1 << layout.group_bits) - 1
        sound = extent.start == position and extent.blocks and extent.block
        if not sound or group >= layout.groups or inside + extent.blocks > layout.group:
            break
        found.append(extent)
        position += extent.blocks
    return tuple(found)


def _same_place(one: _File, other: _File) -> bool:
    return bool(one.extents) and bool(other.extents) and one.extents[0].block == other.extents[0].block


def _content(volume: Inodes, start: int, file: _File) -> Iterator[Span]:
    """Yield where the bytes of a file lie in the image; what is not stored lies nowhere."""
    block = volume.layout.block
    position = 0
    end = file.size if file.size is not None else sum(each.blocks for each in file.extents) * block
    for extent in file.extents:
        begin = extent.start * block
        if begin > position:
            yield Span(NOWHERE, NOWHERE + min(begin, end) - position)
        length = min(extent.blocks * block, end - begin)
        if length <= 0:
            return
        place = volume.place(extent.block) if extent.written else None
        at = NOWHERE if place is None else start + place
        yield Span(at, at + length)
        position = begin + length
    if position < end:
        yield Span(NOWHERE, NOWHERE + end - position)


def _walk(volume: Inodes, names: Names) -> None:
    """Keep the names in all folders that are there, and in their gaps."""
    root = volume.layout.root
    pending, seen = [root], {root}
    while pending:
        number = pending.pop()
        for below in _folder(volume, number, names):
            if below not in seen and len(seen) < MOST_FOLDERS:
                seen.add(below)
                pending.append(below)


def _folder(volume: Inodes, number: int, names: Names) -> list[int]:
    """Keep the names in a folder; return the folders in it."""
    below: list[int] = []
    try:
        inode = volume.load(number)
        if inode.mode >> 12 != 4:
            return []
        content = volume.content(inode)
        for entry in entries(inode, content, volume.layout):
            folder = _is_folder(volume, entry.inode)
            names.add(entry.inode, Name(NOW, number, entry.name, live=True), folder=folder)
            if folder:
                below.append(entry.inode)
        if inode.format != LOCAL:
            for start in range(0, min(content.size, 1 << 30), volume.layout.folder):
                _take_gaps(content.read_at(start, volume.layout.folder), number, names)
    except UnreadableError:
        pass
    return below


def _is_folder(volume: Inodes, number: int) -> bool:
    try:
        return volume.load(number).mode >> 12 == 4
    except UnreadableError:
        return False


def _take_gaps(block: bytes, folder: int, names: Names) -> None:
    """Keep the names in the gaps of a block of a folder; of their inodes the lower half is left."""
    offset = HEADERS.get(block[:4], len(block))
    while offset + 12 <= len(block):
        free, length = struct.unpack_from(">HH", block, offset)
        if free != FREE:
            offset += -(-(9 + block[offset + 8] + 1 + 2) // 8) * 8
            continue
        end = min(offset + max(length, 8), len(block))
        for at in range(offset, end - 12, 8):
            name = _name(block, at)
            if name:
                number = int.from_bytes(block[at + 4 : at + 8], "big") | folder >> 32 << 32
                names.add(number, Name(NOW, folder, name, live=False), folder=False)
        offset = end


def _name(data: bytes, at: int) -> bytes:
    """Return the name in the entry of a folder at ``at``; b"" where there is none that makes sense."""
    length = data[at + 8] if at + 12 <= len(data) else 0
    name, kind = data[at + 9 : at + 9 + length], data[at + 9 + length : at + 10 + length]
    sound = length and len(kind) == 1 and 0 < kind[0] < KINDS and b"/" not in name and min(name) >= 32
    return name if sound and name not in {b".", b".."} else b""


def _take(data: bytes, folder: int, order: int, wanted: NDArray[np.uint64], names: Names) -> None:
    """Keep the names in a part of a folder that stand for inodes which are ``wanted``, a sorted list."""
    numbers = np.frombuffer(data, ">u8", len(data) // 8).astype(np.uint64)
    if data[:4] in HEADERS and len(data) >= OWNER + 8:
        folder = int.from_bytes(data[OWNER : OWNER + 8], "big")
    places = np.searchsorted(wanted[:-1], numbers)  # the parts are many and small: this is the quickest
    for index in np.flatnonzero(wanted[places] == numbers).tolist():
        name = _name(data, index * 8)
        if name:
            names.add(int(numbers[index]), Name(order, folder, name, live=True), folder=False)
