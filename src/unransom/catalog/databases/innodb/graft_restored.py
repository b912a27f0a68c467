"""Leaf pages whose heads or middles are lost, put together again from the rows that are still on them.

Their own heads or their neighbours say where they belong; their keys, or their records' links and the slots
of their directory, say in which order the rows stood. Rows whose place stays open are salvaged, not grafted.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.accounted import is_comparable, key_numbers
from unransom.catalog.databases.innodb.current import current_leaves
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.salvage import (
    Remembered,
    profile,
    salvage,
)

SLOTS_END = 8  # bytes between the directory and the end of a page
FIRST_RECORD, HEAD = (
    120,
    192,
)  # where records begin; what begins before may have lost its header with the page's
DELETED, MOST_OWNED = 0x20, 8  # info bit of a record; the most that the other bits say
FIRST = -1  # rank of the run that the page begins with; slots count from 1
ENDS = ((101, 116), (99, 112))  # infimum and supremum, of redundant and of compact pages


class Restored(NamedTuple):
    """A damaged leaf page.

    Attributes:
        number: Of the page.
        previous, following: Its neighbours.
        located: The rows of this page and of others.
        rows: Which of them are on it, in the order of their keys.
    """

    number: int
    previous: int
    following: int
    located: decode.Located
    rows: NDArray[np.int64]


def restored_leaves(found: Found) -> Iterator[Restored]:
    """Yield the damaged leaf pages of ``found`` with the rows that can be put in order."""
    before, after = _neighbours(found)
    known = profile(found)
    for located, _ in salvage(found, known, Remembered()):
        for place in np.unique(located.owners).tolist():
            rows = _in_order(found, located, place, known.form.compact)
            number = int(located.numbers[place])
            if len(rows):
                yield Restored(
                    number, before.get(number, pages.NIL), after.get(number, pages.NIL), located, rows
                )


def _neighbours(found: Found) -> tuple[dict[int, int], dict[int, int]]:
    """Return the pages before and after each page, as sound leaves and whole heads of damaged ones say."""
    table = found.space.table
    mine = np.zeros(len(table), np.bool_)
    mine[current_leaves(found)] = True
    heads = (table["verdict"] == pages.TORN) & (table["kind"] == pages.INDEX) & (table["level"] == 0)
    heads &= table["index"] == found.owner
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for numbers in (np.flatnonzero(heads), np.flatnonzero(mine)):  # what sound ones say counts
        rows = table[numbers]
        before.update(zip(numbers.tolist(), rows["previous"].tolist(), strict=True))
        after.update(zip(numbers.tolist(), rows["next"].tolist(), strict=True))
        before.update(zip(rows["next"].tolist(), numbers.tolist(), strict=True))
        after.update(zip(rows["previous"].tolist(), numbers.tolist(), strict=True))
    return before, after


def _in_order(found: Found, located: decode.Located, place: int, compact: bool) -> NDArray[np.int64]:
    """Return the rows of one page in the order of their keys, without those whose place is not known."""
    size = found.space.logical
    rows = np.flatnonzero(located.owners == place)
    data = located.data[place * size : (place + 1) * size]
    page = data.tobytes()
    at = dict(zip((located.origins[rows] - place * size).tolist(), rows.tolist(), strict=True))
    runs = _runs({origin: _following(page, origin, at, compact) for origin in at})
    ranks = _ranks(page, runs, at, compact)
    if is_comparable(found):
        noise = np.zeros(size // kernel.SECTOR, np.bool_)
        kernel.noisy(data, 0, size, noise)
        kept = [
            at[origin]
            for run, rank in zip(runs, ranks, strict=True)
            if rank or _is_hurt(_following(page, run[-1], at, compact), noise)
            for origin in run
        ]
        return _by_number(found, located, np.array(kept, np.int64))
    in_order = sorted((rank, run) for rank, run in zip(ranks, runs, strict=True) if rank)
    return np.array([at[origin] for _, run in in_order for origin in run], np.int64)


def _by_number(found: Found, located: decode.Located, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows in the order of the numbers of their keys; none where these do not tell all apart."""
    numbers = key_numbers(found, located)[rows]
    return rows[np.argsort(numbers)] if len(np.unique(numbers)) == len(rows) else rows[:0]


def _following(page: bytes, origin: int, rows: Container[int], compact: bool) -> int:
    """Return the place of the record behind the one at ``origin``; deleted ones are passed over."""
    for _ in range(len(page) // decode.SMALLEST_RECORD):
        origin = _step(page, origin, compact)
        if origin in rows or not HEAD <= origin < len(page) or not _is_deleted(page, origin, compact):
            break
    return origin


def _is_deleted(page: bytes, origin: int, compact: bool) -> bool:
    """Return whether the header in front of ``origin`` is that of a deleted record, and no noise."""
    info = page[origin - (5 if compact else 6)]
    return info & 0xF0 == DELETED and info & 15 <= MOST_OWNED and not (compact and page[origin - 3] & 7)


def _is_hurt(origin: int, noise: NDArray[np.bool_]) -> bool:
    """Return whether the record at ``origin`` is where the damage is, and not one that the page gave up."""
    sector = origin // kernel.SECTOR
    return _is_in_head(origin) or (origin >= FIRST_RECORD and sector < len(noise) and bool(noise[sector]))


def _is_in_head(origin: int) -> bool:
    """Return whether the record at ``origin`` may have lost its header with that of the page."""
    return FIRST_RECORD <= origin < HEAD


def _step(page: bytes, origin: int, compact: bool) -> int:
    """Return the place of the record that the one at ``origin`` names as the next."""
    link = int.from_bytes(page[origin - 2 : origin], "big")
    return (origin + link) % 65536 if compact else link


def _runs(following: dict[int, int]) -> list[list[int]]:
    """Return the runs of records that name each other; every record is in one."""
    named = {other for other in following.values() if other in following}
    left = dict(following)
    runs = []
    for head in [origin for origin in following if origin not in named]:
        run = [head]
        del left[head]
        while (other := following[run[-1]]) in left:
            run.append(other)
            del left[other]
        runs.append(run)
    return [*runs, *([origin] for origin in left)]  # what is left names itself in a ring


def _ranks(page: bytes, runs: list[list[int]], rows: Container[int], compact: bool) -> list[int]:
    """Return what the runs are ordered by; 0 for those whose place is not known."""
    infimum, supremum = ENDS[compact]
    slots = _slots(page, infimum, supremum)
    first = _step(page, infimum, compact)
    ends = [_following(page, run[-1], rows, compact) for run in runs]
    ranks = []
    for run, end in zip(runs, ends, strict=True):
        if end == supremum:
            ranks.append(len(page))
        elif run[0] == first:
            ranks.append(FIRST)
        else:
            ranks.append(min((slots[origin] for origin in run if origin in slots), default=0))
    open_ends = [not rank and _is_in_head(end) for rank, end in zip(ranks, ends, strict=True)]
    if sum(open_ends) == 1 and set(ranks) <= {0, len(page)}:
        ranks[open_ends.index(True)] = FIRST  # there is none between it and the last
    return ranks


def _slots(page: bytes, infimum: int, supremum: int) -> dict[int, int]:
    """Return the places of records in the directory, as far as it is whole."""
    slots: dict[int, int] = {}
    end = len(page) - SLOTS_END
    for place in range(len(page) // decode.SMALLEST_RECORD):
        at = end - 2 * place
        origin = int.from_bytes(page[at - 2 : at], "big")
        if (place == 0) != (origin == infimum) or origin == supremum or not infimum <= origin < at:
            break
        slots[origin] = place
    return slots
