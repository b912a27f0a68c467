"""The space as a board on which fragments are put together: what every cluster holds and which are taken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.format import HEAD
from unransom.core.streams import CHUNK
from unransom.recover.carve.classes import Classes
from unransom.recover.carve.found import Claims
from unransom.recover.carve.scan import Places
from unransom.recover.carve.signatures import MARKS, guesses
from unransom.recover.carve.space import BLOCK, Space

SURE = 48  # bits of a beginning that is no accident
HEADS = 1 << 16  # places that are looked at together
CROWD = 8  # marks of one kind in a cluster that are looked at
WINDOWS = (48, 256, 1024, 4096, 1 << 62)  # free clusters ahead, then as many behind, then farther ones


class Board:
    """What is known of the space while fragments are put together.

    Attributes:
        space: The bytes.
        cluster: Bytes of a cluster.
        classes: What each cluster holds.
        heads: Where files may begin, sorted.
        marks: By kind, where marks stand, sorted.
        claims: The clusters that are taken.
    """

    def __init__(
        self, space: Space, claims: Claims, classes: Classes, heads: Places, marks: dict[int, Places]
    ) -> None:
        self.space = space
        self.cluster = claims.cluster
        self.claims = claims
        self.classes = classes
        self.heads = heads
        self.marks = marks

    def save(self, folder: Path) -> None:
        """Store the board in ``folder``, for those who put fragments together in other processes."""
        folder.mkdir(parents=True, exist_ok=True)
        named = {"taken": self.claims.taken, "classes": self.classes, "heads": self.heads}
        marks = {f"mark-{kind}": places for kind, places in self.marks.items()}
        for name, values in (named | marks).items():
            np.save(folder / f"{name}.npy", values)

    @classmethod
    def load(cls, folder: str, space: Space, cluster: int) -> Self:
        """Return the board that was stored in ``folder``; it is read from there as it is needed."""
        values = {path.stem: np.load(path, mmap_mode="r") for path in Path(folder).glob("*.npy")}
        claims = Claims(space.size, cluster)
        claims.taken[:] = values["taken"]
        marks = {kind: values[f"mark-{kind}"] for kind in MARKS}
        return cls(space, claims, values["classes"], values["heads"], marks)

    def free(self, kinds: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the numbers of the clusters that are not taken and hold one of ``kinds``, sorted."""
        wanted = np.isin(self.classes, kinds)
        wanted &= ~self.claims.taken[: len(wanted)]
        return np.flatnonzero(wanted)

    def runs(self, numbers: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield runs of clusters that lie behind each other, and their bytes."""
        most = max(1, CHUNK // self.cluster)
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        for run in np.split(numbers, breaks) if len(numbers) else []:
            for start in range(0, len(run), most):
                part = run[start : start + most]
                data = self.space.read_at(int(part[0]) * self.cluster, len(part) * self.cluster)
                data += bytes(len(part) * self.cluster - len(data))
                yield part, np.frombuffer(data, np.uint8)

    def is_free(self, offset: int) -> bool:
        """Return whether the cluster at ``offset`` is not taken."""
        number = offset // self.cluster
        return 0 <= number < len(self.claims.taken) and not self.claims.taken[number]

    def begins(self, offset: int) -> bool:
        """Return whether a file surely begins at ``offset``."""
        index = int(np.searchsorted(self.heads, offset))
        if index == len(self.heads) or self.heads[index] != offset:
            return False
        return any(guess.bits >= SURE for guess in guesses(self.space.read_at(offset, HEAD)))

    def free_heads(self, magic: bytes, at: int = 0) -> Places:
        """Return the places in clusters that are not taken at which a file with ``magic`` may begin, sorted.

        Args:
            magic: What stands in such files.
            at: Bytes before it.
        """
        slabs = (self.heads[first : first + HEADS] for first in range(0, len(self.heads), HEADS))
        return np.concatenate([np.zeros(0, np.int64), *(self._with(slab, magic, at) for slab in slabs)])

    def _with(self, places: Places, magic: bytes, at: int) -> Places:
        """Return those of ``places`` in clusters that are not taken behind which ``magic`` stands."""
        places = places[~self.claims.taken[places // self.cluster]]
        return places[(self.fields(places + at, len(magic)) == np.frombuffer(magic, np.uint8)).all(1)]

    def fields(self, places: Places, length: int) -> NDArray[np.uint8]:
        """Return the ``length`` bytes at each of ``places``, which are sorted; zeros behind the end."""
        rows = np.zeros((len(places), length), np.uint8)
        blocks = places // BLOCK
        bounds = [*np.flatnonzero(np.diff(blocks, prepend=-1)).tolist(), len(places)]
        for first, last in pairwise(bounds):  # those that are near each other are read at once
            start = int(blocks[first]) * BLOCK
            data = self.space.read_at(start, int(places[last - 1]) + length - start)
            values = np.frombuffer(data + bytes(length), np.uint8)
            rows[first:last] = values[places[first:last, None] - start + np.arange(length)]
        return rows

    def sparse_marks(self, kind: int) -> Places:
        """Return `free_marks`, of each cluster the first ones only: a cluster full of them is a trap."""
        places = self.free_marks(kind)
        return places[_rank_in_group(places // self.cluster) < CROWD]

    def free_marks(self, kind: int) -> Places:
        """Return where marks of a kind stand in clusters that are not taken."""
        places = self.marks[kind]
        return places[~self.claims.taken[places // self.cluster]]


def in_order(free: NDArray[np.int64], behind: int, most: int) -> Iterator[int]:
    """Yield ``most`` numbers of free clusters in the order in which a file system gives them out.

    Args:
        free: Sorted.
        behind: The cluster that the last piece ended with: those that follow it come first.
        most: How many, about.
    """
    middle = int(np.searchsorted(free, behind, "right"))
    ahead, back = free[middle:], free[:middle][::-1]
    start = 0
    for end in WINDOWS:
        yield from ahead[start:end].tolist()
        yield from back[start:end].tolist()
        start = end
        if 2 * end >= most:
            return


def _rank_in_group(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of ``groups``, which are sorted, how many equal ones stand before it."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1) != 0)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(starts, append=len(groups)))
