"""The journal of ext3 and ext4 (jbd2): older copies of blocks of tables and folders.

Everything that still stands in the journal is told, not only what a recovery would replay: a copy that was
revoked, or that a later transaction made old, is what a deleted file looked like. Where the journal has begun
anew from its start, what it has not come to yet is the oldest.

Source: the Linux kernel's documentation, "Journal (jbd2)".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from unransom.core.streams import CHUNK, Reader
from unransom.evidence.filesystems.ext.inodes import data_blocks, extents, load
from unransom.evidence.filesystems.ext.layout import Layout

MAGIC = b"\xc0\x3b\x39\x98"
DESCRIPTOR = 1
SUPERS = frozenset({3, 4})
WIDE, SUMS_2, SUMS_3 = 2, 8, 16  # features
ESCAPED, SAME_ID, LAST = 1, 2, 8  # flags of a tag
MOST_BLOCKS = 1 << 22  # of a journal


class Copy(NamedTuple):
    """A block as it was written by a transaction.

    Attributes:
        sequence: Number of the transaction.
        block: Where it belongs in the volume.
        place: Where the copy stands in the image.
        escaped: Its first four bytes are left out: they are those that blocks of the journal begin with.
    """

    sequence: int
    block: int
    place: int
    escaped: bool


def copies(reader: Reader, layout: Layout) -> Iterator[Copy]:
    """Yield all copies of blocks that stand in the journal, in the order in which they lie there."""
    inode = load(reader, layout, layout.journal) if layout.journal else None
    listed = extents(reader, layout, inode) if inode and inode.size <= MOST_BLOCKS * layout.block else None
    places = [layout.place(block) for block in islice(data_blocks(listed or []), MOST_BLOCKS)]
    head = reader.read_at(places[0], 1024) if places else b""
    if len(head) < 1024 or head[:4] != MAGIC or struct.unpack_from(">I", head, 4)[0] not in SUPERS:
        return
    size, last, first = struct.unpack_from(">III", head, 12)
    (features,) = struct.unpack_from(">I", head, 40)
    if size != layout.block or not 0 < first < last <= len(places):
        return
    marked = set(_marked(reader, layout, places))
    for index in range(first, last):
        if index not in marked:
            continue
        data = reader.read_at(places[index], layout.block)
        kind, sequence = struct.unpack_from(">II", data, 4)
        if kind != DESCRIPTOR:
            continue
        at = index
        for block, escaped in _tags(data, features):
            at = at + 1 if at + 1 < last else first
            if at in marked:  # written over by a later transaction
                break
            yield Copy(sequence, block, places[at], escaped)


def _marked(reader: Reader, layout: Layout, places: list[int]) -> Iterator[int]:
    """Yield which blocks of the journal are its own and no copies."""
    index = 0
    while index < len(places):
        run = 1
        most = min(CHUNK // layout.block, len(places) - index)
        while run < most and places[index + run] == places[index] + run * layout.block:
            run += 1
        data = reader.read_at(places[index], run * layout.block)
        for inside in range(run):
            if data.startswith(MAGIC, inside * layout.block):
                yield index + inside
        index += run


def _tags(data: bytes, features: int) -> Iterator[tuple[int, bool]]:
    """Yield block and escape of each copy that a descriptor names."""
    at, end = 12, len(data) - (4 if features & (SUMS_2 | SUMS_3) else 0)
    size = 16 if features & SUMS_3 else 8 + 2 * bool(features & SUMS_2) + 4 * bool(features & WIDE)
    while at + size <= end:
        if features & SUMS_3:
            block, flags, high = struct.unpack_from(">III", data, at)
        else:
            block, flags = struct.unpack_from(">I2xH", data, at)
            high = struct.unpack_from(">I", data, at + 8)[0] if features & WIDE else 0
        yield block | (high << 32 if features & WIDE else 0), bool(flags & ESCAPED)
        if flags & LAST:
            return
        at += size + (0 if flags & SAME_ID else 16)


def bytes_of(reader: Reader, layout: Layout, copy: Copy) -> bytes:
    """Return the block as it was."""
    data = reader.read_at(copy.place, layout.block)
    return MAGIC + data[4:] if copy.escaped else data
