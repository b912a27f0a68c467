"""Files that were deleted from ext3 and ext4, by the copies of their inodes in the journal.

Deleting clears size and extents of an inode in its place. The journal has older copies of the block that
the inode stands in, for as long as nothing is written over them there. Names come from copies of blocks of
folders, from the gaps in folders, and from how the numbers of inodes were given out again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ext import folders, journal
from unransom.evidence.filesystems.ext.inodes import Inode, content, data_blocks, extents, load, parse
from unransom.evidence.filesystems.ext.layout import Layout, Tables, layout
from unransom.evidence.filesystems.names import NOW, Name, Names
from unransom.evidence.filesystems.remnants import NOWHERE, Remnant, Trace

ROOT = 2
MOST_FOLDERS = 1 << 20
MOST_BLOCKS = 1 << 24  # of all folders

Versions = dict[int, "_Seen"]  # by generation


class _Seen(NamedTuple):
    """An inode in a copy of its block, and the number of the transaction."""

    sequence: int
    inode: Inode


class _Residue:
    """What is collected of a volume."""

    def __init__(self, reader: Reader, place: Layout) -> None:
        self._reader = reader
        self._layout = place
        self._owners: dict[int, int] = {}  # block to the inode of its folder
        self.names = Names(ROOT)
        self.seen: dict[int, Versions] = defaultdict(dict)

    def walk(self) -> None:
        """Read all folders that are there."""
        pending, seen = [ROOT], {ROOT}
        while pending:
            number = pending.pop()
            inode = load(self._reader, self._layout, number)
            listed = extents(self._reader, self._layout, inode) if inode and inode.is_folder else None
            for block in islice(data_blocks(listed or []), MOST_BLOCKS - len(self._owners)):
                self._owners[block] = number
                data = self._block(block)
                for below in self._take(data, number, NOW) if folders.is_folder(data) else ():
                    if below not in seen and len(seen) < MOST_FOLDERS:
                        seen.add(below)
                        pending.append(below)

    def read_journal(self) -> None:
        """Keep the newest copy of every inode of a file, by number and generation; and names."""
        tables = Tables(self._layout)
        for copy in journal.copies(self._reader, self._layout):
            try:
                data = journal.bytes_of(self._reader, self._layout, copy)
            except UnreadableError:
                continue
            first = tables.first_inode(copy.block)
            if first is not None:
                self._keep(data, first, copy.sequence)
            elif folders.is_folder(data):
                for _ in self._take(
                    data, folders.own(data) or self._owners.get(copy.block, 0), copy.sequence
                ):
                    pass

    def _keep(self, data: bytes, first: int, sequence: int) -> None:
        size = self._layout.inode
        for index in range(len(data) // size):
            inode = parse(first + index, data[index * size : (index + 1) * size])
            if not inode.is_file:
                continue
            older = self.seen[inode.number].get(inode.generation)
            if older is None or older.sequence <= sequence:
                self.seen[inode.number][inode.generation] = _Seen(sequence, inode)

    def _block(self, block: int) -> bytes:
        try:
            return self._reader.read_at(self._layout.place(block), self._layout.block)
        except UnreadableError:
            return b""

    def _take(self, data: bytes, folder: int, order: int) -> Iterator[int]:
        """Keep the names in a block of a folder; yield the folders in it that are there."""
        for entry in folders.entries(data, self._layout.inodes):
            if entry.name in {b".", b".."}:
                continue
            is_folder = entry.kind == folders.FOLDER
            self.names.add(entry.inode, Name(order, folder, entry.name, entry.live), folder=is_folder)
            if is_folder and entry.live:
                yield entry.inode


def remnants(reader: Reader, start: int) -> Iterator[Remnant]:
    """Yield files that were deleted from the volume that begins at ``start``."""
    place = layout(reader, start)
    if place is None or not place.journal:
        return
    residue = _Residue(reader, place)
    residue.walk()
    residue.read_journal()
    for number, versions in residue.seen.items():
        current = load(reader, place, number)
        there = current.generation if current and (current.is_file or current.is_folder) else None
        for generation, seen in versions.items():
            listed = extents(reader, place, seen.inode) if generation != there else None
            if listed is None:
                continue
            before = max(
                (each.sequence for each in versions.values() if each.sequence < seen.sequence), default=-1
            )
            yield Remnant(
                path=residue.names.path(number, before, seen.sequence),
                size=seen.inode.size,
                spans=tuple(content(place, seen.inode.size, listed, NOWHERE)),
                modified=seen.inode.modified,
                created=seen.inode.created,
                trace=Trace.JOURNAL,
            )
