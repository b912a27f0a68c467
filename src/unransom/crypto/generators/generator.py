"""What a weak random number generator is to unransom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Seeds: TypeAlias = NDArray[np.uint64]
# One row for each output, one column (a lane) for each seed; uint64 where an output has more than 32 bits.
Rows: TypeAlias = NDArray[Any]
Fill: TypeAlias = Callable[[Seeds, Rows], None]

WORD = 32  # bits


class Generator(msgspec.Struct, frozen=True, kw_only=True):
    """A generator whose whole stream follows from a seed small enough to search.

    Attributes:
        name: Lower-case short name.
        title: What people call it.
        seed_bits: Bits of the seed that make a difference.
        bits: Bits of an output, counted from the lowest.
        outputs: Takes a seed; yields its outputs one by one, in plain Python. This is what it is.
        rows: Takes the number of the first output and how many; returns a function that takes seeds and
            fills rows with them, for all seeds at once. This is what searches use.
        source: Where it is written down.
        per_second: Seeds that one core of an ordinary machine takes through eight outputs, about.
        limitations: What is not supported.
    """

    name: str
    title: str
    seed_bits: int
    bits: int
    outputs: Callable[[int], Iterator[int]]
    rows: Callable[[int, int], Fill]
    source: str
    per_second: float = 1e8
    limitations: tuple[str, ...] = ()

    def empty(self, count: int, lanes: int) -> Rows:
        """Return room for ``count`` outputs of ``lanes`` seeds."""
        return np.empty((count, lanes), np.uint64 if self.bits > WORD else np.uint32)
