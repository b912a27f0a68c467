"""Cuts in data over which there is a CRC-32: the sums of clusters are put together without reading again.

A sum tells nothing before its end. But it is linear: how the sum so far goes on over a cluster follows from
the sum of that cluster alone, so that every cluster is read once, however many ways lead over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._deflate import fastest
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.seams import Continuations, Cost

POLYNOMIAL = 0xEDB88320
ONE = 1 << 31  # the polynomial 1, as its highest bit stands for the lowest power
TURN = (1 << 32) - 1  # bits after which a sum over zeros is what it was
RUN = 64  # clusters that are read at once
MOST_WAYS = 1 << 21  # of two cuts, that are tried: of 2**32 one fits by accident

Sums = NDArray[np.uint32]


class Summed:
    """A part of a file with a CRC-32 over it, that begins in one piece."""

    def __init__(self, space: Reader, cluster: int, cost: Cost, span: Span, left: int) -> None:
        """Follow the part from its beginning, where the space is ``left`` bytes ahead of the file.

        Args:
            space: The space.
            cluster: Bytes of a cluster.
            cost: What may still be read.
            span: Where the part begins and ends in the file.
            left: The shift of its first piece.
        """
        self._space = space
        self._cluster = cluster
        self._cost = cost
        self._left = left
        self._crc32 = fastest().crc32
        self._start, self._end = span.start, span.end
        first = self._start - self._start % cluster + cluster
        self._borders = range(first, max(self._end, first), cluster)
        self._known: dict[int, dict[int, int | None]] = {}  # sums of clusters, by length and place
        self._sums = self._from_start()

    def _from_start(self) -> list[int]:
        """Return the sums up to each border, and to the end, as far as the first piece goes."""
        sums: list[int] = []
        crc, at = 0, self._start
        for border in (*self._borders, self._end):
            data = self._space.read_at(at + self._left, border - at)
            if len(data) < border - at:
                break
            crc, at = self._crc32(data, crc), border
            sums.append(crc)
        return sums

    def whole(self, expected: int) -> bool:
        """Return whether the first piece goes to the end."""
        return len(self._sums) > len(self._borders) and self._sums[-1] == expected

    def two(self, rights: Iterable[int], expected: Callable[[int], int]) -> Placed | None:
        """Return where the part goes over to one of the shifts in ``rights``.

        Args:
            rights: The shifts, the likeliest first.
            expected: Returns the sum that the part has with such a shift at its end.
        """
        for right in rights:
            needed = self._needed(right, expected(right))
            for number in reversed(range(min(len(needed), len(self._sums)))):
                if needed[number] == self._sums[number]:
                    return Placed(self._borders[number], right)
        return None

    def onward(self, following: Continuations, expected: Callable[[int], int]) -> Placed | None:
        """Return the cut of the part where it may end anywhere; None where there is none."""
        for number in reversed(range(min(len(self._borders), len(self._sums)))):
            shifts, sums = self._through(number, following)
            for shift, crc in zip(shifts, sums[-1].tolist() if len(sums) else (), strict=False):
                if crc == expected(shift):
                    return Placed(self._borders[number], shift)
        return None

    def three(self, right: int, expected: int, following: Continuations) -> list[Placed] | None:
        """Return the two cuts of the part where it ends with shift ``right``; None where there are none."""
        needed = np.array(self._needed(right, expected), np.uint32)
        left = MOST_WAYS
        for number in reversed(range(min(len(needed), len(self._sums)))):
            shifts, sums = self._through(number, following)
            middle = sums[: len(needed) - number - 1]
            left -= middle.size
            if left < 0 or self._cost.left < 0:
                return None
            ends, ways = np.nonzero(middle == needed[number + 1 :, None])
            if len(ends):
                last = self._borders[number + 1 + int(ends[0])]
                return [Placed(self._borders[number], shifts[ways[0]]), Placed(last, right)]
        return None

    def _needed(self, right: int, expected: int) -> list[int]:
        """Return what the sum must be at each border for the part to end right with shift ``right``."""
        needed: list[int] = []
        crc = expected
        for border in reversed(self._borders):
            length = min(self._cluster, self._end - border)
            data = self._sum(border + right, length)
            if data is None:
                return []
            back = _table(length, back=True)
            crc ^= data
            crc = int(_moved(np.array([crc], np.uint32), back)[0])
            needed.append(crc)
        return needed[::-1]

    def _through(self, number: int, following: Continuations) -> tuple[Sequence[int], Sums]:
        """Return shifts with which the part may go on from a border, and its sums at all later ones.

        The last row is for the end of the part, so that it is of use only where it ends there.
        """
        border = self._borders[number]
        numbers = np.fromiter(following((border + self._left) // self._cluster - 1), np.int64)
        lengths = [min(self._cluster, self._end - each) for each in self._borders[number:]]
        every = np.unique(numbers[:, None] + np.arange(len(lengths)))
        known: dict[int, Sums] = {}
        crc = np.full(len(numbers), self._sums[number], np.uint32)
        rows = []
        for step, size in enumerate(lengths):
            if size not in known:
                known[size] = self._sums_of((every * self._cluster).tolist(), size)
            crc = _moved(crc, _table(size)) ^ known[size][np.searchsorted(every, numbers + step)]
            rows.append(crc)
        sums = np.array(rows, np.uint32).reshape(len(lengths), len(numbers))
        return (numbers * self._cluster - border).tolist(), sums

    def _sums_of(self, places: Sequence[int], length: int) -> Sums:
        """Return the sums of some bytes at each of ``places``, 0 where these are not there.

        Most places lie behind each other: they are read many at once.
        """
        known = self._known.setdefault(length, {})
        paid: list[int] = []
        for place in places:
            if place not in known:
                known[place] = None
                if place >= 0 and self._cost.spend(length):
                    paid.append(place)
        for begin, end in _runs(paid, self._cluster):
            data = self._space.read_at(begin, end - begin + length)
            for at in range(0, max(len(data) - length + 1, 0), self._cluster):
                known[begin + at] = self._crc32(data[at : at + length], 0)
        return np.array([known[each] or 0 for each in places], np.uint32)

    def _sum(self, place: int, length: int) -> int | None:
        """Return the sum of some bytes of the space, None where these are not there."""
        known = self._known.setdefault(length, {})
        if place not in known:
            data = self._space.read_at(place, length) if place >= 0 and self._cost.spend(length) else b""
            known[place] = self._crc32(data, 0) if len(data) == length else None
        return known[place]


def _runs(places: Iterable[int], cluster: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of places that lie ``cluster`` bytes from each other, at most ``RUN``."""
    run: list[int] = []
    for place in places:
        if run and (place - run[-1] != cluster or len(run) == RUN):
            yield run[0], run[-1]
            run = []
        run.append(place)
    if run:
        yield run[0], run[-1]


