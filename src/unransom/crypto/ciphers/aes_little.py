"""AES-CTR with a little-endian counter, which OpenSSL does not have.

Where the processor has instructions for AES a kernel of our own uses them; else OpenSSL encrypts the counters
as ECB.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from unransom.crypto.ciphers.aes import BLOCK, COUNTERS
from unransom.crypto.ciphers.aes_vectors import AVAILABLE
from unransom.crypto.ciphers.stream import Mixed

if AVAILABLE:
    from unransom.crypto.ciphers.aes_counting import GROUP, MIXED, round_keys
else:
    GROUP = BLOCK

HALF = 1 << 64


class AesCtrLittle(Mixed):
    """AES-CTR with a counter of 128 bits, lowest byte first."""

    group = GROUP

    def __init__(self, key: bytes, counter: bytes) -> None:
        """Start at ``counter``, 16 bytes; ``key`` is 16, 24 or 32 bytes."""
        super().__init__()
        if len(counter) != BLOCK:
            raise ValueError(f"a counter has {BLOCK} bytes, not {len(counter)}")
        self._key = key
        self._first = self._next = int.from_bytes(counter, "little")
        self._context: CipherContext = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 of counters
        self._keys = round_keys(key) if AVAILABLE else None

    def at(self, offset: int) -> AesCtrLittle:
        """Return the same cipher at byte ``offset`` of its stream."""
        counter = (self._first + offset // BLOCK) % COUNTERS
        return AesCtrLittle(self._key, counter.to_bytes(BLOCK, "little")).skip(offset % BLOCK)

    def _mix(self, text: NDArray[np.uint8]) -> None:
        while len(text):
            high, low = divmod(self._next, HALF)
            size = min(len(text), (HALF - low) * BLOCK) // GROUP * GROUP
            if self._keys is not None and size:
                MIXED[len(self._key)](self._keys, np.uint64(low), np.uint64(high), text[:size])
            else:
                size = min(len(text), self.stretch)
                counters = _counted(self._next, size // BLOCK)
                text[:size] ^= np.frombuffer(self._context.update(counters.data.cast("B")), np.uint8)
            self._next = (self._next + size // BLOCK) % COUNTERS
            text = text[size:]


def _counted(first: int, count: int) -> NDArray[np.uint64]:
    """Return ``count`` counters, each as two words, the lower one first."""
    high, low = divmod(first, HALF)
    counters = np.empty((count, 2), np.uint64)
    counters[:, 0] = np.arange(count, dtype=np.uint64) + np.uint64(low)  # wraps
    counters[:, 1] = high
    if HALF - low < count:
        counters[HALF - low :, 1] = (high + 1) % HALF
    return counters.reshape(-1)
