"""A data file as whole as its sources make it: what a server may attach, and no server was asked.

Sound pages keep their bytes. Damaged pages of tables get a new header and the rows that are still sure; pages
that are lost within a table's chain become empty ones, so that the chain holds. The books of the file, its
header and its boot page are made anew where no source has them. Damaged pages of indexes and of values off
their rows stay as they are: their checksums say so to the server.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Database, Repair
from unransom.catalog.databases.mssql import page_maker
from unransom.catalog.databases.mssql.books import Books, kept_at
from unransom.catalog.databases.mssql.database import InDamaged, MssqlDatabase
from unransom.catalog.databases.mssql.pages import EXTENT, Kind, Soundness, headers_of
from unransom.catalog.databases.mssql.salvage import VERSIONED
from unransom.catalog.formats.mssql import PAGE, restore
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

BATCH = 128  # pages that are read at once
VERSION_TAG = 14  # bytes behind a record that is versioned
MAIN = 1  # number of the file that the others hang on
ALLOCATION_UNITS = 7  # object number of the table that the boot page points to
VERSIONS = {2: 611, 4: 655, 5: 706}  # of a database, by the version of its log's parts
OLDEST = 655  # taken where nothing tells; the server brings older ones up to its own


def repairs(database: Database) -> Iterator[Repair | Message]:
    """Yield each file of ``database`` as it can be repaired, or why one cannot."""
    assert isinstance(database, MssqlDatabase)  # noqa: S101  this engine opened it
    store = database.store
    for file in np.unique(store.entries["file"]).tolist():
        entries = store.entries[store.entries["file"] == file]
        usable = (entries["soundness"] >= Soundness.TORN).sum()
        if not usable:
            yield say("file {number}: no page of it is left", number=file)
            continue
        yield _File(database, file, entries).repair()


class _File:
    """One file of a database that is being repaired."""

    def __init__(self, database: MssqlDatabase, file: int, entries: NDArray[np.void]) -> None:
        self._database, self._store, self._file = database, database.store, file
        self._entries = entries
        self._pages = -(-(int(entries["page"].max()) + 1) // EXTENT) * EXTENT
        sound = entries["soundness"] >= Soundness.UNCHECKED
        self._sound, self._bad = entries[sound], entries[~sound]
        self._following: dict[int, NDArray[np.void]] = {}  # headers by the page that they name as the next
        self._leading: dict[int, NDArray[np.void]] = {}  # and as the previous one

    def repair(self) -> Repair:
        """Return the file."""
        return Repair(
            name=self._database.name if self._file == MAIN else f"{self._database.name}.{self._file}",
            size=self._pages * PAGE,
            page=PAGE,
            pages=self._all(),
            kept=len(self._sound),
            damaged=int((self._bad["soundness"] != Soundness.BLANK).sum()),
            main=self._file == MAIN,
        )

    def _all(self) -> Iterator[tuple[int, bytes]]:
        """Yield the pages; a page that comes twice is better the second time."""
        wanted = np.unique(self._bad["page"])
        for start in range(0, len(self._sound), BATCH):
            part = self._sound[start : start + BATCH]
            pages = self._store.raw(part)
            self._note_links(headers_of(pages), wanted)
            yield from zip(part["page"].tolist(), (page.tobytes() for page in pages), strict=True)
        yield from self._torn()
        yield from self._empty()
        for table in self._database.tables:
            for found in self._database.in_damaged(table, self._file):
                yield from self._rebuilt(found)
        yield from self._system()

    def _note_links(self, headers: NDArray[np.void], wanted: NDArray[np.int64]) -> None:
        """Remember which sound pages name damaged ones as their neighbours."""
        for side, home in (("next", self._following), ("previous", self._leading)):
            for row in np.flatnonzero(
                np.isin(headers[side], wanted) & (headers[f"{side}_file"] == self._file)
            ):
                home[int(headers[side][row])] = headers[row : row + 1].copy()

    def _torn(self) -> Iterator[tuple[int, bytes]]:
        """Yield the damaged pages that have a header as they are."""
        torn = self._bad[self._bad["soundness"] == Soundness.TORN]
        for start in range(0, len(torn), BATCH):
            part = torn[start : start + BATCH]
            pages = (page.tobytes() for page in self._store.raw(part))
            yield from zip(part["page"].tolist(), pages, strict=True)

    def _empty(self) -> Iterator[tuple[int, bytes]]:
        """Yield an empty page for each that is lost between two others of a chain."""
        for number in self._bad["page"][self._bad["soundness"] <= Soundness.BLANK].tolist():
            if number in self._following and number in self._leading:
                header = self._linked(number)
                if header is not None:
                    yield number, page_maker.page(header, [])

    def _linked(self, number: int) -> NDArray[np.void] | None:
        """Return the header of a lost page as its neighbours have it, None where they do not tell."""
        before, after = self._following.get(number), self._leading.get(number)
        like = before if before is not None else after
        if like is None:
            return None
        header = like.copy()
        header["page"], header["slots"] = number, 0
        for side, neighbour in (("previous", before), ("next", after)):
            header[side] = 0 if neighbour is None else neighbour["page"]
            header[f"{side}_file"] = 0 if neighbour is None else neighbour["file"]
        return header

    def _rebuilt(self, found: InDamaged) -> Iterator[tuple[int, bytes]]:
        """Yield damaged pages of a table with the rows that are still sure."""
        begin, data = found.decoded.records.starts, found.decoded.records.data
        ends = found.decoded.ends + np.where(data[begin] & VERSIONED > 0, VERSION_TAG, 0)
        for row in np.unique(begin // PAGE).tolist():
            mine = np.flatnonzero(begin // PAGE == row)
            order = self._order(found.pages[row], begin[mine] - row * PAGE)
            records = [data[begin[at] : ends[at]].tobytes() for at in mine[order]]
            entry = found.entries[row]
            header = self._header(entry, found)
            yield int(entry["page"]), page_maker.page(header, records)

    @staticmethod
    def _order(page: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the order of records by the page's slots; those that no slot names come last."""
        slots = page.view("<u2")[::-1][: len(places) * 4 + 64].astype(np.int64)
        ranks = {place: rank for rank, place in reversed(list(enumerate(slots.tolist())))}
        return np.argsort([ranks.get(place, len(slots) + place) for place in places.tolist()], kind="stable")

    def _header(self, entry: np.void, found: InDamaged) -> NDArray[np.void]:
        """Return the header of a damaged page of a table: its own, or what others say of it."""
        number = int(entry["page"])
        if entry["soundness"] == Soundness.TORN:
            page = self._store.raw(entry.reshape(1))
            restore(page)
            return headers_of(page)
        header = self._linked(number)
        if header is None:
            unit = found.unit
            owner = (unit >> 16 & 0xFFFFFFFF, unit >> 48 & 0xFFFF)
            header = page_maker.new_header(number, Kind.DATA, owner, self._file)
        header["fixed"], header["type"], header["level"] = found.fixed, Kind.DATA, 0
        return header

    def _system(self) -> Iterator[tuple[int, bytes]]:
        """Yield the pages with fixed places that no source has."""
        there = set(self._sound["page"].tolist())
        books = Books(self._entries, self._pages)
        for number, kind in kept_at(self._pages):
            if number not in there:
                yield number, books.page(number, kind)
        name = self._database.name.rpartition(".")[0] or self._database.name
        if 0 not in there:
            yield 0, page_maker.file_header(self._file, self._pages, name, self._binding())
        if 9 not in there and self._file == MAIN:
            yield 9, page_maker.boot(self._version(), name, self._first_units())

    def _binding(self) -> bytes:
        """Return what the files of the database have in common, as its log says; zeros where it is lost."""
        for log in self._database.logs:
            value = _binding_of(log)
            if value:
                return value
        return bytes(16)

    def _version(self) -> int:
        for log in self._database.logs:
            part = log.read_at(PAGE, 4)
            if part[:1] == b"\xab" and part[2] in VERSIONS:
                return VERSIONS[part[2]]
        return OLDEST

    def _first_units(self) -> tuple[int, int]:
        """Return page and file of the first page of the table of allocation units, zeros where it is lost."""
        own = self._sound[(self._sound["object"] == ALLOCATION_UNITS) & (self._sound["type"] == Kind.DATA)]
        headers = headers_of(self._store.raw(own)) if len(own) else own
        for header in headers:
            if header["level"] == 0 and header["previous"] == 0:
                return int(header["page"]), int(header["file"])
        return 0, 0


def _binding_of(log: Reader) -> bytes:
    """Return the first variable column of the record in a log's file header, b"" where there is none."""
    data = np.frombuffer(log.read_at(0, PAGE), np.uint8)
    if len(data) < PAGE:
        return b""
    pages = data.reshape(1, PAGE).copy()
    restore(pages)
    page = pages[0].tobytes()
    record = int.from_bytes(page[-2:], "little")
    fixed = record + int.from_bytes(page[record + 2 : record + 4], "little")
    columns = int.from_bytes(page[fixed : fixed + 2], "little")
    count_at = fixed + 2 + (columns + 7) // 8
    values = count_at + 2 + 2 * int.from_bytes(page[count_at : count_at + 2], "little")
    end = record + int.from_bytes(page[count_at + 2 : count_at + 4], "little")
    return page[values:end] if end - values == 16 else b""
