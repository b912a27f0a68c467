"""FAT volumes whose first sector is lost with its copy, or has none: what it said follows from the rest.

The two tables say where they begin and how long they are; the chain of a file of known size says how large a
cluster is; the first entry of a folder, which names its own cluster, says where the clusters begin. A volume
counts as found only if a single layout agrees with all the folders and files that are looked at.

Source: Microsoft, FAT32 file system specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from unransom.core.streams import Reader
from unransom.evidence.volumes.gpt import read

SECTOR = 512
SECTORS = (512, 1024, 2048, 4096)  # bytes that a sector may have
MOST_RESERVED = 8 << 20  # bytes in front of the first table in which it is looked for
MOST_HEADS = 4  # places that begin as a table does
LONGEST = {12: 64 << 10, 16: 192 << 10, 32: 64 << 20}  # bytes of a table, which may be filled up to a cluster
BEGUN = {12: b"\xff\xff", 16: b"\xff\xff\xff", 32: b"\xff\xff\x0f"}  # behind the byte of the medium
FEWEST = {12: 1, 16: 4085, 32: 65525}  # clusters
MOST = {12: 4085, 16: 65525, 32: 1 << 28}
CLUSTERS = tuple(SECTOR << power for power in range(8))  # bytes of one, in sectors of 512 bytes
LARGE_CLUSTERS = tuple(CLUSTERS[-1] << power for power in range(1, 4))  # in larger ones
LARGEST_ROOT = 128 << 10  # bytes, where it is no chain
ENTRY = 32
ROOT = 2  # first cluster of a root folder that is a chain
FOLDERS, FILES, STEPS = 256, 256, 1 << 16  # that are looked at, and clusters of the files in all
PAGE = 64 << 10
FOLDER, VOLUME, LONG_NAME = 0x10, 0x08, 0x0F  # attributes of an entry
OWN, UPPER = b".          ", b"..         "  # names of a folder's first two entries


class Entry(NamedTuple):
    """A file or folder as its folder names it: first cluster, bytes."""

    name: bytes
    folder: bool
    first: int
    size: int


class Tables(NamedTuple):
    """Two tables that are the same: bits of an entry, where the first begins, bytes of one, first byte."""

    bits: int
    start: int
    size: int
    medium: int


class Table:
    """The entries of a table, a page at a time."""

    def __init__(self, reader: Reader, tables: Tables) -> None:
        self._reader, self._tables = reader, tables
        self._page, self._at = b"", -1

    def next(self, cluster: int) -> int:
        """Return what is behind a cluster in its chain; 0 for one that is free or not in the table."""
        bits = self._tables.bits
        at = cluster * bits // 8
        data = self._bytes(at, 4 if bits == 32 else 2)
        value = int.from_bytes(data, "little")
        if bits == 12:
            return value >> 4 if cluster & 1 else value & 0xFFF
        return value & 0x0FFFFFFF if bits == 32 else value

    def _bytes(self, at: int, length: int) -> bytes:
        if not 0 <= at <= self._tables.size - length:
            return b""
        if not self._at <= at <= at + length <= self._at + len(self._page) or self._at < 0:
            self._at = at // PAGE * PAGE
            length_of = min(PAGE + 4, self._tables.size - self._at)
            self._page = read(self._reader, self._tables.start + self._at, length_of)
        return self._page[at - self._at : at - self._at + length]


class Layout(NamedTuple):
    """Where a volume has what.

    Attributes:
        start: Byte where it begins.
        tables: Its tables.
        root: Bytes of its root folder; 0 where that is a chain.
        cluster, clusters: Bytes of a cluster, and how many there are.
    """

    start: int
    tables: Tables
    root: int
    cluster: int
    clusters: int

    @property
    def data(self) -> int:
        """Byte where the first cluster begins."""
        return self.tables.start + 2 * self.tables.size + self.root

    def place(self, cluster: int) -> int:
        """Return the byte where a cluster begins, -1 for one that there is not."""
        return self.data + (cluster - 2) * self.cluster if 2 <= cluster < self.clusters + 2 else -1


def boot_of(reader: Reader, start: int, size: int) -> bytes | None:
    """Return a first sector for the volume at ``start``; None where not just one layout holds.

    Args:
        reader: The disk.
        start: Byte where the volume begins.
        size: Bytes that it may have.
    """
    found = {
        layout for tables in _tables(reader, start, size) for layout in _layouts(reader, start, size, tables)
    }
    return _boot(found.pop()) if len(found) == 1 else None


def _tables(reader: Reader, start: int, size: int) -> Iterator[Tables]:
    """Yield the pairs of tables behind a lost first sector."""
    found = 0
    for place, data in _sectors(reader, start + SECTOR, min(start + MOST_RESERVED, start + size)):
        kinds = [bits for bits in BEGUN if _begins(data, Tables(bits, 0, 0, data[0]))]
        for bits in kinds:
            length = _second(reader, place, min(LONGEST[bits], (start + size - place) // 2), data)
            if length:
                yield Tables(bits, place, length, data[0])
        found += bool(kinds)
        if found == MOST_HEADS:
            return


def _sectors(reader: Reader, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the sectors that may begin a table, and where they are."""
    for at in range(begin, end, PAGE):
        data = read(reader, at, min(PAGE, end - at))
        for offset in range(0, len(data) - SECTOR + 1, SECTOR):
            if data[offset] >= 0xF0 and data[offset + 1 : offset + 3] == b"\xff\xff":
                yield at + offset, data[offset : offset + SECTOR]


