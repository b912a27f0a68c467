"""Reads anywhere in an original that is too large for memory, by following its plan as often as it takes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import Plan
from unransom.core.spans import Origin
from unransom.core.streams import CHUNK, Salvage

KEPT = 32  # chunks in memory


class TooLongError(Exception):
    """More would have to be decrypted than is allowed."""


class Replay:
    """A reader over the original of a plan.

    Formats are walked forwards for the most part. What was read before the last chunks is decrypted again.

    Attributes:
        size: Bytes of the original.
        followed: Bytes of it that were put together until now, those that were so twice counted twice.
        lost: Whether some could not be read.
    """

    def __init__(self, locked: Salvage, make: Callable[[], Plan], most: int) -> None:
        """Follow the plans that ``make`` makes for ``locked``, over ``most`` bytes."""
        self.followed, self.lost = 0, False
        self._locked, self._make, self._most = locked, make, most
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._begin()

    def _begin(self) -> None:
        plan = self._make()
        self.size = plan.size
        self._assembly = Assembly(self._locked, plan)
        self._views: Iterator[memoryview] = iter(self._assembly)
        self._next, self._left_over = 0, b""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the original ends.

        Raises:
            TooLongError: That takes too many bytes.
        """
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        first = offset // CHUNK
        data = b"".join(map(self._chunk, range(first, -(-end // CHUNK))))
        return data[offset - first * CHUNK : end - first * CHUNK]

    def _chunk(self, index: int) -> bytes:
        """Return the chunk with a number, from memory or by going on to it."""
        if index not in self._kept and index < self._next:
            self._begin()
        while index >= self._next:
            self._kept[self._next] = self._following()
            self._next += 1
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(index)
        return self._kept[index]

    def _following(self) -> bytes:
        """Return the next chunk of the plan; zeros where the plan ends too soon."""
        views, length = [self._left_over], len(self._left_over)
        for view in self._views:
            views.append(bytes(view))  # the view is of a buffer that is filled again
            length += len(view)
            if length >= CHUNK:
                break
        data = b"".join(views)
        self._left_over = data[CHUNK:]
        self.followed += CHUNK
        self.lost = self.lost or self._assembly.map.totals()[Origin.LOST] > 0
        if self.followed > self._most:
            raise TooLongError
        return data[:CHUNK]
