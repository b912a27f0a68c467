"""Parts of a file whose place in it is known, and the places in the space where they may stand.

Whoever knows where parts belong (a central directory, a cross-reference) names each part's candidates. The
arrangement that is wanted is the one with the fewest cuts: files are written in as few pieces as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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


class _Option(NamedTuple):
    cost: float
    shift: int
    anchor: int
    before: int  # index of the option before it, -1 for none


def arrange(anchors: Sequence[Anchor]) -> list[Placed]:
    """Return the arrangement with the fewest cuts; parts that fit nowhere are left out.

    Args:
        anchors: Sorted by offset.
    """
    options: list[_Option] = []
    alive: list[int] = []
    for number, anchor in enumerate(anchors):
        fresh = []
        for place in anchor.places:
            shift = place - anchor.offset
            cost, before = min(
                ((_step(options[index], shift, anchor.offset), index) for index in alive),
                default=(number * MISSING, -1),
            )
            if cost > number * MISSING:
                cost, before = number * MISSING, -1
            fresh.append(len(options))
            options.append(_Option(cost, shift, number, before))
        alive = [
            index for index in alive if options[index].shift not in {options[new].shift for new in fresh}
        ]
        for index in alive:
            options[index] = options[index]._replace(cost=options[index].cost + MISSING)
        alive = sorted(alive + fresh, key=lambda index: options[index].cost)[: 2 * CANDIDATES]
    if not alive:
        return []
    return _followed(options, alive[0], anchors)


def _step(option: _Option, shift: int, offset: int) -> float:
    """Return the cost of going on with ``shift`` behind ``option``."""
    if option.shift == shift:
        return option.cost
    jump = shift - option.shift
    distance = min(abs(jump) / (64 << 20), 1.0) * 0.2
    return option.cost + CUT + distance + (BACK if jump < 0 else 0.0)


def _followed(options: list[_Option], last: int, anchors: Sequence[Anchor]) -> list[Placed]:
    placed: list[Placed] = []
    while last >= 0:
        option = options[last]
        placed.append(Placed(anchors[option.anchor].offset, option.shift))
        last = option.before
    return placed[::-1]


def nearest(places: Sequence[int], wanted: int) -> list[int]:
    """Return the places that are nearest to the wanted one."""
    return sorted(places, key=lambda place: abs(place - wanted))[:CANDIDATES]
