"""A SQL Server database from some sources: its tables and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints
from unransom.catalog.databases.mssql.assign import Known, assign
from unransom.catalog.databases.mssql.catalogue import Catalogue, Partition, catalogue_of, units_of
from unransom.catalog.databases.mssql.contradiction import contradicted
from unransom.catalog.databases.mssql.decode import Decoded, decode, records_of
from unransom.catalog.databases.mssql.extents import NOBODY, units_by_extent
from unransom.catalog.databases.mssql.lob import LobReader
from unransom.catalog.databases.mssql.ownership import Group, group_of, group_of_records
from unransom.catalog.databases.mssql.pages import Kind, Soundness
from unransom.catalog.databases.mssql.replay import Image, history_of, records_of_images
from unransom.catalog.databases.mssql.rows import decoded_rows
from unransom.catalog.databases.mssql.salvage import BY_CHAIN, BY_SLOT, Habits, salvaged, shapes_of
from unransom.catalog.databases.mssql.store import PageStore, keys_of
from unransom.catalog.databases.mssql.system_tables import SYSTEM_OBJECTS, stored_rows
from unransom.catalog.databases.mssql.torn_catalogue import with_torn_rows
from unransom.catalog.databases.mssql.weaker import WeakerRows, newest
from unransom.catalog.databases.table import PROVENANCE, Loss, Rows, Table
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

IN_OLD_COPY = 0.7  # confidence in a row that only an older copy has
CONTRADICTED = 0.6  # confidence in a row of a page that newer ones speak against
CALLED_FREE = 0.7  # confidence in a row of a page that is called free, where as many rows are missing
IN_LOG = 0.9  # confidence in a row that only the log has
UNPROVEN = 0.85  # confidence in a row of a page without checksum, where such pages may be damaged
TOGETHER = 1 << 16  # pages that are picked out together
SAMPLE = 32  # data pages that are looked at to tell whether they are encrypted
MOST_IMAGES = 2000  # logged rows that are looked at to tell their table
FIRST_USER_INDEX = 256  # index numbers of the server's own tables are lower


class InDamaged(NamedTuple):
    """Rows that damaged pages still have.

    Attributes:
        entries, pages: Some damaged pages, one a row.
        decoded: The rows in them.
        by_slot: Which rows a slot names.
        unit: The allocation unit of the part of the table that they are of.
        fixed: Bytes of the fixed part of its records.
    """

    entries: NDArray[np.void]
    pages: NDArray[np.uint8]
    decoded: Decoded
    by_slot: NDArray[np.bool_]
    unit: int
    fixed: int


class MssqlDatabase:
    """An opened database.

    Attributes:
        name: Of the first source.
        tables: Those with a description; also ones without rows.
        problems: What could not be told.
        store: Its pages.
        logs: Files of its log.
    """

    def __init__(self, name: str, store: PageStore, hints: Hints, logs: Sequence[Reader] = ()) -> None:
        self.name = name
        self.store = self._store = store
        self.logs = tuple(logs)
        data = _rows_of_users(store)
        used = store.allocated(data)
        self._data = data if used.all() else data[used]
        self._free = data[~used]
        self._history = history_of(logs)
        stored = stored_rows(store, self._history)
        catalogue = catalogue_of(stored)
        more = stored if catalogue.tables else with_torn_rows(store, stored)
        self._torn_catalogue = more != stored
        catalogue = catalogue_of(more) if self._torn_catalogue else catalogue
        self._damaged = _damaged(store)
        self._units = _numbered(self._data, catalogue)
        self._contradicted = contradicted(store, self._data)
        self._free = self._free[~contradicted(store, self._free)]
        self._free_units = _numbered(self._free, catalogue)
        self._damaged_units = self._owners_of_damaged(catalogue)
        assigned = assign(catalogue, hints, list(self._page_groups(catalogue)), list(self._log_groups()))
        self.problems = (*assigned.problems, *self._warnings())
        self._known = {known.table.name: known for known in assigned.tables}
        self.tables = tuple(known.table for known in assigned.tables)
        shapes = shapes_of(
            {name: [part.layout for part in known.partitions] for name, known in self._known.items()}
        )
        self._shapes = {} if self._torn_catalogue else shapes  # of tables that may lack columns

    def _warnings(self) -> Iterator[Message]:
        if self._history.full:
            yield say("the log tells of more rows than memory holds; its newest rows are left out")
        sample = self._data[:: max(len(self._data) // SAMPLE, 1)]
        stated = int(sample["slots"].sum())
        found = sum(len(r.starts) for r in records_of(self._store.read(sample), sample))
        if found * 10 < stated:
            yield say("pages hold no rows behind sound headers: the database is probably encrypted (TDE)")

    def _owners_of_damaged(self, catalogue: Catalogue) -> NDArray[np.int64]:
        """Return the unit of each damaged page: by its header, where others know it, else by its extent."""
        said = _numbered(self._damaged, catalogue)
        torn = self._damaged["soundness"] == Soundness.TORN
        others, counts = np.unique(said[torn], return_counts=True)
        known = np.concatenate((_known_units(catalogue), self._units, others[counts > 1]))
        return np.where(torn & np.isin(said, known), said, self._by_extent())

    def _by_extent(self) -> NDArray[np.int64]:
        """Return the unit of each damaged page as the sound pages of its extent have it."""
        entries = self._store.entries
        units, keys = units_of(entries), keys_of(entries)
        units[np.searchsorted(keys, keys_of(self._data))] = self._units
        sound = entries["soundness"] >= Soundness.UNCHECKED
        return units_by_extent(keys_of(self._damaged), keys[sound], units[sound])

    def _page_groups(self, catalogue: Catalogue) -> Iterator[Group]:
        for unit in np.unique(self._units).tolist():
            if unit not in catalogue.foreign:
                group = group_of(self._store, self._data, np.flatnonzero(self._units == unit), unit)
                if group is not None:
                    yield group

    def _log_groups(self) -> Iterator[Group]:
        for rowset, images in self._history.images.items():
            if rowset >> 16 >= SYSTEM_OBJECTS:
                group = group_of_records(records_of_images(images[-MOST_IMAGES:]), rowset)
                if group is not None:
                    yield group

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``: of sound pages, then of weaker sources alone, then deleted ones."""
        known = self._known[table.name]
        names = [column.name for column in table.columns]
        weaker = WeakerRows(table.key, names, lambda: self._weaker(known))
        behind: list[NDArray[np.int64]] = []  # numbers of the pages with deleted rows
        for part in known.partitions:
            habits = Habits()
            for decoded, confidence in self._sound(part):
                if decoded.records.starts.size and habits.hungry:
                    habits.learn(decoded.columns)
                batch = _conform(decoded.batch(part.layout, confidence=confidence), table)
                weaker.pass_by(batch)
                behind.append(np.unique(decoded.records.pages[decoded.records.deleted]))
                yield Rows.of(table, _deleted(batch, False))
            for batch in self._salvaged(known, part, habits):
                weaker.pass_by(batch)
                yield Rows.of(table, batch)
        last: list[pyarrow.RecordBatch] = []
        for batch in weaker.rest():
            last.append(_deleted(batch, True))
            yield Rows.of(table, _deleted(batch, False))
        numbers = np.unique(np.concatenate(behind)) if behind else None
        for part in known.partitions if numbers is not None and len(numbers) else ():
            for decoded, confidence in self._sound(part, numbers):
                batch = _conform(decoded.batch(part.layout, confidence=confidence), table)
                yield Rows.of(table, _deleted(batch, True))
        yield from (Rows.of(table, batch) for batch in last if batch.num_rows)

    def _sound(
        self, part: Partition, numbers: NDArray[np.int64] | None = None
    ) -> Iterator[tuple[Decoded, float]]:
        """Yield the rows of a part's sound pages, or of those of some ``numbers``, and how sure they are."""
        for doubted, confidence in ((False, 1.0), (True, UNPROVEN)):
            for entries in self._of(part):
                mine = self._store.doubted(entries) == doubted
                if numbers is not None:
                    mine &= np.isin(entries["page"], numbers)
                for decoded in decoded_rows(self._store, entries[mine], part):
                    yield decoded, self._at_most(confidence)

    def _at_most(self, confidence: float) -> float:
        """Return the confidence in rows that lie as the catalogue says, which damaged pages may tell."""
        return min(confidence, UNPROVEN) if self._torn_catalogue else confidence

    def parts(self, table: Table) -> tuple[Partition, ...]:
        """Return the parts of ``table``, each with how its rows lie."""
        return self._known[table.name].partitions

    def _of(
        self, part: Partition, old: bool = False, contradicted: bool = False
    ) -> Iterator[NDArray[np.void]]:
        """Yield the pages of a part, some at a time: those of the newest sources, or those of older ones."""
        older = np.array(self._store.older, bool)
        for start in range(0, len(self._data), TOGETHER):
            some = slice(start, start + TOGETHER)
            entries = self._data[some]
            mine = _are_of(part, self._units[some]) & (self._contradicted[some] == contradicted)
            yield entries[mine & (older[entries["source"]] == old)]

    def _decoded(self, part: Partition, old: bool = False, contradicted: bool = False) -> Iterator[Decoded]:
        for entries in self._of(part, old, contradicted):
            yield from decoded_rows(self._store, entries, part)

    def _weaker(self, known: Known) -> Iterator[pyarrow.RecordBatch]:
        """Yield rows that count where nothing better has their keys, the surer ones first."""
        yield from self._logged(known)
        for state, confidence, old, doubted in (
            ("old copy", IN_OLD_COPY, True, False),
            ("live", CONTRADICTED, False, True),
            ("old copy", CONTRADICTED, True, True),
        ):
            for part in known.partitions:
                for decoded in self._decoded(part, old, doubted):
                    yield _conform(decoded.batch(part.layout, state, confidence), known.table)
        yield from self._called_free(known)

    def _called_free(self, known: Known) -> Iterator[pyarrow.RecordBatch]:
        """Yield rows of pages that are called free, while the database counts more rows than there are.

        They are as sure as there are rows missing for them.
        """
        free = [self._free[_are_of(part, self._free_units)] for part in known.partitions]
        room = sum(int(entries["slots"].sum()) for entries in free)
        used = sum(int(self._data["slots"][_are_of(part, self._units)].sum()) for part in known.partitions)
        missing = (known.table.expected or 0) - used
        for part, entries in zip(known.partitions, free if missing > 0 else (), strict=False):
            for decoded in decoded_rows(self._store, entries, part):
                batch = decoded.batch(part.layout, "freed", CALLED_FREE * min(missing / room, 1.0))
                yield _conform(batch, known.table)

    def _salvaged(self, known: Known, part: Partition, habits: Habits) -> Iterator[pyarrow.RecordBatch]:
        """Yield rows of damaged pages: those with the part's number, and those that lost their header."""
        for found in self._found_in_damaged(known, part, habits):
            for named, confidence in ((True, BY_SLOT), (False, BY_CHAIN)):
                batch = found.decoded.batch(part.layout, "salvaged", confidence)
                yield _conform(batch.filter(pyarrow.array(found.by_slot == named)), known.table)

    def in_damaged(self, table: Table, file: int) -> Iterator[InDamaged]:
        """Yield what the damaged pages of ``table`` in one file still hold."""
        known = self._known[table.name]
        for part in known.partitions:
            habits = Habits()
            for decoded in self._decoded(part):
                habits.learn(decoded.columns)
                if not habits.hungry:
                    break
            for found in self._found_in_damaged(known, part, habits):
                if (found.entries["file"] == file).all():
                    yield found

    def _found_in_damaged(self, known: Known, part: Partition, habits: Habits) -> Iterator[InDamaged]:
        """Yield damaged pages of a part with what their rows are and which of them slots name."""
        owners = [*part.units]
        if self._shapes.get((part.layout.fixed, part.layout.columns)) == known.table.name:
            owners.append(NOBODY)
        damaged = self._damaged[np.isin(self._damaged_units, owners)]
        lobs = LobReader(self._store.page)
        for entries, pages in self._store.batches(damaged):
            owned = entries["soundness"] == Soundness.TORN
            given = (pages, entries["page"], part.layout, habits, lobs, owned, self._store.has_torn_bits)
            for decoded, by_slot in salvaged(*given):
                unit = min(part.units, default=0)
                yield InDamaged(entries, pages, decoded, by_slot, unit, part.layout.fixed)

    def _logged(self, known: Known) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows that the log has last, but for those on pages that are at least as new."""
        lobs = LobReader(self._store.page)
        for part in known.logged:
            images = self._history.images[part.rowset]
            batches = [
                _conform(decoded.batch(part.layout, "log", self._at_most(IN_LOG)), known.table)
                for records in records_of_images(images)
                for decoded in decode(part.layout, records, lobs)
            ]
            for batch in batches:
                last = newest(batch, known.table.key)
                lost = [self._lost(images[place]) for place in last.column("_slot").to_pylist()]
                yield last.filter(pyarrow.array(lost, pyarrow.bool_()))

    def _lost(self, image: Image) -> bool:
        """Tell whether the page that a logged row was on is lost, or older than the log."""
        entry = self._store.find(image.file, image.page)
        if entry is None or entry["soundness"] < Soundness.UNCHECKED:
            return True
        return (int(entry["lsn_file"]), int(entry["lsn_block"]), int(entry["lsn_slot"])) < image.lsn

    def loss(self, table: Table, recovered: int) -> Loss:
        """Return what is missing from ``table``."""
        if table.expected is not None:
            return Loss(table.name, recovered, table.expected, say("the database's own count of rows"))
        return Loss(table.name, recovered, None, say("the database's own count of rows is lost"))


def _known_units(catalogue: Catalogue) -> NDArray[np.int64]:
    """Return the allocation units that a catalogue tells of."""
    tables = {unit for entry in catalogue.tables for part in entry.partitions for unit in part.units}
    return np.array([*tables, *catalogue.foreign], np.int64)


def _are_of(part: Partition, units: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pages, by their units, are of a part of a table."""
    return np.isin(units, np.fromiter(part.units, np.int64, len(part.units)))


