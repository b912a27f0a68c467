"""Which leaf pages belong to the tree now, and which are left from before a merge or a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages


def leaves(table: NDArray[np.void], index: int) -> NDArray[np.int64]:
    """Return the numbers of the sound leaf pages of ``index``."""
    mine = (table["verdict"] == pages.VALID) & (table["index"] == index) & (table["level"] == 0)
    return np.flatnonzero(mine & np.isin(table["kind"], pages.INDEXES)).astype(np.int64)


def live_leaves(table: NDArray[np.void], index: int) -> NDArray[np.int64]:
    """Return the leaf pages of a table without those that both neighbours have let go of.

    A page that is no longer in the tree keeps its bytes and its checksum. Its neighbours, where they are
    sound, name others instead of it; where a neighbour is lost, it counts for the page.
    """
    numbers = leaves(table, index)
    if len(numbers) < 2:
        return numbers
    mine = np.zeros(len(table), np.bool_)
    mine[numbers] = True
    rows = table[numbers]
    left, right = rows["previous"].astype(np.int64), rows["next"].astype(np.int64)
    return numbers[
        _agrees(table, mine, numbers, left, "next") | _agrees(table, mine, numbers, right, "previous")
    ]


def _agrees(
    table: NDArray[np.void],
    mine: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    back: str,
) -> NDArray[np.bool_]:
    """Return whether the neighbour of each page points back at it, or cannot say."""
    inside = neighbours < len(table)
    at = np.where(inside, neighbours, 0)
    sound = inside & (table["verdict"][at] == pages.VALID)
    points = sound & mine[at] & (table[back][at].astype(np.int64) == numbers)
    return points | ~sound & (neighbours != pages.NIL)
