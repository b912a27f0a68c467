"""Which leaf pages belong to the tree now, and which are left from before a merge or a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.tablespace import Tablespace

KINDS = {pages.SPACE_HEADER, 9}  # types of pages with extent descriptors: page 0 and those further on
ENTRIES, BITMAP = 150, 24  # of extents in pages 0, 16384, …: the first, and the bits in each
STATE, ABOVE_STATE, STATES = 23, slice(20, 23), (1, 2, 3, 4, 5)  # what an extent is used for, 4 bytes
UNTOLD, USED, FREE = range(3)


def leaves(table: NDArray[np.void], index: int, verdict: int = pages.VALID) -> NDArray[np.int64]:
    """Return the numbers of the sound leaf pages of ``index``; of torn ones those whose heads say so."""
    mine = (table["verdict"] == verdict) & (table["index"] == index) & (table["level"] == 0)
    return np.flatnonzero(mine & np.isin(table["kind"], pages.INDEXES)).astype(np.int64)


def books(space: Tablespace) -> NDArray[np.int8]:
    """Return what the extent descriptors that are left say of each page: ``USED``, ``FREE``, or ``UNTOLD``.

    Of pages that were written after the descriptor, as in files that were copied while the server wrote, or
    that come from another file, it says nothing.
    """
    told = np.full(len(space.table), UNTOLD, np.int8)
    if space.zipped:
        return told
    size = space.logical
    extent = max((1 << 20) // size, 64)  # pages
    for number in range(0, len(told), size):
        own = space.table[number]
        if own["verdict"] not in {pages.VALID, pages.TORN} or int(own["kind"]) not in KINDS:
            continue
        page = np.frombuffer(space.page(number) or b"", np.uint8)
        width = BITMAP + extent // 4
        count = min(size // extent, (len(page) - ENTRIES) // width)
        entries = page[ENTRIES : ENTRIES + count * width].reshape(count, width)
        bits = np.unpackbits(entries[:, BITMAP : BITMAP + extent // 4], axis=1, bitorder="little")
        rows = space.table[number : number + count * extent]
        free = bits[:, ::2].reshape(-1)[: len(rows)].astype(np.bool_)
        sound = rows["verdict"] == pages.VALID
        later = sound & (rows["lsn"] >= own["lsn"])
        part = np.where(free, np.where(later, UNTOLD, FREE), USED)
        part[sound & (rows["source"] != own["source"]) & ~free] = UNTOLD
        if own["verdict"] == pages.TORN:
            part[~np.repeat(_are_whole(entries, bits), extent)[: len(rows)]] = UNTOLD
        told[number : number + count * extent] = part
    return told


def _are_whole(entries: NDArray[np.uint8], bits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which extent descriptors of a damaged page are as a server writes them.

    The second of each page's two bits is always set, which noise does once in ``2 ** 64``.
    """
    return (
        bits[:, 1::2].all(axis=1) & np.isin(entries[:, STATE], STATES) & ~entries[:, ABOVE_STATE].any(axis=1)
    )


def free_pages(space: Tablespace) -> NDArray[np.bool_]:
    """Return which pages the sound extent descriptors say are free."""
    return books(space) == FREE
