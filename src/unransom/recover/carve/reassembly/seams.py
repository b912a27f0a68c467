"""Where a file goes on that breaks off: which cluster its piece ends with, and which follows.

A part of a file is checked cluster by cluster. Where the check fails, one of the clusters before was wrong
already: every check takes a while to notice. So from each of the last clusters on, the last first, places
are tried where the file may go on, in the order in which file systems give clusters out: the nearest ones of
all of these clusters, then farther ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.checks import Check

TRAIL = 48  # clusters back to which a cut is looked for behind the first failure
TASTE = 2  # clusters by which a continuation is judged before it is followed
STRIDE = 16  # clusters that are checked at once where it does not matter which of them fails
BATCH = 32  # clusters that are tasted at once
BESIDES = 4  # this part of an allowance may be spent besides
ROUNDS = (BATCH, 96, 1 << 62)  # places that are tried at every border before farther ones are at any

Continuations = Callable[[int], Iterable[int]]  # number of the cluster before to numbers that may follow it


class Part(NamedTuple):
    """A part of a file that is checked by itself.

    Attributes:
        start, end: Offsets in the file.
        check: A new check of it.
    """

    start: int
    end: int
    check: Check


class Cost:
    """How much may still be read for one file."""

    def __init__(self, allowance: int) -> None:
        self.left = allowance
        self._besides = allowance // BESIDES

    def spend(self, size: int) -> bool:
        """Spend ``size`` bytes; return whether there was enough."""
        self.left -= size
        return self.left >= 0

    @contextmanager
    def besides(self) -> Iterator[None]:
        """Let what is likeliest be tried within, for a small allowance of its own that one file has.

        It takes nothing from what is left: what is found without it is still found where it was in vain.
        """
        kept = self.left
        lent = self.left = min(kept, self._besides)
        try:
            yield
        finally:
            self._besides -= lent - max(self.left, 0)
            self.left = kept


class _Fork(NamedTuple):
    """The state of a check at a border of clusters, and the shift of the piece before it."""

    at: int
    shift: int
    check: Check


class Seamstress:
    """Finds the cuts of one file."""

    def __init__(self, space: Reader, cluster: int, cost: Cost, back: int = TRAIL) -> None:
        """Look at ``space``; of every failure ``back`` clusters before it may be wrong already."""
        self._back = back
        self._space = space
        self._cluster = cluster
        self._cost = cost

    def onward(self, part: Part, left: int, following: Continuations, depth: int = 2) -> list[Placed] | None:
        """Return the cuts of ``part`` that begins with shift ``left`` and ends anywhere; None for none."""
        return next(self.ways(part, left, following, depth), None)

    def ways(self, part: Part, left: int, following: Continuations, depth: int) -> Iterator[list[Placed]]:
        """Yield all that `onward` may return, the likeliest first."""
        trail, sound = self._follow(part.check.fork(), part.start, part.end, left, free=True)
        if sound and trail[-1].check.holds():
            yield []
        yield from self._ways(trail, part.end, following, depth)

    def _ways(
        self, trail: Sequence[_Fork], end: int, following: Continuations, depth: int
    ) -> Iterator[list[Placed]]:
        farther: list[tuple[int, _Fork, int, list[_Fork]]] = []
        for fork, shift, found in self._tasted(trail, end, following):
            if found[-1].check.holds():
                yield [Placed(fork.at, shift)]
            else:
                farther.append((found[-1].at, fork, shift, found))
        if depth <= 1:
            return
        farther.sort(key=lambda each: -each[0])
        for reached, fork, shift, found in farther[:8]:
            if reached - fork.at >= TASTE * self._cluster:
                rest = self._ways(found[1:], end, following, depth - 1)
                yield from ([Placed(fork.at, shift), *more] for more in rest)

    def _tasted(
        self, trail: Sequence[_Fork], end: int, following: Continuations
    ) -> Iterator[tuple[_Fork, int, list[_Fork]]]:
        """Yield continuations that hold for some clusters: where from, their shift, and how far they go."""
        borders = [
            (fork, iter(following((fork.at + fork.shift) // self._cluster - 1)))
            for fork in reversed(trail[-self._back :])
            if fork.at % self._cluster == 0 and fork.at < end
        ]
        for most in ROUNDS:
            for fork, numbers in borders:
                for number in self._tasty(fork, end, islice(numbers, most)):
                    if self._cost.left < 0:
                        return
                    shift = number * self._cluster - fork.at
                    found, _ = self._follow(fork.check.fork(), fork.at, end, shift)
                    if found[-1].at >= min(end, fork.at + TASTE * self._cluster) or found[-1].check.ended:
                        yield fork, shift, found

    def _tasty(self, fork: _Fork, end: int, numbers: Iterable[int]) -> Iterator[int]:
        """Yield those of some clusters that may be the first of a continuation."""
        length = min(end - fork.at, self._cluster)
        left = iter(numbers)
        while self._cost.left >= 0 and (batch := list(islice(left, BATCH))):
            pieces = zip(batch, self._clusters(batch, length), strict=True)
            whole = {number: piece for number, piece in pieces if len(piece) == length}
            for number, fits in zip(whole, fork.check.tastes(list(whole.values())), strict=True):
                if not self._cost.spend(length):
                    return
                if fits:
                    yield number

    def _clusters(self, numbers: Sequence[int], length: int) -> Iterator[bytes]:
        """Yield the first ``length`` bytes of clusters; those that lie behind each other are read at once."""
        for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0]):
            first, *rest = (number for _, number in run)
            data = self._space.read_at(first * self._cluster, len(rest) * self._cluster + length)
            for number in (first, *rest):
                start = (number - first) * self._cluster
                yield data[start : start + length]

    def _follow(
        self, check: Check, start: int, end: int, shift: int, *, free: bool = False
    ) -> tuple[list[_Fork], bool]:
        """Check as `_walk` does, in longer and longer strides; of the last two the state at every border.

        Where more borders than these may matter, it is the same as `_walk`.
        """
        strides = [_Fork(start, shift, check.fork())]
        step = self._cluster if self._back < STRIDE else end
        while start < end and not check.ended and step < end:
            stop = min(end, start - start % self._cluster + step)
            data = self._space.read_at(start + shift, stop - start) if start + shift >= 0 else b""
            paid = free or self._cost.spend(len(data))
            if len(data) < stop - start or not paid or not check.feed(data):
                break
            start, step = stop, min(2 * step, STRIDE * self._cluster)
            strides = [strides[-1], _Fork(start, shift, check.fork())]
        return self._walk(strides[0].check, strides[0].at, end, shift, free=free)

    def _walk(
        self, check: Check, start: int, end: int, shift: int, *, free: bool = False
    ) -> tuple[list[_Fork], bool]:
        """Check from ``start`` to ``end``; return the state at every border, and whether all may be right.

        Where the walk is ``free``, it costs nothing: one for each file.
        """
        trail = [_Fork(start, shift, check.fork())]
        while start < end:
            stop = min(end, start - start % self._cluster + self._cluster)
            data = self._space.read_at(start + shift, stop - start) if start + shift >= 0 else b""
            paid = free or self._cost.spend(len(data))
            if len(data) < stop - start or not paid or not check.feed(data):
                return trail, False
            start = stop
            trail.append(_Fork(start, shift, check.fork()))
            if check.ended:
                return trail, True
            if len(trail) > 4 * TRAIL:
                del trail[1 : 2 * TRAIL]
        return trail, True


def spans_of(placed: Sequence[Placed], size: int) -> list[Span]:
    """Return the spans of a file of ``size`` bytes whose pieces begin as ``placed`` says."""
    spans: list[Span] = []
    ends = [each.offset for each in placed[1:]] + [size]
    for each, end in zip(placed, ends, strict=True):
        start = each.offset + each.shift
        if end <= each.offset:
            continue
        if spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].start, end + each.shift)
        else:
            spans.append(Span(start, end + each.shift))
    return spans
