"""The blocks that a shadow copy keeps: which of the volume's they stand for, and where they lie.

A descriptor says that a block was overwritten after the copy was made, and where what it had is kept. One
that forwards says that it was moved on the volume instead. One that overlays has some sectors of a block.

Source: J. Metz, Volume Shadow Snapshot (VSS) format.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.streams import Reader
from unransom.evidence.shadows.catalog import BLOCK, DESCRIPTORS, Chain

FORWARDS, OVERLAYS, UNUSED = 1, 2, 4  # flags
DESCRIPTOR = np.dtype(
    [("origin", "<u8"), ("relative", "<u8"), ("place", "<u8"), ("flags", "<u4"), ("sectors", "<u4")]
)
FURTHEST = np.uint64(1 << 60)  # bytes of a volume
FAR = 1 << 46  # blocks; more than a volume has
Numbers = NDArray[np.int64]


class Overlay(NamedTuple):
    """Sectors of a block that are kept apart from the others: where, and which (a bit for each)."""

    place: int
    sectors: int


class Blocks(NamedTuple):
    """What one shadow copy keeps.

    Attributes:
        origins: Numbers of the blocks of the volume that it has, in order.
        places: Where each lies: a byte of the volume as it is now.
        moved: Whether each was moved: then its place is one on the volume as the next newer copy has it.
        overlays: Sectors to put over blocks.
        targets: Numbers of the blocks that others were moved to.
        whole: Whether all of the list could be read.
    """

    origins: Numbers
    places: Numbers
    moved: NDArray[np.bool_]
    overlays: dict[int, Overlay]
    targets: frozenset[int]
    whole: bool


def kept_blocks(volume: Reader, place: int, seen: set[int]) -> Blocks:
    """Return what the list of descriptors that begins at byte ``place`` of a volume says.

    Blocks in ``seen`` belong to other lists; those of this one are added.
    """
    chain = Chain(volume, place, DESCRIPTORS, seen)
    pieces = [_used(np.frombuffer(body[: len(body) // 32 * 32], DESCRIPTOR)) for body in chain]
    rows = np.concatenate([np.empty(0, DESCRIPTOR), *pieces])
    tangled = _tangled(rows)
    plain = rows[~tangled]
    origins, last = np.unique(plain["origin"][::-1], return_index=True)  # of several the last counts
    places = plain["place"][::-1][last]
    few = _Sequence(rows[tangled])
    moved = np.array([each.moved for each in few.kept.values()], bool)
    joined = np.concatenate([_numbers(origins), np.fromiter(few.kept, np.int64, len(few.kept))])
    order = np.argsort(joined)
    return Blocks(
        joined[order],
        np.concatenate([places.astype(np.int64), [each.place for each in few.kept.values()]]).astype(
            np.int64
        )[order],
        np.concatenate([np.zeros(len(origins), bool), moved])[order],
        few.overlays,
        frozenset(few.moves),
        chain.whole,
    )


class Runs(NamedTuple):
    """Blocks that follow each other on the volume and where they are kept: first, count, place, moved."""

    starts: Numbers
    counts: Numbers
    places: Numbers
    moved: NDArray[np.bool_]

    def at(self, number: int) -> Run:
        """Return the run that a block is in, from the block on; else what follows up to the next run."""
        index = int(np.searchsorted(self.starts, number, "right")) - 1
        behind = number - int(self.starts[index]) if index >= 0 else 0
        if index >= 0 and behind < int(self.counts[index]):
            place = int(self.places[index]) + behind * BLOCK
            return Run(int(self.counts[index]) - behind, place, bool(self.moved[index]))
        return Run(int(self.starts[index + 1]) - number if index + 1 < len(self.starts) else FAR, None, False)


class Run(NamedTuple):
    """Some blocks: how many, where they lie (None for not kept), and whether they were moved there."""

    length: int
    place: int | None
    moved: bool


def runs_of(kept: Blocks) -> Runs:
    """Return the runs of what a shadow copy keeps."""
    together = (np.diff(kept.origins) == 1) & (np.diff(kept.places) == BLOCK) & ~np.diff(kept.moved)
    begins = np.concatenate([[0], np.flatnonzero(~together) + 1])[: len(kept.origins)]
    counts = np.diff(np.append(begins, len(kept.origins)))
    return Runs(kept.origins[begins], counts, kept.places[begins], kept.moved[begins])


class _Kept(NamedTuple):
    place: int
    moved: bool


class _Sequence:
    """Descriptors whose meaning depends on those in front of them, taken one after the other.

    Attributes:
        kept: By number of the block.
        overlays: By number of the block.
        moves: Which block was moved, by the number of the one that it was moved to.
    """

    def __init__(self, rows: NDArray[np.void]) -> None:
        self.kept: dict[int, _Kept] = {}
        self.overlays: dict[int, Overlay] = {}
        self.moves: dict[int, int] = {}
        for origin, relative, place, flags, sectors in rows.tolist():
            if flags & OVERLAYS:
                self._overlay(origin // BLOCK, Overlay(place, sectors))
            else:
                self._keep(origin // BLOCK, relative // BLOCK, place, forwards=bool(flags & FORWARDS))

    def _keep(self, origin: int, target: int, place: int, *, forwards: bool) -> None:
        if origin in self.moves:  # what was moved here is what is kept now
            origin = self.moves.pop(origin)
        if forwards and origin == target:
            return
        self.kept[origin] = _Kept(target * BLOCK if forwards else place, forwards)
        if forwards:
            self.moves[target] = origin

    def _overlay(self, origin: int, overlay: Overlay) -> None:
        first = self.overlays.get(origin, overlay)
        self.overlays[origin] = Overlay(first.place, first.sectors | overlay.sectors)


def _used(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return the descriptors that count; those of zeros stand behind the last one."""
    counts = (rows["flags"] & UNUSED == 0) & ((rows["place"] != 0) | (rows["flags"] & FORWARDS != 0))
    sane = (rows["origin"] < FURTHEST) & (rows["relative"] < FURTHEST) & (rows["place"] < FURTHEST)
    return rows[counts & sane]


def _tangled(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which descriptors are of blocks that were moved, moved to, or have overlays."""
    special = rows[rows["flags"] & (FORWARDS | OVERLAYS) != 0]
    numbers = np.concatenate(
        [_numbers(special["origin"]), _numbers(special["relative"][special["flags"] & FORWARDS != 0])]
    )
    return np.isin(_numbers(rows["origin"]), numbers)


def _numbers(offsets: NDArray[np.uint64]) -> Numbers:
    return (offsets // np.uint64(BLOCK)).astype(np.int64)
