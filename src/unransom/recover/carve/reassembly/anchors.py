"""Parts of a file whose place in it is known, and the places in the space where they may stand.

Whoever knows where parts belong (a central directory, a cross-reference) names each part's candidates. The
arrangement that is wanted is the one with the fewest cuts: files are written in as few pieces as possible.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from unransom.recover.carve.scan import Places

CANDIDATES = 12  # places of one part that are looked at, the nearest to its neighbours
CUT = 1.0  # cost of a cut
BACK = 0.3  # added where the file goes on before the place where it left off
MISSING = 1.5  # cost of leaving a part out


class Anchor(NamedTuple):
    """A part of a file.

    Attributes:
        offset: In the file.
        places: Where in the space it may stand.
    """

    offset: int
    places: tuple[int, ...]


class Placed(NamedTuple):
    """A part that was placed: its offset in the file, and how far the space is ahead of the file there."""

    offset: int
    shift: int


class _Step(NamedTuple):
    """A part at one of its places, and the step before it in the arrangement."""

    placed: Placed
    before: _Step | None


Alive = dict[int, tuple[float, _Step]]  # by shift, the cheapest arrangement that ends with it, and its cost


def arrange(anchors: Sequence[Anchor]) -> list[Placed]:
    """Return the arrangement with the fewest cuts; parts that fit nowhere are left out.

    Args:
        anchors: Sorted by offset.
    """
    if placed := _in_one_piece(anchors):
        return placed
    alive: Alive = {}
    for number, anchor in enumerate(anchors):
        fresh = {}
        for place in anchor.places:
            shift = place - anchor.offset
            cost, before = _cheapest(alive, shift)
            if cost > number * MISSING:
                cost, before = number * MISSING, None
            fresh[shift] = cost, _Step(Placed(anchor.offset, shift), before)
        left = {shift: (cost + MISSING, step) for shift, (cost, step) in alive.items() if shift not in fresh}
        cheapest = sorted((left | fresh).items(), key=lambda each: each[1][0])
        alive = dict(cheapest[: 2 * CANDIDATES])
    return _followed(next(iter(alive.values()))[1]) if alive else []


def _cheapest(alive: Alive, shift: int) -> tuple[float, _Step | None]:
    """Return the cheapest arrangement that goes on with ``shift``; of ``alive`` the cheapest comes first."""
    cost, before = alive.get(shift, (math.inf, None))
    for other, (spent, step) in alive.items():
        if spent + CUT >= cost:
            break  # nor is any that follows cheaper
        if spent + _cost(other, shift) < cost:
            cost, before = spent + _cost(other, shift), step
    return cost, before


def _in_one_piece(anchors: Sequence[Anchor]) -> list[Placed]:
    """Return all parts with one shift where every part may have that, else nothing."""
    for place in anchors[0].places if anchors else ():
        shift = place - anchors[0].offset
        if all(anchor.offset + shift in anchor.places for anchor in anchors):
            return [Placed(anchor.offset, shift) for anchor in anchors]
    return []


def _cost(before: int, shift: int) -> float:
    """Return the cost of going on with ``shift`` behind a piece with another."""
    if before == shift:
        return 0.0
    jump = shift - before
    distance = min(abs(jump) / (64 << 20), 1.0) * 0.2
    return CUT + distance + (BACK if jump < 0 else 0.0)


def _followed(last: _Step | None) -> list[Placed]:
    placed: list[Placed] = []
    while last is not None:
        placed.append(last.placed)
        last = last.before
    return placed[::-1]


def nearest(places: Sequence[int] | Places, wanted: int) -> list[int]:
    """Return those of ``places``, which are sorted, that are nearest to the wanted one."""
    return list(islice(by_distance(places, wanted), CANDIDATES))


def by_distance(places: Sequence[int] | Places, wanted: int) -> Iterator[int]:
    """Yield ``places``, which are sorted, that nearest to the wanted one first."""
    above = bisect_left(places, wanted)
    below = above - 1
    while below >= 0 or above < len(places):
        if above == len(places) or (below >= 0 and wanted - places[below] <= places[above] - wanted):
            yield int(places[below])
            below -= 1
        else:
            yield int(places[above])
            above += 1
