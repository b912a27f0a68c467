"""Pages of a tablespace as MySQL's redo log, or that of MariaDB up to 10.4, tells how they became.

The log tells what was done to a page. Done again it brings a sound page of the tablespace forward that the
server had not written before it ended, and makes a page anew that begins in the log; but none to which
something was done that is not known here or that does not fit the page.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb.redo import FORMATS, SECTOR, TOGETHER, WINDOW, Log, Replayed
from unransom.catalog.databases.innodb.redo_blocks import SectorRun, Sectors, first_start, held
from unransom.catalog.formats._innodb_checksums import crc32c

OVERLAP = 16 << 20  # the longest mini-transaction
MARIADB_FORMATS = frozenset({101, 103, 104})
ROUND = 1 << 30  # sectors until their numbers begin anew
CHECKPOINTS = (512, 1536)  # places in a file
LONGEST = 1 << 26  # pages of a tablespace: 1 TiB


class _Part(NamedTuple):
    """Whole mini-transactions.

    Attributes:
        begins: LSN from which on all is known, where something is missing before; else -1.
        first: LSN of a sector.
        held: Bytes that sectors hold from there to these.
        data: The mini-transactions.
    """

    begins: int
    first: int
    held: int
    data: NDArray[np.uint8]


class Forward(NamedTuple):
    """Sound pages of a tablespace that the log changes.

    Attributes:
        numbers: Of those that were brought forward.
        pages: Their bytes with LSN and checksum, one page a row.
        left: Numbers of index pages that are older than the log and could not be.
        freed: Numbers of those that the server gave up; what they hold is no part of any table.
    """

    numbers: NDArray[np.int64]
    pages: NDArray[np.uint8]
    left: NDArray[np.int64]
    freed: NDArray[np.int64]


class Changes(NamedTuple):
    """What a log changes of a tablespace.

    Attributes:
        last: By page number the LSN of the last mini-transaction about it, -1 where there is none.
        written: LSN up to which the server had written all changes into the file, 0 where that is not known.
    """

    last: NDArray[np.int64]
    written: int


def logs_of(sources: Sequence[Source]) -> list[LogicalRedo]:
    """Return the redo logs in the files ``sources``, those of one server together."""
    groups: dict[tuple[str, bytes, bool], list[Source]] = {}
    headless: list[Source] = []
    for source in sources:
        head = source.reader.read_at(0, 8)
        number = int.from_bytes(head[:4], "big")
        if number in FORMATS:
            groups.setdefault((source.folder, head[4:8], number in MARIADB_FORMATS), []).append(source)
        else:
            headless.append(source)
    for source in headless:
        here = [group for key, group in groups.items() if key[0] == source.folder]
        (here[0] if here else groups.setdefault((source.folder, b"", False), [])).append(source)
    return [LogicalRedo(group, mariadb=dialect) for (_, _, dialect), group in groups.items()]


class LogicalRedo(Log):
    """A redo log in one or several files.

    Attributes:
        is_encrypted: The server encrypted some of it.
        stopped: LSNs where something stands that is no known record.
    """

    def __init__(self, sources: Sequence[Source], *, mariadb: bool = False) -> None:
        """Find the sound sectors of ``sources``."""
        self._sectors = Sectors(sources)
        self.is_encrypted = self._sectors.encrypted
        self._dialect = int(mariadb)
        heads = [source.reader.read_at(0, 2048) for source in sources]
        known = [head for head in heads if int.from_bytes(head[:4], "big") in FORMATS]
        self._start = max((int.from_bytes(head[8:16], "big") for head in known), default=0)
        self._checkpoint = max((_checkpoint(head) for head in heads), default=0)
        self.stopped: list[int] = []

    def pages(self, space: int, numbers: NDArray[np.int64], size: int) -> Iterator[Replayed]:
        """Yield those of the pages ``numbers`` of a tablespace that come back, some at a time.

        Args:
            space: Id of the tablespace.
            numbers: Of its pages.
            size: Bytes of a page.
        """
        from unransom.catalog.databases.innodb import _redo_kernel as kernel  # noqa: PLC0415  compiled

        if not len(numbers) or space not in self.spaces:
            return
        places = np.full(int(numbers.max()) + 1, kernel.UNWANTED, np.int32)
        places[numbers] = kernel.UNKNOWN
        used = TOGETHER
        while used == TOGETHER:
            kept = _Kept(size)
            used = kept.used = self._replay(space, places, kept)
            at = np.flatnonzero(places >= 0).astype(np.int64)
            order = places[at]
            good = kept.finished()[order]
            for place in order[good].tolist():
                seal(kept.pages[place], int(kept.ends[place]))
            yield Replayed(at[good], kept.pages[order[good]], kept.frozen[order[good]])
            places[at] = kernel.UNWANTED

    @functools.cached_property
    def spaces(self) -> frozenset[int]:
        """Ids of the tablespaces that the log is about."""
        from unransom.catalog.databases.innodb import _logical_redo_kernel as kernel  # noqa: PLC0415  compiled

        return frozenset(
            space
            for part in self._parts()
            for space in np.unique(kernel.spaces(part.data, self._dialect)).tolist()
        )

    def changes(self, space: int, lsns: NDArray[np.int64]) -> Changes:
        """Return which pages of a tablespace the log changes.

        Args:
            space: Id of the tablespace.
            lsns: By page number the LSN of the page, -1 of one that is not sound.
        """
        from unransom.catalog.databases.innodb import _logical_redo_kernel as kernel  # noqa: PLC0415  compiled

        earlier, last = np.full((2, len(lsns)), -1, np.int64)
        for part in self._parts():
            origin = (part.first, part.held)
            kernel.touched(part.data, self._dialect, origin, space, self._checkpoint, (earlier, last))
        # Where a page was not written although the checkpoint says so, the file is of another time.
        whole = bool((earlier < lsns)[lsns >= 0].all())
        return Changes(last, self._checkpoint if whole else 0)

    def forward(
        self, space: int, lsns: NDArray[np.int64], size: int, read: Callable[[int], bytes], changes: Changes
    ) -> Iterator[Forward]:
        """Yield the sound pages of a tablespace that the log changes, some at a time.

        Args:
            space: Id of the tablespace.
            lsns: By page number the LSN of the page, -1 of one that is not sound.
            size: Bytes of a page.
            read: Returns a page by its number.
            changes: What the log changes.
        """
        from unransom.catalog.databases.innodb import _logical_replay_kernel as kernel  # noqa: PLC0415  compiled
        from unransom.catalog.databases.innodb import _redo_kernel as places_of  # noqa: PLC0415  compiled

        stale = np.flatnonzero((lsns >= 0) & (changes.last >= lsns)).astype(np.int64)
        for start in range(0, len(stale), TOGETHER):
            some = stale[start : start + TOGETHER]
            kept = _Kept(size)
            places = np.full(len(lsns), places_of.UNWANTED, np.int32)
            places[some] = np.arange(len(some), dtype=np.int32)
            kinds = np.zeros(len(some), np.int64)
            for place, number in enumerate(some.tolist()):
                page = np.frombuffer(read(number), np.uint8)
                kept.pages[place] = page
                kinds[place] = int(page[24]) << 8 | int(page[25])
            kept.used = len(some)
            kept.since[: len(some)] = np.maximum(lsns[some], changes.written)
            self._replay(space, places, kept)
            good = kept.finished()[: len(some)] & ~kept.frozen[: len(some)] & (kept.ends[: len(some)] > 0)
            for place in np.flatnonzero(good).tolist():
                seal(kept.pages[place], int(kept.ends[place]))
            freed = kept.ends[: len(some)] == kernel.FREED
            left = some[~good & ~freed & np.isin(kinds, INDEX_PAGES)]
            yield Forward(some[good], kept.pages[: len(some)][good], left, some[freed])

    def _replay(self, space: int, places: NDArray[np.int32], kept: _Kept) -> int:
        """Do what the log says to the pages that are kept; returns how many are."""
        from unransom.catalog.databases.innodb import _logical_replay_kernel as kernel  # noqa: PLC0415  compiled

        used = kept.used
        for part in self._parts():
            if part.begins >= 0:
                kept.frozen[:used] |= kept.since[:used] < part.begins
            origin = (part.first, part.held)
            state = (kept.pages, kept.frozen, kept.since, kept.ends)
            used = kernel.replay(part.data, self._dialect, origin, space, places, state, used)
        return used

    def _parts(self) -> Iterator[_Part]:
        """Yield the mini-transactions, in their order."""
        self.stopped = []
        for run in self._sectors.runs:
            yield from self._of_run(run)

    def _of_run(self, run: SectorRun) -> Iterator[_Part]:
        """Yield the mini-transactions of sectors that follow each other."""
        from unransom.catalog.databases.innodb import _logical_redo_kernel as kernel  # noqa: PLC0415  compiled

        first = self._lsn(run.number)
        rest, begun, at = np.zeros(0, np.uint8), False, 0
        while at < run.length:
            sectors = self._sectors.read(run, at, WINDOW // SECTOR)
            skipped = 0 if begun else first_start(sectors)
            if skipped < 0:
                at += WINDOW // SECTOR
                continue
            before = at * kernel.PAYLOAD + skipped - len(rest)
            data = np.concatenate([rest, held(sectors)[skipped:]])
            whole, why = kernel.whole(data, self._dialect)
            yield _Part(-1 if begun else int(kernel.lsn_at(first, before)), first, before, data[:whole])
            rest, begun = data[whole:], True
            at += WINDOW // SECTOR
            if why == kernel.IMPOSSIBLE or len(rest) > OVERLAP:
                self.stopped.append(int(kernel.lsn_at(first, before + whole)))
                at = (before + whole) // kernel.PAYLOAD + 1
                rest, begun = rest[:0], False

    def _lsn(self, number: int) -> int:
        """Return the LSN of a sector by its number, of all possible ones the nearest to the log's start."""
        lsn = (number - 1) * SECTOR
        return lsn + max(round((self._start - lsn) / (ROUND * SECTOR)), 0) * ROUND * SECTOR


