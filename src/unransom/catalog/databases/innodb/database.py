"""The tables of InnoDB tablespaces, and their rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Database, Graft, Hints, Source
from unransom.catalog.databases.innodb import binlog, decode, lobs, pages
from unransom.catalog.databases.innodb.accounted import Accounted, key_hashes, key_numbers, live
from unransom.catalog.databases.innodb.current import current, current_leaves
from unransom.catalog.databases.innodb.encryption import all_opened
from unransom.catalog.databases.innodb.graft import graft
from unransom.catalog.databases.innodb.losses import estimate
from unransom.catalog.databases.innodb.origin import Found, spaceless, tables_of
from unransom.catalog.databases.innodb.redo import ENCRYPTED, MAGIC, Redo, is_encrypted, is_redo
from unransom.catalog.databases.innodb.replay import Logs, fill, remade
from unransom.catalog.databases.innodb.salvage import (
    Remembered,
    damaged_pages,
    profile,
    salvage,
)
from unransom.catalog.databases.innodb.tablespace import Scanned, Tablespace, majority, scan_source
from unransom.catalog.databases.table import Loss, Rows, Table
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

LET_GO = 0.3  # confidence of rows on pages that the tree has let go of: they may have been moved and changed


def recognise(reader: Reader) -> int:
    """Return bits of evidence that ``reader`` is a tablespace or a log: its header, or pages with numbers."""
    head = reader.read_at(0, 64)
    if pages.space_flags(head) is not None:
        return 80
    if binlog.is_log(head) or head[:4] in {MAGIC, ENCRYPTED}:
        return 40
    return 64 if pages.guess_size(reader) else 0


def open_databases(sources: Sequence[Source], hints: Hints) -> list[InnodbDatabase]:
    """Return the databases in ``sources``: one, with a table for each table that was found."""
    groups: list[list[Scanned]] = []
    others: list[Source] = []
    logs: list[Source] = []
    redo: list[Source] = []
    for source in all_opened(sources, hints.keys):
        if binlog.is_log(source.reader.read_at(0, 4)):
            logs.append(source)
            continue
        if is_redo(source) or is_encrypted(source.reader):
            redo.append(source)
            continue
        scanned = scan_source(source)
        if scanned is None:
            others.append(source)
            continue
        for group in groups:
            if _same_space(group[0], scanned):
                group.append(scanned)
                break
        else:
            groups.append([scanned])
    if not groups and not logs:
        return []
    return [InnodbDatabase([Tablespace(group) for group in groups], hints, others, logs, redo)]


def _same_space(one: Scanned, other: Scanned) -> bool:
    """Return whether two files are of one tablespace: they share its id and a page, or their name."""
    if one.size != other.size:
        return False
    left, right = (each.table[each.table["verdict"] == pages.VALID] for each in (one, other))
    if majority(left["space"]) != majority(right["space"]):
        return False
    if one.source.name == other.source.name:
        return True
    keys = [set(zip(each["number"].tolist(), each["lsn"].tolist(), strict=True)) for each in (left, right)]
    return any(lsn for _, lsn in keys[0] & keys[1])


class InnodbDatabase:
    """Some tablespaces and the tables in them.

    Attributes:
        name: Of the database where the tables say it, else ``innodb``.
        tables: What was found.
        problems: What could not be read, and what would help.
    """

    def __init__(
        self,
        spaces: Sequence[Tablespace],
        hints: Hints,
        others: Sequence[Source] = (),
        logs: Sequence[Source] = (),
        redo: Sequence[Source] = (),
    ) -> None:
        """Find the tables.

        Args:
            spaces: The tablespaces.
            hints: What is known from outside.
            others: Files that may hold definitions.
            logs: Binary logs, whose rows fill in what is lost.
            redo: Redo logs, whose pages do.
        """
        self.problems: tuple[Message, ...] = ()
        self._found: dict[str, Found] = {}
        self._accounted: dict[int, Accounted] = {}  # keys of the sound pages, once rows were read
        self._logs = Logs(logs)
        self._redo_sources = [source for source in redo if not is_encrypted(source.reader)]
        for space in spaces:
            found, problems = tables_of(space, hints, others)
            self.problems += tuple(problems)
            for each in found:
                self._found[self._free_name(each.table.name)] = each
        for each in spaceless(self._logs.maps, logs, hints, others, set(self._found)):
            self._found[each.table.name] = each
        if self._logs.encrypted:
            self.problems += (say("a binary log is encrypted; its rows are not read"),)
        if len(self._redo_sources) < len(redo):
            self.problems += (say("a redo log is encrypted; it is not read"),)
        self.tables = tuple(_named(each.table, name) for name, each in self._found.items())
        schemas = {table.name.split("/")[0] for table in self.tables if "/" in table.name}
        self.name = schemas.pop() if len(schemas) == 1 else "innodb"

    def _free_name(self, name: str) -> str:
        free, number = name, 1
        while free in self._found:
            number += 1
            free = f"{name}~{number}"
        return free

    def found(self, table: Table) -> Found:
        """Return the tablespace, layout and pages of ``table``."""
        return self._found[table.name]

    @functools.cached_property
    def _redo(self) -> list[Redo]:
        return [Redo(source) for source in self._redo_sources]

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``: live ones, those of damaged pages, of logs, then deleted ones."""
        found = self._found[table.name]
        target = shown_in(found)
        numbers = current_leaves(found)
        for batch in self._batches(found, target, numbers):
            if batch.num_rows:
                yield Rows(table, batch)

    def _batches(
        self, found: Found, target: decode.Target, numbers: NDArray[np.int64]
    ) -> Iterator[pyarrow.RecordBatch]:
        def fetch(reference: bytes) -> bytes | None:
            return lobs.fetch(found.space, reference)

        for kept, data in found.space.groups(numbers):
            yield decode.batch(live(found, kept, data), target, fetch, decode.LIVE)
        for located, sure, state in self._found_elsewhere(found):
            yield decode.batch(located, target, fetch, state, sure)
        for kept, data in found.space.groups(numbers):
            for located in deleted(found, kept, data):
                yield decode.batch(located, target, fetch, decode.DELETED)
        for located in self._let_go(found):
            sure = np.full(len(located.origins), LET_GO, np.float32)
            yield decode.batch(located, target, fetch, decode.DELETED, sure)

    def _let_go(self, found: Found) -> Iterator[decode.Located]:
        """Yield the rows of sound pages that a damaged table's tree has let go of, but none that it has."""
        accounted = self._accounted.get(id(found))
        if accounted is None:
            return
        table = found.space.table
        left = current(found).outside & (table["verdict"] == pages.VALID) & (table["level"] == 0)
        for kept, data in found.space.groups(np.flatnonzero(left).astype(np.int64)):
            located = live(found, kept, data)
            covered = accounted.covers(key_numbers(found, located), key_hashes(found, located))
            yield located.only(~covered)

    def _found_elsewhere(self, found: Found) -> Iterator[tuple[decode.Located, NDArray[np.float32], int]]:
        """Yield the rows of damaged pages and then those that only logs hold, with confidence and state."""
        damaged = not found.space.zipped and len(damaged_pages(found)) > 0
        lost = (found.space.table["verdict"] != pages.VALID).any() and not found.space.zipped
        remaking = self._redo if lost and self._redo_sources else []
        if not damaged and not self._logs.maps and not remaking:
            return
        known, seen = profile(found), Remembered()
        self._accounted[id(found)] = known.accounted
        for redo in remaking:
            for located, sure in remade(found, redo, known.accounted, seen):
                yield located, sure, decode.LOG
        for located, sure in salvage(found, known, seen) if damaged else ():
            yield located, sure, decode.SALVAGED
        for located, sure in fill(found, self._logs, known.accounted, seen):
            yield located, sure, decode.LOG

    def loss(self, table: Table, recovered: int) -> Loss:
        """Return what is missing from ``table``, by its damaged pages and the keys and rows of the others."""
        found = self._found[table.name]
        return estimate(found, recovered, self._accounted.get(id(found)))


