"""XOR with a key that repeats, and ciphers that take turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

AHEAD = 64 * 1024  # bytes of repeated key at least, and besides


class Stream(Protocol):
    """A stream cipher."""

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out`` of the same length; they may be the same memory."""
        ...


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


class Turns:
    """Stream ciphers that take turns, a block each, as Hive's sixth generation and Hunters do."""

    spill = 0

    def __init__(self, ciphers: Sequence[Stream], block: int) -> None:
        """Let each of ``ciphers`` in turn decrypt ``block`` bytes."""
        if not ciphers or block < 1:
            raise ValueError("it takes a cipher and a byte to take turns")
        self._ciphers = ciphers
        self._block = block
        self._position = 0  # in a round of all ciphers

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        done, cycle = 0, self._block * len(self._ciphers)
        while done < len(data):
            left = len(data) - done
            if self._position == 0 and left >= cycle:
                length = left - left % cycle
                self._rounds(data[done : done + length], out[done : done + length])
            else:
                turn, used = divmod(self._position, self._block)
                length = min(self._block - used, left)
                self._ciphers[turn].decrypt_into(data[done : done + length], out[done : done + length])
                self._position = (self._position + length) % cycle
            done += length

    def _rounds(self, data: memoryview, out: memoryview) -> None:
        """Decrypt whole rounds: each cipher does all of its blocks at once."""
        shape = (-1, len(self._ciphers), self._block)
        source, target = (
            np.frombuffer(data, np.uint8).reshape(shape),
            np.frombuffer(out, np.uint8).reshape(shape),
        )
        for turn, cipher in enumerate(self._ciphers):
            blocks = memoryview(bytearray(source[:, turn].tobytes()))
            cipher.decrypt_into(blocks, blocks)
            target[:, turn] = np.frombuffer(blocks, np.uint8).reshape(-1, self._block)