def _begins(data: bytes, tables: Tables) -> bool:
    """Return whether a table begins so: with the medium, and a mark in which two bits tell of a clean end."""
    begun = BEGUN[tables.bits]
    if len(data) < 8 or data[0] < 0xF0 or data[0] != tables.medium:
        return False
    if tables.bits == 12:
        return data[1:3] == begun
    if tables.bits == 16:
        return data[1:3] == begun[:2] and data[3] | 0xC0 == 0xFF
    return data[1:3] == begun[:2] and data[3] & 0x0F == 0x0F and data[4:7] == b"\xff" * 3 and data[7] & 3 == 3


def _second(reader: Reader, place: int, longest: int, head: bytes) -> int:
    """Return how far behind a table its copy is, 0 where there is none."""
    for at, data in _sectors(reader, place + SECTOR, place + longest + SECTOR):
        if data == head:
            size = at - place
            same = all(
                read(reader, place + step, min(PAGE, size - step))
                == read(reader, at + step, min(PAGE, size - step))
                for step in range(0, size, PAGE)
            )
            return size if same else 0
    return 0


def _layouts(reader: Reader, start: int, size: int, tables: Tables) -> Iterator[Layout]:
    """Yield the layouts with these tables that agree with what is there."""
    table = Table(reader, tables)
    roots = range(SECTOR, LARGEST_ROOT + 1, SECTOR) if tables.bits < 32 else range(1)
    held = tables.size * 8 // tables.bits - 2
    for root in roots:
        for cluster in CLUSTERS + LARGE_CLUSTERS:
            layout = Layout(start, tables, root, cluster, 0)
            clusters = min((start + size - layout.data) // cluster, held)
            if FEWEST[tables.bits] <= clusters < MOST[tables.bits]:
                layout = layout._replace(clusters=clusters)
                if _holds(reader, layout, table):
                    yield layout


def _holds(reader: Reader, layout: Layout, table: Table) -> bool:
    """Return whether folders and chains agree with a layout; without a folder none does."""
    if not layout.root and not table.next(ROOT):
        return False
    place, length = (
        (layout.data - layout.root, layout.root) if layout.root else (layout.place(ROOT), layout.cluster)
    )
    waiting = [(0, read(reader, place, length))]
    folders = 0
    sizes: list[tuple[int, int]] = []
    while waiting and folders < FOLDERS:
        own, data = waiting.pop(0)
        named = entries(data)
        if named is None:
            return False
        for each in named:
            if each.folder and each.name not in {OWN, UPPER}:
                folders += 1
                if not table.next(each.first) or not _is_folder(reader, layout, each.first, own):
                    return False
                waiting.append((each.first, read(reader, layout.place(each.first), layout.cluster)))
            elif each.size:
                sizes.append((each.first, each.size))
    return folders > 0 and _chains_hold(table, layout, sizes)


def _chains_hold(table: Table, layout: Layout, sizes: list[tuple[int, int]]) -> bool:
    """Return whether the chains of files, given by first cluster and bytes, are as long as the files are."""
    steps = 0
    for first, size in sizes[:FILES]:
        count = -(-size // layout.cluster)
        if steps + count <= STEPS:
            steps += count
            if not _is_chain(table, layout, first, count):
                return False
    return True


def _is_folder(reader: Reader, layout: Layout, cluster: int, upper: int) -> bool:
    """Return whether a folder begins in a cluster, by its entries for itself and for the one above."""
    place = layout.place(cluster)
    named = entries(read(reader, place, 2 * ENTRY)) if place >= 0 else None
    wide = layout.tables.bits == 32
    told = [(each.name, each.folder, each.first if wide else each.first & 0xFFFF) for each in named or ()]
    return told == [(OWN, True, cluster), (UPPER, True, upper)]


def _is_chain(table: Table, layout: Layout, cluster: int, count: int) -> bool:
    """Return whether a chain has as many clusters as its file needs."""
    end = (1 << min(layout.tables.bits, 28)) - 8  # and above
    for step in range(count):
        if not 2 <= cluster < layout.clusters + 2:
            return False
        cluster = table.next(cluster)
        if cluster >= end:
            return step == count - 1
    return False


@lru_cache(4)  # the same root is asked for with clusters of every size
def entries(data: bytes) -> Sequence[Entry] | None:
    """Return what a folder names, None where its bytes are none of a folder's or it was never written."""
    found: list[Entry] = []
    for at in range(0, len(data) - ENTRY + 1, ENTRY):
        name, kind = data[at : at + 11], data[at + 11]
        if not name[0]:
            return found if at else None
        if name[0] == 0xE5 or kind == LONG_NAME:
            continue
        high, low, size = struct.unpack_from("<H4xHI", data, at + 20)
        if kind & 0xC0 or min(name[1:]) < 0x20 or (name[0] < 0x20 and name[0] != 5):
            return None
        if not kind & VOLUME:
            found.append(Entry(name, bool(kind & FOLDER), high << 16 | low, size))
        if kind & FOLDER and size:
            return None
    return found if data else None


def _boot(layout: Layout) -> bytes | None:
    """Return a first sector that tells a layout; the size of a sector is the least that can."""
    tables = layout.tables
    reserved, total = (
        tables.start - layout.start,
        layout.data - layout.start + layout.clusters * layout.cluster,
    )
    for sector in SECTORS:
        parts = (reserved, tables.size, layout.root, layout.cluster)
        if (
            any(part % sector for part in parts)
            or layout.cluster // sector > 128
            or reserved // sector >= 1 << 16
        ):
            continue
        head = struct.pack(
            "<3s8sHBHBHHBHHHII",
            b"\xeb\x58\x90",
            b"MSDOS5.0",
            sector,
            layout.cluster // sector,
            reserved // sector,
            2,
            layout.root // ENTRY,
            0,
            tables.medium,
            0 if tables.bits == 32 else tables.size // sector,
            63,
            255,
            0,
            total // sector,
        )
        if tables.bits == 32:
            head += struct.pack("<IHHIHH", tables.size // sector, 0, 0, 2, 1, 0)
        return head.ljust(510, b"\0") + b"\x55\xaa"
    return None
