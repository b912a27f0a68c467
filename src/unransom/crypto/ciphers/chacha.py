"""ChaCha and XChaCha with any rounds, constants and counter (D. J. Bernstein, 2008; RFC 8439).

Lockers change the constants, the rounds and where the counter starts, which no library takes.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.lanes import GROUP, LANES, WORDS, count, mix, rotated, spread
from unransom.crypto.ciphers.stream import BLOCK, MixedBlocks

COUNTER = 12  # word of the state where the block counter begins
CONSTANTS = {16: b"expand 16-byte k", 32: b"expand 32-byte k"}  # by the bytes of the key
Word = np.uint32


@njit(nogil=True, inline="always")
def _quarter(a: Word, b: Word, c: Word, d: Word) -> tuple[Word, Word, Word, Word]:
    a = np.uint32(a + b)
    d = rotated(np.uint32(d ^ a), 16)
    c = np.uint32(c + d)
    b = rotated(np.uint32(b ^ c), 12)
    a = np.uint32(a + b)
    d = rotated(np.uint32(d ^ a), 8)
    c = np.uint32(c + d)
    b = rotated(np.uint32(b ^ c), 7)
    return a, b, c, d


# The places of the 16 rows.
R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, RA, RB, RC, RD, RE, RF = range(0, WORDS * LANES, LANES)


@njit(nogil=True)
def _double_round(x: NDArray[np.uint32]) -> None:
    """Take all lanes through a column round and a diagonal round."""
    for i in range(LANES):
        a, e, j, n = _quarter(x[R0 + i], x[R4 + i], x[R8 + i], x[RC + i])
        b, f, k, o = _quarter(x[R1 + i], x[R5 + i], x[R9 + i], x[RD + i])
        c, g, l, p = _quarter(x[R2 + i], x[R6 + i], x[RA + i], x[RE + i])  # noqa: E741
        d, h, m, q = _quarter(x[R3 + i], x[R7 + i], x[RB + i], x[RF + i])
        x[R0 + i], x[R5 + i], x[RA + i], x[RF + i] = _quarter(a, f, l, q)
        x[R1 + i], x[R6 + i], x[RB + i], x[RC + i] = _quarter(b, g, m, n)
        x[R2 + i], x[R7 + i], x[R8 + i], x[RD + i] = _quarter(c, h, j, o)
        x[R3 + i], x[R4 + i], x[R9 + i], x[RE + i] = _quarter(d, e, k, p)


@njit(cache=True, nogil=True)
def _mix(
    state: NDArray[np.uint32], low: int, high: int, block: np.uint64, rounds: int, text: NDArray[np.uint8]
) -> None:
    """XOR ``text``, a multiple of ``GROUP`` bytes, with the keystream from ``block`` on."""
    first = spread(state)
    rows = np.empty(WORDS * LANES, np.uint32)
    for start in range(0, len(text), GROUP):
        count(first, low, high, block + np.uint64(start // BLOCK))
        for index in range(WORDS * LANES):
            rows[index] = first[index]
        for _ in range(rounds // 2):
            _double_round(rows)
        mix(first, rows, text, start)


class ChaCha(MixedBlocks):
    """ChaCha keystream from a raw state of 16 little-endian words."""

    group = GROUP

    def __init__(self, state: bytes, rounds: int = 20, low: int = COUNTER, high: int = COUNTER + 1) -> None:
        """Start with ``state``, 64 bytes; the counter in it has 64 bits unless ``high`` is ``low``."""
        super().__init__(state, rounds, low, high)

    @classmethod
    def from_key(
        cls, key: bytes, nonce: bytes, rounds: int = 20, *, constants: bytes = b"", counter: int = 0
    ) -> Self:
        """Return the cipher of a key and a nonce.

        Args:
            key: 16 or 32 bytes.
            nonce: 8 bytes (the counter has 64 bits then), 12 (32 bits), 16 (counter and nonce as
                OpenSSL takes them, 64 bits), or 24 (XChaCha, 64 bits).
            rounds: 20, 12 or 8.
            constants: 16 bytes; those of the standard where empty.
            counter: Number of the first block, added to the one in a nonce of 16 bytes.

        Raises:
            ValueError: One of them has a length that does not exist.
        """
        if len(nonce) == 24:
            key, nonce = derived(key, nonce[:16], rounds, constants), nonce[16:]
        if len(nonce) not in {8, 12, 16}:
            raise ValueError(f"a ChaCha nonce has 8, 12, 16 or 24 bytes, not {len(nonce)}")
        high = COUNTER if len(nonce) == 12 else COUNTER + 1
        cipher = cls(_start(key, bytes(16 - len(nonce)) + nonce, constants), rounds, COUNTER, high)
        return cipher.at(counter * BLOCK) if counter else cipher

    def _mix(self, text: NDArray[np.uint8]) -> None:
        _mix(self._state, self.low, self.high, self._advance(len(text)), self._rounds, text)


def _start(key: bytes, last: bytes, constants: bytes) -> bytes:
    """Return the state of constants, key and the last four words."""
    if len(key) not in CONSTANTS:
        raise ValueError(f"a ChaCha key has 16 or 32 bytes, not {len(key)}")
    return (constants or CONSTANTS[len(key)]) + key * (32 // len(key)) + last


def derived(key: bytes, nonce: bytes, rounds: int = 20, constants: bytes = b"") -> bytes:
    """Return HChaCha: the 32 bytes derived from a key and 16 bytes of nonce (draft-irtf-cfrg-xchacha)."""
    state = np.frombuffer(_start(key, nonce, constants), "<u4").astype(np.uint32)
    text = np.zeros(GROUP, np.uint8)
    _mix(state, COUNTER, COUNTER + 1, np.uint64(int.from_bytes(nonce[:8], "little")), rounds, text)
    block = text[:BLOCK].view("<u4") - state  # a block is the sum of the state before and after the rounds
    return block[[0, 1, 2, 3, 12, 13, 14, 15]].astype("<u4").tobytes()
