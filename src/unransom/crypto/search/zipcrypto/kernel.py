"""Kernels of the attack after Biham and Kocher, "A Known Plaintext Attack on the PKZIP Stream Cipher".

The words X, Y and Z are those of ``ciphers.zipcrypto``. Bits of a word are named as half-open ranges: z_2_16
are bits 2 to 15 of a Z.
"""

# ruff: noqa: C901 PLR0917

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from unransom.crypto.ciphers.zipcrypto import (
    BYTE,
    INVERSE,
    MULTIPLIER,
    ONE,
    S8,
    S24,
    Words,
    back,
    forth,
    stream_byte,
)

MASK_2_32 = np.uint32(0xFFFFFFFC)
MASK_10_32 = np.uint32(0xFFFFFC00)
MASK_8_32 = np.uint32(0xFFFFFF00)
MASK_24_32 = np.uint32(0xFF000000)
MASK_26_32 = np.uint32(0xFC000000)
MOST_0_24 = np.uint32(0x00FFFFFF + 0xFF)
MOST_0_26 = np.uint32(0x03FFFFFF + 0xFF)
ZERO = np.uint32(0)
S10 = np.uint32(10)
PARTS = 16  # in which the 2**16 values of the middle of a Y are gone through, to stay in the first cache
WAYS_MOST = 1 << 14  # of a part: four times as many as there are on average


def _stream_table() -> tuple[Words, Words]:
    """Return every z_2_16, by the byte that it gives and its bits 10 to 15, and where each of those begin."""
    by_byte: list[list[int]] = [[] for _ in range(256 * 64)]
    for low in range(0, 1 << 16, 4):
        byte = (low | 2) * (low | 3) >> 8 & 0xFF
        by_byte[byte * 64 + (low >> 10)].append(low)
    starts = np.cumsum([0, *map(len, by_byte)]).astype(np.int64)
    return np.array([low for lows in by_byte for low in lows], np.uint32), starts


def _fibers(spread: tuple[int, ...]) -> Words:
    """Return every byte x by the high byte of x * INVERSE, give or take ``spread``, as rows of one length.

    Rows are filled up with bytes that are far from them and fit nothing: loops of one length need no guess.
    """
    by_high: list[list[int]] = [[] for _ in range(256)]
    for byte in range(256):
        high = (byte * int(INVERSE) & 0xFFFFFFFF) >> 24
        for step in spread:
            by_high[(high + step) % 256].append(byte)
    longest = max(map(len, by_high))
    far = [by_high[(high + 128) % 256] + by_high[(high + 100) % 256] for high in range(256)]
    return np.array([(lows + far[high])[:longest] for high, lows in enumerate(by_high)], np.uint32)


LOWS, LOW_STARTS = _stream_table()
TWO = _fibers((0, 1))
THREE = _fibers((0, 1, 255))


@njit(cache=True, nogil=True, inline="always")
def _group(stream: Any, place: int, z: np.uint32) -> int:
    """Return which group of z_2_16 fits the keystream at ``place`` and bits 10 to 15 of ``z``."""
    return int(stream[place]) * 64 + int((z >> S10) & np.uint32(63))


@njit(cache=True, nogil=True)
def reduced(stream: Any, least: int) -> tuple[Words, int]:
    """Return all z_2_32 that fit at one place of ``stream``, and that place, where they are fewest.

    Args:
        stream: Known keystream bytes without a gap.
        least: The lowest place that may be returned.
    """
    last = len(stream) - 1
    current, following = np.empty(1 << 22, np.uint32), np.empty(1 << 22, np.uint32)
    seen = np.zeros(1 << 22, np.int32)  # in which round
    count = 0
    for high in range(1 << 22):
        z = np.uint32(high << 10)
        group = _group(stream, last, z)
        if LOW_STARTS[group] < LOW_STARTS[group + 1]:
            current[count] = z
            count += 1
    best, place = current[:count].copy(), last
    for at in range(last, least, -1):
        found = 0
        for index in range(count):
            z = current[index]
            group = _group(stream, at, z)
            for low in range(LOW_STARTS[group], LOW_STARTS[group + 1]):
                before = back(z | LOWS[low], ZERO) & MASK_10_32
                if seen[before >> S10] != at:
                    seen[before >> S10] = at
                    other = _group(stream, at - 1, before)
                    if LOW_STARTS[other] < LOW_STARTS[other + 1]:
                        following[found] = before
                        found += 1
        current, following, count = following, current, found
        if count < len(best):
            best, place = current[:count].copy(), at - 1
    full = np.empty(len(best) * 64, np.uint32)
    total = 0
    for index in range(len(best)):
        group = _group(stream, place, best[index])
        for low in range(LOW_STARTS[group], LOW_STARTS[group + 1]):
            full[total] = best[index] | LOWS[low]
            total += 1
    return full[:total].copy(), place


