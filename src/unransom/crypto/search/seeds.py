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

from unransom.crypto.search.batches import Batches, Words
from unransom.crypto.search.kernels.compare import matches
from unransom.crypto.search.opening import Job, Piece, known, opened, pieces
from unransom.crypto.search.recipe import Crib, Recipe, material

LANES = 2048  # of a batch: a multiple of what every kernel takes at once
LEAST = 16  # bits that a crib must say in one block, so that few lanes are looked at twice


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


class _Group(msgspec.Struct, frozen=True):
    """Cribs whose most telling piece comes of one job.

    Attributes:
        job: The run of the cipher.
        wanted: Words of the block that any of them asks for.
        places: For each crib the row that says most.
        masks: For each crib and row the bits that count.
        values: What these are.
        cribs: Number of each crib.
    """

    job: Job
    wanted: NDArray[np.int64]
    places: NDArray[np.int64]
    masks: Words
    values: Words
    cribs: tuple[int, ...]


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
        self._opening = opened(recipe.cipher)
        self._pieces = [pieces(self._opening, crib) for crib in cribs]
        for number, found in enumerate(self._pieces):
            if not found or known(found[0]) < LEAST:
                raise ValueError(f"crib {number} says less than {LEAST} bits in any block")
        self._groups = self._grouped()

    def _grouped(self) -> list[_Group]:
        members: dict[Job, list[int]] = {}
        for number, found in enumerate(self._pieces):
            members.setdefault(found[0].job, []).append(number)
        return [self._group(job, numbers) for job, numbers in members.items()]

    def _group(self, job: Job, numbers: list[int]) -> _Group:
        masks, values = (
            np.stack([getattr(self._pieces[number][0], name) for number in numbers])
            for name in ("masks", "values")
        )
        wanted = np.flatnonzero(masks.any(axis=0)).astype(np.int64)
        masks, values = np.ascontiguousarray(masks[:, wanted]), np.ascontiguousarray(values[:, wanted])
        places = np.bitwise_count(masks).argmax(axis=1).astype(np.int64)
        return _Group(job, wanted, places, masks, values, tuple(numbers))

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
        keys, ivs = self._batches.made(seeds)
        for group in self._groups:
            rows = self._opening.run(group.job, keys, ivs, group.wanted)
            for lane, pattern in self._matching(rows, group):
                crib = group.cribs[pattern]
                if lane < count and self._opens(crib, keys, ivs, lane):
                    key, iv = material(self._recipe, int(seeds[lane]))
                    yield Hit(int(seeds[lane]), crib, key, iv)

    def _matching(self, rows: Words, group: _Group) -> list[list[int]]:
        """Return pairs of a lane and a pattern of ``group``."""
        found = np.empty((64, 2), np.int64)
        count = matches(rows, group.places, group.masks, group.values, found)
        if count > len(found):
            found = np.empty((count, 2), np.int64)
            count = matches(rows, group.places, group.masks, group.values, found)
        return found[:count].tolist()

    def _opens(self, crib: int, keys: Words, ivs: Words, lane: int) -> bool:
        """Return whether ``lane`` has the other pieces of ``crib`` too."""
        some = slice(lane - lane % 64, lane - lane % 64 + 64)
        key, iv = np.ascontiguousarray(keys[:, some]), np.ascontiguousarray(ivs[:, some])
        return all(self._gives(piece, key, iv, lane % 64) for piece in self._pieces[crib][1:])

    def _gives(self, piece: Piece, keys: Words, ivs: Words, lane: int) -> bool:
        every = np.arange(len(piece.masks), dtype=np.int64)
        words = self._opening.run(piece.job, keys, ivs, every)[:, lane]
        return bool(((words & piece.masks) == piece.values).all())


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
