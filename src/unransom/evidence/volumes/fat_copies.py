"""The second table of FAT, where sectors of the first are lost: The Sleuth Kit reads only the first.

Where the two differ, the one counts in which fewer entries are out of place: an entry names a cluster that
there is, that no other entry names, and whose own entry is in use. Noise has hardly an entry of which that
holds, and zeros are named by others or hide what was in use.

Source: Microsoft, FAT32 file system specification.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.bitmaps import runs
from unransom.evidence.volumes.fat_layout import HEAD, LOW_BITS, MEDIUM, SMALL, Layout, layout, twelve

SECTOR = 512
LARGEST = 16 << 20  # bytes of a table: that of 128 GiB in clusters of 32 KiB
RESERVED = 8  # numbers at the end that are no clusters: damaged ones, and ends of chains
Flags = NDArray[np.bool_]


class Table(NamedTuple):
    """A table: bits of an entry, the entries from that of cluster 2 on, how often each cluster is named.

    From ``last`` on an entry names no cluster.
    """

    bits: int
    entries: NDArray[np.uint32]
    named: NDArray[np.int64]
    last: int


def from_second(reader: Reader, start: int) -> list[tuple[int, bytes]]:
    """Return the parts of the second table to be put in place of the first one's: where, and the bytes.

    Args:
        reader: The disk, with the first sector of the volume readable.
        start: Byte where the volume begins.
    """
    try:
        head = reader.read_at(start, HEAD)
        found = layout(head)
        if found is None or head[16] != 2 or not 0 < found.length <= LARGEST:
            return []
        place = start + found.table
        first, second = (_lost_as_zeros(reader, place + n * found.length, found.length) for n in range(2))
    except UnreadableError:
        return []
    if first == second or len(first) < found.length or len(second) < found.length:
        return []
    ours, others = np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8)
    whole = len(first) // SECTOR * SECTOR
    differing = (ours[:whole] != others[:whole]).reshape(-1, SECTOR).any(1)
    one, two = _table(first, found), _table(second, found)
    taken = runs(differing & (_worse(one, two, differing) > _worse(two, one, differing)), 0, SECTOR)
    return [(place + each.start, second[each.start : each.end]) for each in taken]


def _lost_as_zeros(reader: Reader, place: int, length: int) -> bytes:
    """Return a table; a sector that cannot be read is zeros in it."""
    try:
        return reader.read_at(place, length)
    except UnreadableError:
        return b"".join(_sector(reader, place + at) for at in range(0, length, SECTOR))


def _sector(reader: Reader, place: int) -> bytes:
    try:
        return reader.read_at(place, SECTOR)
    except UnreadableError:
        return bytes(SECTOR)


def _worse(table: Table, other: Table, differing: Flags) -> NDArray[np.int64]:
    """Return for each sector of a table how much speaks against it: its entries that are out of place.

    What the other table knows of other sectors counts as well. Of two with as many, as of zeros in place of
    chains that begin and end there, the one with more in use is better.
    """
    entries, count = table.entries, len(table.entries)
    number = np.arange(2, count + 2)
    names = (entries > 0) & (entries < table.last)
    inside = names & (entries >= 2) & (entries < count + 2)
    target = np.where(inside, entries, 2).astype(np.int64)
    used = (entries > 0) | (other.entries > 0)
    wrong = names & (~inside | (table.named[target] > 1) | ~used[target - 2])
    wrong |= (entries == 0) & (table.named[number] + other.named[number] > 0)
    weight = np.where(wrong, 2 * SECTOR, 0) - (entries > 0)
    sector = np.minimum(number * table.bits // 8 // SECTOR, len(differing) - 1)
    return np.bincount(sector, weights=weight, minlength=len(differing)).astype(np.int64)


def _table(data: bytes, found: Layout) -> Table:
    bits = 12 if found.clusters < SMALL else 16 if found.clusters < MEDIUM else 32
    entries = _entries(data, bits, found.clusters)
    last = (1 << min(bits, 28)) - RESERVED - 1
    inside = entries[(entries >= 2) & (entries < min(last, len(entries) + 2))]
    return Table(bits, entries, np.bincount(inside, minlength=len(entries) + 2), last)


def _entries(table: bytes, bits: int, clusters: int) -> NDArray[np.uint32]:
    if bits == 12:
        return twelve(table, clusters).astype(np.uint32)
    values = np.frombuffer(table[: len(table) // 4 * 4], f"<u{bits // 8}").astype(np.uint32)
    return (values & LOW_BITS if bits == 32 else values)[2 : clusters + 2]
