"""Stream ciphers for many keys: the words of one block of Salsa20 or ChaCha, or of RC4, for every lane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.double_rounds import chacha_double_round, salsa_double_round
from unransom.crypto.ciphers.kcipher2 import _begin as kcipher2_begin
from unransom.crypto.ciphers.kcipher2 import _run as kcipher2_run
from unransom.crypto.ciphers.lanes import LANES, WORDS

Words = NDArray[np.uint32]


@njit(nogil=True)
def _load(
    sources: NDArray[np.int64], rows: Words, constants: Words, start: int, lanes: int, x: Words
) -> None:
    """Fill the state of some lanes: from row ``source`` of ``rows``, or constant ``-1 - source``."""
    for word in range(WORDS):
        source = sources[word]
        if source < 0:
            x[word * LANES : (word + 1) * LANES] = constants[-1 - source]
        else:
            for lane in range(lanes):
                x[word * LANES + lane] = rows[source, start + lane]


@njit(nogil=True)
def _store(first: Words, x: Words, wanted: NDArray[np.int64], start: int, lanes: int, out: Words) -> None:
    """Store the words that are wanted of the sum of the state before and after the rounds."""
    for row in range(len(wanted)):
        at = wanted[row] * LANES
        for lane in range(lanes):
            out[row, start + lane] = first[at + lane] + x[at + lane]


@njit(cache=True, nogil=True)
def blocks(
    rows: Words,
    sources: NDArray[np.int64],
    constants: Words,
    rounds: int,
    salsa: bool,
    wanted: NDArray[np.int64],
    out: Words,
) -> None:
    """Fill ``out`` with words ``wanted`` of a block of Salsa20 or ChaCha of every lane.

    Args:
        rows: Words that differ from lane to lane.
        sources: For each of the 16 words of the state the row it is in, or -1 less the place in
            ``constants``.
        constants: Words that are the same in all lanes.
        rounds: 20, 12 or 8.
        salsa: Whether it is Salsa20, not ChaCha.
        wanted: Numbers of words, in the order of the rows of ``out``.
        out: A row for each.
    """
    first, x = np.zeros(WORDS * LANES, np.uint32), np.empty(WORDS * LANES, np.uint32)
    for start in range(0, rows.shape[1], LANES):
        lanes = min(LANES, rows.shape[1] - start)
        _load(sources, rows, constants, start, lanes, first)
        x[:] = first
        for _ in range(rounds // 2):
            if salsa:
                salsa_double_round(x)
            else:
                chacha_double_round(x)
        _store(first, x, wanted, start, lanes, out)


@njit(cache=True, nogil=True)
def rc4(keys: Words, size: int, first: int, out: Words) -> None:
    """Fill ``out`` with words of RC4 keystream, from word ``first`` on, for keys of ``size`` bytes."""
    state, key = np.empty(256, np.uint8), np.empty(size, np.uint8)
    for lane in range(keys.shape[1]):
        for at in range(size):
            key[at] = keys[at // 4, lane] >> np.uint32(8 * (at % 4))
        _schedule(key, state)
        i, j = np.uint8(0), np.uint8(0)
        for at in range(first + len(out)):
            word = np.uint32(0)
            for shift in range(0, 32, 8):
                i = np.uint8(i + np.uint8(1))
                one = state[i]
                j = np.uint8(j + one)
                two = state[j]
                state[i], state[j] = two, one
                word |= np.uint32(np.uint32(state[np.uint8(one + two)]) << np.uint32(shift))
            if at >= first:
                out[at - first, lane] = word


@njit(nogil=True)
def _schedule(key: NDArray[np.uint8], state: NDArray[np.uint8]) -> None:
    for at in range(256):
        state[at] = at
    j, place = np.uint8(0), 0
    for at in range(256):
        one = state[at]
        j = np.uint8(j + np.uint8(one + key[place]))
        state[at], state[j] = state[j], one
        place = place + 1 if place + 1 < len(key) else 0


@njit(cache=True, nogil=True)
def kcipher2(keys: Words, ivs: Words, first: int, little: bool, out: Words) -> None:
    """Fill ``out`` with little-endian words of KCipher-2's keystream, from word ``first`` on; both are even.

    Args:
        keys: Four little-endian words of each lane.
        ivs: The same.
        first: Number of the first word.
        little: Whether every 64 bits are stored from the lowest byte on, not the highest.
        out: A row for each word.
    """
    key, iv = np.empty(4, np.uint32), np.empty(4, np.uint32)
    words = np.empty(first + len(out), np.uint32)
    for lane in range(keys.shape[1]):
        for row in range(4):
            key[row], iv[row] = _turned(keys[row, lane]), _turned(ivs[row, lane])
        kcipher2_run(kcipher2_begin(key, iv), words)
        for row in range(len(out)):
            at = first + row
            out[row, lane] = words[at ^ 1] if little else _turned(words[at])


@njit(nogil=True, inline="always")
def _turned(word: np.uint32) -> np.uint32:
    """Return ``word`` with its bytes reversed."""
    outer = np.uint32(word << np.uint32(24)) | np.uint32(word >> np.uint32(24))
    inner = np.uint32(np.uint32(word & np.uint32(0xFF00)) << np.uint32(8))
    return np.uint32(outer | inner | (np.uint32(word >> np.uint32(8)) & np.uint32(0xFF00)))
