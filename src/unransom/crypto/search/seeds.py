"""The search over seeds: a generator, a key builder and a cipher, put together batch by batch.

No product of the three is ever compiled: each stage takes a batch of some thousand lanes and hands rows of
words to the next, which stay in the processor's second cache.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.batches import Batches
from unransom.crypto.search.matching import Matching
from unransom.crypto.search.opening import opened
from unransom.crypto.search.recipe import Crib, Recipe, material

LANES = 2048  # of a batch: a multiple of what every kernel takes at once


class Hit(msgspec.Struct, frozen=True):
    """A seed whose key opens a crib.

    Attributes:
        seed: The seed.
        crib: Number of the crib.
        key: The key.
        iv: The IV or nonce; empty where the cipher has none.
    """

    seed: int
    crib: int
    key: bytes
    iv: bytes


class Found(msgspec.Struct, frozen=True):
    """What a search found.

    Attributes:
        hits: In the order of the seeds; chance makes some of them where the cribs say little.
        tried: How many seeds, from the first on; fewer than asked for where there were too many hits.
        seconds: Of processor time.
    """

    hits: tuple[Hit, ...]
    tried: int
    seconds: float


class Search:
    """A recipe and cribs, made ready."""

    def __init__(self, recipe: Recipe, cribs: Sequence[Crib]) -> None:
        """Prepare tables and kernels.

        Args:
            recipe: From a seed to a key.
            cribs: What is known; a seed that opens any of them is a hit. They may be of many files.

        Raises:
            ValueError: The recipe cannot be made, or a crib says too little or lacks locked bytes.
        """
        self._recipe = recipe
        self._batches = Batches(recipe)
        self._matching = Matching(opened(recipe.cipher), cribs)

    def over(self, seeds: range, limit: int = 64) -> Found:
        """Try ``seeds``, which may have steps.

        Args:
            seeds: All of them 0 up to 2**64.
            limit: The search stops after the batch that brings the hits to so many.
        """
        began = time.thread_time()
        hits: list[Hit] = []
        tried = 0
        while tried < len(seeds) and len(hits) < limit:
            some = seeds[tried : tried + LANES]
            lanes = np.full(LANES, some[-1], np.uint64)
            lanes[: len(some)] = np.arange(len(some), dtype=np.uint64) * np.uint64(seeds.step % (1 << 64))
            lanes[: len(some)] += np.uint64(some[0])
            hits.extend(sorted(self._batch(lanes, len(some)), key=lambda hit: (hit.seed, hit.crib)))
            tried += len(some)
        return Found(tuple(hits), tried, time.thread_time() - began)

    def _batch(self, seeds: NDArray[np.uint64], count: int) -> Iterator[Hit]:
        """Yield the hits among the first ``count`` lanes."""
        for lane, crib in self._matching.hits(*self._batches.made(seeds)):
            if lane < count:
                key, iv = material(self._recipe, int(seeds[lane]))
                yield Hit(int(seeds[lane]), crib, key, iv)


def search(recipe: Recipe, seeds: range, cribs: Sequence[Crib], limit: int = 64) -> Found:
    """Return which of ``seeds`` open any of ``cribs``; a :class:`Search` is made once for many shards.

    Raises:
        ValueError: The recipe cannot be made, or a crib says too little or lacks locked bytes.
    """
    return Search(recipe, cribs).over(seeds, limit)


def rate(recipe: Recipe, cribs: Sequence[Crib], seconds: float = 0.1) -> float:
    """Return how many seeds one core of this machine tries in a second, measured for about ``seconds``.

    Raises:
        ValueError: The recipe cannot be made, or a crib says too little or lacks locked bytes.
    """
    ready = Search(recipe, cribs)
    ready.over(range(LANES))  # compiles, or loads what was compiled
    size, found = LANES, ready.over(range(LANES))
    while found.seconds < seconds:
        size *= 2
        found = ready.over(range(size), limit=size)
    return found.tried / found.seconds


def false_hits(cribs: Sequence[Crib], candidates: int) -> float:
    """Return how many hits chance alone makes among ``candidates``."""
    return candidates * sum(2.0 ** -crib.bits() for crib in cribs)
