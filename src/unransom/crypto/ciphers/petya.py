"""The Salsa20 of red and green Petya: compiled for 16 bits, so that half of the keystream is zero.

The words are cut to 16 bits while the rotations are those of 32, which turns the first three into mere
shifts. The number of the block has 16 bits as well: the keystream repeats after 4 MiB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.ciphers.stream import Blocks

COUNTER = 8  # word of the state where the block counter is
CONSTANTS = (b"expa", b"nd 3", b"2-by", b"te k")
COLUMNS = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11))
ROWS = ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))


class PetyaSalsa(Blocks):
    """Petya's keystream from a raw state of 16 little-endian words, of which the lower halves count."""

    stretch = 32 * 1024

    def __init__(self, state: bytes, rounds: int = 20, low: int = COUNTER, high: int = COUNTER) -> None:
        """Start with ``state``, 64 bytes."""
        super().__init__(state, rounds, low, high)

    @classmethod
    def from_key(cls, key: bytes, nonce: bytes, rounds: int = 20, *, counter: int = 0) -> PetyaSalsa:
        """Return the cipher of a key of 32 bytes and a nonce of 8, from block ``counter`` on."""
        if len(key) != 32 or len(nonce) != 8:
            raise ValueError(
                f"Petya takes a key of 32 bytes and a nonce of 8, not {len(key)} and {len(nonce)}"
            )
        one, two, three, four = CONSTANTS
        middle = nonce + counter.to_bytes(8, "little")
        return cls(one + key[:16] + two + middle + three + key[16:] + four, rounds)

    def _fill(self, words: NDArray[np.uint32]) -> None:
        count = len(words) // 16
        first = int(self._advance(4 * len(words)))
        start = np.repeat((self._state & 0xFFFF).astype(np.uint16)[:, None], count, axis=1)
        start[COUNTER] = np.arange(first, first + count, dtype=np.uint64).astype(np.uint16)
        x = start.copy()
        for _ in range(self._rounds // 2):
            for quarter in (*COLUMNS, *ROWS):
                _quarter(x, *quarter)
        words[:] = (x + start).T.reshape(-1)


def _quarter(x: NDArray[np.uint16], a: int, b: int, c: int, d: int) -> None:
    """Do a quarter round on four rows of words, one column for each block."""
    x[b] ^= (x[a] + x[d]) << 7
    x[c] ^= (x[b] + x[a]) << 9
    x[d] ^= (x[c] + x[b]) << 13
    x[a] ^= (x[d] + x[c]) >> 14  # what is left of a rotation by 18
