"""One pass over a part of the space: what each cluster holds, where files begin, where marks stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.core.spans import Span
from unransom.recover.carve.classes import Classes, classes_of, page_clusters
from unransom.recover.carve.signatures import (
    KINDS,
    MARKS,
    NODE,
    NODE_MAGIC,
    NODE_SIZES,
    SECTOR,
    by_first_two,
    further,
)
from unransom.recover.carve.space import Space

PIECE = 1 << 20  # bytes that are looked at in one call: what the cache of a processor keeps
OVERLAP = max(len(mark) for mark in MARKS.values()) - 1
MOST_MARKS = 1 << 22  # of one kind in a region: more are not real

NODES = np.array(sorted(NODE_SIZES))

Places = NDArray[np.int64]
Mark = Callable[[bytes, int, Classes], None]
FindMarks = Callable[[bytes], dict[int, Places]]


class Scan(msgspec.Struct):
    """What a pass over a region found. All offsets are of the space.

    Attributes:
        span: The region.
        cluster: Bytes of a cluster.
        classes: What each cluster of the region holds, see `classes`.
        heads: Sectors that begin as a file may.
        marks: By kind, where marks stand.
        pages: Which clusters hold pages of databases; None once these are counted.
    """

    span: Span
    cluster: int
    classes: Classes
    heads: Places
    marks: dict[int, Places]
    pages: NDArray[np.bool_] | None = None


def scan(space: Space, region: Span, cluster: int, mark: Mark | None = None) -> Scan:
    """Look at every byte of ``region``, which begins at a cluster. Holes are not read.

    Args:
        space: What is searched.
        region: The part of it that is looked at.
        cluster: Bytes of a cluster.
        mark: Writes to the classes of clusters which are of files that are there.
    """
    classes = np.zeros(-(-len(region) // cluster), np.uint8)
    pages = np.zeros(len(classes), np.bool_)
    heads: list[Places] = []
    marks: dict[int, list[Places]] = {kind: [] for kind in KINDS}
    find = mark_finder()
    for start, data in _pieces(space, region):
        own = min(len(data), PIECE, region.end - start)
        heads.append(start + _heads(data, own))
        at = (start - region.start) // cluster
        kinds, paged = classes_of(memoryview(data)[:own], cluster), page_clusters(data, cluster)
        if mark is not None:
            mark(data[:own], cluster, kinds)
        classes[at : at + len(kinds)] = kinds
        pages[at : at + len(paged)] = paged
        for kind, places in find(data).items():
            marks[kind].append(start + places[places < own])
        marks[NODE].append(start + _nodes(data, own))
    joined = {kind: _joined(places)[:MOST_MARKS] for kind, places in marks.items()}
    return Scan(region, cluster, classes, _joined(heads), joined, pages)


def _joined(places: list[Places]) -> Places:
    return np.concatenate(places) if places else np.zeros(0, np.int64)


def _pieces(space: Space, region: Span) -> Iterator[tuple[int, bytes]]:
    """Yield what is stored in ``region``, with some bytes of what follows each piece."""
    start = region.start
    while start < region.end:
        hole = space.hole_at(start) // PIECE * PIECE
        if hole:
            start += hole
            continue
        data = space.read_at(start, min(PIECE + OVERLAP, region.end + OVERLAP - start))
        if not data:
            return
        yield start, data
        start += PIECE


@cache
def _first_two() -> NDArray[np.bool_]:
    """Return for each pair of bytes, as a little-endian number, whether a file may begin with it."""
    table = np.zeros(1 << 16, np.bool_)
    table[[int.from_bytes(first, "little") for first in by_first_two()]] = True
    return table


@cache
def _further() -> tuple[Places, NDArray[np.uint8]]:
    """Return where in a sector further marks of files stand, and four bytes of each in rows."""
    offsets, marks = zip(*((offset, mark[:4]) for offset, mark, _ in further()), strict=True)
    return np.array(offsets, np.int64), np.frombuffer(b"".join(marks), np.uint8).reshape(len(marks), -1)


def _heads(data: bytes, own: int) -> Places:
    """Return the sectors of the first ``own`` bytes that begin as a file may."""
    sectors = own // SECTOR
    if not sectors:
        return np.zeros(0, np.int64)
    from unransom.recover.carve._map_kernel import begins  # noqa: PLC0415  numba is slow to import

    found = np.zeros(sectors, np.bool_)
    begins(np.frombuffer(data, np.uint8), SECTOR, _first_two(), *_further(), found)
    return np.flatnonzero(found) * SECTOR


def _nodes(data: bytes, own: int) -> Places:
    """Return the sectors of the first ``own`` bytes that begin as blocks with extents of ext4 do."""
    pairs = np.frombuffer(data, "<u2", own // SECTOR * SECTOR // 2)
    found = np.flatnonzero(pairs[:: SECTOR // 2] == NODE_MAGIC)
    return found[np.isin(pairs[found * (SECTOR // 2) + 2], NODES)] * SECTOR


@cache
def mark_finder() -> FindMarks:
    """Return what finds all marks in some bytes: hyperscan where it is installed, else a search for each."""
    try:
        import hyperscan  # noqa: PLC0415 an extra
    except ImportError:
        return _searched
    database = hyperscan.Database()
    patterns = [b"".join(b"\\x%02x" % byte for byte in mark) for mark in MARKS.values()]
    database.compile(expressions=patterns, ids=list(MARKS), flags=[hyperscan.HS_FLAG_DOTALL] * len(MARKS))
    sizes = {kind: len(mark) for kind, mark in MARKS.items()}

    def find(data: bytes) -> dict[int, Places]:
        found: dict[int, list[int]] = {kind: [] for kind in MARKS}

        def heard(kind: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found[kind].append(end - sizes[kind])

        database.scan(data, match_event_handler=heard)
        return {kind: np.array(places, np.int64) for kind, places in found.items()}

    return find


def _searched(data: bytes) -> dict[int, Places]:
    """Return where the marks stand, found one by one."""
    found = {}
    for kind, mark in MARKS.items():
        places = []
        at = data.find(mark)
        while at >= 0:
            places.append(at)
            at = data.find(mark, at + 1)
        found[kind] = np.array(places, np.int64)
    return found