@njit(cache=True, nogil=True)
def attack(candidates: Words, locked: Any, plain: Any, place: int, out: Words) -> int:
    """Try every candidate for the Z at ``place``; return how many states fit, at most ``len(out)``.

    Args:
        candidates: Values of z_2_32 at ``place``.
        locked: Bytes of a member as they stand in the archive.
        plain: What each of them was made of, -1 where that is not known.
        place: Of a byte that is known like the seven before it.
        out: Receives X, Y and Z before that byte, a row for each state that fits all bytes.
    """
    z = np.zeros(8, np.uint32)
    y = np.zeros(8, np.uint32)
    turn = np.zeros(8, np.int64)
    end = np.zeros(8, np.int64)
    upper = np.zeros(8, np.uint32)
    eight = (locked[place - 7 : place + 1] ^ plain[place - 7 : place + 1]).astype(np.uint8)
    ways = np.empty((2, 3, WAYS_MOST), np.uint32)
    found = 0
    for candidate in candidates:
        z[7] = candidate
        level = 7
        upper[7] = back(z[7], ZERO) & MASK_10_32
        group = _group(eight, 6, upper[7])
        turn[7], end[7] = LOW_STARTS[group], LOW_STARTS[group + 1]
        while level < 8:
            if turn[level] == end[level]:
                level += 1
                continue
            z[level - 1] = upper[level] | LOWS[turn[level]]
            turn[level] += 1
            bare = z[level] & MASK_2_32
            z[level] = bare | ((back(bare, ZERO) ^ z[level - 1]) >> S8)
            if level < 7:
                y[level + 1] = np.uint32((back(z[level + 1], ZERO) ^ z[level]) << S24)
            if level > 1:
                level -= 1
                upper[level] = back(z[level], ZERO) & MASK_10_32
                group = _group(eight, level - 1, upper[level])
                turn[level], end[level] = LOW_STARTS[group], LOW_STARTS[group + 1]
            else:
                found = _explore(z, y, locked, plain, place, ways, out, found)
                if found == len(out):
                    return found
    return found


@njit(cache=True, nogil=True)
def _explore(
    z: Words, y: Words, locked: Any, plain: Any, place: int, ways: Any, out: Words, found: int
) -> int:
    """Complete the Y of the eighth byte in every way that fits, go down to Y 3, and keep what fits all bytes.

    All ways go down together, level by level: whether one fits is added to a count and never branched on,
    as no processor could foresee it.
    """
    x = np.empty(4, np.uint32)
    for part in range(PARTS):
        count = _eighths(y[7] & MASK_24_32, y[6] & MASK_24_32, part, ways[1, 0])
        ways[1, 1, :count], ways[1, 2, :count] = ways[1, 0, :count], ZERO
        for level in range(7, 3, -1):
            turn = level % 2
            count = _below(ways[turn], count, y[level - 1], y[level - 2], ways[1 - turn])
        for way in range(count):
            seventh, third, lows = ways[1, 0, way], ways[1, 1, way], ways[1, 2, way]
            for at in range(4):
                x[at] = lows >> np.uint32(8 * at) & BYTE
            whole = _whole(x, third, z, plain, place)
            if whole and _continues(whole, seventh, z[7], locked, plain, place):
                out[found, 0], out[found, 1], out[found, 2] = whole, seventh, z[7]
                found += 1
                if found == len(out):
                    return found
    return found


