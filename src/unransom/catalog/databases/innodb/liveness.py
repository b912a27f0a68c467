"""Which leaf pages belong to the tree now, and which are left from before a merge or a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.tablespace import Tablespace

XDES = 9  # type of pages like page 0 further on
ENTRIES, BITMAP = 150, 24  # of extents in pages 0, 16384, …: the first, and the bits in each
UNTOLD, USED, FREE = range(3)


def leaves(table: NDArray[np.void], index: int, verdict: int = pages.VALID) -> NDArray[np.int64]:
    """Return the numbers of the sound leaf pages of ``index``; of torn ones those whose heads say so."""
    mine = (table["verdict"] == verdict) & (table["index"] == index) & (table["level"] == 0)
    return np.flatnonzero(mine & np.isin(table["kind"], pages.INDEXES)).astype(np.int64)


def books(space: Tablespace) -> NDArray[np.int8]:
    """Return what the sound extent descriptors say of each page: ``USED``, ``FREE``, or ``UNTOLD``.

    Of pages that were written after the descriptor, as in files that were copied while the server wrote, or
    that come from another file, it says nothing.
    """
    told = np.full(len(space.table), UNTOLD, np.int8)
    if space.zipped:
        return told
    size = space.logical
    extent = max((1 << 20) // size, 64)  # pages
    for number in range(0, len(told), size):
        if not space.is_valid(number) or int(space.table[number]["kind"]) not in {pages.SPACE_HEADER, XDES}:
            continue
        page = np.frombuffer(space.page(number) or b"", np.uint8)
        width = BITMAP + extent // 4
        count = min(size // extent, (len(page) - ENTRIES) // width)
        entries = page[ENTRIES : ENTRIES + count * width].reshape(count, width)
        bits = np.unpackbits(entries[:, BITMAP : BITMAP + extent // 4], axis=1, bitorder="little")
        rows = space.table[number : number + count * extent]
        free = bits[:, ::2].reshape(-1)[: len(rows)].astype(np.bool_)
        own, sound = space.table[number], rows["verdict"] == pages.VALID
        later = sound & (rows["lsn"] >= own["lsn"])
        part = told[number : number + count * extent]
        part[:] = np.where(free, np.where(later, UNTOLD, FREE), USED)
        part[sound & (rows["source"] != own["source"]) & ~free] = UNTOLD
    return told


def free_pages(space: Tablespace) -> NDArray[np.bool_]:
    """Return which pages the sound extent descriptors say are free."""
    return books(space) == FREE
