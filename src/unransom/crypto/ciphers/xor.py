"""XOR with a key that repeats."""

from __future__ import annotations

import numpy as np

AHEAD = 64 * 1024  # bytes of repeated key at least, and besides


class Xor:
    """XOR with a key that repeats."""

    spill = 0

    def __init__(self, key: bytes, start: int = 0) -> None:
        """Take ``key``, at least one byte, and begin with its byte ``start``."""
        if not key:
            raise ValueError("the key has no bytes")
        self._key = key
        self._position = start % len(key)
        self._tile = np.frombuffer(key * (1 + -(-AHEAD // len(key))), np.uint8)

    def at(self, offset: int) -> Xor:
        """Return the same cipher at byte ``offset`` of the stream that begins with the key."""
        return Xor(self._key, offset)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        source, target = np.frombuffer(data, np.uint8), np.frombuffer(out, np.uint8)
        done = 0
        while done < len(source):
            stream = self._tile[self._position : self._position + len(source) - done]
            end = done + len(stream)
            np.bitwise_xor(source[done:end], stream, out=target[done:end])
            self._position = (self._position + len(stream)) % len(self._key)
            done = end
