"""Pages that the server compressed as a whole, as they are in memory."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib

HEADER = 38
MARIADB_HEADER = 26  # bytes in front of the packed part where the checksum is full_crc32
MARIADB_FLAG = 0x8000
PACKED, MYSQL_PACKED = 34354, 14
NO_CHECKSUM = b"\xde\xad\xbe\xef"


def is_packed(kind: int) -> bool:
    """Return whether a page of type ``kind`` is compressed as a whole."""
    return bool(
        kind in {PACKED, MYSQL_PACKED} or (64 <= (kind & 0x7FFF) * 256 <= 65536 and kind & MARIADB_FLAG)
    )


def unpack(page: bytes, size: int) -> bytes | None:
    """Return the page as it is in memory, ``size`` bytes; None where it cannot be unpacked."""
    kind = page[24] << 8 | page[25]
    if kind == MYSQL_PACKED:
        version, algorithm, original, plain, packed = struct.unpack_from(">BBHHH", page, 26)
        if version not in {1, 2} or algorithm not in {1, 2} or HEADER + packed > len(page):
            return None
        body = _inflate(page[HEADER : HEADER + packed], plain)
        if body is None:
            return None
        head = page[:24] + original.to_bytes(2, "big") + bytes(8) + page[34:HEADER]
        return (head + body).ljust(size, b"\0")[:size]
    if kind == PACKED:
        length = int.from_bytes(page[HEADER : HEADER + 2], "big")
        return _inflate(page[HEADER + 2 : HEADER + 2 + length], size)
    return _inflate(page[MARIADB_HEADER : (kind & 0x7FFF) * 256], size)


def _inflate(packed: bytes, size: int) -> bytes | None:
    """Return ``size`` bytes out of ``packed``, by whichever algorithm it begins like."""
    try:
        if packed[:1] == b"\x78":
            plain = zlib.decompressobj().decompress(packed, size)
        elif packed[:3] == b"BZh":
            plain = bz2.BZ2Decompressor().decompress(packed, size)
        elif packed[:6] == b"\xfd7zXZ\x00":
            plain = lzma.LZMADecompressor(memlimit=64 << 20).decompress(packed, size)
        else:
            plain = lz4_block(packed, size)
    except (zlib.error, OSError, lzma.LZMAError, ValueError, IndexError, EOFError):
        return None
    return plain if len(plain) == size else None


def lz4_block(packed: bytes, size: int) -> bytes:
    """Return at most ``size`` bytes out of an LZ4 block.

    Raises:
        ValueError: It is none.
        IndexError: It ends too early.
    """
    out = bytearray()
    at = 0
    while at < len(packed) and len(out) < size:
        token = packed[at]
        at += 1
        length, at = _lz4_length(packed, at, token >> 4)
        out += packed[at : at + length]
        at += length
        if at >= len(packed) or len(out) >= size:
            break
        distance = packed[at] | packed[at + 1] << 8
        length, at = _lz4_length(packed, at + 2, token & 15)
        length += 4
        if not 0 < distance <= len(out):
            raise ValueError("no LZ4 block")
        piece = out[-distance:]
        out += (piece * (length // distance + 1))[:length]
    return bytes(out[:size])


def _lz4_length(packed: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            byte = packed[at]
            at += 1
            length += byte
            if byte < 255:
                break
    return length, at
