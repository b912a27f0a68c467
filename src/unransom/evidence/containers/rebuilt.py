"""Images whose heads are lost: opened by what is left of their tables.

VMware disks have two directories of tables of grains, one behind the other: of a disk of more than 16 GB the
second one lies behind the first megabyte. The tables of a VHDX all do. The grains of a stream-optimised disk
each have a marker that says where they belong.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers import vhdx, vmdk_sparse
from unransom.evidence.containers.mapped import SECTOR
from unransom.evidence.containers.opening import Opening

SEARCHED = 256 << 20  # bytes from the start in which tables are looked for
STEP = 16 << 20  # bytes that are looked at in one go
GRAIN, ENTRIES = 128, 512  # what every program of VMware's writes
TABLE = ENTRIES * 4 // SECTOR  # sectors
LEAST = 8  # tables: fewer could be chance
LEAST_GRAINS = 2  # that their markers give away
UNMARKED = 8 << 20  # bytes without a marker after which there are none
DEFLATED = 0x78  # first byte of a stream
FARTHEST = 1 << 46  # sectors
TABLES = (1, 2, 3)  # kinds of markers that are not for grains
MIB = 1 << 20
STATES = (0, 1, 2, 3, 6, 7)  # of a block of a VHDX


def open_headless(opening: Opening) -> Reader | None:
    """Open the disk of an image whose head says nothing; None where nothing else does either."""
    try:
        return _vmdk(opening) or _streamed(opening) or _vhdx(opening)
    except (OSError, UnreadableError):
        return None


def _vmdk(opening: Opening) -> Reader | None:
    for start in range(0, min(opening.reader.size, SEARCHED), STEP):
        data = opening.reader.read_at(start, STEP + MIB)
        found = directory(np.frombuffer(data[: len(data) // 4 * 4], "<u4"), start // SECTOR)
        if found:
            place, tables = found
            opening.note(
                say("the head of the image is lost"),
                say(
                    "the disk was opened by its second directory of {tables} tables of grains", tables=tables
                ),
            )
            layout = vmdk_sparse.Geometry(tables * ENTRIES * GRAIN, GRAIN, ENTRIES, place)
            return vmdk_sparse.SparseExtent(opening.reader, layout)
    return None


def directory(words: np.ndarray, first: int) -> tuple[int, int] | None:
    """Return the sector of a directory of tables of grains in ``words``, and how many tables it has.

    The tables lie behind their directory, one after the other.

    Args:
        words: 32-bit numbers from a multiple of a sector on.
        first: That sector.
    """
    heads, seconds = (part.astype(np.int64) for part in (words[: -1 : SECTOR // 4], words[1 :: SECTOR // 4]))
    ahead = heads - np.arange(first, first + len(heads))  # sectors from a directory to its first table
    likely = (seconds - heads == TABLE) & (ahead > 0) & (ahead <= len(heads))
    for head in np.flatnonzero(likely).tolist():
        begin = head * (SECTOR // 4)
        tables = _run(words, begin)
        goes_on = begin > 0 and int(words[begin]) - int(words[begin - 1]) == TABLE
        if tables >= LEAST and not goes_on and ahead[head] == -(-tables * 4 // SECTOR):
            return first + head, tables
    return None


def _run(words: np.ndarray, begin: int) -> int:
    """Return how many of ``words`` from ``begin`` on are each the one before and a table's sectors."""
    length = 0
    step = SECTOR
    while begin + length < len(words):
        part = words[begin + length : begin + length + step]
        wanted = int(words[begin]) + TABLE * np.arange(length, length + len(part))
        differs = np.flatnonzero(part != wanted)
        if len(differs):
            return length + int(differs[0])
        length += len(part)
        step *= 2
    return length


def _streamed(opening: Opening) -> Reader | None:
    """Open a stream-optimised VMDK by the markers in front of its grains."""
    found = dict(_markers(opening.reader))
    if len(found) < LEAST_GRAINS:
        return None
    sectors = np.array(sorted(found), np.int64)
    places = np.array([found[each] for each in sectors.tolist()], np.int64)
    opening.note(
        say("the head of the image is lost"),
        say("the disk was opened by the markers of {grains} grains", grains=len(found)),
    )
    return vmdk_sparse.MarkedGrains(opening.reader, GRAIN * SECTOR, sectors, places)


def _markers(reader: Reader) -> Iterator[tuple[int, int]]:
    """Yield the sector of the disk, and that of the file, of each compressed grain."""
    place, known, begin, data = 0, 0, 0, b""
    while place < reader.size and place - known <= UNMARKED:
        if not begin <= place <= begin + len(data) - SECTOR:
            begin, data = place, reader.read_at(place, STEP)
        marker = _marker(data[place - begin : place - begin + SECTOR])
        if marker is None:
            place += SECTOR
            continue
        sector, length = marker
        if sector >= 0:
            yield sector, place // SECTOR
        place += length
        known = place


def _marker(head: bytes) -> tuple[int, int] | None:
    """Return the sector of the disk (-1 for a table) of what a marker begins, and how long that is."""
    if len(head) < SECTOR:
        return None
    sector, size = vmdk_sparse.MARKER.unpack_from(head)
    if size:
        packed = head[12] == DEFLATED and (head[12] << 8 | head[13]) % 31 == 0
        sound = packed and sector % GRAIN == 0 and sector < FARTHEST and size <= 2 * GRAIN * SECTOR
        return (sector, -(-(size + vmdk_sparse.MARKER.size) // SECTOR) * SECTOR) if sound else None
    kind = int.from_bytes(head[12:16], "little")
    table = kind in TABLES and 0 < sector < 1 << 20 and not any(head[16:])
    return (-1, (1 + sector) * SECTOR) if table else None


def _vhdx(opening: Opening) -> Reader | None:
    reader = opening.reader
    places = range(MIB, min(reader.size, SEARCHED), MIB)
    metadata = next((place for place in places if reader.read_at(place, 8) == b"metadata"), None)
    if metadata is None:
        return None
    layout = vhdx.layout_of(reader, metadata, 0)
    blocks = -(-layout.size // layout.block)
    entries = blocks + (blocks - 1) // layout.ratio
    table = max(places, key=lambda place: _used(reader.read_at(place, entries * 8), entries, reader.size))
    if layout.has_parent or not _used(reader.read_at(table, entries * 8), entries, reader.size):
        return None
    opening.note(
        say("the head of the image is lost"),
        say("the disk was opened by its table of blocks at byte {place}", place=table),
    )
    return vhdx.BlockDisk(reader, layout._replace(table=table), None)


def _used(data: bytes, entries: int, size: int) -> int:
    """Return how many blocks a table places, 0 where it is no table."""
    if len(data) < entries * 8:
        return 0
    words = np.array(struct.unpack(f"<{entries}Q", data), np.uint64)
    states, places = words & np.uint64(7), words >> np.uint64(20)
    full = places[states == 6]
    sound = np.isin(states, STATES).all() and not (words & np.uint64(0xFFFF8)).any()
    sound = sound and len(np.unique(full)) == len(full) and bool((full < size // MIB).all())
    return len(full) if sound else 0
