"""The redo log of MariaDB 10.5 to 10.7: the records of later ones, in sectors with numbers and checksums."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb.redo import OLDER, OVERLAP, SECTOR, WINDOW, Log, Redo

START = 4  # sectors of the head
HEAD, TAIL = 12, 4  # bytes around what a sector holds
NUMBER = (1 << 30) - 1  # bits of a sector's number
USED, FIRST = 4, 6  # places in a sector: bytes in use, where the first mini-transaction begins


class SectorRun(NamedTuple):
    """Sectors whose numbers follow each other.

    Attributes:
        number: Of the first.
        start: Place of the first among all in the order of their numbers.
        length: How many they are.
    """

    number: int
    start: int
    length: int


class Sectors:
    """The sound sectors of the files of a log, in the order of their numbers.

    Attributes:
        runs: Those that follow each other.
        encrypted: MySQL encrypted some, which are left out.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Find the sound sectors of ``sources``."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        self._readers = [source.reader for source in sources]
        self._bases: list[int] = []  # of each file the place of its first sector, with a gap between files
        self.encrypted = False
        base = 0
        places: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        numbers: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        for reader in self._readers:
            self._bases.append(base)
            for first in range(START, reader.size // SECTOR, WINDOW // SECTOR):
                data = np.frombuffer(reader.read_at(first * SECTOR, WINDOW), np.uint8)
                data = data[: len(data) // SECTOR * SECTOR]
                sectors = data.reshape(-1, SECTOR)
                heads = sectors[:, :4].copy().view(">u4")[:, 0].astype(np.int64) & NUMBER
                sound = kernel.sound_blocks(data) & (heads > 0)
                sealed = sectors[:, USED] & 0x80 != 0
                self.encrypted |= bool((sound & sealed).any())
                kept = np.flatnonzero(sound & ~sealed)
                places.append(base + first + kept)
                numbers.append(heads[kept])
            base += reader.size // SECTOR + 1
        every, firsts = np.unique(np.concatenate(numbers), return_index=True)
        self._places = np.concatenate(places)[firsts]
        gaps = [0, *(np.flatnonzero(np.diff(every) != 1) + 1).tolist(), len(every)]
        self.runs = [
            SectorRun(int(every[start]), start, end - start)
            for start, end in itertools.pairwise(gaps)
            if end > start
        ]

    def read(self, run: SectorRun, at: int, count: int) -> NDArray[np.uint8]:
        """Return up to ``count`` sectors of a run from the one at ``at`` on, one a row."""
        places = self._places[run.start + at : run.start + min(at + count, run.length)]
        breaks = np.flatnonzero(np.diff(places) != 1) + 1
        parts = []
        for start, end in itertools.pairwise([0, *breaks.tolist(), len(places)]):
            file = bisect.bisect_right(self._bases, int(places[start])) - 1
            offset = (int(places[start]) - self._bases[file]) * SECTOR
            parts.append(self._readers[file].read_at(offset, (end - start) * SECTOR))
        data = np.frombuffer(b"".join(parts), np.uint8)
        return data[: len(data) // SECTOR * SECTOR].reshape(-1, SECTOR)


class BlockRedo(Log):
    """A redo log in sectors."""

    trailer = 1

    def __init__(self, source: Source) -> None:
        """Find the sound sectors of ``source``."""
        self._sectors = Sectors([source])
        self._is_cut = False

    def parts(self) -> Iterator[tuple[bool, Iterator[NDArray[np.uint8]]]]:
        """Yield the parts that are sound: whether nothing is missing before, and whole mini-transactions."""
        self._is_cut = False
        for run in self._sectors.runs:
            yield False, self._windows(run)
        if self._is_cut:
            yield False, iter(())

    def _windows(self, run: SectorRun) -> Iterator[NDArray[np.uint8]]:
        """Yield the mini-transactions in sectors that follow each other, whole ones together."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        rest, begun = np.zeros(0, np.uint8), False
        for first in range(0, run.length, WINDOW // SECTOR):
            sectors = self._sectors.read(run, first, WINDOW // SECTOR)
            skipped = 0 if begun else first_start(sectors)
            if skipped < 0:
                continue
            begun = True
            data = np.concatenate([rest, held(sectors)[skipped:]])
            whole = kernel.whole(data, self.trailer)
            yield data[:whole]
            rest = data[whole:]
            if len(rest) > OVERLAP:  # no mini-transaction is that long, so what follows is not known
                self._is_cut = True
                return


def log_of(source: Source) -> Log:
    """Return the redo log in ``source``, of MariaDB 10.5 or later."""
    return BlockRedo(source) if source.reader.read_at(0, 4) == OLDER else Redo(source)


def first_start(sectors: NDArray[np.uint8]) -> int:
    """Return where in what the sectors hold the first mini-transaction begins, -1 where none does."""
    starts = sectors[:, FIRST].astype(np.int64) << 8 | sectors[:, FIRST + 1]
    known = np.flatnonzero((starts >= HEAD) & (starts < SECTOR - TAIL))
    return int(known[0] * (SECTOR - HEAD - TAIL) + starts[known[0]] - HEAD) if len(known) else -1


def held(sectors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what the sectors hold; the newest one is not full."""
    data = sectors[:, HEAD : SECTOR - TAIL].reshape(-1)
    used = int(sectors[-1, USED]) << 8 | int(sectors[-1, USED + 1])
    return data[: len(data) - (SECTOR - TAIL - used)] if HEAD <= used < SECTOR - TAIL else data
