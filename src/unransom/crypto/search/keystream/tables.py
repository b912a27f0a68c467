"""Solves a table of which windows were XORed with each other: union-find whose links carry an XOR.

That a byte of keystream is ``table[a] ^ table[b]`` joins a and b, and says what one is when the other is
known. Whatever is joined, directly or over others, is known up to one byte for all of it, and that byte
falls out of every keystream.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class Outcome(NamedTuple):
    """What a stretch of keystream told.

    Attributes:
        new: Bytes that joined what was apart.
        agreed: Bytes that were known already, and are the same.
        differed: Bytes that were known already, and are not.
    """

    new: int
    agreed: int
    differed: int


class Table:
    """A table of unknown bytes."""

    def __init__(self, size: int) -> None:
        self._parent = np.arange(size, dtype=np.int32)
        self._link = np.zeros(size, np.uint8)  # XOR with the parent
        self._weight = np.ones(size, np.int32)

    def learn(self, first: NDArray[np.int32], second: NDArray[np.int32], stream: Bytes) -> Outcome:
        """Take in that ``stream`` is the XOR of the bytes at ``first`` and ``second``."""
        return Outcome(*_learn(self._parent, self._link, self._weight, first, second, stream, False))

    def check(self, first: NDArray[np.int32], second: NDArray[np.int32], stream: Bytes) -> Outcome:
        """Compare ``stream`` with what is known, and learn nothing."""
        return Outcome(*_learn(self._parent, self._link, self._weight, first, second, stream, True))

    def solved(self) -> tuple[Bytes, NDArray[np.bool_]]:
        """Return the bytes of the largest part that is joined, up to one byte for all, and which they are."""
        roots, values = _resolved(self._parent, self._link)
        largest = np.bincount(roots).argmax()
        known = roots == largest
        return np.where(known, values, 0).astype(np.uint8), known


@njit(nogil=True)
def _root(parent: NDArray[np.int32], link: Bytes, place: int) -> tuple[int, int]:
    """Return the root of ``place`` and the XOR with it; hang all on the way directly below the root."""
    root, total = place, 0
    while parent[root] != root:
        total ^= link[root]
        root = parent[root]
    value = total
    while parent[place] != root and place != root:
        after, own = parent[place], link[place]
        parent[place], link[place] = root, value
        value ^= own
        place = after
    return root, total


@njit(cache=True, nogil=True)
def _learn(
    parent: NDArray[np.int32],
    link: Bytes,
    weight: NDArray[np.int32],
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    stream: Bytes,
    only_check: bool,
) -> tuple[int, int, int]:
    new = agreed = differed = 0
    for index in range(len(stream)):
        one, left = _root(parent, link, first[index])
        other, right = _root(parent, link, second[index])
        value = left ^ right ^ stream[index]
        if one == other:
            if value == 0:
                agreed += 1
            else:
                differed += 1
            continue
        new += 1
        if only_check:
            continue
        if weight[one] < weight[other]:
            one, other = other, one
        parent[other], link[other] = one, value
        weight[one] += weight[other]
    return new, agreed, differed


@njit(cache=True, nogil=True)
def _resolved(parent: NDArray[np.int32], link: Bytes) -> tuple[NDArray[np.int32], Bytes]:
    roots, values = np.empty(len(parent), np.int32), np.empty(len(parent), np.uint8)
    for place in range(len(parent)):
        roots[place], values[place] = _root(parent, link, place)
    return roots, values
