"""Rows in pages that are damaged in part, each with what it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _plausible_kernel as plausible
from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.accounted import (
    MOST_HASHES,
    Accounted,
    Accounting,
    key_hashes,
    key_numbers,
    live,
    numbers_at,
)
from unransom.catalog.databases.innodb.current import current, current_leaves
from unransom.catalog.databases.innodb.liveness import free_pages
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.schema import ROLL_PTR, TRX_ID, Field
from unransom.catalog.databases.innodb.tablespace import Tablespace
from unransom.catalog.databases.innodb.types import Kind

PROVEN, LINKED = 0.95, 0.85  # confidence: its neighbour begins where it ends; it is linked and out of noise
SAMPLE = 16  # pages
TOGETHER = 32  # damaged pages: what may be records takes much more room than what are
LATER = 1 << 20  # transactions that damaged pages may be newer by


class Checks(NamedTuple):
    """What values must be like: by field, the check and its two bounds."""

    codes: NDArray[np.int8]
    lows: NDArray[np.int64]
    highs: NDArray[np.int64]


def _check(field: Field, latest: int) -> tuple[int, int, int]:
    """Return the check of a field and its bounds."""
    if field.name == TRX_ID and field.column < 0:
        return plausible.TRX, 0, latest
    if field.name == ROLL_PTR and field.column < 0:
        return plausible.ROLL, 0, 0
    kind = field.type
    text = plausible.UTF8 if kind.charset.codec == "utf-8" else plausible.ASCII
    checks = {
        Kind.DATE: (plausible.DATE, 0, 0),
        Kind.DATETIME: (plausible.DATETIME, 0, 0),
        Kind.TIME: (plausible.CLOCK, 0, 0),
        Kind.ENUM: (plausible.ENUM, 0, len(kind.elements)),
        Kind.SET: (plausible.LIMIT, 0, (1 << min(len(kind.elements), 62)) - 1),
        Kind.BIT: (plausible.LIMIT, 0, (1 << min(kind.precision, 62)) - 1),
        Kind.DECIMAL: (plausible.DECIMAL, kind.precision, kind.scale),
    }
    if kind.kind is Kind.TEXT and kind.charset.least == 1 and not kind.packed:
        return text, 0, 0
    return checks.get(kind.kind, (plausible.NONE, 0, 0))


def checks_of(found: Found, latest: int) -> Checks:
    """Return the checks for the fields of a table's records; ``latest`` is the newest transaction known."""
    rows = [_check(field, latest) for field in found.layout.fields]
    codes, lows, highs = zip(*rows, strict=True)
    return Checks(np.array(codes, np.int8), np.array(lows, np.int64), np.array(highs, np.int64))


class Profile(NamedTuple):
    """What the sound pages of a table say about the damaged ones.

    Attributes:
        compact: Format of their records.
        latest: The newest transaction.
        noisy: The rows themselves look random, so that damage does not stand out.
        accounted: Keys that sound pages account for.
    """

    compact: bool
    latest: int
    noisy: bool
    accounted: Accounted


def profile(found: Found) -> Profile:
    """Return what the sound leaf pages of ``found`` say."""
    space = found.space
    place = next(n for n, field in enumerate(found.layout.fields) if field.name == TRX_ID)
    compact, latest, noise, looked = True, 0, 0, 1
    accounting = Accounting(found)
    cells = np.zeros(space.logical // kernel.CELL, np.int8)
    for kept, data in space.groups(current_leaves(found)):
        compact = bool(data[42] & 0x80)
        for page in range(len(kept) if looked < SAMPLE * len(cells) else 0):
            kernel.noise(data, page * space.logical, space.logical, cells)
            noise += int(np.isin(cells, (kernel.EDGE, kernel.INSIDE)).sum())
            looked += len(cells)
        located = live(found, kept, data)
        if len(located.origins):
            latest = max(latest, int(numbers_at(data, located.starts[place], 6).max()))
            accounting.add(located)
    latest = latest + LATER if latest else 1 << 47
    return Profile(compact, latest, noise > looked // 20, accounting.accounted())


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
    numbers = damaged_pages(found)
    checks = checks_of(found, known.latest)
    for kept, data in _damaged_groups(found.space, numbers, known.noisy):
        located, results = candidates(found, kept, data, known, checks)
        good = (results >= kernel.LINKED) & ((located.info() & 0x20) == 0)
        good &= ~known.accounted.covers(key_numbers(found, located), key_hashes(found, located))
        good &= unseen(found, located, good, seen)
        if good.any():
            sure = np.where(results[good] == kernel.PROVEN, PROVEN, LINKED).astype(np.float32)
            yield located.only(good), sure


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


def candidates(
    found: Found, numbers: NDArray[np.int64], data: NDArray[np.uint8], known: Profile, checks: Checks
) -> tuple[decode.Located, NDArray[np.int8]]:
    """Return what may be records in damaged pages, and what each is worth."""
    size = found.space.logical
    bases = np.arange(len(numbers), dtype=np.int64) * size
    room = len(numbers) * (size // 24)
    shape = (len(found.layout.fields), room)
    starts, lengths = np.zeros(shape, np.int64), np.zeros(shape, np.int32)
    outside = np.zeros(shape, np.uint8)
    origins, begins, ends = (np.zeros(room, np.int64) for _ in range(3))
    owners = np.zeros(room, np.int32)
    form = (known.compact, len(found.plan.counts) > 1)
    records = (origins, owners, begins, ends, starts, lengths, outside)
    count = kernel.candidates(data, size, bases, form, tuple(found.plan), tuple(checks), records)
    located = decode.Located(
        data, numbers, owners[:count], origins[:count], begins[:count], ends[:count],
        np.ascontiguousarray(starts[:, :count]), np.ascontiguousarray(lengths[:, :count]),
        np.ascontiguousarray(outside[:, :count]), known.compact,
    )  # fmt: skip
    # Where the rows themselves look random, damage may begin anywhere: what is behind a record must tell.
    noises = np.full((len(numbers), size // kernel.CELL), kernel.EDGE, np.int8)
    if not known.noisy:
        for place in range(len(numbers)):
            kernel.noise(data, place * size, size, noises[place])
    results = np.zeros(count, np.int8)
    kernel.judge(
        data, size, bases, known.compact, tuple(found.plan), noises, located.origins, located.owners,
        located.begins, located.ends, results,
    )  # fmt: skip
    heads = numbers_at(data, bases + 66, 8) == found.owner
    origins, owners = located.origins, located.owners
    kernel.given_up(data, size, bases, heads, known.compact, origins, owners, results)
    return located, results


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
