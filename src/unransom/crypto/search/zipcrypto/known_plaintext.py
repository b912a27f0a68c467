"""The attack on the old encryption of ZIP archives, shard by shard."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.ciphers.zipcrypto import rewind
from unransom.crypto.search.zipcrypto import kernel

LEAST = 12  # known bytes: with fewer, wrong keys fit as well
ROW = 8  # of them that must stand without a gap
LONGEST = 8192  # known bytes of a row that are made use of; more leave hardly fewer candidates
FITS = 16  # states that may fit one shard's candidates
UNKNOWN = -1


def enough(known: Iterable[tuple[int, bytes]]) -> bool:
    """Return whether the attack can be tried with what is ``known``, as ``KnownPlaintext`` takes it."""
    sizes = [len(data) for _, data in known]
    return sum(sizes) >= LEAST and max(sizes) >= ROW


class KnownPlaintext:
    """Known bytes of a member, and the candidates that they leave."""

    def __init__(self, locked: bytes, known: Iterable[tuple[int, bytes]]) -> None:
        """Prepare the search; takes up to some seconds.

        Args:
            locked: Bytes of the member as they stand in the archive.
            known: What some of them were made of, by their place in ``locked``.

        Raises:
            ValueError: There are fewer than ``LEAST``, none of ``ROW`` without a gap, or some that lie
                outside of ``locked``.
        """
        known = tuple(known)
        if not enough(known) or not all(0 <= at <= len(locked) - len(data) for at, data in known):
            raise ValueError(f"{LEAST} known bytes or more are needed")
        self._locked = np.frombuffer(locked, np.uint8)
        self._plain = np.full(len(locked), UNKNOWN, np.int16)
        for at, data in known:
            self._plain[at : at + len(data)] = np.frombuffer(data, np.uint8)
        start, longest = max(known, key=lambda each: len(each[1]))
        row = self._locked[start : start + min(len(longest), LONGEST)] ^ np.frombuffer(
            longest[:LONGEST], np.uint8
        )
        self._candidates, place = _reduced(row.tobytes())
        self._place = start + place

    def __len__(self) -> int:
        """Return how many candidates there are."""
        return len(self._candidates)

    def over(self, start: int, end: int) -> list[bytes]:
        """Try candidates; return each state before the first byte that gives all that are known."""
        found = np.zeros((FITS, 3), np.uint32)
        some = self._candidates[start:end]
        count = kernel.attack(some, self._locked, self._plain, self._place, found)
        return [self._first(state) for state in found[:count]]

    def _first(self, state: NDArray[np.uint32]) -> bytes:
        state = state.copy()
        rewind(state, self._locked[: self._place])
        return state.astype("<u4").tobytes()


@functools.lru_cache(maxsize=4)
def _reduced(stream: bytes) -> tuple[NDArray[np.uint32], int]:
    candidates, place = kernel.reduced(np.frombuffer(stream, np.uint8), 7)
    return candidates, int(place)
