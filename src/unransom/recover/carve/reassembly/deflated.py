"""Cuts in deflated data: where what comes out stops looking like what came out before.

Deflated data goes on for many clusters in a wrong place before anything fails: nearly every bit means
something. But what comes out then is out of order, and has pairs of bytes that did not stand in the file so
far. So the border is tried first behind which most of them are new, and of the clusters with which the data
may go on, the one whose pairs are known best. No piece goes on into zeros, text, or another file's clusters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unransom.core.spans import Span
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.checks import Inflation
from unransom.recover.carve.reassembly.seams import Continuations, Cost

NEVER = np.iinfo(np.int32).max
NOTED, LOOKED = 1 << 16, 1 << 12  # bytes of what comes out of a cluster that are noted, and compared
TASTE = 512  # bytes of a cluster by which it is compared with others
LEAST = 1 / 256  # below this share nothing differs
KEPT = 192  # borders before a failure that are remembered
FEW, MANY = 5, 32  # borders, and pieces, that are tried: those that are equally likely, and at least a few
NEAR = 128  # clusters that are tried behind every border before farther ones are behind any


Way = TypeVar("Way")


class Likeness:
    """Which pairs of bytes stand in data, and from which border on.

    Attributes:
        bound: What was first seen from this border on does not count.
    """

    def __init__(self, first: NDArray[np.int32] | None = None, bound: int = 0) -> None:
        self._first = np.full(1 << 16, NEVER, np.int32) if first is None else first
        self.bound = bound

    def before(self, bound: int) -> Likeness:
        """Return the same, as it was at another border."""
        return Likeness(self._first, bound)

    def note(self, data: bytes, border: int) -> None:
        """Take in ``data`` that stands behind ``border``."""
        from unransom.recover.carve._pairs_kernel import note  # noqa: PLC0415  numba is slow to import

        note(np.frombuffer(data, np.uint8)[:NOTED], self._first, border)

    def strangeness(self, data: bytes) -> float:
        """Return the share of pairs in ``data`` that were not seen before."""
        from unransom.recover.carve._pairs_kernel import count_new  # noqa: PLC0415  numba is slow to import

        values = np.frombuffer(data, np.uint8)[:LOOKED]
        return float(count_new(values, self._first, self.bound)) / max(len(values) - 1, 1)


def _level(strangeness: float) -> int:
    """Return a measure of strangeness that is the same for what does not clearly differ."""
    return round(math.log2(strangeness + LEAST))


def _likeliest(ranked: Sequence[tuple[int, Way]]) -> list[Way]:
    """Return those of some ways, which are sorted by rank, that are worth trying."""
    count = sum(rank == ranked[0][0] for rank, _ in ranked)
    return [way for _, way in ranked[: min(max(count, FEW), MANY)]]


def may_be_packed(board: Board) -> NDArray[np.bool_]:
    """Return of each cluster whether it is free and may hold deflated data."""
    packed = np.isin(board.classes, (DENSE, OTHER))
    return np.asarray(packed & ~board.claims.taken[: len(packed)])


class _Step(NamedTuple):
    """A border of clusters, the state of the check there, and how strange the cluster before it was."""

    at: int
    check: Inflation
    strangeness: float


@dataclass
class _Border:
    """A border of clusters behind which the part may go on elsewhere.

    Attributes:
        step: The border.
        numbers: Clusters that may follow and were not looked at, the nearest first.
        tasted: How strange each that was looked at is, and its shift.
        tried: The shifts that were followed to no end.
    """

    step: _Step
    numbers: Iterator[int]
    tasted: list[tuple[int, int]] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)


class Deflated:
    """A deflated part of a file that begins in one piece.

    Attributes:
        whole: It ends in that piece.
    """

    def __init__(
        self, board: Board, packed: NDArray[np.bool_], cost: Cost, span: Span, left: int, check: Inflation
    ) -> None:
        """Follow the part from its beginning, where the space is ``left`` bytes ahead of the file.

        Args:
            board: The board.
            packed: Whether each cluster may hold deflated data, see `may_be_packed`.
            cost: What may still be read.
            span: Where the part begins and ends in the file.
            left: The shift of its first piece.
            check: A new check of it.
        """
        self._space = board.space
        self._cluster = board.cluster
        self._packed = packed
        self._cost = cost
        self._end = span.end
        self._left = left
        self._likeness = Likeness()
        self._trail, sound = self._walk(check, span.start, left, self._likeness, noting=True)
        self.whole = sound and check.holds()

    def cuts(self, right: int, most: int) -> list[Placed] | None:
        """Return the cuts of the part, one or two, where it ends with shift ``right``; None where none fit.

        Args:
            right: The shift; where it is that of the first piece, there are two.
            most: Clusters that are tried behind each border.
        """
        if right != self._left and (cut := self.two(right)) is not None:
            return [cut]
        packed = np.flatnonzero(self._packed)
        return self.three(right, lambda before: in_order(packed, before, most))

    def two(self, right: int) -> Placed | None:
        """Return where the part goes over to shift ``right``, with which it ends."""
        return self._ending((step for _, step in self._ranked(self._trail, self._left)), right)

    def three(self, right: int, following: Continuations) -> list[Placed] | None:
        """Return the two cuts of the part where it ends with shift ``right``; None where there are none.

        The nearest clusters are tried behind every border first: most often one of them is it.
        """
        steps = _likeliest(self._ranked(self._trail, self._left))
        borders = [
            _Border(step, iter(following((step.at + self._left) // self._cluster - 1))) for step in steps
        ]
        with self._cost.besides():
            found = self._three(borders, right, NEAR)
        return found or self._three(borders, right, None)

    def _three(self, borders: Iterable[_Border], right: int, most: int | None) -> list[Placed] | None:
        """Return what `three` does; ``most`` clusters more are tried behind each border."""
        for border in borders:
            step = border.step
            for shift in self._shifts(border, most):
                likeness = self._likeness.before(self._number(step.at))
                found, _ = self._walk(step.check.fork(), step.at, shift, likeness)
                if (last := self._ending(_likeliest(self._ranked(found[1:], shift)), right)) is not None:
                    return [Placed(step.at, shift), last]
                if self._cost.left < 0:
                    return None
                border.tried.add(shift)
        return None

    def _ending(self, borders: Iterable[_Step], right: int) -> Placed | None:
        """Return the one of ``borders`` from which on the part ends with shift ``right``."""
        for step in borders:
            if self._cost.left < 0:
                return None
            if self._ends(step.check.fork(), step.at, right):
                return Placed(step.at, right)
        return None

    def _ranked(self, trail: Sequence[_Step], shift: int) -> list[tuple[int, _Step]]:
        """Return the borders of clusters in ``trail``, that with the strangest cluster behind it first.

        Of the cluster behind the last one nothing came out: it may be as strange as any.
        """
        strange = [step.strangeness for step in trail]
        behind = [*strange[1:], (min(strange) + max(strange)) / 2] if trail else []
        last = next((step.at for step in trail if not self._may_hold(step, shift)), self._end)
        borders = [
            (-_level(strangeness), step)
            for strangeness, step in reversed(list(zip(behind, trail, strict=True)))
            if step.at % self._cluster == 0 and step.at <= last and step.at < self._end
        ]
        return sorted(borders, key=itemgetter(0))

    def _may_hold(self, step: _Step, shift: int) -> bool:
        """Return whether the part may go on behind ``step`` in the piece with ``shift``."""
        number = (step.at + shift) // self._cluster
        return step.at % self._cluster != 0 or (number < len(self._packed) and bool(self._packed[number]))

    def _shifts(self, border: _Border, most: int | None) -> list[int]:
        """Return the shifts of the clusters that may follow a border, the least strange first.

        Looks at ``most`` clusters more, None for all; of what was looked at, all that was not tried counts.
        """
        step = border.step
        length = min(self._end - step.at, TASTE)
        likeness = self._likeness.before(self._number(step.at))
        for number in islice(border.numbers, most):
            if not self._cost.spend(length):
                border.numbers = chain((number,), border.numbers)
                break
            piece = self._space.read_at(number * self._cluster, length)
            if len(piece) == length and (shown := step.check.shown_by(piece)) is not None:
                level = _level(likeness.strangeness(shown))
                border.tasted.append((level, number * self._cluster - step.at))
        ranked = sorted(border.tasted, key=itemgetter(0))
        return [shift for shift in _likeliest(ranked) if shift not in border.tried]

    def _walk(
        self, check: Inflation, start: int, shift: int, likeness: Likeness, *, noting: bool = False
    ) -> tuple[list[_Step], bool]:
        """Check from ``start`` to the end; return the last borders, and whether all may be right.

        Where the walk is ``noting``, what comes out is compared with all that came out before; it is free.
        """
        trail = [_Step(start, check.fork(), 0.0)]
        for at, data in self._clusters(start, shift):
            if not (noting or self._cost.spend(len(data))) or not check.feed(data):
                return trail, False
            number = self._number(at)
            seen = likeness.before(number) if noting else likeness
            trail.append(_Step(at + len(data), check.fork(), seen.strangeness(check.shown)))
            if noting:
                likeness.note(check.shown, number)
            if check.ended:
                return trail, True
            if len(trail) > 2 * KEPT:
                del trail[:KEPT]
        return trail, trail[-1].at == self._end

    def _ends(self, check: Inflation, start: int, shift: int) -> bool:
        """Return whether the part ends in the piece from ``start`` on, and holds."""
        for _, data in self._clusters(start, shift):
            if not self._cost.spend(len(data)) or not check.feed(data):
                return False
            if check.ended:
                break
        return check.holds()

    def _clusters(self, start: int, shift: int) -> Iterator[tuple[int, bytes]]:
        """Yield offsets in the file and what stands there in the piece with ``shift``, as far as it goes."""
        while start < self._end and start + shift >= 0:
            stop = min(self._end, start - start % self._cluster + self._cluster)
            data = self._space.read_at(start + shift, stop - start)
            if len(data) < stop - start:
                return
            yield start, data
            start = stop

    def _number(self, offset: int) -> int:
        """Return the number of the cluster that ``offset`` in the file lies in."""
        return min(offset // self._cluster, NEVER - 1)
