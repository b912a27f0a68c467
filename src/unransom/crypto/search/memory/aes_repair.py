"""AES keys from schedules of which bits are wrong, as in memory that was read after the power was cut.

Each word of a schedule is a sum of two others, so each bit stands in up to three parity checks: a code
like those of W. Gallager (1963), which turns bits over that most of their checks speak against. Then
the key is read off every place of the schedule in turn, single bits are turned over while that helps, and
the key counts if what it expands to is what was read, but for few bits (Halderman et al., "Lest We
Remember", 2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np
from numba import njit

from unransom.crypto.search.memory.aes_expansion import Words, expand, mixed_in, ones, total_words

SCHEDULE_SIZES = {176: 4, 208: 6, 240: 8}  # bytes of a schedule, words of its key
SWEEPS = 60
HOPELESS = 0.4  # of the bits are wrong at every place: this is no schedule
WORTHLESS = 0.35  # of the bits are wrong still, where single bits help no more
SHARE = 0.2  # of the bits, how many may be wrong in the end; of another key's schedule half are


class Repaired(msgspec.Struct, frozen=True):
    """A key, and how far the schedule that was read is from its own.

    Attributes:
        key: 16, 24 or 32 bytes.
        wrong: Bits that differ.
        bits: How many bits the rest is worth as a proof.
    """

    key: bytes
    wrong: int
    bits: int


def repair(schedule: bytes, *, swapped: bool = False) -> Iterator[Repaired]:
    """Yield the keys whose schedules are nearest to ``schedule``, if any is near enough to be its own.

    Args:
        schedule: 176, 208 or 240 bytes as they were read.
        swapped: The bytes of each word are the other way round.

    Raises:
        ValueError: No schedule has so many bytes.
    """
    key_words = SCHEDULE_SIZES.get(len(schedule))
    if key_words is None:
        raise ValueError(f"a schedule of AES has 176, 208 or 240 bytes, not {len(schedule)}")
    words = np.frombuffer(schedule, ">u4" if swapped else "<u4").astype(np.uint32)
    total = 8 * len(schedule)
    key = np.zeros(8, np.uint32)
    wrong = int(nearest(words, key_words, int(SHARE * total), key))
    if wrong <= SHARE * total:
        yield Repaired(key[:key_words].astype("<u4").tobytes(), wrong, _proof(total, wrong, key_words))


def _proof(total: int, wrong: int, key_words: int) -> int:
    """Return the bits that a schedule with so many wrong ones proves: all, less the choice of those."""
    if wrong == 0:
        return total - 32 * key_words
    share = wrong / total
    entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    return max(0, int(total * (1 - entropy)) - 32 * key_words)


@njit(cache=True, nogil=True)
def nearest(read: Words, key_words: int, enough: int, key: Words) -> int:
    """Put the key whose schedule is nearest to ``read`` into ``key``; return by how many bits it is not.

    Where the best place to start from leads to more than ``enough`` wrong bits, all others are tried.
    """
    guess = read.copy()
    _vote(guess, key_words)
    total = total_words(key_words)
    schedule, nearer = np.zeros(60, np.uint32), np.zeros(60, np.uint32)
    best = 32 * total + 1
    for source in (guess, read):
        for place in range(total - key_words + 1):
            schedule[place : place + key_words] = source[place : place + key_words]
            distance = _distance(read, schedule, place, key_words)
            if distance < best:
                best = distance
                nearer[:] = schedule
    if best < HOPELESS * 32 * total:
        best = _climb(read, nearer, key_words, best)
    key[:] = nearer[:8]
    for place in range(0, total - key_words + 1, key_words):
        if best <= enough or best >= WORTHLESS * 32 * total:
            break
        schedule[place : place + key_words] = guess[place : place + key_words]
        distance = _distance(read, schedule, place, key_words)
        distance = _climb(read, schedule, key_words, distance)
        if distance < best:
            best = distance
            key[:] = schedule[:8]
    return best


@njit(nogil=True)
def _climb(read: Words, schedule: Words, key_words: int, best: int) -> int:
    """Turn over single bits of ``schedule`` wherever that brings it nearer; return how near it gets."""
    trial = schedule.copy()
    for _ in range(SWEEPS):
        before = best
        for place in range(total_words(key_words) - key_words + 1):
            for bit in range(32 * key_words):
                trial[place : place + key_words] = schedule[place : place + key_words]
                trial[place + bit // 32] ^= np.uint32(1) << np.uint32(bit % 32)
                distance = _distance(read, trial, place, key_words)
                if distance < best:
                    best = distance
                    schedule[:] = trial
        if best == before:
            break
    return best


@njit(nogil=True)
def _distance(read: Words, schedule: Words, place: int, key_words: int) -> int:
    """Expand ``schedule`` from ``place`` on; return by how many bits it is not what was read."""
    expand(schedule, place, key_words)
    wrong = 0
    for index in range(total_words(key_words)):
        wrong += int(ones(read[index] ^ schedule[index]))
    return wrong


@njit(nogil=True)
def _vote(words: Words, key_words: int) -> None:
    """Turn over the bits that most of their checks speak against, until none is left."""
    total = total_words(key_words)
    against = np.zeros(60 + 8, np.uint32)  # bits that contradict the check of their word
    for _ in range(SWEEPS):
        wrong = np.uint32(0)
        for index in range(key_words, total):
            demanded = words[index - key_words] ^ mixed_in(words[index - 1], index, key_words)
            against[index] = words[index] ^ demanded
            wrong |= against[index]
        if wrong == 0:
            return
        for index in range(total):
            first, second = against[index], against[index + key_words]
            linear = index + 1 < total and index + 1 >= key_words and (index + 1) % key_words != 0
            if linear and not (key_words == 8 and (index + 1) % 8 == 4):
                third = against[index + 1]
                words[index] ^= (first & second) | (first & third) | (second & third)
            else:
                words[index] ^= first & second
