"""Where files end tells blocks from each other: behind a file's last byte its cluster holds zeros.

A block that alone, of all that may be at a place, ends its files where the file system says belongs there.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from unransom.core.spans import Span, merge
from unransom.evidence.containers.mapped import Mapped, Missing, Piece
from unransom.evidence.lost.align import chain
from unransom.evidence.lost.runs import Extent

SECTOR = 512
PAGE = 4096  # bytes: what is written of a file at once, zeros behind its end
BITS = 12  # by chance a block has one end in 4096 at the same byte
SAFE = 8  # bits by which a match must be better than chance
OUT_OF_ORDER = 50  # one in so many blocks that are sure may be: else the file has no order
ROUNDS = 6


class Tail(NamedTuple):
    """The end of a file in a block: sector, bytes of it that are used, sector up to which zeros follow."""

    sector: int
    used: int
    until: int


def ends(block: bytes) -> np.ndarray:
    """Return for each sector of a block the bytes up to its last one that is not zero."""
    sectors = np.frombuffer(block[: len(block) // SECTOR * SECTOR], np.uint8).reshape(-1, SECTOR)
    filled = sectors[:, ::-1] != 0
    return np.where(filled.any(axis=1), SECTOR - filled.argmax(axis=1), 0).astype(np.uint16)


def tails(extents: Iterable[Extent], unit: int) -> dict[int, list[Tail]]:
    """Return the ends of files by the place of the block that they are in."""
    found: dict[int, list[Tail]] = defaultdict(list)
    for each in extents:
        if not each.used or not each.start < each.stop < each.end:
            continue
        page = each.start + -(-(each.stop - each.start) // PAGE) * PAGE
        place, inside = divmod(each.stop - 1, unit)
        until = (min(each.end, page, (place + 1) * unit) - place * unit) // SECTOR
        tail = Tail(inside // SECTOR, inside % SECTOR + 1, until)
        if tail.used < SECTOR or tail.until > tail.sector + 1:
            found[place].append(tail)
    return found


def matching(last: np.ndarray, wanted: list[Tail]) -> np.ndarray:
    """Return which blocks, of whose sectors ``last`` tells, end all files where that is wanted."""
    fits = np.ones(len(last), bool)
    for tail in wanted:
        fits &= last[:, tail.sector] == tail.used
        fits &= ~last[:, tail.sector + 1 : tail.until].any(axis=1)
    return fits


def landmarks(sure: Mapping[int, int], last: np.ndarray, wanted: Mapping[int, list[Tail]]) -> dict[int, int]:
    """Return the blocks that are sure (number in the file to number on the disk), with those added that fit.

    Args:
        sure: Where some of them are.
        last: Of each block, see ``ends``.
        wanted: See ``tails``.
    """
    known = dict(chain(sure))
    for _ in range(ROUNDS):
        added = dict(_unique(known, last, wanted))
        if not added:
            break
        known = dict(chain(known | added))
    return known


def _unique(
    known: Mapping[int, int], last: np.ndarray, wanted: Mapping[int, list[Tail]]
) -> Iterator[tuple[int, int]]:
    """Yield blocks that alone fit a place: between two that are known only some blocks may be there."""
    for (low, start), (high, end) in itertools.pairwise(sorted(known.items())):
        zeros = (end - start) - (high - low)
        if high - low < 2 or zeros <= 0:
            continue
        for place in range(start + 1, end):
            if place not in wanted:
                continue
            first = max(low + 1, low + place - start - zeros)
            behind = min(high, low + place - start + 1)
            fits = np.flatnonzero(matching(last[first:behind], wanted[place]))
            enough = BITS * len(wanted[place]) >= SAFE + max(behind - first, 1).bit_length()
            if len(fits) == 1 and enough:
                yield first + int(fits[0]), place


def certain(
    known: Mapping[int, int],
    sure: Mapping[int, int],
    needed: np.ndarray,
    last: np.ndarray,
    wanted: Mapping[int, list[Tail]],
) -> np.ndarray:
    """Return of which places it is certain what is there.

    Between two known blocks nothing is open where no zeros are missing, or just as many as there are places
    of no file.

    Args:
        known: See ``landmarks``.
        sure: Blocks that say themselves where they are.
        needed: For each place, whether a file has it.
        last: Of each block, see ``ends``.
        wanted: See ``tails``.
    """
    found = np.zeros(len(needed), bool)
    found[list(known.values())] = True
    if OUT_OF_ORDER * sum(known.get(slot) != place for slot, place in sure.items()) > len(sure):
        return found
    for (low, start), (high, end) in itertools.pairwise(sorted(known.items())):
        zeros = (end - start) - (high - low)
        places = np.arange(start + 1, end)
        stored = places[needed[places]] if zeros else places
        if len(stored) != high - low - 1:
            continue
        pairs = zip(range(low + 1, high), stored.tolist(), strict=True)
        if all(_agrees(last[slot], wanted.get(place, [])) for slot, place in pairs):
            found[places] = True
    return found


def _agrees(last: np.ndarray, wanted: list[Tail]) -> bool:
    """Return whether a block has nothing behind the ends of files."""
    return not any(
        last[tail.sector] > tail.used or last[tail.sector + 1 : tail.until].any() for tail in wanted
    )


class Withheld(Mapped):
    """A disk of which some bytes are not given, because it is open what belongs there."""

    def __init__(self, disk: Mapped, spans: Iterable[Span]) -> None:
        """Withhold ``spans`` of ``disk``."""
        self._disk = disk
        self.size = disk.size
        merged = merge(spans)
        self._starts = np.array([each.start for each in merged], np.int64)
        self._ends = np.array([each.end for each in merged], np.int64)

    def piece_at(self, offset: int) -> Piece:
        """Return what the disk has, up to the next byte that is withheld."""
        index = int(np.searchsorted(self._ends, offset, "right"))
        if index == len(self._starts):
            return Piece(self.size - offset, self._disk, offset)
        if offset < self._starts[index]:
            return Piece(int(self._starts[index]) - offset, self._disk, offset)
        length = min(int(self._ends[index]), self.size) - offset
        return Piece(length, Missing(length, "which block belongs here is not known"))
