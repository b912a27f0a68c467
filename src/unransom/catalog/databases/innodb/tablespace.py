"""A tablespace put together from one or several damaged files of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.page_zip import unzip
from unransom.catalog.databases.innodb.unpack import is_packed, is_summed, unpack
from unransom.catalog.formats._innodb_checksums import rule_of
from unransom.core.streams import BytesReader, Reader

ENCRYPTED = (15, 16, 17, 37401)  # types of pages: MySQL; MariaDB, where they are also compressed
PLAIN_RULES, ZIP_RULES = (0, 1, 5), (2, 4)  # rules of checksums, of ROW_FORMAT=COMPRESSED the others
SYSTEM = 0  # id of the tablespace that all tables may share, with the data dictionary
SAMPLE = 16  # pages that are asked whether they are encrypted
BATCH = 256  # pages that are read and decoded together
SECTOR = 512  # bytes; patches are tried in steps of it
MOST_RUNS = 10  # runs of differing sectors of a page: 2 ** 10 patches are tried


class Scanned(NamedTuple):
    """A file with the table of its pages.

    Attributes:
        size: Bytes of a page in the file.
        logical: Bytes of a page in memory.
        zipped: Its pages are those of ROW_FORMAT=COMPRESSED, which may be as large as in memory.
        flags: Space flags, None where page 0 is lost.
    """

    source: Source
    size: int
    logical: int
    zipped: bool
    flags: int | None
    table: NDArray[np.void]


def scan_source(source: Source) -> Scanned | None:
    """Return ``source`` with its pages, None where it has none."""
    head = source.reader.read_at(0, 64)
    flags = pages.space_flags(head)
    size = pages.guess_size(source.reader) or (pages.page_size(flags) if flags is not None else 0)
    if not size or source.reader.size < size:
        return None
    table = pages.scan(source.reader, size)
    if flags is not None and pages.page_size(flags) == size and table[0]["verdict"] == pages.VALID:
        logical, zipped = pages.logical_size(flags), pages.is_zipped(flags)
    else:
        flags = None
        zipped = bool(np.isin(table["rule"], ZIP_RULES).sum() > np.isin(table["rule"], PLAIN_RULES).sum())
        logical = 16384 if zipped and size < 16384 else size
    _look_inside(source.reader, table, size, logical)
    return Scanned(source, size, logical, zipped, flags, table)


def absent(source: Source) -> Scanned:
    """Return a file without pages, for a table whose rows are only in ``source``, a log."""
    return Scanned(source, pages.SIZES[0], pages.SIZES[0], False, None, np.zeros(0, pages.TABLE))


def _look_inside(reader: Reader, table: NDArray[np.void], size: int, logical: int) -> None:
    """Fill in what packed pages say of themselves once they are unpacked.

    Most algorithms unpack what is damaged as well, to something else. Servers that do not write full_crc32
    leave the page's checksum inside.
    """
    for row in np.flatnonzero(table["verdict"] != pages.BLANK).tolist():
        if not is_packed(int(table[row]["kind"])):
            continue
        packed = reader.read_at(int(table[row]["offset"]), size)
        page = unpack(packed, logical)
        if page is None:
            continue
        rule, number = table[row]["rule"], int(table[row]["number"])
        inner = pages.scan(BytesReader(page), logical)[0]
        for name in ("kind", "level", "index", "records", "previous", "next"):
            table[row][name] = inner[name]
        if rule >= 0 or inner["number"] != number:
            continue
        if inner["rule"] >= 0 or is_summed(packed):
            table[row]["verdict"] = pages.VALID
        elif number == int(table[row]["offset"]) // size:
            table[row]["verdict"], table[row]["rule"] = pages.TORN, pages.UNPACKED


class Current(NamedTuple):
    """What is known of the tree of an index.

    Attributes:
        leaves: Numbers of its sound leaf pages.
        sure: By page number, how sure it is that they are; 0 to 1.
        inside: By page number, leaf pages that something speaks for, sound or not.
        outside: By page number, pages that the tree has let go of.
    """

    leaves: NDArray[np.int64]
    sure: NDArray[np.float32]
    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]


class Tablespace:
    """The pages of one tablespace, each from the file that has it best.

    Attributes:
        table: A row of ``pages.TABLE`` for each page number.
        sources: The files.
        size, logical: Bytes of a page in the files and in memory.
        space: Its id.
        patched: Pages that were put together from several files.
        stale: Numbers of sound pages that were changed later, as a log tells.
        current: By index what is known of its tree, once it is looked at; see ``current``.
    """

    def __init__(self, files: Sequence[Scanned]) -> None:
        first = max(files, key=lambda each: each.flags is not None)
        self.sources = [each.source for each in files]
        self.size, self.logical, self.flags = first.size, first.logical, first.flags
        self.zipped = first.zipped
        self.patched: dict[int, bytes] = {}
        self.stale: list[int] = []
        self.table = self._merge([each.table for each in files])
        verdicts = self.table["verdict"]
        told = verdicts == (pages.VALID if (verdicts == pages.VALID).any() else pages.TORN)
        self.space = majority(self.table["space"][told])
        self._put_copies_back()
        self.current: dict[int, Current] = {}
        self._kept: tuple[int, bytes] = (-1, b"")

    def _merge(self, tables: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
        count = max(len(table) for table in tables)
        merged = np.zeros(count, pages.TABLE)
        merged["verdict"] = pages.LOST
        order = {pages.VALID: 3, pages.TORN: 2, pages.LOST: 1, pages.BLANK: 0}
        rank = np.zeros(count, np.int8)
        for source, table in enumerate(tables):
            worth = np.array([order[each] for each in range(4)], np.int8)[table["verdict"]]
            here = merged[: len(table)]
            newer = (table["lsn"] > here["lsn"]) & (worth == 3)
            better = (worth > rank[: len(table)]) | (worth == rank[: len(table)]) & newer
            if source == 0:
                better[:] = True
            here[better] = table[better]
            here["source"][better] = source
            rank[: len(table)][better] = worth[better]
        if len(tables) > 1:
            self._patch(merged, tables)
        return merged

    def _put_copies_back(self) -> None:
        """Put pages that lie elsewhere in their places, unless better ones are there.

        Such are the copies in the doublewrite buffer, and pages of files that were put together wrongly.
        """
        copied = (self.table["verdict"] == pages.VALID) & (self.table["number"] != np.arange(len(self.table)))
        if self.space != SYSTEM:  # which has them of other tablespaces too
            copied &= (self.table["space"] == self.space) & (self.table["number"] < len(self.table))
        if not copied.any():
            return
        copies = np.sort(self.table[copied], order="lsn")
        self.table[copied] = np.zeros(1, pages.TABLE)
        self.table["verdict"][copied] = pages.BLANK
        for copy in copies[(copies["space"] == self.space) & (copies["number"] < len(self.table))]:
            number = int(copy["number"])
            if not self.is_valid(number) or self.table[number]["lsn"] < copy["lsn"]:
                self.table[number] = copy
                self.patched.pop(number, None)

    def _patch(self, merged: NDArray[np.void], tables: Sequence[NDArray[np.void]]) -> None:
        """Put damaged pages together from the sound sectors of several files."""
        for number in np.flatnonzero(np.isin(merged["verdict"], (pages.TORN, pages.LOST))):
            copies = [
                self.sources[source].reader.read_at(int(number) * self.size, self.size)
                for source, table in enumerate(tables)
                if number < len(table)
            ]
            page = patch(copies)
            if page is None or int.from_bytes(page[4:8], "big") != number:
                continue
            self.patched[int(number)] = page
            merged[number] = pages.scan(BytesReader(page), self.size)[0]
            merged[number]["offset"] = int(number) * self.size
            merged[number]["verdict"] = pages.VALID

    def raw(self, number: int) -> bytes:
        """Return page ``number`` as it is in its file; b"" where there is none."""
        if number in self.patched:
            return self.patched[number]
        if not 0 <= number < len(self.table):
            return b""
        row = self.table[number]
        return self.sources[row["source"]].reader.read_at(int(row["offset"]), self.size)

    def page(self, number: int) -> bytes | None:
        """Return page ``number`` as it is in memory, None where it is lost."""
        if self._kept[0] == number:
            return self._kept[1]
        page = self.open(self.raw(number))
        if page is not None:
            self._kept = (number, page)
        return page

    def open(self, raw: bytes) -> bytes | None:
        """Return the page in memory that ``raw`` is in the file."""
        if len(raw) < self.size:
            return None
        if is_packed(raw[24] << 8 | raw[25]):
            return unpack(raw, self.logical)
        return unzip(raw, self.logical) if self.zipped else raw

    def is_valid(self, number: int) -> bool:
        """Return whether page ``number`` is there and holds."""
        return 0 <= number < len(self.table) and self.table[number]["verdict"] == pages.VALID

    def groups(
        self, numbers: NDArray[np.int64], batch: int = BATCH
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield ``batch`` of the pages ``numbers`` at a time, with their bytes in memory."""
        for first in range(0, len(numbers), batch):
            some = numbers[first : first + batch]
            kept, parts = [], []
            for number, raw in self._runs(some):
                page = self.open(raw)
                if page is not None:
                    kept.append(number)
                    parts.append(page)
            if parts:
                yield np.array(kept, np.int64), np.frombuffer(b"".join(parts), np.uint8)

    def is_encrypted(self) -> bool:
        """Return whether pages with rows are encrypted, by their types or by the versions of their keys."""
        numbered = np.isin(self.table["verdict"], (pages.VALID, pages.TORN))
        if (numbered & np.isin(self.table["kind"], ENCRYPTED)).any():
            return True
        sealed = (self.table["verdict"] == pages.VALID) & (self.table["kind"] == pages.INDEX)
        sample = np.flatnonzero(sealed & (self.table["rule"] == 0))[:SAMPLE]
        return any(any(self.raw(int(number))[:4]) for number in sample)

    def _runs(self, numbers: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """Yield pages, read together where they lie together."""
        rows = self.table[numbers]
        at = 0
        while at < len(numbers):
            end = at + 1
            while (
                end < len(numbers)
                and numbers[end] == numbers[end - 1] + 1
                and rows[end]["source"] == rows[at]["source"]
                and rows[end]["offset"] == rows[end - 1]["offset"] + self.size
            ):
                end += 1
            reader = self.sources[rows[at]["source"]].reader
            data = reader.read_at(int(rows[at]["offset"]), (end - at) * self.size)
            for place in range(end - at):
                number = int(numbers[at + place])
                page = self.patched.get(number) or data[place * self.size : (place + 1) * self.size]
                yield number, page
            at = end


def majority(values: NDArray[np.generic]) -> int:
    """Return the most frequent of ``values``, 0 of none."""
    if not len(values):
        return 0
    unique, counts = np.unique(values, return_counts=True)
    return int(unique[counts.argmax()])


def patch(copies: Sequence[bytes]) -> bytes | None:
    """Return the page whose sectors come from one copy or another so that its checksum holds, else None."""
    for one, other in itertools.combinations([copy for copy in copies if copy], 2):
        if len(one) != len(other):
            continue
        runs = _different(one, other)
        if not 0 < len(runs) <= MOST_RUNS:
            continue
        for choice in range(1, (1 << len(runs)) - 1):
            page = bytearray(one)
            for place, (start, end) in enumerate(runs):
                if choice >> place & 1:
                    page[start:end] = other[start:end]
            if rule_of(bytes(page)) >= 0:
                return bytes(page)
    return None


def _different(one: bytes, other: bytes) -> list[tuple[int, int]]:
    """Return the runs of sectors that differ, split in two where one run covers different damage."""
    left = np.frombuffer(one, np.uint8).reshape(-1, SECTOR)
    right = np.frombuffer(other, np.uint8).reshape(-1, SECTOR)
    differ = np.flatnonzero((left != right).any(axis=1))
    runs: list[tuple[int, int]] = []
    for sector in differ.tolist():
        start = sector * SECTOR
        if runs and runs[-1][1] == start and start % 4096:
            runs[-1] = (runs[-1][0], start + SECTOR)
        else:
            runs.append((start, start + SECTOR))
    return runs
