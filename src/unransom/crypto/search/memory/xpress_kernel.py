"""Xpress, plain and with Huffman codes, as MS-XCA describes it (sections 2.2 and 2.4), for hostile input.

Both end with what they have where the input ends or makes no sense; they return how many bytes that is.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.search.memory.aes_expansion import Bytes

SYMBOLS, LONGEST = 512, 15  # of a Huffman code, and bits of one
TABLE = SYMBOLS // 2  # bytes: two lengths in each
BLOCK = 1 << 16  # bytes of output that share a table
SHORTEST = 3  # bytes of a match
PAGE, MOST = 4096, 16  # bytes of a page; pages, and ranges of them, in a set
SMALLEST = 13  # bytes of a set
HUFFMAN = 2  # the methods from this one on
FOLLOWING = 3  # sets that must follow one that follows none


@njit(nogil=True)
def _number(data: Bytes, at: int, size: int) -> int:
    """Return the little-endian number at ``at``; bytes behind the end are zeros."""
    number = np.int64(0)
    for place in range(size):
        if at + place < len(data):
            number |= np.int64(data[at + place]) << (8 * place)
    return int(number)


@njit(nogil=True)
def _copied(out: Bytes, end: int, distance: int, length: int) -> int:
    """Copy a match; return where the output ends then, -1 where the match begins before it."""
    if distance > end:
        return -1
    for _ in range(min(length, len(out) - end)):
        out[end] = out[end - distance]
        end += 1
    return end


@njit(nogil=True)
def _long_length(data: Bytes, at: int, short: int) -> tuple[int, int]:
    """Return a length that does not fit in ``short``, and where the data go on; -1 where it is none."""
    length = _number(data, at, 1)
    if length < 255:
        return length + short, at + 1
    length, at = _number(data, at + 1, 2), at + 3
    if length == 0:
        length, at = _number(data, at, 4), at + 4
    return (length, at) if length >= short else (-1, at)


@njit(nogil=True)
def _length(data: Bytes, at: int, half: int) -> tuple[int, int, int]:
    """Return a length of seven or more or -1, where the data go on, and where half a byte is left."""
    if half:
        length, half = _number(data, half, 1) >> 4, 0
    else:
        length, half, at = _number(data, at, 1) & 15, at, at + 1
    if length < 15:
        return length + 7, at, half
    length, at = _long_length(data, at, 22)
    return length, at, half


@njit(cache=True, nogil=True)
def plain(data: Bytes, out: Bytes) -> int:
    """Fill ``out`` from Xpress without Huffman codes; return how many bytes there are."""
    flags = left = at = end = half = 0
    while 0 <= end < len(out) and at < len(data):
        if not left:
            flags, left, at = _number(data, at, 4), 32, at + 4
        left -= 1
        if not flags >> left & 1:
            out[end] = _number(data, at, 1)
            end, at = end + 1, at + 1
            continue
        match, at = _number(data, at, 2), at + 2
        length = match & 7
        if length == 7:
            length, at, half = _length(data, at, half)
        end = _copied(out, end, (match >> 3) + 1, length + SHORTEST) if length >= 0 else -1
    return max(end, 0)


@njit(nogil=True)
def _decoding(table: Bytes, symbols: NDArray, lengths: Bytes) -> bool:
    """Fill, for every 15 bits, the symbol that they begin with; return whether the code is whole."""
    for symbol in range(SYMBOLS):
        lengths[symbol] = table[symbol // 2] >> (4 * (symbol & 1)) & 15
    place = 0
    for length in range(1, LONGEST + 1):
        for symbol in range(SYMBOLS):
            if lengths[symbol] == length:
                span = 1 << (LONGEST - length)
                if place + span > len(symbols):
                    return False
                symbols[place : place + span] = symbol
                place += span
    return place == len(symbols)


@njit(nogil=True)
def _drained(data: Bytes, at: int, bits: int, spare: int, taken: int) -> tuple[int, int, int]:
    """Return the 32 bits after ``taken`` ones, how many of them are to spare, and where the data go on."""
    bits, spare = bits << taken & 0xFFFFFFFF, spare - taken
    if spare < 0:
        bits |= _number(data, at, 2) << -spare
        at, spare = at + 2, spare + 16
    return bits, spare, at


@njit(nogil=True)
def _block(data: Bytes, at: int, out: Bytes, end: int, symbols: NDArray, lengths: Bytes) -> tuple[int, int]:
    """Fill a block of ``out``; return where the data and the output go on, the latter -1 where it is none."""
    bits = _number(data, at, 2) << 16 | _number(data, at + 2, 2)
    at, spare, stop = at + 4, 16, min(end + BLOCK, len(out))
    while 0 <= end < stop and at <= len(data) + 4:
        symbol = int(symbols[bits >> (32 - LONGEST)])
        bits, spare, at = _drained(data, at, bits, spare, int(lengths[symbol]))
        if symbol < 256:
            out[end] = symbol
            end += 1
            continue
        length, taken = symbol & 15, (symbol - 256) >> 4
        if length == 15:
            length, at = _long_length(data, at, 15)
        distance = (1 << taken) + (bits >> (32 - taken))
        bits, spare, at = _drained(data, at, bits, spare, taken)
        end = _copied(out, end, distance, length + SHORTEST) if length >= 0 else -1
    return at, end


@njit(cache=True, nogil=True)
def huffman(data: Bytes, out: Bytes) -> int:
    """Fill ``out`` from Xpress with Huffman codes; return how many bytes there are."""
    symbols, lengths = np.zeros(1 << LONGEST, np.uint16), np.zeros(SYMBOLS, np.uint8)
    at = end = 0
    while 0 <= end < len(out) and at + TABLE < len(data):
        if not _decoding(data[at : at + TABLE], symbols, lengths):
            break
        at, end = _block(data, at + TABLE, out, end, symbols, lengths)
    return max(end, 0)


@njit(cache=True, nogil=True)
def sets(memory: Bytes, found: NDArray) -> int:
    """Fill ``found`` with the compression sets of Windows 8 and later; return how many.

    A set has no mark of its own: its page numbers, sizes and codes must fit, and ``FOLLOWING`` more must
    follow the first.

    Args:
        memory: The bytes.
        found: For each set, where its data begin, how long they are, how many pages they give, and the
            method: 0 and 1 plain, 2 and 3 with Huffman codes.
    """
    at = count = 0
    end = -1  # of the last set
    row = np.zeros(4, np.int64)
    while at + SMALLEST < len(memory) and count < len(found):
        ranges = memory[at]
        # Page numbers have 36 bits at most, sizes 17.
        if ranges == 0 or ranges > MOST or memory[at + 3] & 0x3F > 1 or memory[at + 9] | memory[at + 10]:
            at += 1
            continue
        follows = _after(memory, at, row)
        if follows and (at == end or _chained(memory, follows)):
            _after(memory, at, found[count])
            count += 1
            at = end = follows
        else:
            at += 1
    return count


@njit(nogil=True)
def _chained(memory: Bytes, at: int) -> bool:
    """Return whether sets follow each other from ``at`` on."""
    row = np.zeros(4, np.int64)
    for _ in range(FOLLOWING):
        at = _after(memory, at, row)
        if not at:
            return False
    return True


@njit(nogil=True)
def _after(memory: Bytes, at: int, found: NDArray) -> int:
    """Read the set at ``at`` into ``found``; return where the next one begins, 0 where there is no set."""
    if at + SMALLEST > len(memory):
        return 0
    ranges, size, method = (
        _number(memory, at, 1),
        _number(memory, at + 1, 3) & 0x3FFFFF,
        int(memory[at + 3]) >> 6,
    )
    begin = at + 4 + 8 * ranges
    pages = _pages(memory, at + 4, ranges)
    if not 0 < pages <= MOST or not 0 < size <= PAGE * pages or begin + size > len(memory):
        return 0
    if method >= HUFFMAN and size < PAGE * pages and not _is_code(memory, begin, size):
        return 0
    found[0], found[1], found[2], found[3] = begin, size, pages, method
    return begin + size


@njit(nogil=True)
def _pages(memory: Bytes, at: int, ranges: int) -> int:
    """Return how many pages the ranges at ``at`` have, 0 where they make no sense."""
    pages, next_page = 0, 0
    for place in range(at, at + 8 * min(ranges, MOST), 8):
        number = _number(memory, place, 8)
        if number < 0 or number >> 36 or number >> 4 < next_page:
            return 0
        pages += (number & 15) + 1
        next_page = (number >> 4) + (number & 15) + 1
    return pages if ranges <= MOST else 0


@njit(nogil=True)
def _is_code(memory: Bytes, at: int, size: int) -> bool:
    """Return whether the lengths at ``at`` are those of a whole Huffman code."""
    if size < TABLE:
        return False
    whole = 0
    for place in range(at, at + TABLE):
        low, high = int(memory[place]) & 15, int(memory[place]) >> 4
        whole += (1 << (LONGEST - low) if low else 0) + (1 << (LONGEST - high) if high else 0)
    return whole == 1 << LONGEST
