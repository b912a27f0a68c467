"""Which lanes of a batch open which cribs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.kernels.compare import matches
from unransom.crypto.search.opening import Job, Opening, Piece, Words, known, pieces
from unransom.crypto.search.recipe import Crib

LEAST = 16  # bits that a crib must say in one block, so that few lanes are looked at twice
SOME = 64  # lanes that are looked at again


class _Group(msgspec.Struct, frozen=True):
    """Cribs whose most telling piece comes of one job.

    Attributes:
        job: The run of the cipher.
        wanted: Words of the block that any of them asks for.
        places: For each crib the row that says most.
        masks: For each crib and row the bits that count.
        values: What these are.
        cribs: Number of each crib.
    """

    job: Job
    wanted: NDArray[np.int64]
    places: NDArray[np.int64]
    masks: Words
    values: Words
    cribs: tuple[int, ...]


class Matching:
    """Cribs made ready for batches of keys."""

    def __init__(self, opening: Opening, cribs: Sequence[Crib]) -> None:
        """Prepare what a job must give for each of ``cribs``.

        Raises:
            ValueError: A crib says too little or lacks locked bytes.
        """
        self._opening = opening
        self._pieces = [pieces(opening, crib) for crib in cribs]
        for number, found in enumerate(self._pieces):
            if not found or known(found[0]) < LEAST:
                raise ValueError(f"crib {number} says less than {LEAST} bits in any block")
        self._groups = self._grouped()

    def _grouped(self) -> list[_Group]:
        members: dict[Job, list[int]] = {}
        for number, found in enumerate(self._pieces):
            members.setdefault(found[0].job, []).append(number)
        return [self._group(job, numbers) for job, numbers in members.items()]

    def _group(self, job: Job, numbers: list[int]) -> _Group:
        masks, values = (
            np.stack([getattr(self._pieces[number][0], name) for number in numbers])
            for name in ("masks", "values")
        )
        wanted = np.flatnonzero(masks.any(axis=0)).astype(np.int64)
        masks, values = np.ascontiguousarray(masks[:, wanted]), np.ascontiguousarray(values[:, wanted])
        places = np.bitwise_count(masks).argmax(axis=1).astype(np.int64)
        return _Group(job, wanted, places, masks, values, tuple(numbers))

    def hits(self, keys: Words, ivs: Words) -> Iterator[tuple[int, int]]:
        """Yield the lanes that open a crib, and its number, group by group."""
        for group in self._groups:
            rows = self._opening.run(group.job, keys, ivs, group.wanted)
            for lane, pattern in self._matching(rows, group):
                if self._opens(group.cribs[pattern], keys, ivs, lane):
                    yield lane, group.cribs[pattern]

    def _matching(self, rows: Words, group: _Group) -> list[list[int]]:
        """Return pairs of a lane and a pattern of ``group``."""
        found = np.empty((64, 2), np.int64)
        count = matches(rows, group.places, group.masks, group.values, found)
        if count > len(found):
            found = np.empty((count, 2), np.int64)
            count = matches(rows, group.places, group.masks, group.values, found)
        return found[:count].tolist()

    def _opens(self, crib: int, keys: Words, ivs: Words, lane: int) -> bool:
        """Return whether ``lane`` has the other pieces of ``crib`` too."""
        some = slice(lane - lane % SOME, lane - lane % SOME + SOME)
        key, iv = np.ascontiguousarray(keys[:, some]), np.ascontiguousarray(ivs[:, some])
        return all(self._gives(piece, key, iv, lane % SOME) for piece in self._pieces[crib][1:])

    def _gives(self, piece: Piece, keys: Words, ivs: Words, lane: int) -> bool:
        every = np.arange(len(piece.masks), dtype=np.int64)
        words = self._opening.run(piece.job, keys, ivs, every)[:, lane]
        return bool(((words & piece.masks) == piece.values).all())
