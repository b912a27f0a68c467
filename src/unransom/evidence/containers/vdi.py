"""VirtualBox disks: dynamic, fixed and differencing.

Source: the layout that VirtualBox and QEMU write, version 1.1.
"""

from __future__ import annotations

import contextlib
import os
import struct
import uuid
from typing import NamedTuple

import numpy as np

from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Mapped, Piece, same
from unransom.evidence.containers.opening import MOST_ENTRIES, Opening, invalid
from unransom.evidence.descriptors import DescriptorReader, open_quietly

MARK = b"\x7f\x10\xda\xbe"  # at byte 64
HEAD = 512  # bytes
BASE = struct.Struct("<4xIIII256xIIIIII4xQIIII16s16s16s16s")  # from the mark on
DIFFERENCING = 4
FREE, ZERO = 0xFFFFFFFF, 0xFFFFFFFE
LARGEST_BLOCK = 1 << 28  # bytes
SNAPSHOTS = b"Snapshots"  # the folder beside the disk that they build on
MOST_DISKS = 1000  # in a folder that a parent is looked for among


class Header(NamedTuple):
    """What the first sector says.

    Attributes:
        kind: 1 dynamic, 2 fixed, 3 undo, 4 differencing.
        table, data: Where the table of blocks and the first block are.
        size, block, extra, blocks: Bytes of the disk, of a block, in front of each block; blocks in all.
        identifier, parent: Of this disk, and of the one that it builds on.
    """

    kind: int
    table: int
    data: int
    size: int
    block: int
    extra: int
    blocks: int
    identifier: bytes
    parent: bytes


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file begins with the header of such a disk."""
    return head[64:68] == MARK


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense.
        UnreadableError: It cannot be read.
    """
    header = _header(opening.reader.read_at(0, HEAD))
    if header is None:
        raise invalid("a header that makes no sense")
    parent = None
    if header.kind == DIFFERENCING:
        folder = opening.path.rpartition(b"/")[0]
        above, _, called = folder.rpartition(b"/")
        places = [folder, above] if called == SNAPSHOTS else [folder]  # as VirtualBox keeps them
        found = next((path for each in places if (path := _with(each, header.parent))), None)
        parent = opening.parent(str(uuid.UUID(bytes_le=header.parent)), header.size, found=found)
    return BlockDisk(opening.reader, header, parent)


def _header(data: bytes) -> Header | None:
    if len(data) < 64 + BASE.size or data[64:68] != MARK:
        return None
    fields = BASE.unpack_from(data, 64)
    _, _, kind, _, table, start, _, _, _, _, size, block, extra, blocks, _, identifier, _, parent, _ = fields
    sound = 0 < block <= LARGEST_BLOCK and extra <= LARGEST_BLOCK and 0 < size <= blocks * block
    return Header(kind, table, start, size, block, extra, blocks, identifier, parent) if sound else None


def _with(folder: bytes, identifier: bytes) -> bytes | None:
    """Return the path of the disk in a folder that has an identifier: its name stands nowhere."""
    looked = 0
    with contextlib.suppress(OSError), os.scandir(folder or b"/") as entries:
        for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
            if looked >= MOST_DISKS or b".vdi" not in entry.name.lower() or not entry.is_file():
                continue
            looked += 1
            with DescriptorReader(open_quietly(entry.path, os.O_NONBLOCK)) as reader:
                header = _header(reader.read_at(0, HEAD))
            if header and header.identifier == identifier:
                return entry.path
    return None


class BlockDisk(Mapped):
    """A disk in blocks that a table places."""

    def __init__(self, reader: Reader, header: Header, parent: Reader | None) -> None:
        """Open the disk in ``reader``; ``parent`` has what it has not.

        Raises:
            OSError: The table of blocks is not there.
        """
        if header.table + header.blocks * 4 > reader.size:
            raise invalid("a table of blocks that does not fit")
        self.size = header.size
        self._reader = reader
        self._header = header
        self._parent = parent
        self._table = np.frombuffer(reader.read_at(header.table, header.blocks * 4), "<u4")

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a block, the parent, or nowhere."""
        number, inside = divmod(offset, self._header.block)
        length = min(self._header.block, self.size - number * self._header.block) - inside
        place = int(self._table[number])
        if place >= ZERO:
            length = min(same(self._table, number) * self._header.block - inside, self.size - offset)
        if place == ZERO or (place == FREE and (self._parent is None or offset >= self._parent.size)):
            return Piece(length)
        if place == FREE:
            assert self._parent is not None  # noqa: S101 else it is a hole
            return Piece(min(length, self._parent.size - offset), self._parent, offset)
        start = self._header.data + place * (self._header.block + self._header.extra) + self._header.extra
        return Piece(length, self._reader, start + inside)
