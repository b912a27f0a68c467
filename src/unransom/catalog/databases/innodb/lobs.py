"""Values that lie off the page of their record, in chains of pages old and new."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from unransom.catalog.databases.innodb.tablespace import Tablespace

HEADER = 38
BLOB, ZBLOB, ZBLOB2, LOB_INDEX, LOB_DATA, LOB_FIRST = 10, 11, 12, 22, 23, 24
NIL = 0xFFFFFFFF
MOST = 1 << 30  # bytes of one value; the server's limit of a packet
ENTRY = struct.Struct(">II2s")
FIRST_DATA, MORE_DATA = 696, 49
NEXT, LISTED = 6, 48  # in an entry: where the next one is, and what it is for
# Of compressed tables of MySQL 8: a value is cut into parts of 128 KiB, each of which is a stream of its own.
ZLOB_FIRST, ZLOB_DATA, ZLOB_INDEX, ZLOB_FRAG = 25, 26, 27, 28
Z_DATA_LENGTH, Z_ENTRIES, Z_ENTRY_SIZE, Z_FRAG_ENTRY_SIZE = 54, 136, 66, 24
Z_PART, Z_LEAST = 128 << 10, 256  # bytes; what a page of a stream holds at least, but for its ends
# By the size of a page how many entries its first page has for parts, and for pages of fragments.
Z_COUNTS = {16384: (100, 200), 8192: (80, 100), 4096: (40, 40), 2048: (20, 20), 1024: (5, 5)}
Z_DIRECTORY, Z_NODE = 10, 8  # bytes behind the directory of a page of fragments; in front of a fragment


class _Index(NamedTuple):
    """How a first page lists the parts of a value.

    Attributes:
        place: Where the list begins in it.
        entry: Bytes of an entry.
        kinds: Of the pages that entries stand in.
        zipped: These stand as they are in a file of ROW_FORMAT=COMPRESSED.
    """

    place: int
    entry: int
    kinds: frozenset[int]
    zipped: bool


INDEX = _Index(64, 60, frozenset({LOB_FIRST, LOB_INDEX}), zipped=False)
Z_INDEX = _Index(88, Z_ENTRY_SIZE, frozenset({ZLOB_FIRST, ZLOB_INDEX}), zipped=True)


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
    if kind == ZLOB_FIRST:
        return _new_zipped(space, number, length)
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


def _indexed(
    space: Tablespace,
    first: int,
    length: int,
    index: _Index,
    most: int,
    part: Callable[[bytes, int], bytes | None],
) -> bytes | None:
    """Return the value whose parts the index in its first page lists.

    Args:
        space: The tablespace.
        first: Number of that page.
        length: Bytes of the value.
        index: How it lists them.
        most: Parts that are taken at most.
        part: Returns the part that an entry, in a page and at a place there, is for; None where it is lost.
    """
    read = space.raw if index.zipped else space.page
    page = read(first)
    if page is None:
        return None
    entries, number, place = ENTRY.unpack_from(page, index.place)
    parts, total = [], 0
    for _ in range(min(entries, most)):
        holder = read(number) if _kind(space, number) in index.kinds else None
        at = int.from_bytes(place, "big")
        if holder is None or at + index.entry > len(holder):
            return None
        number, place = struct.unpack_from(">I2s", holder, at + NEXT)
        found = part(holder, at + LISTED)
        if found is None:
            return None
        parts.append(found)
        total += len(found)
        if total >= length or number == NIL:
            break
    return b"".join(parts)[:length] if total >= length else None


def _new(space: Tablespace, first: int, length: int) -> bytes | None:
    """Return the value that the index in a LOB_FIRST page lists."""

    def part(holder: bytes, at: int) -> bytes | None:
        number, size = struct.unpack_from(">IH", holder, at)
        return _part(space, number, first, size)

    return _indexed(space, first, length, INDEX, len(space.table), part)


def _part(space: Tablespace, number: int, first: int, size: int) -> bytes | None:
    start = FIRST_DATA if number == first else MORE_DATA
    page = space.page(number) if _kind(space, number) in {LOB_FIRST, LOB_DATA} else None
    if page is None or start + size > len(page):
        return None
    return page[start : start + size]


def _new_zipped(space: Tablespace, first: int, length: int) -> bytes | None:
    """Return the value whose compressed parts the index in a ZLOB_FIRST page lists."""

    def part(holder: bytes, at: int) -> bytes | None:
        return _unzipped(space, *struct.unpack_from(">IHII", holder, at))

    return _indexed(space, first, length, Z_INDEX, length // Z_PART + 2, part)


def _unzipped(space: Tablespace, number: int, fragment: int, plain: int, packed: int) -> bytes | None:
    """Return a part of a value whose stream begins on page ``number`` and may end in a fragment."""
    if not 0 < plain <= Z_PART or packed > 2 * Z_PART:
        return None
    stream = bytearray()
    for _ in range(packed // Z_LEAST + 3):
        piece = _piece(space, number, fragment) if len(stream) < packed else b""
        if not piece:
            break
        stream += piece
        number = int.from_bytes(space.raw(number)[12:16], "big")
    try:
        part = zlib.decompressobj().decompress(stream[:packed], plain)
    except zlib.error:
        return None
    return part if len(part) == plain else None


def _piece(space: Tablespace, number: int, fragment: int) -> bytes:
    """Return what a page holds of a stream, b"" where that is lost."""
    kind = _kind(space, number)
    if kind not in {ZLOB_FIRST, ZLOB_DATA, ZLOB_FRAG}:
        return b""
    page = space.raw(number)
    if kind == ZLOB_DATA:
        start, size = MORE_DATA, int.from_bytes(page[HEADER + 1 : HEADER + 5], "big")
    elif kind == ZLOB_FIRST:
        parts, fragments = Z_COUNTS.get(len(page), (0, 0))
        start = Z_ENTRIES + parts * Z_ENTRY_SIZE + fragments * Z_FRAG_ENTRY_SIZE
        size = int.from_bytes(page[Z_DATA_LENGTH : Z_DATA_LENGTH + 4], "big")
    else:
        listed = len(page) - Z_DIRECTORY - 2 * (fragment + 1)
        start = int.from_bytes(page[max(listed, 0) : max(listed, 0) + 2], "big") + Z_NODE
        size = int.from_bytes(page[start - 4 : start - 2], "big") - Z_NODE
    return page[start : start + size] if size > 0 and start + size <= len(page) else b""
