"""Blocks of LZ4, Snappy and LZO, in which servers compress pages.

Each function returns at most ``size`` bytes, and raises ValueError or IndexError of what is no such block.
"""

from __future__ import annotations


def lz4_block(packed: bytes, size: int) -> bytes:
    """Return at most ``size`` bytes out of an LZ4 block."""
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
        _copy(out, distance, length + 4, size)
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


def _copy(out: bytearray, distance: int, length: int, size: int) -> None:
    """Repeat what is ``distance`` bytes back."""
    if not 0 < distance <= len(out):
        raise ValueError(distance)
    length = min(length, size - len(out))
    piece = out[-distance:]
    out += (piece * (length // distance + 1))[:length]


def snappy_block(packed: bytes, size: int) -> bytes:
    """Return ``size`` bytes out of a Snappy block, which states them."""
    stated, at = 0, 0
    for shift in range(0, 35, 7):
        stated |= (packed[at] & 0x7F) << shift
        at += 1
        if packed[at - 1] < 0x80:
            break
    if stated != size:
        raise ValueError(stated)
    out = bytearray()
    while len(out) < size:
        tag = packed[at]
        kind, length, at = tag & 3, (tag >> 2) + 1, at + 1
        if kind == 0:
            more = max(length - 60, 0)
            length = int.from_bytes(packed[at : at + more], "little") + 1 if more else length
            at += more
            if at + length > len(packed):
                raise IndexError(at)
            out += packed[at : at + length]
            at += length
            continue
        width = (0, 1, 2, 4)[kind]
        distance = int.from_bytes(packed[at : at + width], "little")
        at += width
        if kind == 1:
            length, distance = 4 + (tag >> 2 & 7), tag >> 5 << 8 | distance
        _copy(out, distance, length, size)
    return bytes(out)


def lzo_block(packed: bytes, size: int) -> bytes:
    """Return at most ``size`` bytes out of a block of LZO1X."""
    out = bytearray()
    at, before = 0, 0  # ``before``: literals that the last instruction brought, 4 for a run of them
    if packed[0] > 17:
        before = packed[0] - 17
        out += packed[1 : 1 + before]
        at, before = 1 + before, min(before, 4)
    while len(out) < size:
        code = packed[at]
        if code < 16 and before == 0:
            length, at = _lzo_length(packed, at + 1, code, 15)
            out += packed[at : at + length + 3]
            at, before = at + length + 3, 4
            continue
        length, distance, at, before = _lzo_match(packed, at, code, before)
        if distance == LZO_END:
            break
        _copy(out, distance, length, size)
        out += packed[at : at + before]
        at += before
    return bytes(out[:size])


LZO_END = 16384  # distance that ends a block


def _lzo_length(packed: bytes, at: int, length: int, most: int) -> tuple[int, int]:
    """Return a length and where it ends; 0 stands for more than ``most``."""
    if length:
        return length, at
    length = most
    while packed[at] == 0:
        length += 255
        at += 1
    return length + packed[at], at + 1


def _lzo_match(packed: bytes, at: int, code: int, before: int) -> tuple[int, int, int, int]:
    """Return length and distance of a repetition, where it ends, and the literals behind it."""
    at += 1
    if code >= 64:
        length = (code >> 5) + 1 if code >= 128 else 3 + (code >> 5 & 1)
        return length, (packed[at] << 3) + (code >> 2 & 7) + 1, at + 1, code & 3
    if code < 16:
        length, base = (3, 2049) if before == 4 else (2, 1)
        return length, (packed[at] << 2) + (code >> 2) + base, at + 1, code & 3
    mask = 31 if code >= 32 else 7
    length, at = _lzo_length(packed, at, code & mask, mask)
    word = packed[at] | packed[at + 1] << 8
    distance = (word >> 2) + (1 if code >= 32 else LZO_END + ((code & 8) << 11))
    return length + 2, distance, at + 2, word & 3