INDEX_PAGES = (17855, 17853, 17854)


class _Kept:
    """Pages that are worked on; see ``_logical_replay_kernel.replay``."""

    def __init__(self, size: int) -> None:
        self.pages = np.zeros((TOGETHER, size), np.uint8)
        self.frozen = np.zeros(TOGETHER, np.bool_)
        self.since, self.ends = np.zeros((2, TOGETHER), np.int64)
        self.used = 0

    def finished(self) -> NDArray[np.bool_]:
        """Complete the pages; returns which are there and sound."""
        from unransom.catalog.databases.innodb import _logical_page_kernel as kernel  # noqa: PLC0415  compiled

        good = np.asarray(self.pages.any(axis=1), np.bool_)
        for place in np.flatnonzero(good).tolist():
            good[place] = kernel.finish(self.pages[place])
        return good


def seal(page: NDArray[np.uint8], lsn: int) -> None:
    """Write LSN and checksum into a page."""
    page[16:24] = np.frombuffer(lsn.to_bytes(8, "big"), np.uint8)
    page[-4:] = page[20:24]
    data = page.tobytes()
    crc = (crc32c(data[4:26]) ^ crc32c(data[38:-8])).to_bytes(4, "big")
    page[:4] = page[-8:-4] = np.frombuffer(crc, np.uint8)


def _checkpoint(head: bytes) -> int:
    """Return the LSN of the newest sound checkpoint in the head of a file, 0 where there is none."""
    newest = 0
    for at in CHECKPOINTS:
        sector = head[at : at + SECTOR]
        if len(sector) == SECTOR and crc32c(sector[:-4]) == int.from_bytes(sector[-4:], "big"):
            newest = max(newest, int.from_bytes(sector[8:16], "big"))
    return newest
