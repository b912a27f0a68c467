"""Pages that a tablespace has lost, as MariaDB's redo log still tells how they were made.

Only pages that begin in what is left of the log come back, with every change behind. Where a part of the log
is lost, pages from before it stay as they were then, and are given up once a change to them shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.core.streams import Reader

MAGIC, ENCRYPTED = b"Phys", b"\xd0hys"  # of MariaDB 10.8 and later; with innodb_encrypt_log
OLDER_ENCRYPTED = b"\xd0HYS"
START = 0x3000  # where records begin
WINDOW = 8 << 20  # bytes that are read together
OVERLAP = 1 << 20  # the longest mini-transaction
SECTOR, BLOCK = 512, 4096  # bytes; what is written together
MOST_RUNS = 4096  # pieces of a torn log
TOGETHER = 2048  # pages that are kept at a time
NAMES = ("ib_logfile", "#ib_redo")
LOGICAL = "#ib_redo"  # which MySQL alone writes
OLDER = b"PHYS"  # of MariaDB 10.5 to 10.7; see ``redo_blocks``
FORMATS = frozenset([*range(1, 7), 101, 103, 104])  # MySQL 5.7 and later; MariaDB 10.2 to 10.4
SEALED = 1 << 31  # bit of these numbers where MariaDB encrypted the log


class Replayed(NamedTuple):
    """Some pages as the log leaves them.

    Attributes:
        numbers: Of the pages.
        pages: Their bytes, one page a row; no checksum is in them.
        old: Which of them may have changed since, where a part of the log is lost.
    """

    numbers: NDArray[np.int64]
    pages: NDArray[np.uint8]
    old: NDArray[np.bool_]


class _Run(NamedTuple):
    """Mini-transactions that lie end to end; ``end`` behind the file's end goes on at its start."""

    start: int
    end: int
    bit: int


def is_redo(source: Source) -> bool:
    """Return whether ``source`` is a redo log of MariaDB 10.5 or later, also one that has lost its head."""
    known = source.name.lower().startswith("ib_logfile0") and not is_logical(source)
    return source.reader.read_at(0, 4) in {MAGIC, OLDER} or (known and not is_encrypted(source.reader))


def is_logical(source: Source) -> bool:
    """Return whether ``source`` is a redo log of MySQL or of an older MariaDB, by its name and its head."""
    number = int.from_bytes(source.reader.read_at(0, 4), "big") & ~SEALED
    name = source.name.lower()
    return name.startswith(LOGICAL) or (name.startswith(NAMES) and number in FORMATS)


def is_encrypted(reader: Reader) -> bool:
    """Return whether MariaDB encrypted its redo log."""
    head = reader.read_at(0, 4)
    number = int.from_bytes(head, "big")
    return head in {ENCRYPTED, OLDER_ENCRYPTED} or bool(number & SEALED and number & ~SEALED in FORMATS)


class Log:
    """What of a redo log is sound, in the order in which it was written.

    Attributes:
        trailer: Bytes that end a mini-transaction.
    """

    trailer = 0

    def parts(self) -> Iterator[tuple[bool, Iterator[NDArray[np.uint8]]]]:
        """Yield the parts that are sound: whether nothing is missing before, and whole mini-transactions."""
        raise NotImplementedError

    def pages(self, space: int, numbers: NDArray[np.int64], size: int) -> Iterator[Replayed]:
        """Yield those of the pages ``numbers`` of a tablespace that come back, some at a time.

        Args:
            space: Id of the tablespace.
            numbers: Of its pages.
            size: Bytes of a page.
        """
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        if not len(numbers):
            return
        places = np.full(int(numbers.max()) + 1, kernel.UNWANTED, np.int32)
        places[numbers] = kernel.UNKNOWN
        used = TOGETHER
        while used == TOGETHER:
            pages, frozen = np.zeros((TOGETHER, size), np.uint8), np.zeros(TOGETHER, np.bool_)
            used = 0
            for follows, windows in self.parts():
                if not follows:
                    frozen[:used] = True
                for data in windows:
                    used = kernel.replay(data, self.trailer, space, places, pages, frozen, used)
            kept = np.flatnonzero(places >= 0).astype(np.int64)
            order = places[kept]
            there = pages[order].any(axis=1)
            yield Replayed(kept[there], pages[order[there]], frozen[order[there]])
            places[kept] = kernel.UNWANTED