def graft_of(database: Database, table: Table) -> Graft | Message:
    """Return the tablespace of ``table`` that the server imports, or why there is none."""
    assert isinstance(database, InnodbDatabase)  # noqa: S101  the engine opened it
    return graft(database.found(table))


def _named(table: Table, name: str) -> Table:
    return table if table.name == name else msgspec.structs.replace(table, name=name)


def shown_in(found: Found) -> decode.Target:
    """Return what the records of a table are made into."""
    shown = tuple(number for number, column in enumerate(found.definition.columns) if not column.hidden)
    fields = [
        pyarrow.field(found.definition.columns[number].name, found.definition.columns[number].type.arrow)
        for number in shown
    ]
    return decode.Target(found.layout, shown, pyarrow.schema(fields + decode.provenance_fields()))


def deleted(found: Found, numbers: NDArray[np.int64], data: NDArray[np.uint8]) -> Iterator[decode.Located]:
    """Yield the records that are marked as deleted, and those that the pages have given up."""
    origins, owners, _ = decode.listed(data, found.space.logical)
    located = decode.locate(data, numbers, origins, owners, found.plan)
    yield located.only((located.begins >= 0) & ((located.info() & 0x30) == 0x20))
    origins, owners, _ = decode.listed(data, found.space.logical, deleted=True)
    freed = decode.locate(data, numbers, origins, owners, found.plan)
    yield freed.only(freed.begins >= 0)
