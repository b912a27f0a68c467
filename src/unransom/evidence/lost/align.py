"""Puts blocks whose order is known where they belong: by the few that say so, and by what lies between them.

Some blocks are sure: what is in them says where it is. Between two sure ones lie a known number of blocks and
a known number of places; where there are more places than blocks, some places are zeros. They are looked for
where zeros cost least: not in what files are known to have, and behind blocks that end with zeros.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

MOST_STATES = 10_000_000  # blocks times zeros between two sure blocks that are weighed up
MISSED, UNASKED, TORN = 4.0, 1.0, 0.4  # cost of zeros in a file, of a block outside of files, of an edge
MOST_MARKS = 2_000_000
GIVEN_UP = 1e9


class Edges(NamedTuple):
    """Whether each block ends, or begins, with zeros."""

    tail: np.ndarray
    head: np.ndarray


def chain(sure: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the most of the sure blocks (number in the file to number on the disk) that are in one order."""
    items = sorted(sure.items())[:MOST_MARKS]
    ends: list[int] = []  # smallest last surplus of a chain of each length
    last: list[int] = []
    before: list[int] = []
    for index, (slot, place) in enumerate(items):
        surplus = place - slot
        length = bisect_right(ends, surplus)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(surplus)
            last.append(index)
        else:
            ends[length], last[length] = surplus, index
    found, index = [], last[-1] if last else -1
    while index >= 0:
        found.append(items[index])
        index = before[index]
    return found[::-1]


def align(sure: Mapping[int, int], count: int, places: int, wanted: np.ndarray, edges: Edges) -> np.ndarray:
    """Return for each of ``count`` blocks its place.

    Args:
        sure: Where some of them are.
        count: How many there are.
        places: How many places the disk has.
        wanted: For each place, whether a file has it; all False where that is not known.
        edges: Of the blocks.
    """
    found = np.full(count, -1, np.int64)
    links = chain(sure)
    outside = set(sure) - {slot for slot, _ in links}
    # What lies before the first sure block is put right in front of it.
    slot, place = links[0]
    lead = min(slot, place)
    found[slot - lead : slot + 1] = np.arange(place - lead, place + 1)
    for (low, start), (high, end) in itertools.pairwise(links):
        between = np.array([each for each in range(low + 1, high) if each not in outside], np.int64)
        found[between] = _between(between, start, end, wanted, edges)
        found[high] = end
    slot, place = links[-1]
    rest = min(count - slot, places - place)
    found[slot : slot + rest] = np.arange(place, place + rest)
    behind = np.array([each for each in range(slot + 1, count) if each not in outside], np.int64)
    if 0 < len(behind) < places - place:
        found[behind] = _between(behind, place, places, wanted, edges)
    for slot in outside:
        found[slot] = sure[slot]
    return found


def _between(slots: np.ndarray, start: int, end: int, wanted: np.ndarray, edges: Edges) -> np.ndarray:
    """Return the places of blocks that lie between the places ``start`` and ``end``."""
    blocks, room = len(slots), end - start - 1
    zeros = room - blocks
    if not blocks or not zeros:
        return start + 1 + np.arange(blocks)
    if (blocks + 1) * (zeros + 1) > MOST_STATES:
        return start + 1 + np.arange(blocks)
    asked = wanted[start + 1 : end].astype(np.float64)
    missed = np.concatenate([[0.0], np.cumsum(asked * MISSED)])  # cost of zeros in the first places
    shifts = np.arange(zeros + 1)
    # A step from a block to the next with zeros between costs an edge, less where zeros touch it.
    torn_after = np.concatenate([[not edges.tail[slots[0] - 1]], ~edges.tail[slots]]) * TORN
    torn_before = np.concatenate(
        [~edges.head[slots], [not edges.head[min(slots[-1] + 1, len(edges.head) - 1)]]]
    )
    choice = np.empty((blocks + 1, zeros + 1), np.int32)
    cost = np.full(zeros + 1, GIVEN_UP)
    cost[0] = 0.0
    for index in range(blocks + 1):
        # cost[s]: the blocks before are placed, the last of them behind s zeros. Now s grows to t.
        jump = torn_after[index] + torn_before[index] * TORN
        base = cost - missed[index + shifts]
        best = np.minimum.accumulate(base)
        at = np.maximum.accumulate(np.where(base == best, shifts, 0))
        jumped = np.concatenate([[GIVEN_UP], best[:-1] + missed[index + shifts[1:]] + jump])
        stays = cost <= jumped
        choice[index] = np.where(stays, shifts, np.concatenate([[0], at[:-1]]))
        cost = np.minimum(cost, jumped)
        if index < blocks:
            cost = cost + (1.0 - asked[index + shifts]) * UNASKED
    shift, found = zeros, np.empty(blocks, np.int64)
    for index in range(blocks, 0, -1):
        shift = int(choice[index][shift])
        found[index - 1] = start + index + shift
    return found
