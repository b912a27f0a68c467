"""Which of several fitting names each file between two known ones has: both stand in one order.

What lies between two files whose names are known, and the names between those two, are two sequences in one
order, each with gaps: files that are lost, and files that the order leaves out. A file has a name for sure
where each longest common subsequence of both gives it that name.

Source: Hirschberg, "Algorithms for the Longest Common Subsequence Problem", Journal of the ACM 24 (1977).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Fits = NDArray[np.bool_]  # one row for each file, one column for each name


def aligned(fits: Fits) -> Iterator[tuple[int, int]]:
    """Yield row and column of each pair that is in every longest common subsequence."""
    before, behind = _lengths(fits), _lengths(fits[::-1, ::-1])[::-1, ::-1]
    longest = int(before[-1, -1])
    rows, columns = np.nonzero(fits & (before[:-1, :-1] + 1 + behind[1:, 1:] == longest))
    levels = before[rows, columns]  # each longest one has one pair of each level
    alone = np.bincount(levels, minlength=longest)[levels] == 1
    yield from zip(rows[alone].tolist(), columns[alone].tolist(), strict=True)


def _lengths(fits: Fits) -> NDArray[np.int32]:
    """Return how long the longest common subsequence of the first rows and the first columns is, for each."""
    rows, columns = fits.shape
    lengths = np.zeros((rows + 1, columns + 1), np.int32)
    for row in range(rows):
        longer = np.where(fits[row], lengths[row, :-1] + 1, lengths[row, 1:])
        np.maximum.accumulate(longer, out=lengths[row + 1, 1:])
    return lengths
