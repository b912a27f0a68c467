"""SHA-256 (FIPS 180-4) of many messages at once, 16 rounds of all lanes at a time."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 32
Word = np.uint32
Words = NDArray[np.uint32]


def _roots(power: int, count: int) -> list[int]:
    """Return 32 bits of the fractions of the roots of the first primes."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))][:count]
    return [_root(prime << 32 * power, power) & 0xFFFFFFFF for prime in primes]


def _root(number: int, power: int) -> int:
    """Return the whole part of the square or cube root."""
    low, high = 0, 1 << number.bit_length() // power + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**power <= number else (low, middle)
    return low


INITIAL = np.array(_roots(2, 8), np.uint32)
CONSTANTS = np.array(_roots(3, 64), np.uint32)


@njit(nogil=True, inline="always")
def _turned(word: Word, count: int) -> Word:
    """Return ``word`` rotated right."""
    return np.uint32((word >> np.uint32(count)) | (word << np.uint32(32 - count)))


@njit(nogil=True, inline="always")
def _round(  # noqa: PLR0917 the eight words of the state
    a: Word, b: Word, c: Word, d: Word, e: Word, f: Word, g: Word, h: Word, more: Word
) -> tuple[Word, Word]:
    """Return the new ``d`` and ``h``."""
    high = _turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)
    one = np.uint32(h + np.uint32(high + np.uint32(np.uint32(g ^ (e & (f ^ g))) + more)))
    low = _turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)
    two = np.uint32(low + np.uint32((a & b) | (c & (a | b))))
    return np.uint32(d + one), np.uint32(one + two)


# The places of the rows: eight words of the state, eight to work in (A to H), 16 of the message.
A, B, C, D, E, F, G, H = range(8 * LANES, 16 * LANES, LANES)
M0, M1, M2, M3, M4, M5, M6, M7, M8, M9, MA, MB, MC, MD, ME, MF = range(16 * LANES, 32 * LANES, LANES)
WORK, MESSAGE, ROWS = 8 * LANES, 16 * LANES, 32 * LANES


@njit(nogil=True)
def _rounds(x: Words, k: Words) -> None:
    """Take all lanes through 16 rounds."""
    for i in range(LANES):
        a, b, c, d = x[A + i], x[B + i], x[C + i], x[D + i]
        e, f, g, h = x[E + i], x[F + i], x[G + i], x[H + i]
        d, h = _round(a, b, c, d, e, f, g, h, np.uint32(x[M0 + i] + k[0]))
        c, g = _round(h, a, b, c, d, e, f, g, np.uint32(x[M1 + i] + k[1]))
        b, f = _round(g, h, a, b, c, d, e, f, np.uint32(x[M2 + i] + k[2]))
        a, e = _round(f, g, h, a, b, c, d, e, np.uint32(x[M3 + i] + k[3]))
        h, d = _round(e, f, g, h, a, b, c, d, np.uint32(x[M4 + i] + k[4]))
        g, c = _round(d, e, f, g, h, a, b, c, np.uint32(x[M5 + i] + k[5]))
        f, b = _round(c, d, e, f, g, h, a, b, np.uint32(x[M6 + i] + k[6]))
        e, a = _round(b, c, d, e, f, g, h, a, np.uint32(x[M7 + i] + k[7]))
        d, h = _round(a, b, c, d, e, f, g, h, np.uint32(x[M8 + i] + k[8]))
        c, g = _round(h, a, b, c, d, e, f, g, np.uint32(x[M9 + i] + k[9]))
        b, f = _round(g, h, a, b, c, d, e, f, np.uint32(x[MA + i] + k[10]))
        a, e = _round(f, g, h, a, b, c, d, e, np.uint32(x[MB + i] + k[11]))
        h, d = _round(e, f, g, h, a, b, c, d, np.uint32(x[MC + i] + k[12]))
        g, c = _round(d, e, f, g, h, a, b, c, np.uint32(x[MD + i] + k[13]))
        f, b = _round(c, d, e, f, g, h, a, b, np.uint32(x[ME + i] + k[14]))
        e, a = _round(b, c, d, e, f, g, h, a, np.uint32(x[MF + i] + k[15]))
        x[A + i], x[B + i], x[C + i], x[D + i] = a, b, c, d
        x[E + i], x[F + i], x[G + i], x[H + i] = e, f, g, h


@njit(nogil=True, inline="always")
def _expanded(now: Word, near: Word, middle: Word, far: Word) -> Word:
    low = _turned(near, 7) ^ _turned(near, 18) ^ np.uint32(near >> np.uint32(3))
    high = _turned(far, 17) ^ _turned(far, 19) ^ np.uint32(far >> np.uint32(10))
    return np.uint32(np.uint32(now + low) + np.uint32(middle + high))


