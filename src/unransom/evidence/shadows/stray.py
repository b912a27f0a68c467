"""Shadow copies that no catalogue names any more: by the blocks that they keep their lists in.

Deleting shadow copies empties their catalogue, and lockers overwrite it; the lists stay until other files
take their place. Every block of a list has a mark, its kind and its own place, by which it is told from
noise, and names the next. When a copy was made stands in the catalogue only: where the file that it lies
in is still known, the time that was made is taken.

Source: J. Metz, Volume Shadow Snapshot (VSS) format.
"""

from __future__ import annotations

import contextlib
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span, merge
from unransom.core.streams import CHUNK, Reader, file_of
from unransom.evidence.shadows.catalog import (
    BITMAP,
    BLOCK,
    DESCRIPTORS,
    HEADER,
    HEADER_SIZE,
    MARK,
    MOST_COPIES,
    RANGES,
    STORE,
    ShadowCopy,
)

SWEPT = 16 << 30  # bytes of a volume that are looked through, besides files that are known to hold copies
MOST_BLOCKS = 1 << 20
LISTS = {DESCRIPTORS, STORE, RANGES, BITMAP}
RANGE = struct.Struct("<QQQ")  # place on the volume, in the store; bytes


class StoreFile(NamedTuple):
    """A file that shadow copies are kept in: where it lies, and when it was made (None: not known)."""

    spans: tuple[Span, ...]
    created: int | None


class Block(NamedTuple):
    """A block of a list: its kind, its place in the store, and the next one of its list."""

    kind: int
    relative: int
    following: int


def stray_copies(volume: Reader, files: Sequence[StoreFile]) -> list[ShadowCopy]:
    """Return the shadow copies whose lists are on a volume, the oldest first as far as that can be told.

    Args:
        volume: It.
        files: Those that copies are kept in, of which the file system still knows.
    """
    blocks = dict(_blocks(volume, files))
    others = {each.following for each in blocks.values()}
    heads = {place: each for place, each in blocks.items() if place not in others}
    owners = _Owners(volume, heads, files)
    lists: dict[int, int] = {}
    bitmaps: dict[int, list[tuple[int, int]]] = {}
    for place, block in sorted(heads.items()):
        if block.kind == DESCRIPTORS:
            lists.setdefault(owners.of(place), place)
        elif block.kind == BITMAP:
            bitmaps.setdefault(owners.of(place), []).append((block.relative, place))
    found = []
    for owner, place in lists.items():
        both = [bitmap for _, bitmap in sorted(bitmaps.get(owner, []))]
        now, before, *_ = [*both, 0, 0]
        header = owner if owner in blocks else 0
        found.append(ShadowCopy("", owners.created(owner), 0, place, header, now, before, stray=True))
    return sorted(found, key=lambda each: (each.created or 0, each.header or each.descriptors))[:MOST_COPIES]


class _Owners:
    """Which store a list belongs to: a number for each, the place of its header where that is there."""

    def __init__(self, volume: Reader, heads: dict[int, Block], files: Sequence[StoreFile]) -> None:
        self._headers = sorted(place for place, each in heads.items() if each.kind == STORE)
        self._files = [(span, each) for each in files for span in each.spans]
        self._spans: list[tuple[Span, int]] = []
        for each in files:
            inside = [place for place in self._headers if any(_has(span, place) for span in each.spans)]
            first = each.spans[0].start if each.spans else 0
            self._spans += [(span, (inside or [first])[0]) for span in each.spans if len(inside) < 2]
        for place, head in heads.items():
            spans = list(_ranges(volume, place)) if head.kind == RANGES else []
            inside = [header for header in self._headers if any(_has(span, header) for span in spans)]
            self._spans += [(span, inside[0]) for span in spans if len(inside) == 1]

    def of(self, place: int) -> int:
        """Return the store of the list that begins at ``place``; of the header in front where none says."""
        for span, owner in self._spans:
            if _has(span, place):
                return owner
        index = bisect_right(self._headers, place) - 1
        return self._headers[index] if index >= 0 else place

    def created(self, owner: int) -> int | None:
        """Return when the file was made that a store begins in."""
        return next((each.created for span, each in self._files if _has(span, owner)), None)


def _ranges(volume: Reader, place: int) -> Iterator[Span]:
    """Yield where a store lies, by the first block of the list of its ranges."""
    try:
        data = volume.read_at(place, BLOCK)
    except UnreadableError:
        return
    for at in range(HEADER_SIZE, len(data) - RANGE.size + 1, RANGE.size):
        start, _, size = RANGE.unpack_from(data, at)
        if not size:
            return
        yield Span(start, start + size)


def _has(span: Span, place: int) -> bool:
    return span.start <= place < span.end


def _blocks(volume: Reader, files: Sequence[StoreFile]) -> Iterator[tuple[int, Block]]:
    """Yield the blocks of lists, with their places."""
    parts = [Span(0, min(volume.size, SWEPT)), *(span for each in files for span in each.spans)]
    found = 0
    for part in merge(parts):
        for start, data in _pieces(volume, part):
            at = data.find(MARK)
            while 0 <= at < CHUNK and len(data) - at >= HEADER_SIZE and found < MOST_BLOCKS:
                _, _, kind, relative, own, following, _ = HEADER.unpack_from(data, at)
                found += 1
                if kind in LISTS and own == start + at:
                    yield own, Block(kind, relative, following)
                at = data.find(MARK, at + 1)


def _pieces(volume: Reader, part: Span) -> Iterator[tuple[int, bytes]]:
    """Yield a part of a volume without holes and what cannot be read; pieces overlap a little."""
    file = file_of(volume)
    start = part.start
    while start < min(part.end, volume.size):
        hole = file.hole_at(start) if file else 0
        if not hole:
            with contextlib.suppress(UnreadableError):
                yield start, volume.read_at(start, CHUNK + HEADER_SIZE)
        start += hole or CHUNK
