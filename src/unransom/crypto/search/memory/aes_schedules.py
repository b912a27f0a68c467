"""AES keys, by the schedules that programs expand them to; with wrong bits where a dump has decayed."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

import numpy as np

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.search.memory.aes_expansion import Words, total_words
from unransom.crypto.search.memory.aes_kernels import FACTS, find_decayed, find_schedules
from unransom.crypto.search.memory.aes_repair import SCHEDULE_SIZES, repair
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

NAME = "AES schedules"
KEY_WORDS = (4, 6, 8)
LIMIT = 1024  # of each kind in one piece of memory
DECAYED_LIMIT = 1 << 16  # places; each schedule stands there dozens of times
LARGEST, SHORTEST = max(SCHEDULE_SIZES), min(SCHEDULE_SIZES)
SHARE = 0.2  # of a decayed schedule's bits, how many may contradict others; of random ones it is half


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the keys of whole schedules, and those of decayed ones if the clues ask for them."""
    words = memory[: len(memory) // 4 * 4].view(np.uint32)
    found: list[Candidate] = []
    for key_words in KEY_WORDS:
        found += _whole(memory, words, key_words, reverse=False)
        found += _whole(memory, words, key_words, reverse=True)
        if clues.wrong_bits:
            found += _decayed(memory, words, key_words, clues.wrong_bits)
    yield from _apart(found)


def _apart(found: list[Candidate]) -> Iterator[Candidate]:
    """Yield the best of those that overlap: a schedule of which a bit is wrong shows several keys."""
    starts: list[int] = []
    for candidate in sorted(found, key=lambda each: (-each.bits, each.offset)):
        place = bisect.bisect(starts, candidate.offset)
        near = starts[max(place - 1, 0) : place + 1]
        if all(abs(start - candidate.offset) >= SHORTEST for start in near):
            starts.insert(place, candidate.offset)
            yield candidate


def _whole(memory: Memory, words: Words, key_words: int, *, reverse: bool) -> Iterator[Candidate]:
    facts = np.zeros((LIMIT, FACTS), np.int64)
    keys = np.zeros((LIMIT, 8), np.uint32)
    count = find_schedules(memory, words, key_words, reverse, facts, keys)
    for (position, agreeing, _, _), key in zip(facts[:count].tolist(), keys[:count], strict=True):
        yield Candidate(
            finder=NAME,
            kind=KeyKind.RAW,
            data=key[:key_words].astype("<u4").tobytes(),
            offset=max(position, 0),
            bits=32 * (agreeing - key_words),
            why=say(
                "a schedule of AES-{bits}: {words} of {total} words agree",
                bits=32 * key_words,
                words=agreeing,
                total=total_words(key_words),
            ),
        )


def _decayed(memory: Memory, words: Words, key_words: int, wrong_bits: int) -> Iterator[Candidate]:
    facts = np.empty((DECAYED_LIMIT, FACTS), np.int64)
    checked = 32 * (total_words(key_words) - key_words)
    count = find_decayed(memory, words, key_words, wrong_bits, int(SHARE * checked), facts)
    solved: list[int] = []
    # One schedule is seen at several places and in both orders: the truest first, and no other near it.
    for _, position, swapped in sorted(
        {(apart, at, order) for at, apart, order, _ in facts[:count].tolist()}
    ):
        if any(abs(position - other) < SHORTEST for other in solved):
            continue
        schedule = memory[position : position + 4 * total_words(key_words)].tobytes()
        for repaired in repair(schedule, swapped=bool(swapped)):
            solved.append(position)
            yield Candidate(
                finder=NAME,
                kind=KeyKind.RAW,
                data=repaired.key,
                offset=position,
                bits=repaired.bits,
                why=say(
                    "a decayed schedule of AES-{bits}: {wrong} of {total} bits are wrong",
                    bits=32 * key_words,
                    wrong=repaired.wrong,
                    total=8 * len(schedule),
                ),
            )


FINDER = Finder(NAME, LARGEST + 16, find)
