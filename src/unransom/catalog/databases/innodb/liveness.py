"""Which leaf pages belong to the tree now, and which are left from before a merge or a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.tablespace import Tablespace

XDES = 9  # type of pages like page 0 further on
ENTRIES, BITMAP = 150, 24  # of extents in pages 0, 16384, …: the first, and the bits in each


def leaves(table: NDArray[np.void], index: int) -> NDArray[np.int64]:
    """Return the numbers of the sound leaf pages of ``index``."""
    mine = (table["verdict"] == pages.VALID) & (table["index"] == index) & (table["level"] == 0)
    return np.flatnonzero(mine & np.isin(table["kind"], pages.INDEXES)).astype(np.int64)


def live_leaves(table: NDArray[np.void], index: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the leaf pages of a table that may be in its tree, and of which a neighbour says that they are.

    A page that is no longer in the tree keeps its bytes and its checksum. Its neighbours, where they are
    sound, name others instead of it; where a neighbour is lost, it counts for the page.
    """
    numbers = leaves(table, index)
    if len(numbers) < 2:
        return numbers, np.ones(len(numbers), np.bool_)
    mine = np.zeros(len(table), np.bool_)
    mine[numbers] = True
    rows = table[numbers]
    left, right = rows["previous"].astype(np.int64), rows["next"].astype(np.int64)
    one, lost = _agrees(table, mine, numbers, left, "next")
    other, also_lost = _agrees(table, mine, numbers, right, "previous")
    sure = one | other
    possible = sure | lost | also_lost
    return numbers[possible], sure[possible]


def _agrees(
    table: NDArray[np.void],
    mine: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    back: str,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the neighbour of each page points back at it, and whether it cannot say."""
    inside = neighbours < len(table)
    at = np.where(inside, neighbours, 0)
    sound = inside & (table["verdict"][at] == pages.VALID)
    points = sound & mine[at] & (table[back][at].astype(np.int64) == numbers)
    return points, ~sound & (neighbours != pages.NIL)


def free_pages(space: Tablespace) -> NDArray[np.bool_]:
    """Return which pages the sound extent descriptors say are free."""
    free = np.zeros(len(space.table), np.bool_)
    if space.zipped:
        return free
    size = space.logical
    extent = max((1 << 20) // size, 64)  # pages
    for number in range(0, len(free), size):
        if not space.is_valid(number) or int(space.table[number]["kind"]) not in {pages.SPACE_HEADER, XDES}:
            continue
        page = np.frombuffer(space.page(number) or b"", np.uint8)
        width = BITMAP + extent // 4
        count = min(size // extent, (len(page) - ENTRIES) // width)
        entries = page[ENTRIES : ENTRIES + count * width].reshape(count, width)
        bits = np.unpackbits(entries[:, BITMAP : BITMAP + extent // 4], axis=1, bitorder="little")
        part = free[number : number + count * extent]
        part[:] = bits[:, ::2].reshape(-1)[: len(part)].astype(np.bool_)
    return free