@njit(nogil=True)
def _expand(x: Words) -> None:
    """Turn the 16 words of the message into the next 16."""
    for i in range(LANES):
        x[M0 + i] = _expanded(x[M0 + i], x[M1 + i], x[M9 + i], x[ME + i])
        x[M1 + i] = _expanded(x[M1 + i], x[M2 + i], x[MA + i], x[MF + i])
        x[M2 + i] = _expanded(x[M2 + i], x[M3 + i], x[MB + i], x[M0 + i])
        x[M3 + i] = _expanded(x[M3 + i], x[M4 + i], x[MC + i], x[M1 + i])
        x[M4 + i] = _expanded(x[M4 + i], x[M5 + i], x[MD + i], x[M2 + i])
        x[M5 + i] = _expanded(x[M5 + i], x[M6 + i], x[ME + i], x[M3 + i])
        x[M6 + i] = _expanded(x[M6 + i], x[M7 + i], x[MF + i], x[M4 + i])
        x[M7 + i] = _expanded(x[M7 + i], x[M8 + i], x[M0 + i], x[M5 + i])
        x[M8 + i] = _expanded(x[M8 + i], x[M9 + i], x[M1 + i], x[M6 + i])
        x[M9 + i] = _expanded(x[M9 + i], x[MA + i], x[M2 + i], x[M7 + i])
        x[MA + i] = _expanded(x[MA + i], x[MB + i], x[M3 + i], x[M8 + i])
        x[MB + i] = _expanded(x[MB + i], x[MC + i], x[M4 + i], x[M9 + i])
        x[MC + i] = _expanded(x[MC + i], x[MD + i], x[M5 + i], x[MA + i])
        x[MD + i] = _expanded(x[MD + i], x[ME + i], x[M6 + i], x[MB + i])
        x[ME + i] = _expanded(x[ME + i], x[MF + i], x[M7 + i], x[MC + i])
        x[MF + i] = _expanded(x[MF + i], x[M0 + i], x[M8 + i], x[MD + i])


@njit(nogil=True)
def compress(x: Words) -> None:
    """Add a block to the state of every lane; the message is destroyed."""
    x[WORK:MESSAGE] = x[:WORK]
    _rounds(x, CONSTANTS)
    for turn in range(1, 4):
        _expand(x)
        _rounds(x, CONSTANTS[16 * turn :])
    for i in range(WORK):
        x[i] += x[WORK + i]


@njit(nogil=True)
def _begin(x: Words) -> None:
    for i in range(WORK):
        x[i] = INITIAL[i // LANES]


@njit(cache=True, nogil=True)
def digest(message: Words, out: Words) -> None:
    """Hash padded messages: 16 big-endian words for each block; fills eight big-endian words.

    Args:
        message: A row for each word, a lane for each message.
        out: Eight rows.
    """
    x = np.zeros(ROWS, np.uint32)
    for start in range(0, message.shape[1], LANES):
        lanes = min(LANES, message.shape[1] - start)
        _begin(x)
        for first in range(0, len(message), 16):
            for row in range(16):
                for i in range(lanes):
                    x[MESSAGE + row * LANES + i] = message[first + row, start + i]
            compress(x)
        _store(x, lanes, out[:, start : start + lanes])


@njit(nogil=True)
def _store(x: Words, lanes: int, out: Words) -> None:
    for row in range(8):
        for i in range(lanes):
            out[row, i] = x[row * LANES + i]


@njit(cache=True, nogil=True)
def iterate(first: Words, turns: int, out: Words) -> None:
    """Fill ``out`` with the digest after ``turns`` times hashing itself, ``first`` and the turn's number.

    The number has four bytes, big-endian, from 1 on (``yarrow_iterate`` of Nettle).
    """
    x = np.zeros(ROWS, np.uint32)
    begin = np.zeros(WORK, np.uint32)
    for start in range(0, first.shape[1], LANES):
        lanes = min(LANES, first.shape[1] - start)
        for row in range(8):
            for i in range(lanes):
                begin[row * LANES + i] = first[row, start + i]
        x[:WORK] = begin
        for turn in range(1, turns + 1):
            x[MESSAGE : MESSAGE + WORK] = x[:WORK]
            x[MESSAGE + WORK :] = begin
            _begin(x)
            compress(x)
            x[MESSAGE:] = np.uint32(0)
            x[M0 : M0 + LANES] = np.uint32(turn)
            x[M1 : M1 + LANES] = np.uint32(0x80000000)
            x[MF : MF + LANES] = np.uint32(8 * 68)
            compress(x)
        _store(x, lanes, out[:, start : start + lanes])
