"""The map of the space: which clusters hold what, all of them once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unransom.recover.carve.classes import BASES, DENSE, LOCKED, LOCKED_HEAD, ZERO, Classes
from unransom.recover.carve.records import Looked
from unransom.recover.carve.scan import Scan

CLASSES = ("zero", "text", "dense", "other", "known", "locked")  # in the order of `classes`
OVERLAID = ("database", "header")  # clusters of these classes that are told by more than their bytes
ORDER = ("zero", "known", "locked", "header", "database", "text", "dense", "other")


def overlaid_of(scan: Scan, starts: Sequence[int]) -> tuple[int, ...]:
    """Return how many bytes hold pages of databases, by their class, and beginnings of files, by theirs.

    Args:
        scan: What was seen in a region.
        starts: Where files begin in it.
    """
    pages = np.zeros(len(scan.classes), np.bool_) if scan.pages is None else scan.pages.copy()
    numbers = (np.array(starts, np.int64) - scan.span.start) // scan.cluster
    begun = np.zeros(len(pages), np.bool_)
    begun[numbers] = True
    plain = (scan.classes != ZERO) & (scan.classes < BASES)
    sizes = np.full(len(pages), scan.cluster)
    sizes[-1:] -= _cut(scan)
    told = (pages & ~begun & plain, begun & plain)
    counts = (np.bincount(scan.classes[each], sizes[each], BASES) for each in told)
    return tuple(int(size) for count in counts for size in count)


def _cut(scan: Scan) -> int:
    """Return how many bytes of the last cluster are not there, as the space ends."""
    return len(scan.classes) * scan.cluster - len(scan.span)


def settle(looked: Sequence[Looked]) -> None:
    """Call clusters that are equal to a locked file's dense where they follow no first one of such a file.

    A locker leaves parts of files as they were, and these stand in the originals too: only what follows a
    sealed beginning is surely a locked file's.

    Args:
        looked: What was seen, in the order of the space; changed in place.
    """
    running = False
    for each in looked:
        each.scan.classes = _settled(each.scan.classes, running=running)
        running = bool(len(each.scan.classes)) and each.scan.classes[-1] == LOCKED


def _settled(classes: Classes, *, running: bool) -> Classes:
    """Return the classes of clusters in a row; where ``running``, the one before them is a locked file's."""
    touched = np.flatnonzero(classes >= LOCKED)
    if not len(touched):
        return classes
    begins = np.diff(touched, prepend=touched[0]) != 1
    begins[0] = touched[0] != 0 or not running  # else it goes on: number 0, which needs no first one
    runs = np.cumsum(begins)
    sure = np.maximum.accumulate(np.where(classes[touched] == LOCKED_HEAD, runs, 0)) == runs
    settled = classes.copy()
    settled[touched] = np.where(sure, LOCKED, DENSE)
    return settled


def holdings(looked: Sequence[Looked]) -> dict[str, int]:
    """Return how many bytes of what was looked at hold what; together they are all that was looked at.

    Returns:
        By class, see `ORDER`: zeros; clusters of files that are there, intact or locked; beginnings of files;
        pages of databases; and of the rest text, dense bytes (packed, sealed or random), and others.
    """
    sizes = dict.fromkeys(ORDER, 0)
    for each in looked:
        counts = np.bincount(each.scan.classes, minlength=len(CLASSES))
        for kind, count in zip(CLASSES, counts.tolist(), strict=True):
            sizes[kind] += count * each.scan.cluster
        for last in each.scan.classes[-1:]:
            sizes[CLASSES[last]] -= _cut(each.scan)
        for number, size in enumerate(each.overlaid):
            sizes[OVERLAID[number // BASES]] += size
            sizes[CLASSES[number % BASES]] -= size
    return sizes
