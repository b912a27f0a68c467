"""Do newer pages speak against a page? The only copy of a page may be an old one.

Whoever takes a page out of a table changes what names it: the pages before and behind it in a chain, and the
map of its owner's extents (IAM). Each change has a log sequence number (LSN), so where one of these is newer
than the page and does not name it, the page is of an older state; pages of one state never contradict
each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.pages import EXTENT, INTERVAL, Kind, Soundness
from unransom.catalog.databases.mssql.store import PageStore, keys_of

TOGETHER = 1 << 16  # pages whose neighbours are looked at together
MOST_MAPS = 4096  # of one owner that are read: extents of 16 TiB
SINGLE, SINGLES = 42, 8  # where a map names pages of shared extents, bytes of its first record; how many
MAP_HEAD, MAP_BYTES = 90, 7988  # of its first record, and of the bits in the second one


def contradicted(store: PageStore, entries: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which data pages are of an older state than pages that should name them, and do not.

    An old page whose neighbours and map are lost is not told.

    Args:
        store: All pages.
        entries: Some data pages, sorted as the store has them.
    """
    out = _unlinked(store, entries)
    maps = store.select([Kind.IAM])
    owners, of_maps = _owners(entries), _owners(maps)
    for owner in np.intersect1d(owners, of_maps).tolist():
        mine = np.flatnonzero(owners == owner)
        out[mine] |= _unmapped(store, maps[of_maps == owner], entries[mine])
    return out


def _owners(entries: NDArray[np.void]) -> NDArray[np.int64]:
    """Return whose each page is; pages of SQL Server 2000 say index 0 for 1."""
    return entries["object"].astype(np.int64) << 16 | np.maximum(entries["index"], 1)


def _newer(some: NDArray[np.void], others: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which of ``some`` were changed later than the page of ``others`` beside them."""
    out = np.zeros(np.broadcast(some, others).shape, bool)
    for name in ("lsn_slot", "lsn_block", "lsn_file"):
        out = (some[name] > others[name]) | ((some[name] == others[name]) & out)
    return out


def _unlinked(store: PageStore, entries: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which pages a newer neighbour does not name."""
    starts = range(0, len(entries), TOGETHER)
    return np.concatenate(
        [np.zeros(0, bool), *(_unlinked_some(store, entries[start : start + TOGETHER]) for start in starts)]
    )


def _unlinked_some(store: PageStore, entries: NDArray[np.void]) -> NDArray[np.bool_]:
    out = np.zeros(len(entries), bool)
    for there, back in (("next", "previous"), ("previous", "next")):
        wanted = entries[f"{there}_file"].astype(np.int64) << 32 | entries[there]
        place = store.places(wanted)
        mine = np.flatnonzero((entries[f"{there}_file"] > 0) & (place >= 0))
        ours, others = entries[mine], store.entries[place[mine]]
        named = others[f"{back}_file"].astype(np.int64) << 32 | others[back]
        names = (named == keys_of(ours)) & (_owners(ours) == _owners(others)) & (others["type"] == Kind.DATA)
        out[mine] |= (others["soundness"] >= Soundness.UNCHECKED) & _newer(others, ours) & ~names
    return out


class _Map(NamedTuple):
    """What a map of extents says.

    Attributes:
        first: It is the first of its owner, which alone names single pages.
        start: Key of the first page that its bits tell of.
        singles: Keys of the single pages.
        extents: Which of the extents are its owner's.
    """

    first: bool
    start: int
    singles: NDArray[np.int64]
    extents: NDArray[np.bool_]


def _unmapped(store: PageStore, maps: NDArray[np.void], entries: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which pages of one owner are in no extent of it, and no single page, as newer maps have it."""
    named, told = np.zeros(len(entries), bool), np.zeros(len(entries), bool)
    if len(maps) > MOST_MAPS:
        return told
    single = told_first = np.zeros(len(entries), bool)
    keys = keys_of(entries)
    rising = np.lexsort([maps[f"lsn_{part}"] for part in ("slot", "block", "file")])
    for entry, each in _read(store, maps[rising]):
        newer = _newer(entry, entries)
        if each.first:
            single, told_first = np.isin(keys, each.singles), newer
        low, high = np.searchsorted(keys, [each.start, each.start + INTERVAL]).tolist()
        named[low:high] = each.extents[(keys[low:high] - each.start) // EXTENT]
        told[low:high] = newer[low:high]
    return told & told_first & ~named & ~single


def _read(store: PageStore, maps: NDArray[np.void]) -> Iterator[tuple[NDArray[np.void], _Map]]:
    """Yield the maps that make sense."""
    for part, pages in store.batches(maps):
        for row, page in enumerate(pages):
            head, bits = page[-2:].view("<u2")[0] + 4, page[-4:-2].view("<u2")[0] + 4
            if head < 100 or head + MAP_HEAD > bits or bits + MAP_BYTES > len(page) - 4:
                continue
            sequence = page[head : head + 4].view("<u4")[0]
            number = page[head + 36 : head + 40].view("<u4")[0]
            file = page[head + 40 : head + 42].view("<u2")[0]
            slots = page[head + SINGLE : head + SINGLE + 6 * SINGLES].reshape(SINGLES, 6)
            pages_of = slots[:, :4].copy().view("<u4")[:, 0].astype(np.int64)
            files = slots[:, 4:].copy().view("<u2")[:, 0].astype(np.int64)
            extents = np.unpackbits(page[bits : bits + MAP_BYTES], bitorder="little").astype(bool)
            start = int(file) << 32 | int(number)
            yield part[row], _Map(sequence == 0, start, files << 32 | pages_of, extents)
