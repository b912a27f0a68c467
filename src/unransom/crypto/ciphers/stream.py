"""What our own stream ciphers share: a stretch of keystream, made ahead and used up piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

WORD_MASK = 0xFFFFFFFF
BLOCK = 64  # bytes of a block of Salsa20 and ChaCha


class Keystream(ABC):
    """A stream cipher: to encrypt and to decrypt are the same exclusive or.

    Attributes:
        first: Bytes of keystream made at once in the beginning: most files are small.
        stretch: Bytes made at once from then on: what Python costs for them is little.
    """

    spill = 0
    first = 8 * 1024
    stretch = 128 * 1024

    def __init__(self) -> None:
        self._words = np.empty(self.stretch // 4, np.uint32)
        self._bytes = self._words.view(np.uint8)
        self._made = 0  # bytes of the stretch
        self._used = 0

    @abstractmethod
    def _fill(self, words: NDArray[np.uint32]) -> None:
        """Fill ``words``, a multiple of 4 KiB, with the next keystream as little-endian words."""

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """XOR ``data`` with the next bytes of the keystream into ``out``; they may be the same memory."""
        source, target = np.frombuffer(data, np.uint8), np.frombuffer(out, np.uint8)
        done = 0
        while done < len(source):
            stream = self._take(len(source) - done)
            end = done + len(stream)
            np.bitwise_xor(source[done:end], stream, out=target[done:end])
            done = end

    def skip(self, length: int) -> Self:
        """Throw ``length`` bytes of keystream away; return the cipher itself."""
        while length:
            length -= len(self._take(length))
        return self

    def _take(self, length: int) -> NDArray[np.uint8]:
        """Return the next bytes of the keystream, at least one and at most ``length``."""
        if self._used == self._made:
            self._made = self.stretch if self._made else self.first
            self._fill(self._words[: self._made // 4])
            self._used = 0
        start = self._used
        self._used = min(start + length, self._made)
        return self._bytes[start : self._used]


class Blocks(Keystream):
    """A keystream of blocks that are numbered in the cipher's state, so that it can start at any place.

    Attributes:
        low, high: Words of the state that hold the lower and the upper half of the number; the same
            word where it has 32 bits, and then it wraps.
    """

    def __init__(self, state: bytes, rounds: int, low: int, high: int) -> None:
        super().__init__()
        if len(state) != BLOCK:
            raise ValueError(f"a state has {BLOCK} bytes, not {len(state)}")
        if rounds < 2 or rounds % 2:
            raise ValueError(f"rounds come in pairs, not {rounds}")
        self.low, self.high = low, high
        self._state = np.frombuffer(state, "<u4").astype(np.uint32)
        self._rounds = rounds
        self._next = int(self._state[low])  # number of the next block to be made
        if high != low:
            self._next |= int(self._state[high]) << 32

    def at(self, offset: int) -> Self:
        """Return the same cipher at byte ``offset`` of the keystream that the state starts."""
        state = self._state.copy()
        number = int(state[self.low]) + offset // BLOCK
        if self.high != self.low:
            number += int(state[self.high]) << 32
            state[self.high] = number >> 32 & WORD_MASK
        state[self.low] = number & WORD_MASK
        other = type(self)(state.astype("<u4").tobytes(), self._rounds, self.low, self.high)
        return other.skip(offset % BLOCK)

    def _advance(self, size: int) -> np.uint64:
        """Return the number of the first block of the next ``size`` bytes and count them all."""
        first = self._next
        self._next = first + size // BLOCK & 0xFFFFFFFFFFFFFFFF
        return np.uint64(first)


class Mixed(Keystream):
    """A keystream that its kernel gives to the text at once; only what is left over gets a keystream made.

    Attributes:
        group: Bytes that the kernel takes a multiple of.
    """

    group: int

    @abstractmethod
    def _mix(self, text: NDArray[np.uint8]) -> None:
        """XOR ``text``, a multiple of ``group`` bytes, with the next keystream."""

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """XOR ``data`` with the next bytes of the keystream into ``out``; they may be the same memory."""
        left = min(self._made - self._used, len(data))
        super().decrypt_into(data[:left], out[:left])
        end = left + (len(data) - left) // self.group * self.group
        if end > left:
            source, text = np.frombuffer(data, np.uint8)[left:end], np.frombuffer(out, np.uint8)[left:end]
            if not np.may_share_memory(source, text):
                text[:] = source
            self._mix(text)
        super().decrypt_into(data[end:], out[end:])

    def _fill(self, words: NDArray[np.uint32]) -> None:
        words.fill(0)
        self._mix(words.view(np.uint8))


class MixedBlocks(Mixed, Blocks):
    """Blocks that their kernel gives to the text at once."""