class Redo(Log):
    """The redo log of MariaDB 10.8 and later."""

    trailer = 5

    def __init__(self, source: Source) -> None:
        """Find what of ``source`` is sound."""
        self._reader = source.reader
        self._size = source.reader.size
        runs = list(self._runs())
        turn = next((place for place, run in enumerate(runs) if run.bit != runs[0].bit), 0)
        older = runs[turn:]
        if turn and (around := self._around(older[-1].end, runs[0].start)):
            older.append(around)
        self._ordered = older + runs[:turn]

    def parts(self) -> Iterator[tuple[bool, Iterator[NDArray[np.uint8]]]]:
        """Yield the parts that are sound: whether nothing is missing before, and whole mini-transactions."""
        last = -1
        for run in self._ordered:
            yield run.start == last, self._windows(run)
            last = START if run.end == self._size else run.end
            last = last - self._size + START if last > self._size else last

    def _read(self, at: int, length: int) -> bytes:
        """Return bytes of the ring."""
        data = self._reader.read_at(at, max(min(length, self._size - at), 0))
        if at + length > self._size:
            data += self._reader.read_at(START + max(at - self._size, 0), length - len(data))
        return data

    def _runs(self) -> Iterator[_Run]:
        """Yield the runs as they lie in the file."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        at, left_over = START, 0
        for _ in range(MOST_RUNS):
            at = self._next(at)
            if at >= self._size:
                return
            start, bit = at, -1
            while True:
                data = np.frombuffer(self._reader.read_at(at, WINDOW), np.uint8)
                done, bit = kernel.chain(data, 0, bit)
                at += done
                if not done:
                    break
            if at > start and at > left_over:
                yield _Run(start, at, bit)
                left_over = -(-at // BLOCK) * BLOCK  # behind the newest its block is filled up with old ones
            at = max(at, start + 1)

    def _next(self, at: int) -> int:
        """Return where the next sound mini-transaction begins."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled
        from unransom.catalog.databases.innodb import _salvage_kernel as salvage  # noqa: PLC0415  compiled

        while at < self._size:
            base = at // SECTOR * SECTOR
            data = np.frombuffer(self._reader.read_at(base, WINDOW), np.uint8)
            noise = np.zeros(len(data) // SECTOR, np.bool_)
            salvage.noisy(data, 0, len(data), noise)
            found = base + kernel.next_start(data, at - base, noise)
            if found < base + len(data):
                return found
            at = base + len(data) - (OVERLAP if base + len(data) < self._size else 0)
        return at

    def _around(self, end: int, start: int) -> _Run | None:
        """Return the mini-transaction that goes on at the file's start, None where it is not whole."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        if not self._size - OVERLAP < end <= self._size:
            return None
        data = np.frombuffer(self._read(end, OVERLAP), np.uint8)
        done, bit = kernel.chain(data[: self._size - end + start - START], 0, -1)
        return _Run(end, end + done, bit) if done == self._size - end + start - START > 0 else None

    def _windows(self, run: _Run) -> Iterator[NDArray[np.uint8]]:
        """Yield the mini-transactions of a run, whole ones together."""
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        at = run.start
        while at < run.end:
            data = np.frombuffer(self._read(at, min(WINDOW, run.end - at)), np.uint8)
            whole = kernel.whole(data, self.trailer)
            if not whole:
                return
            yield data[:whole]
            at += whole
