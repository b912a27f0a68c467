"""HC-128 (Hongjun Wu, eSTREAM portfolio, 2008)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.lanes import rotated
from unransom.crypto.ciphers.stream import Keystream

Words = NDArray[np.uint32]
TABLE = 512  # words of each of the two tables


@njit(cache=True, nogil=True)
def _begin(key_and_iv: Words) -> Words:
    """Return the two tables, one behind the other, for a key of 4 words and an IV of 4."""
    line = np.empty(256 + 2 * TABLE, np.uint32)
    for index in range(16):
        line[index] = key_and_iv[index // 8 * 4 + index % 4]
    for index in range(16, len(line)):
        near, far = line[index - 2], line[index - 15]
        near = rotated(near, 15) ^ rotated(near, 13) ^ np.uint32(near >> np.uint32(10))
        far = rotated(far, 25) ^ rotated(far, 14) ^ np.uint32(far >> np.uint32(3))
        line[index] = np.uint32(near + line[index - 7] + far + line[index - 16] + np.uint32(index))
    tables = line[256:].copy()
    for step in range(2 * TABLE):  # the first words of keystream replace those that made them
        tables[step] = _step(tables, step)
    return tables


@njit(nogil=True)
def _step(tables: Words, step: int) -> np.uint32:
    """Update word ``step`` of the tables; return the word of keystream."""
    own = step & TABLE  # where the table that is updated begins
    other = TABLE - own
    j = step & (TABLE - 1)
    near = tables[own + ((j - 3) & (TABLE - 1))]
    middle = tables[own + ((j - 10) & (TABLE - 1))]
    far = tables[own + ((j + 1) & (TABLE - 1))]
    picked = tables[own + ((j - 12) & (TABLE - 1))]
    if own:
        mixed = np.uint32((rotated(near, 10) ^ rotated(far, 23)) + rotated(middle, 8))
    else:
        mixed = np.uint32((rotated(near, 22) ^ rotated(far, 9)) + rotated(middle, 24))
    word = np.uint32(tables[own + j] + mixed)
    tables[own + j] = word
    low = tables[other + np.int64(picked & np.uint32(255))]
    high = tables[other + 256 + np.int64((picked >> np.uint32(16)) & np.uint32(255))]
    return np.uint32(low + high) ^ word


@njit(cache=True, nogil=True)
def _run(tables: Words, out: Words) -> None:
    """Fill ``out``, a multiple of ``2 * TABLE`` words, with keystream."""
    for start in range(0, len(out), 2 * TABLE):
        for step in range(2 * TABLE):
            out[start + step] = _step(tables, step)


class Hc128(Keystream):
    """HC-128 keystream."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Start with ``key`` and ``iv``, 16 bytes each."""
        super().__init__()
        if len(key) != 16 or len(iv) != 16:
            raise ValueError(f"HC-128 takes a key and an IV of 16 bytes, not {len(key)} and {len(iv)}")
        self._tables = _begin(np.frombuffer(key + iv, "<u4").astype(np.uint32))

    def _fill(self, words: Words) -> None:
        _run(self._tables, words)
