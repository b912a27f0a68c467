"""Rows in pages that are damaged in part, each with what it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.accounted import (
    MOST_HASHES,
    Accounted,
    Accounting,
    key_hashes,
    key_numbers,
    live,
)
from unransom.catalog.databases.innodb.current import current, current_leaves
from unransom.catalog.databases.innodb.damaged import (
    ANY,
    Checks,
    Form,
    candidates,
    checks_of,
    form_of,
    is_compact,
    latest_in,
)
from unransom.catalog.databases.innodb.liveness import free_pages, leaves
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.schema import Layout
from unransom.catalog.databases.innodb.tablespace import Tablespace

PROVEN, LINKED = 0.95, 0.85  # confidence: its neighbour begins where it ends; it is linked and out of noise
UNSEEN = 0.6  # confidence of rows of which it does not show where the damage is, or whether they are deleted
SAMPLE = 16  # pages
TOGETHER = 32  # damaged pages: what may be records takes much more room than what are
LATER = 1 << 20  # transactions that damaged pages may be newer by


class Profile(NamedTuple):
    """What the sound pages of a table say about the damaged ones.

    Attributes:
        form: Of its records.
        accounted: Keys that sound pages account for.
    """

    form: Form
    accounted: Accounted


def profile(found: Found) -> Profile:
    """Return what the sound leaf pages of ``found`` say; where there is none, what damaged ones do."""
    space = found.space
    compact, latest, looked, noises = True, 0, 1, np.zeros(4, np.int64)
    accounting = Accounting(found)
    cells = np.zeros(space.logical // kernel.CELL, np.int8)
    numbers = current_leaves(found)
    for kept, data in space.groups(numbers):
        compact = bool(data[42] & 0x80)
        for page in range(len(kept) if looked < SAMPLE * len(cells) else 0):
            kernel.noise(data, page * space.logical, space.logical, cells)
            noises += np.bincount(cells, minlength=4)
            looked += len(cells)
        located = live(found, kept, data)
        if len(located.origins):
            latest = max(latest, latest_in(found.layout, located))
            accounting.add(located)
    form = form_of(found.layout, found.plan, found.owner, compact)
    if latest:
        form = form._replace(
            noisy=bool(noises[[kernel.EDGE, kernel.INSIDE]].sum() > looked // 20),
            natural=bool(noises[kernel.INSIDE]),
            checks=_checks(found.layout, latest),
        )
    elif not len(numbers):
        form = _of_damaged(space, form)
    return Profile(form, accounting.accounted())


def _checks(layout: Layout, latest: int) -> Checks:
    """Return the checks for damaged pages, of which some are newer than what names ``latest``."""
    return checks_of(layout, min(latest + LATER, ANY))


def _of_damaged(space: Tablespace, form: Form) -> Form:
    """Return what records are like by damaged pages alone."""
    numbers = leaves(space.table, form.owner, pages.TORN)
    latest = 0
    for kept, data in space.groups(numbers[:: max(len(numbers) // SAMPLE, 1)][:SAMPLE]):
        form = form._replace(compact=is_compact(data, space.logical))
        judged = candidates(form, kept, data)
        proven = judged.located.only(judged.results == kernel.PROVEN)
        if len(proven.origins):
            latest = max(latest, latest_in(form.layout, proven))
    return form._replace(checks=_checks(form.layout, latest)) if latest else form


def damaged_pages(found: Found) -> NDArray[np.int64]:
    """Return the pages that may hold rows of ``found`` besides the sound ones."""
    table = found.space.table
    bad = np.isin(table["verdict"], (pages.TORN, pages.LOST))
    # Where the header is whole it says whose page it is.
    named = (table["verdict"] == pages.TORN) & np.isin(table["kind"], pages.INDEXES)
    indexes = np.unique(table["index"][table["verdict"] == pages.VALID])
    other = named & np.isin(table["index"], indexes) & (table["index"] != found.owner)
    above = named & (table["index"] == found.owner) & (table["level"] > 0)
    bad &= ~other & ~above & ~free_pages(found.space)
    known = current(found)
    heads = (table["verdict"] == pages.TORN) & (table["index"] == found.owner)
    if known.inside.any():
        bad &= known.inside | heads  # of pages that are in the tree others tell
    return np.flatnonzero(bad & ~known.outside).astype(np.int64)


def salvage(
    found: Found, known: Profile, seen: Remembered
) -> Iterator[tuple[decode.Located, NDArray[np.float32]]]:
    """Yield rows of damaged pages, and how sure each is.

    Args:
        found: The table.
        known: What its sound pages say.
        seen: Takes the keys of the rows.
    """
    numbers = _newest_first(found, damaged_pages(found))
    for kept, data in _damaged_groups(found.space, numbers, known.form.noisy):
        located, results, shown = candidates(known.form, kept, data)
        shown &= (found.space.table["rule"][kept] != pages.UNPACKED)[located.owners]
        good = (results >= kernel.LINKED) & ((located.info() & 0x20) == 0)
        good &= ~known.accounted.covers(key_numbers(found, located), key_hashes(found, located))
        good &= unseen(found, located, good, seen)
        if good.any():
            sure = np.where(results[good] == kernel.PROVEN, PROVEN, LINKED).astype(np.float32)
            sure[~shown[good]] = UNSEEN
            yield located.only(good), sure


def _newest_first(found: Found, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return damaged pages so that of two with the same row the one that was written later comes first."""
    rows = found.space.table[numbers]
    told = (rows["verdict"] == pages.TORN) & (rows["index"] == found.owner)
    return numbers[np.argsort(np.where(told, rows["lsn"], 0), kind="stable")[::-1]]


def _damaged_groups(
    space: Tablespace, numbers: NDArray[np.int64], noisy_rows: bool
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    """Yield damaged pages that are not noise throughout."""
    for kept, data in space.groups(numbers, TOGETHER):
        size = space.logical
        out = np.zeros(size // kernel.SECTOR, np.bool_)
        some = [
            noisy_rows or kernel.noisy(data, place * size, size, out) < len(out) - 1
            for place in range(len(kept))
        ]
        chosen = np.array(some, np.bool_)
        if chosen.any():
            yield kept[chosen], np.ascontiguousarray(data.reshape(-1, size)[chosen]).reshape(-1)


def unseen(
    found: Found, located: decode.Located, good: NDArray[np.bool_], seen: Remembered
) -> NDArray[np.bool_]:
    """Return the first row of each key, and remember the keys: rows are moved between pages."""
    fresh = np.zeros(len(good), np.bool_)
    places = np.flatnonzero(good)
    values, firsts = np.unique(key_hashes(found, located)[places], return_index=True)
    new = ~seen.knows(values)
    fresh[places[firsts[new]]] = True
    seen.add(values[new])
    return fresh


class Remembered:
    """A set of hashes in 8 bytes each: sorted runs, of which each is at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def knows(self, values: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which of ``values`` are in the set."""
        known = np.zeros(len(values), np.bool_)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, values), len(run) - 1)
            known |= run[place] == values
        return known

    def add(self, values: NDArray[np.uint64]) -> None:
        """Add sorted values that are not in the set; of very many the newest are not remembered."""
        if not len(values) or sum(len(run) for run in self._runs) > MOST_HASHES:
            return
        self._runs.append(values)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]))
