"""Inflate from any block of a deflate stream, with what stood before it unknown; compiled, import it lazily.

Output is a symbol of 16 bits per byte: 0 to 255 is the byte, ``UNKNOWN + i`` the byte at ``i`` of the 32 KiB
in front of the first block, which the stream refers back to and which is lost. Copies of a lost byte stay the
same symbol, so that whoever learns what one of them is knows them all.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WINDOW = 1 << 15
UNKNOWN = 256
DONE, STOPPED, FULL, BAD = range(4)  # how inflating ended
MARK = 8  # a mark is kept for every 2 ** 8 symbols: how many bits were read for them
LONGEST = 15  # bits of a code
TABLE = 1 << LONGEST
PADDING = 8  # bytes that must follow the data in its array

LENGTHS = np.array(
    [*range(3, 11), *range(11, 19, 2), *range(19, 35, 4), *range(35, 67, 8), *range(67, 131, 16)]  # noqa: RUF005
    + [*range(131, 258, 32), 258],
    np.int64,
)
LENGTH_BITS = np.array([0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0], np.int64)
DISTANCES = np.array(
    [1, 2, *(1 + (2 + half << bits) for bits in range(14) for half in (0, 1))],
    np.int64,
)
DISTANCE_BITS = np.array([0, 0] + [bits for bits in range(14) for _ in range(2)], np.int64)
ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.int64)


@njit(cache=True, nogil=True)
def _peek(data, bit):  # type: ignore[no-untyped-def]
    """Return at least 25 bits from ``bit`` on, the first one lowest."""
    at = bit >> 3
    word = np.int64(data[at]) | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2]) << 16
    return (word | np.int64(data[at + 3]) << 24) >> (bit & 7)


@njit(cache=True, nogil=True)
def _build(lengths, count, table):  # type: ignore[no-untyped-def]
    """Fill the look-up ``table`` of a code; return whether the code is one that deflate allows."""
    counts = np.zeros(LONGEST + 1, np.int64)
    for symbol in range(count):
        counts[lengths[symbol]] += 1
    starts = np.zeros(LONGEST + 2, np.int64)
    left = np.int64(1)
    for length in range(1, LONGEST + 1):
        left = (left << 1) - counts[length]
        if left < 0:
            return False
        starts[length + 1] = (starts[length] + counts[length]) << 1
    if left > 0 and counts[1] + counts[0] != count:
        return False  # only a code of a single bit may be incomplete
    table[:] = 0
    for symbol in range(count):
        length = lengths[symbol]
        if length:
            _enter(table, starts[length], length, symbol)
            starts[length] += 1
    return True


@njit(cache=True, nogil=True)
def _enter(table, code, length, symbol):  # type: ignore[no-untyped-def]
    backwards = np.int64(0)
    for _ in range(length):
        backwards = backwards << 1 | (code & 1)
        code >>= 1
    step = np.int64(1) << length
    while backwards < TABLE:
        table[backwards] = symbol << 4 | length
        backwards += step


@njit(cache=True, nogil=True)
def _small_code(data, bit, size, lengths, table):  # type: ignore[no-untyped-def]
    """Read the code of the code lengths, which must be complete; return whether it is."""
    lengths[:19] = 0
    total = np.int64(0)
    for index in range(size):
        length = _peek(data, bit + 3 * index) & 7
        lengths[ORDER[index]] = length
        total += (128 >> length) * (length > 0)
    return total == 128 and _build(lengths, 19, table)


@njit(cache=True, nogil=True)
def _repeat(symbol, word, previous):  # type: ignore[no-untyped-def]
    """Return (times, the length that is repeated, bits read) of a symbol of the code of the code lengths."""
    if symbol == 16:
        return 3 + (word & 3), previous, 2
    if symbol == 17:
        return 3 + (word & 7), 0, 3
    if symbol == 18:
        return 11 + (word & 127), 0, 7
    return 1, symbol, 0


@njit(cache=True, nogil=True)
def _lengths(data, bit, stop, total, table, lengths):  # type: ignore[no-untyped-def]
    """Read ``total`` code lengths; return the bit behind them, -1 where they are none."""
    index, previous = 0, -1
    while index < total:
        entry = table[_peek(data, bit) & 127]
        bit += entry & 15
        times, previous, bits = _repeat(entry >> 4, _peek(data, bit), previous)
        bit += bits
        if previous < 0 or index + times > total or bit > stop:
            return -1
        lengths[index : index + times] = previous
        index += times
    return bit


@njit(cache=True, nogil=True)
def _dynamic(data, bit, stop, literals, distances):  # type: ignore[no-untyped-def]
    """Read the codes of a block whose three first bits end at ``bit``; return the bit behind, -1 for none."""
    word = _peek(data, bit)
    many, far, size = (word & 31) + 257, (word >> 5 & 31) + 1, (word >> 10 & 15) + 4
    if many > 286 or far > 30 or bit + 14 + 3 * size > stop:
        return -1
    lengths = np.zeros(320, np.int64)
    if not _small_code(data, bit + 14, size, lengths, distances):
        return -1
    found = np.zeros(320, np.int64)
    bit = _lengths(data, bit + 14 + 3 * size, stop, many + far, distances, found)
    if bit < 0 or found[256] == 0:
        return -1
    if not _build(found, many, literals) or not _build(found[many:], far, distances):
        return -1
    return bit


@njit(cache=True, nogil=True)
def _fixed(literals, distances):  # type: ignore[no-untyped-def]
    lengths = np.full(288, 8, np.int64)
    lengths[144:256] = 9
    lengths[256:280] = 7
    _build(lengths, 288, literals)
    _build(np.full(32, 5, np.int64), 32, distances)


@njit(cache=True, nogil=True)
def _copy(data, bit, symbol, distances, out, n):  # type: ignore[no-untyped-def]
    """Copy what a length symbol asks for; return (bit behind it, symbols put out), -1 where it is none."""
    index = symbol - 257
    if index >= len(LENGTHS):
        return np.int64(-1), n
    length = LENGTHS[index] + (_peek(data, bit) & ((1 << LENGTH_BITS[index]) - 1))
    bit += LENGTH_BITS[index]
    entry = distances[_peek(data, bit) & (TABLE - 1)]
    bit += entry & 15
    far = entry >> 4
    if not entry or far >= len(DISTANCES):
        return np.int64(-1), n
    distance = DISTANCES[far] + (_peek(data, bit) & ((1 << DISTANCE_BITS[far]) - 1))
    bit += DISTANCE_BITS[far]
    if distance > n:
        return np.int64(-1), n
    for index in range(n, n + length):
        out[index] = out[index - distance]
    return bit, n + length


@njit(cache=True, nogil=True)
def _block(data, bit, stop, codes, out, n, marks):  # type: ignore[no-untyped-def]
    """Inflate a compressed block; return (how it ended, bit, symbols), DONE where its end mark came."""
    literals, distances = codes
    while n + 258 < len(out):
        marks[n >> MARK] = bit
        entry = literals[_peek(data, bit) & (TABLE - 1)]
        if not entry:
            return BAD, bit, n
        following = bit + (entry & 15)
        symbol = entry >> 4
        if following > stop:
            return STOPPED, bit, n
        if symbol == 256:
            return DONE, following, n
        if symbol < 256:
            out[n] = symbol
            n += 1
        else:
            following, copied = _copy(data, following, symbol, distances, out, n)
            if following < 0:
                return BAD, bit, n
            if following > stop:
                return STOPPED, bit, n
            n = copied
        bit = following
    return FULL, bit, n


@njit(cache=True, nogil=True)
def _stored(data, bit, stop, out, n, marks):  # type: ignore[no-untyped-def]
    """Take over a stored block; return as ``_block`` does."""
    at = (bit + 7) >> 3
    if (at + 4) << 3 > stop:
        return STOPPED, bit, n
    length = np.int64(data[at]) | np.int64(data[at + 1]) << 8
    if length ^ 0xFFFF != np.int64(data[at + 2]) | np.int64(data[at + 3]) << 8:
        return BAD, bit, n
    at += 4
    room = min(length, (stop >> 3) - at, len(out) - 258 - n)
    for index in range(room):
        marks[n >> MARK] = (at + index) << 3
        out[n] = data[at + index]
        n += 1
    if room == length:
        return DONE, (at + length) << 3, n
    return (STOPPED if at + room == stop >> 3 else FULL), (at + room) << 3, n


@njit(cache=True, nogil=True)
def _codes(data, bit, stop, kind, literals, distances):  # type: ignore[no-untyped-def]
    """Get the codes of a block of a kind; return the bit behind them, -1 for none."""
    if kind == 1:
        _fixed(literals, distances)
    elif kind == 2:
        return _dynamic(data, bit, stop, literals, distances)
    return -1 if kind == 3 else bit


@njit(cache=True, nogil=True)
def inflate_blocks(data, bit, stop, out, n, marks, most):  # type: ignore[no-untyped-def]
    """Inflate blocks from ``bit`` on, which must begin one.

    Args:
        data: The stream, and ``PADDING`` bytes more.
        bit: Where a block begins.
        stop: Bit at which the sound part ends: what would read on is not put out.
        out: Symbols, ``n`` of them there already.
        n: How many are there; no copy reaches in front of the first.
        marks: The last bit that was read from while less than ``i + 1 << MARK`` symbols were there.
        most: Blocks to inflate at most.

    Returns:
        How it ended; the bit behind the last whole symbol; symbols in all; whole blocks.
    """
    literals, distances = np.zeros(TABLE, np.int32), np.zeros(TABLE, np.int32)
    blocks = 0
    while blocks < most:
        if bit + 3 > stop:
            return STOPPED, bit, n, blocks
        head = _peek(data, bit) & 7
        body = _codes(data, bit + 3, stop, head >> 1, literals, distances)
        if body < 0:
            return BAD, bit, n, blocks
        if head >> 1 == 0:
            end, bit, n = _stored(data, body, stop, out, n, marks)
        else:
            end, bit, n = _block(data, body, stop, (literals, distances), out, n, marks)
        if end != DONE:
            return end, bit, n, blocks
        blocks += 1
        if head & 1:
            return DONE, bit, n, blocks
    return FULL, bit, n, blocks


@njit(cache=True, nogil=True)
def find_block(data, bit, stop):  # type: ignore[no-untyped-def]
    """Return the first bit from ``bit`` on where a block with codes of its own may begin, -1 for none."""
    literals, distances = np.zeros(TABLE, np.int32), np.zeros(TABLE, np.int32)
    while bit + 17 <= stop:
        word = _peek(data, bit)
        likely = (word >> 1 & 3) == 2 and (word >> 3 & 31) < 30 and (word >> 8 & 31) < 30
        likely = likely and _complete(data, bit + 17, (word >> 13 & 15) + 4)
        if likely and _dynamic(data, bit + 3, stop, literals, distances) >= 0:
            return bit
        bit += 1
    return -1


@njit(cache=True, nogil=True)
def _complete(data, bit, size):  # type: ignore[no-untyped-def]
    """Return whether ``size`` lengths of three bits are those of a complete code."""
    if (bit >> 3) + 8 > len(data):
        return False
    total = np.int64(0)
    for index in range(size):
        length = _peek(data, bit + 3 * index) & 7
        total += (128 >> length) * (length > 0)
    return total == 128
