"""Keys over content that changes little from one sample to the next: the pixels of pictures.

Such content has nearly all values about equally often, so a vote on values tells no byte of the key. But a
sample and the next are near: what a byte of the key opens tells which values the next one must open. From one
that is known, as the head of the format tells it, the key follows byte by byte.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from math import gcd

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.keystream.periods import STEPS, stepped
from unransom.crypto.search.keystream.priors import VALUES
from unransom.crypto.search.keystream.voting import (
    CRIB,
    Bytes,
    Scores,
    Vote,
    decided,
    histogram,
    refined,
    scores,
)

SPREADS = (1.0, 4.0, 16.0)  # mean differences
ABRUPT = 0.05  # share of samples that are not near the one before: edges, and the ends of rows
FAR = 16  # what two bytes of a key differ by at least that open values which are not near
LINK = 16.0  # bits by which a byte of the key must be likelier than any that is far from it


def smooth_vote(data: Bytes, length: int, cribs: Mapping[int, int]) -> Vote | None:
    """Return the key that the nearness of samples speaks for; None where one cannot be told.

    Args:
        data: Content, from position 0 of the key on.
        length: Bytes after which the key repeats.
        cribs: Key bytes that are known, by position: one at least of each row of samples that are linked.
    """
    step = max(STEPS, key=lambda step: _nearness(data, length, step))
    rings = _rings(length, step, cribs)
    if rings is None:
        return None
    chained = (_chained(data, rings, step, near, cribs) for near in _near())
    found = max(chained, key=lambda each: float(each.margin.sum()))
    known = np.zeros((length, VALUES), np.float32)
    for position, value in cribs.items():
        known[position, value] = CRIB
    better = refined([data], found, known, step)
    # What is behind a weak link may all be off by the same.
    sure = (found.margin >= LINK) & (better.key ^ found.key < FAR)
    return better._replace(margin=np.where(sure, better.margin, 0.0).astype(np.float32))


def _nearness(data: Bytes, length: int, step: int) -> float:
    """Return how much speaks for it that samples are near that are ``step`` bytes apart."""
    counts = histogram([stepped(data, step)], length)
    return float(max(decided(scores(counts, mixed[None, :])).margin.sum() for mixed in _mixed()))


def _rings(length: int, step: int, cribs: Mapping[int, int]) -> list[NDArray[np.int64]] | None:
    """Return the places that are linked, each ring from a known one on; None where one has none."""
    apart = gcd(step, length)
    rings = []
    for first in range(apart):
        ring = (first + step * np.arange(length // apart)) % length
        anchor = next((place for place, at in enumerate(ring.tolist()) if at in cribs), None)
        if anchor is None:
            return None
        rings.append(np.roll(ring, -anchor))
    return rings


def _chained(
    data: Bytes, rings: list[NDArray[np.int64]], step: int, near: Scores, cribs: Mapping[int, int]
) -> Vote:
    """Return the key, each byte with the margin of the weakest link to it."""
    from unransom.crypto.search.keystream.following import chain  # noqa: PLC0415 numba is slow to import

    length = sum(map(len, rings))
    key, margin = np.zeros(length, np.uint8), np.full(length, CRIB, np.float32)
    for ring in rings:
        key[ring[0]] = cribs[int(ring[0])]
        chain(data, ring, step, near, key, margin, FAR)
        margin[ring] = np.minimum.accumulate(margin[ring])
    return Vote(key, margin, "pixels")


@functools.cache
def _near() -> tuple[Scores, ...]:
    """Return for each of ``SPREADS`` the logarithm to base 2 of how often a value follows on another."""
    values = np.arange(VALUES)
    apart = np.abs(values[:, None] - values[None, :])
    tables = []
    for spread in SPREADS:
        shares = np.exp(-apart / spread)
        shares /= shares.sum(axis=1, keepdims=True)
        tables.append(np.log2((1 - ABRUPT) * shares + ABRUPT / VALUES).astype(np.float32))
    return tuple(tables)


@functools.cache
def _mixed() -> tuple[NDArray[np.float32], ...]:
    """Return for each of ``SPREADS`` the logarithm to base 2 of how often the XOR of both has each value."""
    values = np.arange(VALUES)
    mixed = (values[:, None] ^ values[None, :]).ravel()
    counts = (np.bincount(mixed, weights=np.exp2(near).ravel(), minlength=VALUES) for near in _near())
    return tuple(np.log2(each / VALUES).astype(np.float32) for each in counts)
