"""Hyper-V disks of the second generation: fixed, dynamic and differencing.

A log that was not yet written into the disk is read as if it were; that is said.

Source: Microsoft, [MS-VHDX].
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers import vhdx_log
from unransom.evidence.containers.mapped import Mapped, Piece, Recent
from unransom.evidence.containers.opening import Opening, invalid

MARK = b"vhdxfile"
MIB = 1 << 20
HEADERS, REGIONS = (64 * 1024, 128 * 1024), (192 * 1024, 256 * 1024)
HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")  # mark, checksum, sequence; file, data, log; versions; the log
REGION = struct.Struct("<16sQII")
ITEM = struct.Struct("<16sIII4x")
LOCATOR_ENTRY = struct.Struct("<IIHH")
BLOCKS = uuid.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
METADATA = uuid.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
PARAMETERS = uuid.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
DISK_SIZE = uuid.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
LOGICAL_SECTOR = uuid.UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
PARENT = uuid.UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
MOST_REGIONS = MOST_ITEMS = 2047
ITEMS_SIZE = 64 * 1024  # bytes that the table of metadata takes
LARGEST = 1 << 47  # bytes: 64 TB and some
LARGEST_ITEM = 1 << 20
SECTORS_OF_BITMAP = 1 << 23  # that one block of bitmaps is about
ABSENT, ZERO, UNMAPPED, FULL, PARTIAL = 0, 2, 3, 6, 7  # states of a block
KEPT_BITMAPS = 64
NAMES = ("relative_path", "absolute_win32_path", "volume_path")


class Layout(NamedTuple):
    """What the metadata says.

    Attributes:
        size: Bytes of the disk.
        block: Bytes of a block.
        sector: Bytes of a sector.
        has_parent: Whether the disk builds on another.
        table: Where the table of blocks is.
        names: What the parent is called, and by which identifier it is known.
    """

    size: int
    block: int
    sector: int
    has_parent: bool
    table: int
    names: dict[str, str]

    @property
    def ratio(self) -> int:
        """Blocks that one block of bitmaps is about."""
        return max(1, SECTORS_OF_BITMAP * self.sector // self.block)


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file begins like such a disk."""
    return head[:8] == MARK


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense.
        UnreadableError: It cannot be read.
    """
    reader = _as_closed(opening)
    regions = _regions(reader)
    if BLOCKS not in regions or METADATA not in regions:
        raise invalid("no list of regions")
    layout = layout_of(reader, regions[METADATA], regions[BLOCKS])
    return BlockDisk(reader, layout, _parent(opening, layout) if layout.has_parent else None)


def _as_closed(opening: Opening) -> Reader:
    """Return the image as it would be, had it been closed: with the changes that its log holds."""
    header = _header(opening.reader)
    if header is None:
        opening.note(say("both headers of the image are damaged"), say("the disk was opened without them"))
        return opening.reader
    if not any(header.log):
        return opening.reader
    found = vhdx_log.replayed(opening.reader, header.log_offset, header.log_length, header.log)
    opening.note(
        say("the image was not closed: its log holds changes that are not in the disk yet"),
        say("the changes were read from the log; the image itself is as it was")
        if found
        else say("the log was not applied; the last writes of the machine may be half done"),
    )
    return found or opening.reader


def layout_of(reader: Reader, metadata: int, table: int) -> Layout:
    """Return what the metadata at byte ``metadata`` says of the disk with its table of blocks at ``table``.

    Raises:
        OSError: It makes no sense.
    """
    items = dict(_items(reader, metadata))
    try:
        block, flags = struct.unpack_from("<II", items[PARAMETERS])
        (size,) = struct.unpack_from("<Q", items[DISK_SIZE])
        (sector,) = struct.unpack_from("<I", items[LOGICAL_SECTOR])
    except (KeyError, struct.error) as error:
        raise invalid("no description of the disk") from error
    sound = MIB <= block <= 256 * MIB and not block & (block - 1) and sector in {512, 4096}
    if not sound or not 0 < size <= LARGEST:
        raise invalid("a description of the disk that makes no sense")
    return Layout(size, block, sector, bool(flags & 2), table, _names(items.get(PARENT, b"")))


class Header(NamedTuple):
    """What one of the two headers says; the newer one counts."""

    mark: bytes
    checksum: int
    sequence: int
    file: bytes
    data: bytes
    log: bytes
    log_version: int
    version: int
    log_length: int
    log_offset: int


def _header(reader: Reader) -> Header | None:
    """Return the newer header, None where there is none."""
    found = []
    for place in HEADERS:
        data = reader.read_at(place, HEADER.size)
        if len(data) == HEADER.size and data[:4] == b"head":
            found.append(Header._make(HEADER.unpack(data)))
    return max(found, key=lambda each: each.sequence) if found else None


def _regions(reader: Reader) -> dict[bytes, int]:
    """Return where the regions begin, by their identifiers."""
    for place in REGIONS:
        head = reader.read_at(place, 16)
        if len(head) < 16 or head[:4] != b"regi":
            continue
        count = min(struct.unpack_from("<I", head, 8)[0], MOST_REGIONS)
        data = reader.read_at(place + 16, count * REGION.size)
        whole = data[: len(data) // REGION.size * REGION.size]
        return {name: offset for name, offset, _, _ in REGION.iter_unpack(whole)}
    return {}


def _items(reader: Reader, metadata: int) -> Iterator[tuple[bytes, bytes]]:
    data = reader.read_at(metadata, ITEMS_SIZE)
    if data[:8] != b"metadata" or len(data) < 32:
        return
    count = min(struct.unpack_from("<H", data, 10)[0], MOST_ITEMS)
    for number in range(count):
        place = 32 + number * ITEM.size
        if place + ITEM.size > len(data):
            return
        name, offset, length, _ = ITEM.unpack_from(data, place)
        if length <= LARGEST_ITEM:
            yield name, reader.read_at(metadata + offset, length)


def _names(locator: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    if len(locator) < 20:
        return found
    (count,) = struct.unpack_from("<H", locator, 18)
    for number in range(count):
        place = 20 + number * LOCATOR_ENTRY.size
        if place + LOCATOR_ENTRY.size > len(locator):
            break
        key, value, key_size, value_size = LOCATOR_ENTRY.unpack_from(locator, place)
        name = locator[key : key + key_size].decode("utf-16-le", "replace")
        found[name] = locator[value : value + value_size].decode("utf-16-le", "replace")
    return found


def _parent(opening: Opening, layout: Layout) -> Reader:
    names = [layout.names[each] for each in NAMES if layout.names.get(each)]
    name = next((each for each in names if opening.beside(each)), names[0] if names else "?")
    wanted = {layout.names.get(key, "").strip("{}").lower() for key in ("parent_linkage", "parent_linkage2")}

    def opened(lower: Opening) -> Reader:
        header = _header(lower.reader)
        if header and str(uuid.UUID(bytes_le=header.data)) not in wanted:
            lower.note(
                say("it was changed after the snapshot that builds on it"),
                say("the disk was read as it is now; blocks of both times may be mixed"),
            )
        return lower.inner(lower)

    return opening.parent(name, layout.size, opened)


class BlockDisk(Mapped):
    """A disk in blocks that a table places."""

    def __init__(self, reader: Reader, layout: Layout, parent: Reader | None) -> None:
        """Open the disk in ``reader``; ``parent`` has what it has not.

        Raises:
            OSError: The table of blocks is not there.
        """
        blocks = -(-layout.size // layout.block)
        bitmaps = (blocks - 1) // layout.ratio if parent is None else -(-blocks // layout.ratio)
        entries = blocks + bitmaps if parent is None else bitmaps * (layout.ratio + 1)
        if layout.table + entries * 8 > reader.size:
            raise invalid("a table of blocks that does not fit")
        self.size = layout.size
        self._reader = reader
        self._layout = layout
        self._parent = parent
        self._table = np.frombuffer(reader.read_at(layout.table, entries * 8), "<u8")
        self._written = Recent(self._load_bitmap, KEPT_BITMAPS)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a block, the parent, or nowhere."""
        number, inside = divmod(offset, self._layout.block)
        length = min(self._layout.block, self.size - number * self._layout.block) - inside
        entry = int(self._table[number + number // self._layout.ratio])
        state, start = entry & 7, (entry >> 20) * MIB
        if state == FULL or (state == PARTIAL and self._parent is None):
            return Piece(length, self._reader, start + inside)
        if state == PARTIAL:
            return self._partial(offset, length, start + inside)
        if state in {ZERO, UNMAPPED} or self._parent is None:
            return Piece(length)
        return self._below(offset, length)

    def _partial(self, offset: int, length: int, start: int) -> Piece:
        """Return where a byte of a block is of which only some sectors were written since the snapshot."""
        written = self._written(offset // self._layout.block)
        size = self._layout.sector
        first = offset % self._layout.block // size
        same = np.flatnonzero(written[first:] != written[first])
        if len(same):
            length = min(length, int(same[0]) * size - offset % size)
        return Piece(length, self._reader, start) if written[first] else self._below(offset, length)

    def _below(self, offset: int, length: int) -> Piece:
        if self._parent is None or offset >= self._parent.size:
            return Piece(length)
        return Piece(min(length, self._parent.size - offset), self._parent, offset)

    def _load_bitmap(self, number: int) -> np.ndarray:
        """Return for each sector of a block whether it was written."""
        ratio = self._layout.ratio
        chunk, inside = divmod(number, ratio)
        place = chunk * (ratio + 1) + ratio
        entry = int(self._table[place]) if place < len(self._table) else 0
        sectors = self._layout.block // self._layout.sector
        data = self._reader.read_at((entry >> 20) * MIB + inside * sectors // 8, sectors // 8)
        if entry & 7 != FULL or len(data) < sectors // 8:
            raise UnreadableError(number * self._layout.block, self._layout.block, "its bitmap is not there")
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
