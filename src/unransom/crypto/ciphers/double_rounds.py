"""The double rounds of ChaCha and Salsa20 over many blocks, and the one loop that both go through."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.lanes import GROUP, LANES, WORDS, count, mix, rotated, spread
from unransom.crypto.ciphers.stream import BLOCK

CHACHA, SALSA = range(2)
Word = np.uint32

# The places of the 16 rows.
R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, RA, RB, RC, RD, RE, RF = range(0, WORDS * LANES, LANES)


@njit(nogil=True, inline="always")
def _chacha_quarter(a: Word, b: Word, c: Word, d: Word) -> tuple[Word, Word, Word, Word]:
    a = np.uint32(a + b)
    d = rotated(np.uint32(d ^ a), 16)
    c = np.uint32(c + d)
    b = rotated(np.uint32(b ^ c), 12)
    a = np.uint32(a + b)
    d = rotated(np.uint32(d ^ a), 8)
    c = np.uint32(c + d)
    b = rotated(np.uint32(b ^ c), 7)
    return a, b, c, d


@njit(nogil=True)
def chacha_double_round(x: NDArray[np.uint32]) -> None:
    """Take all lanes through a column round and a diagonal round."""
    for i in range(LANES):
        a, e, j, n = _chacha_quarter(x[R0 + i], x[R4 + i], x[R8 + i], x[RC + i])
        b, f, k, o = _chacha_quarter(x[R1 + i], x[R5 + i], x[R9 + i], x[RD + i])
        c, g, l, p = _chacha_quarter(x[R2 + i], x[R6 + i], x[RA + i], x[RE + i])  # noqa: E741
        d, h, m, q = _chacha_quarter(x[R3 + i], x[R7 + i], x[RB + i], x[RF + i])
        x[R0 + i], x[R5 + i], x[RA + i], x[RF + i] = _chacha_quarter(a, f, l, q)
        x[R1 + i], x[R6 + i], x[RB + i], x[RC + i] = _chacha_quarter(b, g, m, n)
        x[R2 + i], x[R7 + i], x[R8 + i], x[RD + i] = _chacha_quarter(c, h, j, o)
        x[R3 + i], x[R4 + i], x[R9 + i], x[RE + i] = _chacha_quarter(d, e, k, p)


@njit(nogil=True, inline="always")
def _salsa_quarter(a: Word, b: Word, c: Word, d: Word) -> tuple[Word, Word, Word, Word]:
    b = np.uint32(b ^ rotated(np.uint32(a + d), 7))
    c = np.uint32(c ^ rotated(np.uint32(b + a), 9))
    d = np.uint32(d ^ rotated(np.uint32(c + b), 13))
    a = np.uint32(a ^ rotated(np.uint32(d + c), 18))
    return a, b, c, d


@njit(nogil=True)
def salsa_double_round(x: NDArray[np.uint32]) -> None:
    """Take all lanes through a column round and a row round."""
    for i in range(LANES):
        a, e, j, n = _salsa_quarter(x[R0 + i], x[R4 + i], x[R8 + i], x[RC + i])
        f, k, o, b = _salsa_quarter(x[R5 + i], x[R9 + i], x[RD + i], x[R1 + i])
        l, p, c, g = _salsa_quarter(x[RA + i], x[RE + i], x[R2 + i], x[R6 + i])  # noqa: E741
        q, d, h, m = _salsa_quarter(x[RF + i], x[R3 + i], x[R7 + i], x[RB + i])
        x[R0 + i], x[R1 + i], x[R2 + i], x[R3 + i] = _salsa_quarter(a, b, c, d)
        x[R5 + i], x[R6 + i], x[R7 + i], x[R4 + i] = _salsa_quarter(f, g, h, e)
        x[RA + i], x[RB + i], x[R8 + i], x[R9 + i] = _salsa_quarter(l, m, j, k)
        x[RF + i], x[RC + i], x[RD + i], x[RE + i] = _salsa_quarter(q, n, o, p)


@njit(cache=True, nogil=True)
def mixed(
    kind: int,
    state: NDArray[np.uint32],
    low: int,
    high: int,
    block: np.uint64,
    rounds: int,
    text: NDArray[np.uint8],
) -> None:
    """XOR ``text``, a multiple of ``GROUP`` bytes, with the keystream of ``kind`` from ``block`` on."""
    first = spread(state)
    rows = np.empty(WORDS * LANES, np.uint32)
    for start in range(0, len(text), GROUP):
        count(first, low, high, block + np.uint64(start // BLOCK))
        for index in range(WORDS * LANES):
            rows[index] = first[index]
        if kind == SALSA:
            for _ in range(rounds // 2):
                salsa_double_round(rows)
        else:
            for _ in range(rounds // 2):
                chacha_double_round(rows)
        mix(first, rows, text, start)