def _moved(crc: Sums, table: Sums) -> Sums:
    """Return sums as they are behind the zeros that ``table`` is for."""
    moved: Sums = table[0][crc & 0xFF] ^ table[1][crc >> 8 & 0xFF] ^ table[2][crc >> 16 & 0xFF]
    return moved ^ table[3][crc >> 24]


@lru_cache(64)
def _table(size: int, *, back: bool = False) -> Sums:
    """Return by byte of a sum what it becomes over ``size`` zeros, or what it was before these."""
    factor = _power(TURN - 8 * size % TURN if back else 8 * size)
    single = [_times(factor, 1 << bit) for bit in range(32)]
    table = np.zeros((4, 256), np.uint32)
    for bit, value in enumerate(single):
        table[bit // 8][np.arange(256) >> bit % 8 & 1 == 1] ^= np.uint32(value)
    return table


def _power(exponent: int) -> int:
    """Return x to the power of ``exponent``, modulo the polynomial."""
    result, base = ONE, ONE >> 1
    while exponent:
        if exponent & 1:
            result = _times(result, base)
        base = _times(base, base)
        exponent >>= 1
    return result


def _times(one: int, other: int) -> int:
    """Return the product of two polynomials, modulo the polynomial."""
    product = 0
    for bit in reversed(range(32)):
        if one >> bit & 1:
            product ^= other
        other = other >> 1 ^ (POLYNOMIAL if other & 1 else 0)
    return product
