"""Sparse extents of VMware disks: grains that a directory of tables points to.

Sources: VMware Virtual Disk Format 5.0, "Hosted Sparse Extents", "ESX Server Sparse Extents" and
"Stream-Optimized Compressed Sparse Extents".
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers.mapped import SECTOR, Mapped, Missing, Piece, Recent
from unransom.evidence.containers.opening import invalid

HOSTED = b"KDMV"
ESX = b"COWD"
HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
ESX_HEADER = struct.Struct("<4sIIIIIII")
AT_END = (1 << 64) - 1  # as the place of the directory: the header is repeated in front of the end
MARKER = struct.Struct("<QI")  # in front of a compressed grain: sector of the disk, bytes
REDUNDANT, COMPRESSED, MARKED = 1 << 1, 1 << 16, 1 << 17  # flags
ZEROED = 1  # entry of a table: the grain is zeros
ESX_ENTRIES = 4096  # of a table
LARGEST_GRAIN = 1 << 12  # sectors
MOST_TABLES = 1 << 22
KEPT_TABLES, KEPT_GRAINS = 4096, 128


class Geometry(NamedTuple):
    """How a sparse extent is laid out, in sectors.

    Attributes:
        sectors: Of the disk.
        grain: Of a grain.
        entries: Of a table.
        directory: Where the tables are listed.
        spare: Where the second list is; 0 for none.
        descriptor, descriptor_size: Where the embedded descriptor is; 0 for none.
        compressed: Whether grains are compressed.
        marked: Whether they begin with a marker.
    """

    sectors: int
    grain: int
    entries: int
    directory: int
    spare: int = 0
    descriptor: int = 0
    descriptor_size: int = 0
    compressed: bool = False
    marked: bool = False

    @property
    def tables(self) -> int:
        """How many tables the disk needs."""
        return -(-self.sectors // (self.grain * self.entries))


def geometry(reader: Reader) -> Geometry:
    """Return how the sparse extent in ``reader`` is laid out.

    Raises:
        OSError: Its header makes no sense.
        UnreadableError: It cannot be read.
    """
    head = reader.read_at(0, SECTOR)
    if head[:4] == ESX:
        return _checked(_esx(head))
    found = _hosted(head)
    if found.directory * SECTOR >= reader.size:
        footer = reader.read_at(reader.size - 2 * SECTOR, SECTOR)
        if footer[:4] == HOSTED:
            end = _hosted(footer)
            found = end._replace(descriptor=found.descriptor, descriptor_size=found.descriptor_size)
    return _checked(found)


def _hosted(head: bytes) -> Geometry:
    if len(head) < HEADER.size or head[:4] != HOSTED:
        raise invalid("no header of a sparse extent")
    (_, _, flags, capacity, grain, descriptor, size, entries, spare, directory, _, _, _, method) = (
        HEADER.unpack_from(head)
    )
    compressed = bool(flags & COMPRESSED)
    if compressed and method > 1:
        raise invalid(f"compressed with the unknown method {method}")
    spare = spare if flags & REDUNDANT else 0
    marked = bool(flags & MARKED)
    return Geometry(capacity, grain, entries, directory, spare, descriptor, size, compressed, marked)


def _esx(head: bytes) -> Geometry:
    if len(head) < ESX_HEADER.size:
        raise invalid("no header of a sparse extent")
    _, _, _, sectors, grain, directory, _, _ = ESX_HEADER.unpack_from(head)
    return Geometry(sectors, grain, ESX_ENTRIES, directory)


def _checked(found: Geometry) -> Geometry:
    sound = 0 < found.grain <= LARGEST_GRAIN and 0 < found.entries <= 1 << 16 and 0 < found.sectors < 1 << 46
    if not sound or found.tables > MOST_TABLES:
        raise invalid("a header that makes no sense")
    return found


class SparseExtent(Mapped):
    """A sparse extent."""

    def __init__(self, reader: Reader, layout: Geometry, parent: Reader | None = None) -> None:
        """Open the extent in ``reader``.

        Args:
            reader: The file.
            layout: See ``geometry``.
            parent: What a grain that is not there is read from; None for zeros.

        Raises:
            OSError: There is no directory where it should be.
        """
        self._reader = reader
        self._layout = layout
        self._parent = parent
        self.size = layout.sectors * SECTOR
        self._grain = layout.grain * SECTOR
        self._spares = _directory(reader, layout.spare, layout.tables)
        self._directory = _directory(reader, layout.directory, layout.tables)
        if self._directory is None and self._spares is None:
            raise invalid("no directory of grains")
        self._table = Recent(self._load_table, KEPT_TABLES)
        self._unpacked = Recent(self._unpack, KEPT_GRAINS)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a grain, the parent, or nowhere."""
        number, inside = divmod(offset, self._grain)
        which, entry = divmod(number, self._layout.entries)
        table = self._table(which)
        if table is None:
            end = min((which + 1) * self._layout.entries * self._grain, self.size)
            return self._absent(offset, end)
        sector = int(table[entry])
        end = min((number + 1) * self._grain, self.size)
        if sector == 0:
            return self._absent(offset, end)
        if sector == ZEROED:
            return Piece(end - offset)
        if self._layout.compressed:
            return Piece(end - offset, BytesReader(self._unpacked(sector)), inside)
        return Piece(end - offset, self._reader, sector * SECTOR + inside)

    def _absent(self, offset: int, end: int) -> Piece:
        if self._parent is None or offset >= self._parent.size:
            return Piece(end - offset)
        return Piece(min(end, self._parent.size) - offset, self._parent, offset)

    def _load_table(self, number: int) -> np.ndarray | None:
        """Return a table of grains, None for one of which no grain is stored.

        Raises:
            UnreadableError: Neither copy is there.
        """
        places = [int(each[number]) for each in (self._directory, self._spares) if each is not None]
        if not any(places):
            return None
        size = self._layout.entries * 4
        span = self._layout.entries * self._grain
        tables = [
            np.frombuffer(self._reader.read_at(place * SECTOR, size), "<u4")
            for place in places
            if place and (place * SECTOR + size) <= self._reader.size
        ]
        if not tables:
            raise UnreadableError(number * span, span, "its table of grains is not there")
        return next(filter(self._is_sound, tables), tables[0])  # none is where the file was cut off

    def _is_sound(self, table: np.ndarray) -> bool:
        """Return whether all grains of a table are in the file: one that was overwritten says otherwise."""
        return bool((table < self._reader.size // SECTOR).all())

    def _unpack(self, sector: int) -> bytes:
        return unpacked(self._reader, sector, self._grain, marked=self._layout.marked)


class MarkedGrains(Mapped):
    """Compressed grains that were found by their markers, which say where on the disk they belong."""

    def __init__(self, reader: Reader, grain: int, sectors: np.ndarray, places: np.ndarray) -> None:
        """Open the disk.

        Args:
            reader: The file.
            grain: Bytes of a grain.
            sectors: Of the disk, at which the grains belong, in order.
            places: Sectors of the file with their markers.
        """
        self._reader = reader
        self._grain = grain
        self._sectors = sectors
        self._places = places
        self.size = int(sectors[-1]) * SECTOR + grain
        self._unpacked: Recent[int, bytes] = Recent(self._unpack, KEPT_GRAINS)

    def piece_at(self, offset: int) -> Piece:
        """Return the grain that byte ``offset`` is in, or the hole; what is before the first one is lost."""
        number = int(np.searchsorted(self._sectors, offset // SECTOR, "right")) - 1
        start = int(self._sectors[number]) * SECTOR if number >= 0 else -self._grain
        if offset - start < self._grain:
            grain = BytesReader(self._unpacked(int(self._places[number])))
            return Piece(start + self._grain - offset, grain, offset - start)
        length = int(self._sectors[number + 1]) * SECTOR - offset
        return Piece(length, Missing(length, "its grain is lost") if number < 0 else None)

    def _unpack(self, place: int) -> bytes:
        return unpacked(self._reader, place, self._grain, marked=True)


def unpacked(reader: Reader, sector: int, size: int, *, marked: bool) -> bytes:
    """Return the compressed grain at a sector of the file, of ``size`` bytes.

    Raises:
        UnreadableError: It is damaged.
    """
    start = sector * SECTOR
    head = reader.read_at(start, MARKER.size)
    try:
        if marked:
            _, length = MARKER.unpack(head)
            start += MARKER.size
        else:
            (length,) = struct.unpack_from("<I", head)
            start += 4
        packed = reader.read_at(start, min(length, 2 * size + SECTOR))
        return zlib.decompressobj().decompress(packed, size).ljust(size, b"\0")
    except (struct.error, zlib.error) as error:
        raise UnreadableError(0, size, f"a damaged grain at sector {sector}") from error


def _directory(reader: Reader, sector: int, tables: int) -> np.ndarray | None:
    if not 0 < sector < AT_END // SECTOR or (sector * SECTOR + tables * 4) > reader.size:
        return None
    return np.frombuffer(reader.read_at(sector * SECTOR, tables * 4), "<u4")
