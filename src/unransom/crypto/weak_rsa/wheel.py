"""Primes for the second stages of p - 1 and of elliptic curves: two of them for one multiplication.

Where ``m`` is a multiple of a wheel and ``j`` is below half of it, what is zero for ``m - j`` or ``m + j``
shows in one difference, so that primes on both sides of ``m`` are tried together.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


@functools.lru_cache(maxsize=4)
def primes_to(bound: int) -> NDArray[np.int64]:
    """Return the primes up to ``bound``, which is above 1, in order."""
    odd = np.ones((bound + 1) // 2, bool)  # 1, 3, 5 and so on
    odd[0] = False
    for number in range(3, math.isqrt(bound) + 1, 2):
        if odd[number // 2]:
            odd[number * number // 2 :: number] = False
    return np.concatenate([np.array([2], np.int64), 2 * np.flatnonzero(odd) + 1])


class Wheel:
    """Numbers by their distance to the next multiple of a product of primes.

    Attributes:
        size: That product, even.
        spokes: Distances that a prime may have.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.spokes = tuple(spoke for spoke in range(1, size // 2, 2) if math.gcd(spoke, size) == 1)

    def turns(self, first: int, last: int) -> Iterator[tuple[int, list[int]]]:
        """Yield the multiples that primes stand near, counted in wheels, and the spokes they stand at.

        Args:
            first: Primes above it are wanted; half a wheel at least.
            last: Primes up to it are.
        """
        primes = primes_to(last)
        primes = primes[np.searchsorted(primes, first, "right") :]
        numbers = (primes + self.size // 2) // self.size
        places = np.unique(numbers * self.size + np.abs(primes - numbers * self.size))
        turned = np.unique(numbers)
        edges = np.searchsorted(places, np.append(turned, turned[-1:] + 1) * self.size)
        for place, number in enumerate(turned.tolist()):
            yield number, (places[edges[place] : edges[place + 1]] - number * self.size).tolist()
