"""The attack on the old encryption of ZIP archives, shard by shard."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.ciphers.zipcrypto import rewind
from unransom.crypto.search.zipcrypto import kernel

LEAST = 12  # known bytes without a gap: with fewer, wrong keys fit as well
LONGEST = 8192  # known bytes that are made use of; more leave hardly fewer candidates
PER_SECOND = 370.0  # candidates that one core of an ordinary machine tries
FITS = 16  # states that may fit one shard's candidates


class KnownPlaintext:
    """Known bytes of a member, and the candidates that they leave."""

    def __init__(self, locked: bytes, plain: bytes) -> None:
        """Prepare the search; takes up to some seconds.

        Args:
            locked: Bytes of the member as they stand in the archive.
            plain: The bytes of the compressed member, or of its header, that they were made of.

        Raises:
            ValueError: There are fewer than ``LEAST``, or not as many of both.
        """
        if len(plain) < LEAST or len(locked) != len(plain):
            raise ValueError(f"{LEAST} known bytes or more are needed")
        self._plain = np.frombuffer(plain[:LONGEST], np.uint8)
        self._stream = np.frombuffer(locked[:LONGEST], np.uint8) ^ self._plain
        self._candidates, self._place = _reduced(self._stream.tobytes())

    def __len__(self) -> int:
        """Return how many candidates there are."""
        return len(self._candidates)

    def over(self, start: int, end: int) -> list[bytes]:
        """Try candidates; return each state before the first known byte that gives all of them."""
        found = np.zeros((FITS, 3), np.uint32)
        some = self._candidates[start:end]
        count = kernel.attack(some, self._stream, self._plain, self._place, found)
        return [self._first(state) for state in found[:count]]

    def _first(self, state: NDArray[np.uint32]) -> bytes:
        state = state.copy()
        rewind(state, (self._stream ^ self._plain)[: self._place])
        return state.astype("<u4").tobytes()


def rewound(state: bytes, locked: bytes) -> bytes:
    """Return the state that stands before the bytes ``locked``, where ``state`` stands behind them."""
    words = np.frombuffer(state, "<u4").astype(np.uint32)
    rewind(words, np.frombuffer(locked, np.uint8))
    return words.astype("<u4").tobytes()


@functools.lru_cache(maxsize=4)
def _reduced(stream: bytes) -> tuple[NDArray[np.uint32], int]:
    candidates, place = kernel.reduced(np.frombuffer(stream, np.uint8), 7)
    return candidates, int(place)