def _numbered(entries: NDArray[np.void], catalogue: Catalogue) -> NDArray[np.int64]:
    """Return the unit of each page as the catalogue calls it: pages of SQL Server 2000 say index 0 for 1."""
    units = units_of(entries)
    old = (entries["index"] == 0) & (entries["object"] >= SYSTEM_OBJECTS)
    units[old & ~np.isin(units, _known_units(catalogue))] |= 1 << 48
    return units


def _rows_of_users(store: PageStore) -> NDArray[np.void]:
    """Return the data pages that are not the server's own."""
    entries = store.entries
    mine = (entries["type"] == Kind.DATA) & (entries["soundness"] >= Soundness.UNCHECKED)
    mine &= (entries["object"] >= SYSTEM_OBJECTS) | (entries["index"] >= FIRST_USER_INDEX)
    return entries[mine]


def _damaged(store: PageStore) -> NDArray[np.void]:
    """Return the pages that may hold rows behind a checksum that fails or a header that is lost."""
    entries = store.entries
    torn = (entries["soundness"] == Soundness.TORN) & (entries["type"] == Kind.DATA)
    entries = entries[torn | (entries["soundness"] == Soundness.LOST)]
    return entries[store.allocated(entries)]


def _deleted(batch: pyarrow.RecordBatch, deleted: bool) -> pyarrow.RecordBatch:
    """Return the deleted rows of ``batch``, or the others."""
    gone = np.asarray(pc.equal(batch.column("_state"), "deleted"))
    return batch if not deleted and not gone.any() else batch.filter(pyarrow.array(gone == deleted))


def _conform(batch: pyarrow.RecordBatch, table: Table) -> pyarrow.RecordBatch:
    """Return ``batch`` with the columns of ``table``: parts of it may have columns that others lack."""
    names = [column.name for column in table.columns]
    if batch.schema.names == [*names, *PROVENANCE]:
        return batch
    kinds = {column.name: column.arrow for column in table.columns}
    columns = [
        batch.column(name)
        if name in batch.schema.names
        and batch.schema.field(name).type == kinds.get(name, batch.schema.field(name).type)
        else pyarrow.nulls(batch.num_rows, kinds[name])
        for name in (*names, *PROVENANCE)
    ]
    return pyarrow.RecordBatch.from_arrays(columns, names=[*names, *PROVENANCE])
