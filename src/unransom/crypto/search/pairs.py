"""The search over coupled seeds: a key from one time and an IV from a later one, as Akira draws them.

A table of what every time gives is made once, for that is what takes long; then each key is tried with the
IVs of all times that may follow it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from unransom.crypto.generators import generator
from unransom.crypto.generators.generator import WORD
from unransom.crypto.search.batches import Words
from unransom.crypto.search.matching import Matching
from unransom.crypto.search.opening import opened
from unransom.crypto.search.recipe import Cipher, Crib

LANES = 1024  # of a batch: a multiple of what every kernel takes at once
CHUNK = 4096  # times that are added to the table at once


class Pair(msgspec.Struct, frozen=True):
    """Two seeds that open a crib together.

    Attributes:
        first: That of the key.
        second: That of the IV.
        crib: Number of the crib.
        key: The key.
        iv: The IV or nonce.
    """

    first: int
    second: int
    crib: int
    key: bytes
    iv: bytes


class PairsFound(msgspec.Struct, frozen=True):
    """What a search over pairs found.

    Attributes:
        hits: In the order of the keys.
        tried: Pairs that were tried.
        seconds: Of processor time.
    """

    hits: tuple[Pair, ...]
    tried: int
    seconds: float


class Table:
    """The first bytes that each of some seeds gives."""

    def __init__(self, name: str, seeds: range, size: int = 32) -> None:
        """Compute them.

        Args:
            name: Of a generator whose outputs are words of 32 bits.
            seeds: All of them 0 up to 2**64.
            size: Bytes that are kept of each, a multiple of four.

        Raises:
            ValueError: The generator's outputs are no words.
        """
        own = generator(name)
        if own.bits != WORD:
            raise ValueError(f"outputs of {name} are no words of {WORD} bits")
        self.seeds = seeds
        self.words: Words = np.empty((size // 4, len(seeds)), np.uint32)
        fill = own.rows(0, size // 4)
        for start in range(0, len(seeds), CHUNK):
            some = np.fromiter(seeds[start : start + CHUNK], np.uint64)
            rows = own.empty(size // 4, len(some))
            fill(some, rows)
            self.words[:, start : start + CHUNK] = rows


def coupled(
    table: Table, cipher: Cipher, keys: range, gaps: range, cribs: Sequence[Crib], limit: int = 16
) -> PairsFound:
    """Try the key of every seed in ``keys`` with the IV of every seed that lies one of ``gaps`` later.

    Args:
        table: Of all of them, with the same step.
        cipher: What they are for; an IV is drawn, so ``iv_size`` counts.
        keys: Seeds of keys.
        gaps: From the seed of a key to that of its IV.
        cribs: What is known.
        limit: The search stops after the key that brings the hits to so many.

    Raises:
        ValueError: The table lacks some of the seeds, or a crib says too little or lacks locked bytes.
    """
    began = time.thread_time()
    matching = Matching(opened(cipher), cribs)
    steps = {each.step for each in (keys, gaps) if len(each) > 1}
    ends = [seed for seed in (*keys[:1], *keys[-1:]) for seed in (seed, seed + gaps[0], seed + gaps[-1])]
    if steps - {table.seeds.step} or any(seed not in table.seeds for seed in ends):
        raise ValueError("the table lacks some of the seeds")
    hits: list[Pair] = []
    tried = 0
    for seed in keys:
        hits.extend(
            _with(table, cipher, matching, seed, range(seed + gaps[0], seed + gaps[-1] + 1, gaps.step))
        )
        tried += len(gaps)
        if len(hits) >= limit:
            break
    return PairsFound(tuple(hits), tried, time.thread_time() - began)


def _with(table: Table, cipher: Cipher, matching: Matching, seed: int, seconds: range) -> Iterator[Pair]:
    """Yield the hits of one key."""
    size, iv_size = cipher.key_size // 4, cipher.iv_size // 4
    place = table.seeds.index(seed)
    key = table.words[:size, place]
    lanes = np.repeat(key[:, None], LANES, axis=1)
    begin = table.seeds.index(seconds[0])
    for start in range(0, len(seconds), LANES):
        count = min(LANES, len(seconds) - start)
        ivs = np.zeros((iv_size, LANES), np.uint32)
        ivs[:, :count] = table.words[:iv_size, begin + start : begin + start + count]
        for lane, crib in matching.hits(lanes, ivs):
            if lane < count:
                iv = np.ascontiguousarray(ivs[:, lane]).tobytes()
                yield Pair(seed, seconds[start + lane], crib, key.tobytes(), iv)
