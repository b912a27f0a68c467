"""SQL Server transaction logs: blocks wherever they lie, and the changes of rows that they tell of.

A block starts at a multiple of 512 bytes; the first byte of each of its sectors is replaced by a mark, and
kept at the block's end. Blocks are found by their marks, so a log without its header is read as well, and
what is left of earlier rounds through the file comes back too. A log sequence number puts all in order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.streams import CHUNK, Reader

SECTOR = 512
LARGEST = 0xF000  # bytes of a block
PARITY, FIRST, LAST = 0xC0, 0x10, 0x08  # bits of a sector's mark
HEADER = 72  # bytes at least before a block's first record
INSERT, DELETE, MODIFY, MODIFY_COLUMNS = 2, 3, 4, 6  # operations on rows
BEGIN, COMMIT, ABORT = 128, 129, 130
ROW_FIXED = 62  # bytes of the fixed part of a record on a row; some versions may have more
ELEMENTS = 1024  # of a record that are read
SEVERAL = 8  # elements of an insertion of many rows: each is a row

Lsn = tuple[int, int, int]


class Change(NamedTuple):
    """A change of a row, or the begin or end of a transaction.

    Attributes:
        lsn: Its place in the order of all changes.
        transaction: Whose.
        operation: ``INSERT``, ``DELETE``, ``MODIFY``, ``MODIFY_COLUMNS``, ``BEGIN``, ``COMMIT`` or ``ABORT``.
        rowset: Part of a table.
        file: Of the page.
        page: Its number.
        slot: In the page.
        offset: In the row, where it was modified.
        elements: The row; or what was modified before and after.
    """

    lsn: Lsn
    transaction: int
    operation: int
    rowset: int = 0
    file: int = 0
    page: int = 0
    slot: int = 0
    offset: int = 0
    elements: tuple[bytes, ...] = ()


def block_checksum(raw: NDArray[np.uint8]) -> int:
    """Return the checksum of a block as it lies on disk, its own field taken as zero."""
    words = raw.view("<u4").reshape(-1, SECTOR // 4).copy()
    words[0, 6] = 0
    sums = np.bitwise_xor.reduce(words, axis=1).astype(np.uint64)
    turns = np.arange(len(sums) - 1, -1, -1, dtype=np.uint64) % np.uint64(32)
    turned = (sums << turns | sums >> (np.uint64(32) - turns)) & np.uint64(0xFFFFFFFF)
    return int(np.bitwise_xor.reduce(turned))


def blocks(reader: Reader) -> Iterator[bytes]:
    """Yield the log blocks of ``reader`` with their sectors' first bytes put back."""
    at = 0
    while at + SECTOR <= reader.size:
        data = np.frombuffer(reader.read_at(at, CHUNK + LARGEST), np.uint8)
        data = data[: len(data) // SECTOR * SECTOR]
        marks = data[::SECTOR]
        starts = np.flatnonzero((marks & FIRST > 0) & np.isin(marks & 0xE7, (0x40, 0x80)))
        place = 0
        for sector in starts[starts < CHUNK // SECTOR].tolist():
            if sector * SECTOR < place:
                continue
            block = _block(data[sector * SECTOR :], marks[sector:])
            if block is not None:
                yield block
                place = sector * SECTOR + len(block)
        at += max(CHUNK, place // SECTOR * SECTOR)


def _block(data: NDArray[np.uint8], marks: NDArray[np.uint8]) -> bytes | None:
    """Return the block that starts with ``data``, None where none does."""
    count, slots_end, size = struct.unpack_from("<HHH", data[:8].tobytes(), 2)
    sectors = size // SECTOR
    if size % SECTOR or not 0 < size <= min(LARGEST, len(data)) or not HEADER <= slots_end <= size:
        return None
    want = np.full(sectors, marks[0] & PARITY, np.uint8)
    want[0] |= FIRST
    want[-1] |= LAST
    if not np.array_equal(marks[:sectors] & 0xF8, want) or 2 * count > slots_end - HEADER:
        return None
    block = data[:size].copy()
    block[::SECTOR] = block[size - 1 - np.arange(sectors)]
    return block.tobytes()


def changes(block: bytes) -> Iterator[Change]:
    """Yield what the records of a block tell."""
    count, slots_end = struct.unpack_from("<HH", block, 2)
    file, number = struct.unpack_from("<II", block, 12)
    for slot in range(count):
        place = slots_end - 2 * slot - 2
        (at,) = struct.unpack_from("<H", block, place)
        if not at + 16 >= HEADER or at + 24 > slots_end:
            continue
        change = _change(block, at, slots_end, (file, number, slot + 1))
        if change is not None:
            yield change


def _change(block: bytes, at: int, end: int, lsn: Lsn) -> Change | None:
    operation = block[at + 22]
    low, high = struct.unpack_from("<IH", block, at + 16)
    transaction = high << 32 | low
    if operation in (BEGIN, COMMIT, ABORT):
        return Change(lsn, transaction, operation)
    if operation not in (INSERT, DELETE, MODIFY, MODIFY_COLUMNS) or at + 66 > end:
        return None
    page, file, slot = struct.unpack_from("<IHH", block, at + 24)
    rowset, offset = struct.unpack_from("<QH", block, at + 48)
    elements = _elements(block, at, end)
    if elements is None:
        return None
    return Change(lsn, transaction, operation, rowset, file, page, slot, offset, elements)


def _elements(block: bytes, at: int, end: int) -> tuple[bytes, ...] | None:
    """Return the parts that a record's variable length consists of, each at a multiple of four bytes."""
    (fixed,) = struct.unpack_from("<H", block, at + 2)
    if not ROW_FIXED <= fixed <= ROW_FIXED + 32 or at + fixed + 2 > end:
        return None
    (count,) = struct.unpack_from("<H", block, at + fixed)
    table = at + fixed + 2
    if count > ELEMENTS or table + 2 * count > end:
        return None
    place = _aligned(fixed + 2 + 2 * count)
    found = []
    for length in struct.unpack_from(f"<{count}H", block, table):
        if at + place + length > end:
            return None
        found.append(block[at + place : at + place + length])
        place = _aligned(place + length)
    return tuple(found)


def _aligned(place: int) -> int:
    return (place + 3) // 4 * 4
