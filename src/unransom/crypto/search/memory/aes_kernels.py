"""Where AES key schedules lie: every byte offset, at the rate of memory.

Most words of a schedule are the exclusive or of two earlier ones, and so are, byte for byte, whatever
pieces of four bytes one cuts it into. Three such words follow each other, and however they lie, two whole
*aligned* words are among their 12 bytes. So a vector loop over aligned words, without any table, sees
every schedule at every byte offset and in both orders of bytes; what passes its 64 bits is looked at
closely.

A schedule for decryption has its rounds in reverse order, and all but the first and last one through
InvMixColumns, which is linear: the same relations hold, at other distances. With AES-192 only two words of a
round, the second and the third, have one distance: what is looked for there is one aligned word, and eight
bytes around it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.search.memory.aes_expansion import (
    ROUND_CONSTANTS,
    Bytes,
    Words,
    columns_mixed,
    expand,
    mixed_in,
    ones,
    substituted,
    total_words,
    word_at,
)

BLOCK = 1024  # words that are tested before a branch
BEYOND = 8  # words besides the key that must follow from it: 256 bits
DISTINCT_IN_ALL = 90  # of a whole schedule; of 176 random bytes it is 128, give or take six
DISTINCT = 8  # of 16 bytes of a schedule; that fewer differ happens once in 10**9 times
# A row of what is found: position of the schedule, words that agree, 1 if swapped, 1 if for decryption.
FACTS = 4


@njit(nogil=True)
def _none_relates(here: Words, near: Words, far: Words, count: int) -> bool:
    """Return whether nowhere in a row two words are the exclusive or of two others."""
    hits = np.uint32(0)
    for index in range(count):
        rest = (here[index] ^ near[index] ^ far[index]) | (here[index + 1] ^ near[index + 1] ^ far[index + 1])
        hits += np.uint32(1) if rest == 0 and here[index] != 0 else np.uint32(0)
    return hits == 0


@njit(nogil=True)
def _none_nearly_relates(here: Words, near: Words, far: Words, count: int, wrong: int) -> bool:
    """Return the same where up to ``wrong`` of the 64 bits may be; sparse words do not count."""
    hits = np.uint32(0)
    for index in range(count):
        differing = ones(here[index] ^ near[index] ^ far[index]) + ones(
            here[index + 1] ^ near[index + 1] ^ far[index + 1]
        )
        dense = ones(here[index]) + ones(here[index + 1])
        hits += np.uint32(1) if differing <= wrong and dense >= 16 else np.uint32(0)
    return hits == 0


@njit(nogil=True)
def _none_relates_alone(here: Words, near: Words, far: Words, count: int) -> bool:
    """Return whether nowhere in a row a single word is the exclusive or of two others."""
    hits = np.uint32(0)
    for index in range(count):
        rest = here[index] ^ near[index] ^ far[index]
        hits += np.uint32(1) if rest == 0 and here[index] != 0 else np.uint32(0)
    return hits == 0


@njit(nogil=True)
def _none(here: Words, near: Words, far: Words, count: int, alone: bool) -> bool:
    """Return whether nothing in a row is to be looked at closely."""
    if alone:
        return _none_relates_alone(here, near, far, count)
    return _none_relates(here, near, far, count)


@njit(nogil=True)
def _relates_alone(words: Words, index: int, near: int, far: int) -> bool:
    """Return whether eight bytes, among them the word at ``index``, are the exclusive or of others."""
    if not index or words[index] == 0 or words[index] != words[index + near] ^ words[index + far]:
        return False
    before = words[index - 1] ^ words[index - 1 + near] ^ words[index - 1 + far]
    after = words[index + 1] ^ words[index + 1 + near] ^ words[index + 1 + far]
    for taken in range(5):  # bytes of the word before; the others are the next word's
        low = before >> np.uint32(32 - 8 * taken) if taken else np.uint32(0)
        high = np.uint32(after << np.uint32(8 * taken)) if taken < 4 else np.uint32(0)
        if low == 0 and high == 0:
            return True
    return False


@njit(nogil=True)
def _relates(words: Words, index: int, near: int, far: int, wrong: int) -> bool:
    """Return what the vector loops say, for one place."""
    if words[index] == 0 or words[index + 1] == 0:
        return False
    differing = ones(words[index] ^ words[index + near] ^ words[index + far])
    if differing > wrong:
        return False
    differing += ones(words[index + 1] ^ words[index + near + 1] ^ words[index + far + 1])
    return bool(differing <= wrong)


@njit(nogil=True)
def _distinct(memory: Bytes, start: int, length: int) -> int:
    """Return how many different bytes there are among ``length``."""
    seen = np.zeros(4, np.uint64)
    distinct = 0
    for at in range(start, min(start + length, len(memory))):
        bit = np.uint64(1) << np.uint64(memory[at] & 63)
        distinct += (seen[memory[at] >> 6] & bit) == 0
        seen[memory[at] >> 6] |= bit
    return distinct


@njit(nogil=True)
def _round_of(memory: Bytes, at: int, key_words: int, swapped: bool) -> int:
    """Return which group of the schedule begins at byte ``at``, counted from 0, -1 if none does."""
    last = word_at(memory, at + 4 * key_words - 4, swapped)
    rest = word_at(memory, at, swapped) ^ word_at(memory, at + 4 * key_words, swapped)
    rest ^= substituted(np.uint32(last >> np.uint32(8) | last << np.uint32(24)))
    if rest == 0 or rest > 128:
        return -1
    for group in range(1, (total_words(key_words) - 1) // key_words + 1):
        if ROUND_CONSTANTS[group] == rest:
            return group - 1
    return -1


@njit(nogil=True)
def agreeing(memory: Bytes, start: int, schedule: Words, key_words: int, swapped: bool) -> int:
    """Return how many words of ``schedule`` stand where they belong if it begins at byte ``start``."""
    count = 0
    for index in range(total_words(key_words)):
        at = start + 4 * index
        if 0 <= at <= len(memory) - 4 and word_at(memory, at, swapped) == schedule[index]:
            count += 1
    return count


@njit(nogil=True)
def _forward(memory: Bytes, at: int, key_words: int, swapped: bool, schedule: Words, fact: NDArray) -> bool:
    """Look at a group of key words at byte ``at``; fill ``schedule`` and ``fact`` if it is one."""
    if at < 0 or at + 4 * key_words + 4 > len(memory):
        return False
    group = _round_of(memory, at, key_words, swapped)
    if group < 0:
        return False
    for word in range(key_words):
        schedule[group * key_words + word] = word_at(memory, at + 4 * word, swapped)
    expand(schedule, group * key_words, key_words)
    start = at - 4 * group * key_words
    fact[0], fact[2], fact[3] = start, swapped, 0
    fact[1] = agreeing(memory, start, schedule, key_words, swapped)
    return fact[1] >= key_words + BEYOND


@njit(nogil=True)
def _agreeing_backwards(memory: Bytes, start: int, schedule: Words, rounds: int, swapped: bool) -> int:
    """Return the same for a schedule for decryption."""
    count = 0
    for place in range(rounds + 1):
        for word in range(4):
            found = word_at(memory, start + 16 * place + 4 * word, swapped)
            if 0 < place < rounds:
                found = columns_mixed(found)
            count += found == schedule[4 * (rounds - place) + word]
    return count


@njit(nogil=True)
def _backward(memory: Bytes, at: int, key_words: int, swapped: bool, schedule: Words, fact: NDArray) -> bool:
    """Look at a round of a schedule for decryption at byte ``at``, which round being unknown."""
    rounds = key_words + 6
    for after in range(key_words // 4, rounds):  # rounds that follow, the key's among them
        start, end = at - 16 * (rounds - after), at + 16 * after
        if start < 0 or end + 16 > len(memory):
            continue
        for word in range(4):
            schedule[word] = word_at(memory, end + 4 * word, swapped)
        for word in range(4, key_words):
            schedule[word] = columns_mixed(word_at(memory, end - 32 + 4 * word, swapped))
        expand(schedule, 0, key_words)
        matching = _agreeing_backwards(memory, start, schedule, rounds, swapped)
        if matching >= key_words + BEYOND:
            fact[0], fact[1], fact[2], fact[3] = start, matching, swapped, 1
            return True
    return False


@njit(nogil=True)
def _is_schedule(
    memory: Bytes, word: int, key_words: int, reverse: bool, schedule: Words, fact: NDArray
) -> bool:
    """Look at every way in which the aligned words from ``word`` on may lie in a schedule."""
    for back in range(20 - 3 if key_words == 6 and not reverse else 5):
        at = 4 * word - back - 4
        for swapped in (False, True):
            if reverse:
                # The relation of a word begins at the word before it; in AES-192 a round's first has none.
                first = at if key_words == 6 else at + 4
                if _backward(memory, first, key_words, swapped, schedule, fact):
                    return True
            elif _forward(memory, at, key_words, swapped, schedule, fact):
                return True
    return False


@njit(nogil=True)
def _kept(fact: NDArray, key: Words, facts: NDArray, keys: NDArray, found: int) -> int:
    """Add a schedule to the ``found`` ones; the better one stays where another round shows the last again."""
    if found and facts[found - 1, 0] == fact[0]:
        if facts[found - 1, 1] >= fact[1]:
            return found
        found -= 1
    if found == len(facts):
        return found
    facts[found] = fact
    keys[found, : len(key)] = key
    return found + 1


@njit(cache=True, nogil=True)
def find_schedules(
    memory: Bytes, words: Words, key_words: int, reverse: bool, facts: NDArray, keys: NDArray
) -> int:
    """Fill ``facts`` and ``keys`` with the schedules in ``memory``; return how many they are.

    Args:
        memory: The bytes.
        words: The same as whole words.
        key_words: 4, 6 or 8.
        reverse: Look for schedules for decryption.
        facts: ``FACTS`` numbers for each schedule.
        keys: The first ``key_words`` words of each.
    """
    near, far = (1, key_words + 1) if reverse else (key_words - 1, key_words)
    alone = reverse and key_words == 6
    far = 3 if alone else far
    schedule, fact = np.zeros(60, np.uint32), np.zeros(FACTS, np.int64)
    found = start = 0
    end = len(words) - far - 1
    while start < end:
        count = min(BLOCK, end - start)
        if _none(words[start:], words[start + near :], words[start + far :], count, alone):
            start += count
            continue
        for index in range(start, start + count):
            related = (
                _relates_alone(words, index, near, far) if alone else _relates(words, index, near, far, 0)
            )
            if not related or _distinct(memory, 4 * index, 16) < DISTINCT:
                continue
            if _is_schedule(memory, index, key_words, reverse, schedule, fact):
                found = _kept(fact, schedule[:key_words], facts, keys, found)
        start += count
    return found


@njit(nogil=True)
def distance(schedule: Words, key_words: int, most: int) -> int:
    """Return the bits by which words of ``schedule`` are not what the ones before them demand.

    Counting ends above ``most``.
    """
    wrong = 0
    for index in range(key_words, total_words(key_words)):
        demanded = schedule[index - key_words] ^ mixed_in(schedule[index - 1], index, key_words)
        wrong += int(ones(schedule[index] ^ demanded))
        if wrong > most:
            break
    return wrong


@njit(nogil=True)
def _decayed_around(memory: Bytes, word: int, key_words: int, most: int, facts: NDArray, found: int) -> int:
    """Add to ``facts`` the schedules that the aligned words from ``word`` on may lie in; return the count."""
    total = total_words(key_words)
    schedule = np.zeros(60, np.uint32)
    for place in range(10 * (total // key_words)):
        at = 4 * word - 4 - place // 2 % 5 - 4 * key_words * (place // 10)
        swapped = place % 2 == 1
        if at < 0 or at + 4 * total > len(memory) or found == len(facts):
            continue
        for index in range(total):
            schedule[index] = word_at(memory, at + 4 * index, swapped)
        apart = distance(schedule, key_words, most)
        if apart <= most and _distinct(memory, at, 4 * total) >= DISTINCT_IN_ALL:
            facts[found, 0], facts[found, 1], facts[found, 2] = at, apart, swapped
            found += 1
    return found


@njit(cache=True, nogil=True)
def find_decayed(memory: Bytes, words: Words, key_words: int, wrong: int, most: int, facts: NDArray) -> int:
    """Fill ``facts`` with where a schedule may lie of which bits are wrong; return how many such places.

    Args:
        memory: The bytes.
        words: The same as whole words.
        key_words: 4, 6 or 8.
        wrong: Of 64 bits, how many may be where a place is looked at closely.
        most: Of the whole schedule, how many bits may contradict those before them.
        facts: Position, distance, 1 if swapped, 0 for each; one schedule may stand there several times.
    """
    near, far = key_words - 1, key_words
    found = start = 0
    end = len(words) - far - 1
    while start < end:
        count = min(BLOCK, end - start)
        if not _none_nearly_relates(words[start:], words[start + near :], words[start + far :], count, wrong):
            for index in range(start, start + count):
                if not _relates(words, index, near, far, wrong):
                    continue
                if _distinct(memory, 4 * index, 16) >= DISTINCT:
                    found = _decayed_around(memory, index, key_words, most, facts, found)
        start += count
    return found
