"""AES-CTR with a little-endian counter, which OpenSSL does not have.

Numpy counts, and OpenSSL encrypts the counters as ECB.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from unransom.crypto.ciphers.aes import BLOCK, COUNTERS
from unransom.crypto.ciphers.stream import Keystream

HALF = 1 << 64
AHEAD = Keystream.stretch // BLOCK  # counters made at once
RAMP = np.arange(AHEAD, dtype=np.uint64)
STEP = np.tile(np.array([AHEAD, 0], np.uint64), AHEAD)


class AesCtrLittle(Keystream):
    """AES-CTR with a counter of 128 bits, lowest byte first."""

    first = Keystream.stretch

    def __init__(self, key: bytes, counter: bytes) -> None:
        """Start at ``counter``, 16 bytes; ``key`` is 16, 24 or 32 bytes."""
        super().__init__()
        if len(counter) != BLOCK:
            raise ValueError(f"a counter has {BLOCK} bytes, not {len(counter)}")
        self._key = key
        self._first = int.from_bytes(counter, "little")
        self._context: CipherContext = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 of counters
        self._end = bytearray(2 * BLOCK)
        self._next = self._first
        self._counters = _counted(self._next)

    def at(self, offset: int) -> AesCtrLittle:
        """Return the same cipher at byte ``offset`` of its stream."""
        counter = (self._first + offset // BLOCK) % COUNTERS
        return AesCtrLittle(self._key, counter.to_bytes(BLOCK, "little")).skip(offset % BLOCK)

    def _fill(self, words: NDArray[np.uint32]) -> None:
        counters, stream = self._counters.data.cast("B")[: words.nbytes], words.data.cast("B")
        # update_into wants a block more room than it writes, so the last block goes another way.
        self._context.update_into(counters[:-BLOCK], stream)
        self._context.update_into(counters[-BLOCK:], self._end)
        stream[-BLOCK:] = self._end[:BLOCK]
        self._next = (self._next + AHEAD) % COUNTERS
        if self._next % HALF >= AHEAD and self._next % HALF + AHEAD <= HALF:
            np.add(self._counters, STEP, out=self._counters)
        else:
            self._counters = _counted(self._next)


def _counted(first: int) -> NDArray[np.uint64]:
    """Return ``AHEAD`` counters, each as two words, the lower one first."""
    low, high = first % HALF, first // HALF
    counters = np.empty((AHEAD, 2), np.uint64)
    counters[:, 0] = RAMP + np.uint64(low)  # wraps
    counters[:, 1] = high
    if HALF - low < AHEAD:
        counters[HALF - low :, 1] = (high + 1) % HALF
    return counters.reshape(-1)
