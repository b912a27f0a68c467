"""Pages that the server compressed as a whole, as they are in memory."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Protocol

from unransom.catalog.databases.innodb.unpackers import lz4_block, lzo_block, snappy_block

HEADER = 38
MARIADB_HEADER = 26  # bytes in front of the packed part where the checksum is full_crc32
MARIADB_FLAG = 0x8000
PACKED, MYSQL_PACKED = 34354, 14
SUMMED = (b"\x78", b"BZh")  # streams that end with a checksum; those of MariaDB's LZMA have none


def is_packed(kind: int) -> bool:
    """Return whether a page of type ``kind`` is compressed as a whole."""
    return bool(
        kind in {PACKED, MYSQL_PACKED} or (64 <= (kind & 0x7FFF) * 256 <= 65536 and kind & MARIADB_FLAG)
    )


def unpack(page: bytes, size: int) -> bytes | None:
    """Return the page as it is in memory, ``size`` bytes; None where it cannot be unpacked."""
    kind, packed = page[24] << 8 | page[25], _packed(page)
    if packed is None:
        return None
    if kind != MYSQL_PACKED:
        return _inflate(packed, size, page[4:8])
    original, plain = struct.unpack_from(">HH", page, 28)
    body = _inflate(packed, plain)
    if body is None:
        return None
    head = page[:24] + original.to_bytes(2, "big") + bytes(8) + page[34:HEADER]
    return (head + body).ljust(size, b"\0")[:size]


def is_summed(page: bytes) -> bool:
    """Return whether what is packed in a page cannot be unpacked where it is damaged: it has a checksum."""
    return (_packed(page) or b"").startswith(SUMMED)


def _packed(page: bytes) -> bytes | None:
    """Return the packed part of a page, None where its header makes no sense."""
    kind = page[24] << 8 | page[25]
    if kind == MYSQL_PACKED:
        version, algorithm, _, _, length = struct.unpack_from(">BBHHH", page, 26)
        if version not in {1, 2} or algorithm not in {1, 2} or HEADER + length > len(page):
            return None
        return page[HEADER : HEADER + length]
    if kind == PACKED:
        length = int.from_bytes(page[HEADER : HEADER + 2], "big")
        return page[HEADER + 2 : HEADER + 2 + length]
    return page[MARIADB_HEADER : (kind & 0x7FFF) * 256]


def _inflate(packed: bytes, size: int, number: bytes = b"") -> bytes | None:
    """Return ``size`` bytes out of ``packed``, by whichever algorithm it begins like.

    Of those that begin like anything it is one that gives a page with ``number``.
    """
    for start, ways in HEADS.items():
        if packed.startswith(start):
            for way in ways:
                plain = _tried(way, packed, size)
                if plain is not None and (start or not number or plain[4:8] == number):
                    return plain
    return None


def _tried(way: Callable[[bytes, int], bytes], packed: bytes, size: int) -> bytes | None:
    try:
        plain = way(packed, size)
    except (zlib.error, OSError, lzma.LZMAError, ValueError, IndexError, EOFError):
        return None
    return plain if len(plain) == size else None


class _Stream(Protocol):
    """A decompressor of the standard library."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def _to_end(stream: _Stream, packed: bytes, size: int) -> bytes:
    """Return what ``packed`` holds; only at its end stands the checksum that tells whether it is sound.

    Raises:
        ValueError: It does not end behind ``size`` bytes.
    """
    plain = stream.decompress(packed, size + 1)
    if not stream.eof:
        raise ValueError
    return plain


HEADS: dict[bytes, tuple[Callable[[bytes, int], bytes], ...]] = {
    b"\x78": (lambda packed, size: _to_end(zlib.decompressobj(), packed, size),),
    b"BZh": (lambda packed, size: _to_end(bz2.BZ2Decompressor(), packed, size),),
    b"\xfd7zXZ\x00": (lambda packed, size: _to_end(lzma.LZMADecompressor(memlimit=64 << 20), packed, size),),
    b"": (snappy_block, lz4_block, lzo_block),
}
