"""What carving searches, what it holds, what its file systems say of it, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np

from unransom.core.messages import say
from unransom.core.records import FileRef, Problem, Source
from unransom.core.spans import Span, merge
from unransom.evidence import open_store
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.free import free_spans
from unransom.evidence.filesystems.remnants import Remnant
from unransom.evidence.filesystems.residue import remnants
from unransom.evidence.lost.runs import MOST_FILES, unheld
from unransom.evidence.stores.image import ImageStore
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Claims
from unransom.recover.carve.leads import is_free
from unransom.recover.carve.records import CLUSTERS, Lead, Looked, Target
from unransom.recover.carve.scan import Places
from unransom.recover.carve.signatures import NODE
from unransom.recover.carve.space import Space
from unransom.run.executor import Fate


class Sized:
    """A reader of which only the size matters."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return zeros."""
        return bytes(max(0, min(length, self.size - offset)))


class Place(NamedTuple):
    """Where to search.

    Attributes:
        target: The space.
        free: What the file systems on the disk have not given out; None where there are none.
        listed: The files that are there.
    """

    target: Target
    free: tuple[Span, ...] | None
    listed: tuple[FileRef, ...]


class Memory(NamedTuple):
    """What the file systems on the disk still know of deleted files.

    Attributes:
        leads: Files whose clusters are free.
        overwritten: How many more there are whose clusters are other files' by now.
        remains: Where clusters of these are left in the image: no file can be put together with them.
    """

    leads: tuple[Lead, ...] = ()
    overwritten: int = 0
    remains: tuple[Span, ...] = ()


def place_of(source: Source, cluster: int, hole: int, *, whole: bool) -> Place:
    """Return what is searched of ``source``: what no file has, where that is known.

    Args:
        source: An image or a file.
        cluster: Bytes of a cluster.
        hole: Holes of so many bytes are left out: no file reaches over them.
        whole: Search what files have, too.
    """
    store = open_store(source)
    try:
        entries = list(store.files(earlier=False) if isinstance(store, ImageStore) else store.files())
        refs = [each for each in entries if isinstance(each, FileRef)]
        ref = store.whole() if isinstance(store, ImageStore) else refs[0]
        with store.open(ref) as image:
            free = free_spans(image)
            searched = [Span(0, image.size)] if free is None or whole else free
            if free is not None and len(refs) < len(entries) and len(entries) <= MOST_FILES:
                searched = merge([*searched, *unheld(image)])  # what could not be listed may be given out
            extents = (store if isinstance(store, ImageStore) else Part(image, 0, image.size)).extents()
            spans = tuple(common(searched, _joined(extents, hole)))
            target = Target(ref=ref, spans=spans, cluster=cluster)
            listed = tuple(refs) if isinstance(store, ImageStore) else ()
            return Place(target, None if free is None else tuple(free), listed)
    finally:
        store.close()


def memory_of(source: Source, place: Place, looked: Sequence[Looked]) -> Memory:
    """Return what the file systems at ``place`` still know; some of that was seen in free blocks."""
    if place.free is None:
        return Memory()
    store = open_store(source)
    try:
        with store.open(place.target.ref) as image:
            leads = _distinct(map(_lead, remnants(image, _nodes(place, looked))))
            space = Space(image, place.free)
    finally:
        store.close()
    there = [not lead.spans or is_free(lead, space) for lead in leads]
    left = tuple(compress(leads, there))
    gone = merge(
        span for lead, is_left in zip(leads, there, strict=True) if not is_left for span in lead.spans
    )
    return Memory(left, len(leads) - len(left), tuple(common(gone, place.free)))


def _nodes(place: Place, looked: Sequence[Looked]) -> list[int]:
    """Return where blocks with extents stand in the image."""
    space = Space(Sized(place.target.ref.size), place.target.spans)
    seen = [at for each in looked for at in each.scan.marks[NODE].tolist()]
    return [span.start for at in seen for span in space.extents([Span(at, at + 1)])]


def _distinct(leads: Iterable[Lead]) -> list[Lead]:
    """Return ``leads`` without those of unknown size that begin where one of known size does."""
    every = list(leads)
    sized = {lead.spans[0].start for lead in every if lead.spans and lead.size is not None}
    return [
        lead for lead in every if lead.size is not None or not lead.spans or lead.spans[0].start not in sized
    ]


def _lead(remnant: Remnant) -> Lead:
    return Lead(
        path=remnant.path,
        size=remnant.size,
        spans=remnant.spans,
        content=remnant.content,
        modified=remnant.modified,
        deleted=remnant.deleted,
    )


def _joined(stored: Iterable[Span], hole: int) -> Iterator[Span]:
    """Yield spans of an image, small holes between them closed: files may lie over these."""
    last: Span | None = None
    for span in stored:
        if last and span.start - last.end < hole:
            last = Span(last.start, span.end)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def common(some: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    """Yield what two lists of spans, sorted and without overlaps, have in common."""
    left, right = iter(some), iter(others)
    one, other = next(left, None), next(right, None)
    while one and other:
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end:
            yield Span(start, end)
        if one.end <= other.end:
            one = next(left, None)
        else:
            other = next(right, None)


def cluster_of(looked: Sequence[Looked]) -> int:
    """Return the largest size of a cluster at whose multiples files begin; 4096 where none does."""
    counts = [sum(each) for each in zip(*(each.aligned for each in looked), strict=True)]
    fitting = (each for each, count in zip(CLUSTERS, counts, strict=False) if count >= 0.9 * counts[-1])
    return next(fitting, CLUSTERS[0])


def board_of(looked: Sequence[Looked], claims: Claims) -> Board:
    """Return the board on which fragments of what was looked at are put together.

    What stands where is taken over by it, except for the classes of clusters: it is much, and needed once.
    """
    scans = [each.scan for each in looked]
    kinds = scans[0].marks if scans else {}
    heads: Places = np.concatenate([scan.heads for scan in scans]) if scans else np.zeros(0, np.int64)
    classes = np.concatenate([scan.classes for scan in scans]) if scans else np.zeros(0, np.uint8)
    marks = {kind: np.concatenate([scan.marks[kind] for scan in scans]) for kind in kinds}
    for scan in scans:
        scan.heads, scan.marks = np.zeros(0, np.int64), {}
    return Board(Space(Sized(0)), claims, classes, heads, marks)


def blame(function: str, fate: Fate) -> Problem:
    """Return what is told of a task that came to no end."""
    what = (
        say("a part of the search took longer than it may")
        if fate is Fate.TIMEOUT
        else say("a worker died in a part of the search")
    )
    return Problem(
        item=function,
        what=what,
        resolution=say("the rest of the evidence is not affected"),
        code="limit" if fate is Fate.TIMEOUT else "blamed",
    )
