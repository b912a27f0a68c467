"""The redo log of MariaDB 10.5 to 10.7: the records of later ones, in sectors with numbers and checksums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb.redo import OLDER, OVERLAP, SECTOR, WINDOW, Log, Redo

START = 4  # sectors of the head
HEAD, TAIL = 12, 4  # bytes around what a sector holds
NUMBER = (1 << 30) - 1  # bits of a sector's number
USED, FIRST = 4, 6  # places in a sector: bytes in use, where the first mini-transaction begins


def log_of(source: Source) -> Log:
    """Return the redo log in ``source``."""
    return BlockRedo(source) if source.reader.read_at(0, 4) == OLDER else Redo(source)


class BlockRedo(Log):
    """A redo log in sectors."""

    trailer = 1

    def __init__(self, source: Source) -> None:
        """Find the sound sectors of ``source``, in the order of their numbers."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        self._reader = source.reader
        places: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        numbers: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        for first in range(START, source.reader.size // SECTOR, WINDOW // SECTOR):
            data = np.frombuffer(source.reader.read_at(first * SECTOR, WINDOW), np.uint8)
            data = data[: len(data) // SECTOR * SECTOR]
            heads = data.reshape(-1, SECTOR)[:, :4].copy().view(">u4")[:, 0].astype(np.int64) & NUMBER
            sound = np.flatnonzero(kernel.sound_blocks(data) & (heads > 0))
            places.append(first + sound)
            numbers.append(heads[sound])
        every = np.concatenate(numbers)
        order = np.argsort(every, kind="stable")
        self._places, every = np.concatenate(places)[order], every[order]
        gaps = np.flatnonzero(np.diff(every) != 1) + 1
        self._is_cut = False
        self._runs = list(zip([0, *gaps.tolist()], [*gaps.tolist(), len(every)], strict=True))

    def parts(self) -> Iterator[tuple[bool, Iterator[NDArray[np.uint8]]]]:
        """Yield the parts that are sound: whether nothing is missing before, and whole mini-transactions."""
        self._is_cut = False
        for start, end in self._runs:
            yield False, self._windows(self._places[start:end])
        if self._is_cut:
            yield False, iter(())

    def _windows(self, places: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """Yield the mini-transactions in sectors that follow each other, whole ones together."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        rest, begun = np.zeros(0, np.uint8), False
        for first in range(0, len(places), WINDOW // SECTOR):
            for sectors in self._sectors(places[first : first + WINDOW // SECTOR]):
                skipped = 0 if begun else _first(sectors)
                if skipped < 0:
                    continue
                begun = True
                data = np.concatenate([rest, _held(sectors)[skipped:]])
                whole = kernel.whole(data, self.trailer)
                yield data[:whole]
                rest = data[whole:]
                if len(rest) > OVERLAP:  # no mini-transaction is that long, so what follows is not known
                    self._is_cut = True
                    return

    def _sectors(self, places: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """Yield sectors, those together that lie together: the log goes on at its start when it is full."""
        breaks = np.flatnonzero(np.diff(places) != 1) + 1
        for start, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(places)], strict=True):
            data = self._reader.read_at(int(places[start]) * SECTOR, (end - start) * SECTOR)
            yield np.frombuffer(data, np.uint8).reshape(-1, SECTOR)


def _first(sectors: NDArray[np.uint8]) -> int:
    """Return where in what the sectors hold the first mini-transaction begins, -1 where none does."""
    starts = sectors[:, FIRST].astype(np.int64) << 8 | sectors[:, FIRST + 1]
    known = np.flatnonzero((starts >= HEAD) & (starts < SECTOR - TAIL))
    return int(known[0] * (SECTOR - HEAD - TAIL) + starts[known[0]] - HEAD) if len(known) else -1


def _held(sectors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what the sectors hold; the newest one is not full."""
    held = sectors[:, HEAD : SECTOR - TAIL].reshape(-1)
    used = int(sectors[-1, USED]) << 8 | int(sectors[-1, USED + 1])
    return held[: len(held) - (SECTOR - TAIL - used)] if HEAD <= used < SECTOR - TAIL else held
