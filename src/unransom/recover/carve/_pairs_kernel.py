"""Which pairs of bytes stand in data, compiled: called once for every cluster that is tried."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def note(data, first, border):
    """Lower to ``border`` the number of each pair of bytes in ``data`` that has a higher one.

    Args:
        data: uint8.
        first: int32, by pair as a big-endian number: from which border on it is known.
        border: Where ``data`` stands.
    """
    for at in range(len(data) - 1):
        pair = int(data[at]) << 8 | int(data[at + 1])
        if first[pair] > border:  # noqa: PLR1730  stores that change nothing would take most of the time
            first[pair] = border


@njit(cache=True, nogil=True)
def count_new(data, first, bound):
    """Return how many pairs of bytes in ``data`` are not known before ``bound``; see `note`."""
    count = 0
    for at in range(len(data) - 1):
        count += first[int(data[at]) << 8 | int(data[at + 1])] >= bound
    return count