@njit(cache=True, nogil=True)
def _eighths(high: np.uint32, sixth: np.uint32, part: int, ways: Words) -> int:
    """Write every Y of a part that has the high byte ``high`` and fits that before it; return how many."""
    product = np.uint32(INVERSE * high - INVERSE)
    step = np.uint32(INVERSE << S8)
    count = 0
    first = part * ((1 << 16) // PARTS)
    product = np.uint32(product + np.uint32(first) * step)
    for middle in range(first, first + (1 << 16) // PARTS):
        fiber = int(((sixth >> S24) - (product >> S24)) & BYTE)
        whole = np.uint32(middle << 8) | high
        for index in range(THREE.shape[1]):
            low = THREE[fiber, index]
            ways[count] = low | whole
            fits = np.uint32(product + low * INVERSE - sixth) <= MOST_0_24
            count += int(fits & (count < WAYS_MOST - 1))
        product = np.uint32(product + step)
    return count


@njit(cache=True, nogil=True)
def _below(ways: Any, count: int, one: np.uint32, two: np.uint32, below: Any) -> int:
    """Write all ways one Y further down; return how many there are.

    Args:
        ways: In rows: the Y 7 that a way began with, its Y by now, and the low bytes of X that led there.
        count: How many there are.
        one: The Y below, of which the high byte is known.
        two: The one below that.
        below: Receives the ways.
    """
    high, low = one >> S24, two & MASK_24_32
    found = 0
    for way in range(count):
        once = np.uint32((ways[1, way] - ONE) * INVERSE)
        twice = np.uint32((once - ONE) * INVERSE - low)
        fiber = int(twice >> S24)
        lows = np.uint32(ways[2, way] << S8)
        for index in range(TWO.shape[1]):
            byte = TWO[fiber, index]
            before = np.uint32(once - byte)
            below[0, found], below[1, found], below[2, found] = ways[0, way], before, lows | byte
            fits = np.uint32(twice - byte * INVERSE) <= MOST_0_24
            found += int((before >> S24 == high) & fits & (found < WAYS_MOST - 1))
    return found


@njit(cache=True, nogil=True, inline="always")
def _whole(x: Words, y3: np.uint32, z: Words, plain: Any, place: int) -> np.uint32:
    """Return X before ``place``, put together from its last four low bytes; 0 where Y 1 speaks against it."""
    whole = x[0]
    for at in range(1, 4):
        whole = (forth(whole, np.uint32(plain[place - 4 + at])) & MASK_8_32) | x[at]
    third = whole
    for at in range(1, 5):
        third = back(third, np.uint32(plain[place - at]))
    second = np.uint32((y3 - ONE) * INVERSE - (third & BYTE))
    first = np.uint32((second - ONE) * INVERSE)
    top = np.uint32((back(z[1], ZERO) ^ z[0]) << S24) & MASK_26_32
    return whole if np.uint32(first - top) <= MOST_0_26 else ZERO


@njit(cache=True, nogil=True)
def _continues(x: np.uint32, y: np.uint32, z: np.uint32, locked: Any, plain: Any, place: int) -> bool:
    """Return whether the state before ``place`` gives what is known behind it and before it."""
    ahead_x, ahead_y, ahead_z = x, y, z
    for at in range(place, len(locked)):
        byte = np.uint32(locked[at]) ^ stream_byte(ahead_z)
        if plain[at] >= 0 and byte != np.uint32(plain[at]):
            return False
        ahead_x = forth(ahead_x, byte)
        ahead_y = np.uint32(np.uint32(ahead_y + (ahead_x & BYTE)) * np.uint32(MULTIPLIER) + ONE)
        ahead_z = forth(ahead_z, ahead_y >> S24)
    for at in range(place - 1, -1, -1):
        z = back(z, y >> S24)
        y = np.uint32((y - ONE) * INVERSE - (x & BYTE))
        byte = np.uint32(locked[at]) ^ stream_byte(z)
        if plain[at] >= 0 and byte != np.uint32(plain[at]):
            return False
        x = back(x, byte)
    return True
