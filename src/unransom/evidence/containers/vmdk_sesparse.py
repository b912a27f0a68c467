"""Space-efficient sparse extents (SEsparse): what ESX writes snapshots into on VMFS 6.

VMware has not published the format. Source: QEMU, the commit message and the structures of block/vmdk.c.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import SECTOR, Mapped, Piece, Recent, same
from unransom.evidence.containers.opening import invalid

MARK = b"\xbe\xba\xfe\xca\0\0\0\0"
VERSION = 0x0000000200000001
HEADER = struct.Struct("<26Q")
VOLATILE = struct.Struct(
    "<4Q"
)  # mark, free tables, next transaction, whether the journal was not written back
DIRECTORY_KIND, DIRECTORY_USED = 0xFFFFFFFF00000000, 0x1000000000000000  # of an entry of the directory
KIND = 60  # bits behind which an entry of a table says what it is
BELOW, UNMAPPED, ZEROED, STORED = range(4)
MOST_TABLES = 1 << 22
LARGEST = 1 << 46  # sectors
KEPT_TABLES = 1024


class Layout(NamedTuple):
    """How an extent is laid out, in sectors.

    Attributes:
        sectors: Of the disk.
        grain: Of a grain.
        table: Of a table of grains.
        directory, directory_size: Where the tables are listed.
        tables: Where the first table is.
        grains: Where the first grain is.
        dirty: Whether changes stand in the journal that were not written back.
    """

    sectors: int
    grain: int
    table: int
    directory: int
    directory_size: int
    tables: int
    grains: int
    dirty: bool


def layout(reader: Reader) -> Layout:
    """Return how the extent in ``reader`` is laid out.

    Raises:
        OSError: Its header makes no sense.
        UnreadableError: It cannot be read.
    """
    head = reader.read_at(0, SECTOR)
    if len(head) < HEADER.size or head[:8] != MARK:
        raise invalid("no header of a space-efficient extent")
    fields = HEADER.unpack_from(head)
    _, version, sectors, grain, table = fields[:5]
    volatile, directory, directory_size, tables, grains = (
        fields[10],
        fields[16],
        fields[17],
        fields[18],
        fields[24],
    )
    sound = version == VERSION and 0 < sectors < LARGEST and 0 < grain <= 4096 and 0 < table <= 4096
    sound = sound and max(volatile, directory, tables, grains) < LARGEST
    if not sound or directory_size * SECTOR // 8 > MOST_TABLES:
        raise invalid("a header that makes no sense")
    state = reader.read_at(volatile * SECTOR, VOLATILE.size)
    dirty = len(state) == VOLATILE.size and VOLATILE.unpack(state)[3] != 0
    return Layout(sectors, grain, table, directory, directory_size, tables, grains, dirty)


class SpaceEfficient(Mapped):
    """A space-efficient extent."""

    def __init__(self, reader: Reader, layout: Layout, parent: Reader | None = None) -> None:
        """Open the extent in ``reader``; ``parent`` has the grains that it has not.

        Raises:
            OSError: There is no directory where it should be.
        """
        self._reader = reader
        self._layout = layout
        self._parent = parent
        self.size = layout.sectors * SECTOR
        self._grain = layout.grain * SECTOR
        self._entries = layout.table * SECTOR // 8
        needed = -(-self.size // (self._grain * self._entries))
        data = reader.read_at(layout.directory * SECTOR, needed * 8)
        if needed > layout.directory_size * SECTOR // 8 or len(data) < needed * 8:
            raise invalid("no directory of grains")
        self._directory = np.frombuffer(data, "<u8")
        self._table = Recent(self._load, KEPT_TABLES)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a grain, the parent, or nowhere."""
        number, inside = divmod(offset, self._grain)
        which, entry = divmod(number, self._entries)
        place = int(self._directory[which])
        if not place:
            end = (which + same(self._directory, which)) * self._entries * self._grain
            return self._below(offset, end - offset)
        table = self._table(which)
        word = int(table[entry])
        kind = word >> KIND
        if kind in {BELOW, UNMAPPED, ZEROED}:
            length = min(same(table, entry) * self._grain - inside, self.size - offset)
            return self._below(offset, length) if kind == BELOW else Piece(length)
        length = min(self._grain - inside, self.size - offset)
        if kind != STORED:
            raise UnreadableError(offset, length, "an entry of a table that makes no sense")
        grain = (word & 0x0FFF000000000000) >> 48 | (word & 0x0000FFFFFFFFFFFF) << 12
        return Piece(length, self._reader, self._layout.grains * SECTOR + grain * self._grain + inside)

    def _below(self, offset: int, length: int) -> Piece:
        length = min(length, self.size - offset)
        if self._parent is None or offset >= self._parent.size:
            return Piece(length)
        return Piece(min(length, self._parent.size - offset), self._parent, offset)

    def _load(self, number: int) -> np.ndarray:
        """Return a table of grains.

        Raises:
            UnreadableError: It is not there.
        """
        span = self._entries * self._grain
        place = int(self._directory[number])
        start = (self._layout.tables + (place & 0xFFFFFFFF) * self._layout.table) * SECTOR
        sound = place & DIRECTORY_KIND == DIRECTORY_USED
        data = self._reader.read_at(start, self._entries * 8) if sound else b""
        if len(data) < self._entries * 8:
            raise UnreadableError(number * span, span, "its table of grains is not there")
        return np.frombuffer(data, "<u8")
