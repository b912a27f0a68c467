"""Values that lie off the page of their record, in chains of pages old and new."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unransom.catalog.databases.innodb.tablespace import Tablespace

HEADER = 38
BLOB, ZBLOB, ZBLOB2, LOB_INDEX, LOB_DATA, LOB_FIRST = 10, 11, 12, 22, 23, 24
NIL = 0xFFFFFFFF
MOST = 1 << 30  # bytes of one value; the server's limit of a packet
ENTRY = struct.Struct(">II2s")
INDEX_LIST, ENTRY_SIZE, FIRST_DATA, MORE_DATA = 64, 60, 696, 49


def fetch(space: Tablespace, reference: bytes) -> bytes | None:
    """Return the bytes that a reference of 20 bytes leads to, None where some of them are lost."""
    _space, number, _offset, length = struct.unpack(">IIIQ", reference)
    length &= 0xFFFFFFFF
    if length == 0:
        return b""
    if length > min(MOST, len(space.table) * space.logical * (1000 if space.zipped else 1)):
        return None
    kind = _kind(space, number)
    if kind == LOB_FIRST:
        return _new(space, number, length)
    if kind in {ZBLOB, ZBLOB2}:
        return _zipped(space, number, length)
    return _chain(space, number, length)


def _kind(space: Tablespace, number: int) -> int:
    return int(space.table[number]["kind"]) if space.is_valid(number) else -1


def _chain(space: Tablespace, number: int, length: int) -> bytes | None:
    """Return the value in a chain of BLOB pages."""
    parts, total = [], 0
    for _ in range(len(space.table)):
        page = space.page(number) if _kind(space, number) == BLOB else None
        if page is None:
            return None
        size, number = struct.unpack_from(">II", page, HEADER)
        if not 0 < size <= len(page) - 46:
            return None
        parts.append(page[46 : 46 + size])
        total += size
        if total >= length or number == NIL:
            break
    value = b"".join(parts)
    return value if len(value) == length else None


def _zipped(space: Tablespace, number: int, length: int) -> bytes | None:
    """Return the value in the zlib stream that a chain of pages of ROW_FORMAT=COMPRESSED holds."""
    stream = zlib.decompressobj()
    parts, total = [], 0
    for _ in range(len(space.table)):
        if _kind(space, number) not in {ZBLOB, ZBLOB2}:
            return None
        page = space.raw(number)
        try:
            part = stream.decompress(page[HEADER:], length - total + 1)
        except zlib.error:
            return None
        parts.append(part)
        total += len(part)
        number = int.from_bytes(page[12:16], "big")
        if total >= length or number == NIL:
            break
    return b"".join(parts) if total == length else None


def _new(space: Tablespace, first: int, length: int) -> bytes | None:
    """Return the value that the index in a LOB_FIRST page lists."""
    page = space.page(first)
    if page is None:
        return None
    entries, number, place = ENTRY.unpack_from(page, INDEX_LIST)
    parts, total = [], 0
    for _ in range(min(entries, len(space.table))):
        holder = space.page(number) if _kind(space, number) in {LOB_FIRST, LOB_INDEX} else None
        at = int.from_bytes(place, "big")
        if holder is None or at + ENTRY_SIZE > len(holder):
            return None
        data_page, size = struct.unpack_from(">IH", holder, at + 48)
        number, place = struct.unpack_from(">I2s", holder, at + 6)
        part = _part(space, data_page, first, size)
        if part is None:
            return None
        parts.append(part)
        total += len(part)
        if total >= length or number == NIL:
            break
    return b"".join(parts)[:length] if total >= length else None


def _part(space: Tablespace, number: int, first: int, size: int) -> bytes | None:
    start = FIRST_DATA if number == first else MORE_DATA
    page = space.page(number) if _kind(space, number) in {LOB_FIRST, LOB_DATA} else None
    if page is None or start + size > len(page):
        return None
    return page[start : start + size]
