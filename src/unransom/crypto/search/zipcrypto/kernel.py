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


def _stream_table() -> tuple[Words, Words]:
    """Return every z_2_16, by the byte that it gives and its bits 10 to 15, and where each of those begin."""
    by_byte: list[list[int]] = [[] for _ in range(256 * 64)]
    for low in range(0, 1 << 16, 4):
        byte = (low | 2) * (low | 3) >> 8 & 0xFF
        by_byte[byte * 64 + (low >> 10)].append(low)
    starts = np.cumsum([0, *map(len, by_byte)]).astype(np.int64)
    return np.array([low for lows in by_byte for low in lows], np.uint32), starts


def _fibers(spread: tuple[int, ...]) -> tuple[Words, Words]:
    """Return every byte x by the high byte of x * INVERSE, give or take ``spread``, and where each begin."""
    by_high: list[list[int]] = [[] for _ in range(256)]
    for byte in range(256):
        high = (byte * int(INVERSE) & 0xFFFFFFFF) >> 24
        for step in spread:
            by_high[(high + step) % 256].append(byte)
    starts = np.cumsum([0, *map(len, by_high)]).astype(np.int64)
    return np.array([byte for lows in by_high for byte in lows], np.uint32), starts


LOWS, LOW_STARTS = _stream_table()
TWO, TWO_STARTS = _fibers((0, 1))
THREE, THREE_STARTS = _fibers((0, 1, 255))


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
def attack(candidates: Words, stream: Any, plain: Any, place: int, out: Words) -> int:
    """Try every candidate for the Z at ``place``; return how many states fit, at most ``len(out)``.

    Args:
        candidates: Values of z_2_32 at ``place``.
        stream: Known keystream bytes without a gap.
        plain: The bytes that were locked with them.
        place: Of a byte with at least seven before it.
        out: Receives X, Y and Z before that byte, a row for each state that fits all bytes.
    """
    z = np.zeros(8, np.uint32)
    y = np.zeros(8, np.uint32)
    turn = np.zeros(8, np.int64)
    end = np.zeros(8, np.int64)
    upper = np.zeros(8, np.uint32)
    eight = stream[place - 7 : place + 1]
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
                found = _explore(z, y, stream, plain, place, out, found)
                if found == len(out):
                    return found
    return found


@njit(cache=True, nogil=True)
def _explore(z: Words, y: Words, stream: Any, plain: Any, place: int, out: Words, found: int) -> int:
    """Complete the Y of the eighth byte in every way that fits the high bytes of the Y before it."""
    high = y[7] & MASK_24_32
    product = np.uint32(INVERSE * high - INVERSE)
    step = np.uint32(INVERSE << S8)
    sixth = y[6] & MASK_24_32
    for middle in range(1 << 16):
        fiber = int(((sixth >> S24) - (product >> S24)) & BYTE)
        for index in range(THREE_STARTS[fiber], THREE_STARTS[fiber + 1]):
            low = THREE[index]
            if np.uint32(product + low * INVERSE - sixth) <= MOST_0_24:
                seventh = low | np.uint32(middle << 8) | high
                found = _descend(seventh, z, y, stream, plain, place, out, found)
                if found == len(out):
                    return found
        product = np.uint32(product + step)
    return found


@njit(cache=True, nogil=True, inline="always")
def _before(y: np.uint32, byte: np.uint32, one: np.uint32, two: np.uint32) -> tuple[bool, np.uint32]:
    """Return whether ``byte`` may be the low byte of X with ``y``, and the Y before that.

    ``one`` and ``two`` are the Y before ``y`` and the one before that, of which the high bytes are known.
    """
    once = np.uint32((y - ONE) * INVERSE)
    before = np.uint32(once - byte)
    twice = np.uint32((before - ONE) * INVERSE)
    fits = before >> S24 == one >> S24 and np.uint32(twice - (two & MASK_24_32)) <= MOST_0_24
    return bool(fits), before


@njit(cache=True, nogil=True, inline="always")
def _fiber(y: np.uint32, two: np.uint32) -> int:
    """Return where the bytes stand that may be the low byte of X with ``y``."""
    twice = np.uint32((np.uint32((y - ONE) * INVERSE) - ONE) * INVERSE)
    return int(np.uint32(twice - (two & MASK_24_32)) >> S24)


@njit(cache=True, nogil=True)
def _descend(
    seventh: np.uint32, z: Words, y: Words, stream: Any, plain: Any, place: int, out: Words, found: int
) -> int:
    """Go down from Y 7 to Y 3, choosing the low bytes of X, and keep each state that fits all bytes."""
    x = np.empty(4, np.uint32)
    at7 = _fiber(seventh, y[5])
    for index7 in range(TWO_STARTS[at7], TWO_STARTS[at7 + 1]):
        x[3] = TWO[index7]
        fits, sixth = _before(seventh, x[3], y[6], y[5])
        if not fits:
            continue
        at6 = _fiber(sixth, y[4])
        for index6 in range(TWO_STARTS[at6], TWO_STARTS[at6 + 1]):
            x[2] = TWO[index6]
            fits, fifth = _before(sixth, x[2], y[5], y[4])
            if not fits:
                continue
            at5 = _fiber(fifth, y[3])
            for index5 in range(TWO_STARTS[at5], TWO_STARTS[at5 + 1]):
                x[1] = TWO[index5]
                fits, fourth = _before(fifth, x[1], y[4], y[3])
                if not fits:
                    continue
                at4 = _fiber(fourth, y[2])
                for index4 in range(TWO_STARTS[at4], TWO_STARTS[at4 + 1]):
                    x[0] = TWO[index4]
                    fits, third = _before(fourth, x[0], y[3], y[2])
                    if fits:
                        whole = _whole(x, third, z, plain, place)
                        if whole and _continues(whole, seventh, z[7], stream, plain, place):
                            out[found, 0], out[found, 1], out[found, 2] = whole, seventh, z[7]
                            found += 1
                            if found == len(out):
                                return found
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
def _continues(x: np.uint32, y: np.uint32, z: np.uint32, stream: Any, plain: Any, place: int) -> bool:
    """Return whether the state before ``place`` gives the keystream behind it and before it."""
    ahead_x, ahead_y, ahead_z = x, y, z
    for at in range(place, len(stream)):
        if stream_byte(ahead_z) != np.uint32(stream[at]):
            return False
        ahead_x = forth(ahead_x, np.uint32(plain[at]))
        ahead_y = np.uint32(np.uint32(ahead_y + (ahead_x & BYTE)) * np.uint32(MULTIPLIER) + ONE)
        ahead_z = forth(ahead_z, ahead_y >> S24)
    for at in range(place - 1, -1, -1):
        z = back(z, y >> S24)
        y = np.uint32((y - ONE) * INVERSE - (x & BYTE))
        x = back(x, np.uint32(plain[at]))
        if stream_byte(z) != np.uint32(stream[at]):
            return False
    return True
