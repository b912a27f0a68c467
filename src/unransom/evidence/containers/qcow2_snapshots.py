"""What a QEMU disk says of its tables beside the first one: who else names them, and how many do.

A snapshot inside has a first table of its own. A table that was not written to since is shared, and counted
once more for each that names it.

Source: QEMU, docs/interop/qcow2.txt.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader

OFFSET = 0x00FFFFFFFFFFFE00  # bits of an entry
ENTRY = struct.Struct(">QIHH16xII")  # table, its entries, length of id and name, of the machine, of what more
MOST = 4096  # snapshots
LARGEST_COUNT = 6  # 2**6 bits


class Counts(NamedTuple):
    """Where it stands how often each cluster of the file is used.

    Attributes:
        table, entries: Places of the clusters that have the counts.
        order: Two to this are the bits of a count.
        bits: Two to this are the bytes of a cluster.
    """

    table: int
    entries: int
    order: int
    bits: int

    def of(self, reader: Reader, place: int) -> int | None:
        """Return how often the cluster at ``place`` is used, None where that cannot be told."""
        if not self.table or self.order > LARGEST_COUNT:
            return None
        which, index = divmod(place >> self.bits, 1 << (self.bits + 3 - self.order))
        entry = _read(reader, self.table + which * 8, 8) if which < self.entries else b""
        block = int.from_bytes(entry) & OFFSET
        bit = index << self.order
        data = _read(reader, block + bit // 8, max(1, (1 << self.order) // 8)) if block else b""
        if not data:
            return None
        return int.from_bytes(data) >> bit % 8 & ((1 << (1 << self.order)) - 1)


class Inner(NamedTuple):
    """The first table of a snapshot.

    Attributes:
        where: It lies there in the file.
        places: Of the tables that it names.
    """

    where: range
    places: NDArray[np.uint64]


def first_tables(reader: Reader, start: int, count: int, needed: int) -> list[Inner] | None:
    """Return the first table of each snapshot, None where not all can be read.

    Args:
        reader: The file.
        start: Where the list of snapshots begins.
        count: How many there are.
        needed: Entries of a first table for the whole disk.
    """
    found: list[Inner] = []
    for _ in range(min(count, MOST)):
        head = _read(reader, start, ENTRY.size)
        if not head:
            return None
        table, entries, identifier, name, _, more = ENTRY.unpack(head)
        data = _read(reader, table, min(entries, needed) * 8)
        if not data:
            return None
        places = np.zeros(needed, np.uint64)
        places[: len(data) // 8] = np.frombuffer(data, ">u8").astype(np.uint64) & np.uint64(OFFSET)
        found.append(Inner(range(table, table + entries * 8), places))
        start += -(-(ENTRY.size + more + identifier + name) // 8) * 8
    return found if len(found) == count else None


def _read(reader: Reader, offset: int, length: int) -> bytes:
    """Return the bytes, none where not all are there."""
    try:
        data = reader.read_at(offset, length) if offset + length <= reader.size else b""
    except UnreadableError:
        return b""
    return data if len(data) == length else b""
