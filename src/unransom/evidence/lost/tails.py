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
UNSEEN = 100  # parts of a disk in which one may be expected where two errors make up for each other

Known = tuple[int, int]  # number in the file, number on the disk


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


def landmarks(
    sure: Mapping[int, int], last: np.ndarray, wanted: Mapping[int, list[Tail]], places: int
) -> dict[int, int]:
    """Return the blocks that are sure (number in the file to number on the disk), with those added that fit.

    Args:
        sure: Where some of them are.
        last: Of each block, see ``ends``.
        wanted: See ``tails``.
        places: How many the disk has.
    """
    known = dict(chain(sure))
    for _ in range(ROUNDS):
        added = dict(_unique(_pairs(known, len(last), places), last, wanted))
        if not added:
            break
        known = dict(chain(known | added))
    return known


def _pairs(known: Mapping[int, int], blocks: int, places: int) -> Iterator[tuple[Known, Known]]:
    """Yield each two known blocks that follow each other; behind the last one stands the end of the disk."""
    items = sorted(known.items())
    if items and places - items[-1][1] >= blocks - items[-1][0] > 0:
        items.append((blocks, places))
    yield from itertools.pairwise(items)


def _unique(
    pairs: Iterable[tuple[Known, Known]], last: np.ndarray, wanted: Mapping[int, list[Tail]]
) -> Iterator[tuple[int, int]]:
    """Yield blocks that alone fit a place: between two that are known only some blocks may be there."""
    for (low, start), (high, end) in pairs:
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
    order: np.ndarray,
    known: Mapping[int, int],
    sure: Mapping[int, int],
    needed: np.ndarray,
    last: np.ndarray,
    wanted: Mapping[int, list[Tail]],
    unchecked: np.ndarray,
) -> np.ndarray:
    """Return of which places it is certain that what ``order`` puts there is there.

    Between two known blocks nothing is open where no zeros are missing, or just as many as there are places
    of no file.

    Args:
        order: Of each block, its place.
        known: See ``landmarks``.
        sure: Blocks that say themselves where they are.
        needed: For each place, whether a file has it.
        last: Of each block, see ``ends``.
        wanted: See ``tails``.
        unchecked: For each place, whether a file has it that is of no file system whose own structures are
            all known.
    """
    found = np.zeros(len(needed), bool)
    found[[place for slot, place in known.items() if order[slot] == place]] = True
    if OUT_OF_ORDER * sum(known.get(slot) != place for slot, place in sure.items()) > len(sure):
        return found
    parts = list(_parts(_pairs(known, len(last), len(needed)), needed))
    doubted = [each for each in parts if unchecked[each.start : each.end].any()]
    trusted = set(parts) if _is_even(doubted) else set(parts) - set(doubted)
    for part in parts:
        places = np.arange(part.start + 1, part.end)
        stored = places[needed[places]] if part.zeros else places
        if len(stored) != part.blocks or (part.zeros and part not in trusted):
            continue
        pairs = zip(range(part.low + 1, part.low + 1 + part.blocks), stored.tolist(), strict=True)
        if all(order[slot] == place and _agrees(last[slot], wanted.get(place, [])) for slot, place in pairs):
            found[places] = True
    return found


class _Part(NamedTuple):
    """What lies between two known blocks: the number of the first, both places, and how much is where.

    Attributes:
        low, start: Number and place of the block in front of it.
        end: Place of the block behind it.
        blocks: How many there are.
        zeros: Places that have none of them.
        surplus: Blocks beyond those that files need; below 0 places of files that hold zeros.
    """

    low: int
    start: int
    end: int
    blocks: int
    zeros: int
    surplus: int


def _parts(pairs: Iterable[tuple[Known, Known]], needed: np.ndarray) -> Iterator[_Part]:
    for (low, start), (high, end) in pairs:
        blocks = high - low - 1
        surplus = blocks - int(np.count_nonzero(needed[start + 1 : end]))
        yield _Part(low, start, end, blocks, end - start - 1 - blocks, surplus)


def _is_even(parts: list[_Part]) -> bool:
    """Return whether as many blocks as files need are those of the files.

    Zeros in a file and a block in no file that make up for each other are not seen. How often both are there
    alone tells how many such parts to expect.
    """
    some = [each for each in parts if each.zeros]
    above = sum(each.surplus > 0 for each in some)
    below = sum(each.surplus < 0 for each in some)
    return UNSEEN * above * below <= len(some)


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
