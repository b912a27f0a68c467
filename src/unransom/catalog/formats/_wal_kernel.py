"""The running checksum of a write-ahead log of SQLite; compiled, import it only where it is needed."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def running_sum(words, first, second):
    """Return both sums after ``words``, of which there is an even number.

    Args:
        words: uint32, in the byte order that the log says.
        first: The first sum before them.
        second: The second.
    """
    one, two = np.uint32(first), np.uint32(second)
    for index in range(0, len(words), 2):
        one = np.uint32(one + words[index] + two)
        two = np.uint32(two + words[index + 1] + one)
    return one, two
