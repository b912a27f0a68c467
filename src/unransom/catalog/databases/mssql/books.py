"""The pages with which a data file keeps its books: which pages are in use, by what, and since when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import page_maker
from unransom.catalog.databases.mssql.catalogue import units_of
from unransom.catalog.databases.mssql.pages import EXTENT, INTERVAL, Kind, Soundness
from unransom.catalog.databases.mssql.store import PFS_STEP, keys_of

EXTENTS = INTERVAL // EXTENT
FIRST_BITMAPS = {Kind.GAM: 2, Kind.SGAM: 3, Kind.DIFFERENCES: 6, Kind.MINIMALLY_LOGGED: 7}
USED, MIXED, IAM = 0x40, 0x20, 0x10  # of a page's byte
FULL = 4  # of its lowest three bits: all bytes of the page are used
SYSTEM_PAGES = 10  # first pages of a file, which have fixed uses


def kept_at(pages: int) -> Iterator[tuple[int, Kind]]:
    """Yield the places of all such pages in a file of so many, and what each is."""
    yield 1, Kind.PFS
    yield from ((number, Kind.PFS) for number in range(PFS_STEP, pages, PFS_STEP))
    for kind, first in FIRST_BITMAPS.items():
        yield first, kind
        for start in range(INTERVAL, pages, INTERVAL):
            yield start + first - FIRST_BITMAPS[Kind.GAM], kind


class Books:
    """What the pages of one file say of how they are used."""

    def __init__(self, entries: NDArray[np.void], pages: int) -> None:
        """Take the best copies of the pages of a file of ``pages``."""
        sound = entries[entries["soundness"] >= Soundness.TORN]
        self._uses = np.zeros(pages, np.uint8)
        self._file = int(sound["file"][0]) if len(sound) else 1
        numbers = sound["page"]
        self._uses[numbers] = USED | np.where(sound["type"] == Kind.IAM, IAM, 0)
        texts = np.isin(sound["type"], (Kind.TEXT_MIX, Kind.TEXT_TREE))
        self._uses[numbers[texts]] |= FULL
        fixed = [number for number in (*range(4), 6, 7) if number < pages]
        self._uses[fixed] = USED | FULL
        self._uses[[each for each in (9,) if each < pages]] = USED | MIXED
        mixed = _mixed(sound)
        extents = np.arange(pages) // EXTENT
        shared = np.isin(extents, mixed) & (np.arange(pages) >= SYSTEM_PAGES)
        self._uses[shared & (self._uses > 0)] |= MIXED
        self._used = np.logical_or.reduceat(self._uses > 0, np.arange(0, pages, EXTENT))
        full = np.logical_and.reduceat(self._uses > 0, np.arange(0, pages, EXTENT))
        self._open = np.isin(np.arange(len(self._used)), mixed) & ~full

    def page(self, number: int, kind: Kind) -> bytes:
        """Return the page of ``kind`` that belongs at ``number``."""
        if kind is Kind.PFS:
            start = number // PFS_STEP * PFS_STEP
            uses = np.zeros(PFS_STEP, np.uint8)
            part = self._uses[start : start + PFS_STEP]
            uses[: len(part)] = part
            return page_maker.free_space(number, uses, self._file)
        first = number // INTERVAL * EXTENTS
        bits = np.zeros(EXTENTS, bool)
        if kind is Kind.GAM:
            bits[:] = True  # of extents behind the end as well
            bits[: len(self._used) - first] = ~self._used[first : first + EXTENTS]
        elif kind is Kind.SGAM:
            bits[: len(self._open) - first] = self._open[first : first + EXTENTS]
        elif kind is Kind.DIFFERENCES:
            bits[: len(self._used) - first] = True  # all has changed since any backup
        return page_maker.bitmap(number, kind, bits, self._file)


def _mixed(sound: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the extents whose pages are of several units."""
    if not len(sound):
        return np.zeros(0, np.int64)
    extents, units = keys_of(sound) // EXTENT & 0xFFFFFFF, units_of(sound)
    order = np.argsort(extents, kind="stable")
    found, firsts = np.unique(extents[order], return_index=True)
    least, most = (each.reduceat(units[order], firsts) for each in (np.minimum, np.maximum))
    return found[least != most]
