"""The tables of InnoDB tablespaces, and their rows."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Database, Graft, Hints, Source
from unransom.catalog.databases.innodb import binlog, decode, dictionary, lobs, pages
from unransom.catalog.databases.innodb.accounted import Accounted, is_current, key_hashes, key_numbers, live
from unransom.catalog.databases.innodb.before import rows_before
from unransom.catalog.databases.innodb.current import current, current_leaves
from unransom.catalog.databases.innodb.encryption import all_opened
from unransom.catalog.databases.innodb.file_names import AUXILIARY, decoded
from unransom.catalog.databases.innodb.forward import bring_forward
from unransom.catalog.databases.innodb.graft import graft
from unransom.catalog.databases.innodb.losses import estimate
from unransom.catalog.databases.innodb.origin import Found, partitions, places, shown_in, spaceless, tables_of
from unransom.catalog.databases.innodb.redo import (
    ENCRYPTED,
    MAGIC,
    OLDER,
    OLDER_ENCRYPTED,
    Log,
    is_encrypted,
    is_logical,
    is_redo,
)
from unransom.catalog.databases.innodb.redo_blocks import log_of
from unransom.catalog.databases.innodb.redo_logical import logs_of
from unransom.catalog.databases.innodb.replay import Logs, fill, remade
from unransom.catalog.databases.innodb.salvage import (
    Remembered,
    damaged_pages,
    profile,
    salvage,
)
from unransom.catalog.databases.innodb.tablespace import Scanned, Tablespace, majority, scan_source
from unransom.catalog.databases.innodb.undo import Undo
from unransom.catalog.databases.table import Loss, Rows, Table
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

Batch = tuple[decode.Located, NDArray[np.float32] | None, int]  # records, how sure each is, their state
STALE = 0.6  # confidence of rows on pages that were changed later
LET_GO = 0.3  # confidence of rows on pages that the tree has let go of: they may have been moved and changed


def recognise(reader: Reader) -> int:
    """Return bits of evidence that ``reader`` is a tablespace or a log: its header, or pages with numbers."""
    head = reader.read_at(0, 64)
    if pages.space_flags(head) is not None:
        return 80
    if binlog.is_log(head) or head[:4] in {MAGIC, OLDER, ENCRYPTED, OLDER_ENCRYPTED}:
        return 40
    return 64 if pages.guess_size(reader) else 0


def open_databases(sources: Sequence[Source], hints: Hints) -> list[InnodbDatabase]:
    """Return the databases in ``sources``: one, with a table for each table that was found."""
    groups: list[list[Scanned]] = []
    others: list[Source] = []
    logs: list[Source] = []
    redo: list[Source] = []
    # Full-text indexes the server makes anew out of the tables themselves.
    tables = [source for source in sources if not AUXILIARY.match(source.name)]
    for source in all_opened(tables, hints.keys):
        if binlog.is_log(source.reader.read_at(0, 4)):
            logs.append(source)
            continue
        if is_redo(source) or is_encrypted(source.reader) or is_logical(source):
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
        self._found: dict[str, list[Found]] = {}  # by name of the table, with its partitions
        self._read: dict[int, int] = {}  # rows of each of them that were read
        self._accounted: dict[int, Accounted] = {}  # keys of the sound pages, once rows were read
        self._logs = Logs(logs)
        readable = [source for source in redo if not is_encrypted(source.reader)]
        self._redo_sources = [source for source in readable if is_redo(source)]
        self._logical = logs_of([source for source in readable if is_logical(source)])
        self.problems += bring_forward(spaces, self._logical)
        every: list[Found] = []
        self._known = [
            each for space in spaces for each in (*dictionary.registered(space), *partitions(space))
        ]
        self._spaces = spaces
        for space in spaces:
            others_names = {name for other in spaces if other.space != space.space for name in places(other)}
            found, problems = tables_of(space, hints, others, self._known, others_names)
            self.problems += tuple(problems)
            every += found
        homes: defaultdict[str, set[str]] = defaultdict(set)  # folders by the names of tables in them
        for each in every:
            homes[each.table.name].add(_folder(each))
        for each in every:
            self._keep(each, homes[each.table.name])
        for each in spaceless(self._logs.maps, logs, hints, others, self._short_names()):
            self._found[each.table.name] = [each]
        if self._logs.encrypted:
            self.problems += (say("a binary log is encrypted; its rows are not read"),)
        if len(readable) < len(redo) or any(log.is_encrypted for log in self._logical):
            self.problems += (say("a redo log is encrypted; it is not read"),)
        self.tables = tuple(_named(each, name) for name, each in self._found.items())
        schemas = {table.schema for table in self.tables}
        self.name = (schemas.pop() if len(schemas) == 1 else "") or "innodb"

    def _short_names(self) -> set[str]:
        return {each.table.short for parts in self._found.values() for each in parts}

    def _keep(self, found: Found, homes: set[str]) -> None:
        """Keep a table under a name of its own; what is a partition goes to its table."""
        name, folder = found.table.name, decoded(_folder(found))
        name = f"{folder}/{name}" if len(homes) > 1 and folder and not found.table.schema else name
        numbered = (f"{name}~{number}" for number in itertools.count(2))
        for free in itertools.chain((name,), numbered):
            if free not in self._found or _are_one_table(self._found[free], found):
                self._found.setdefault(free, []).append(found)
                return

    def found(self, table: Table) -> Found:
        """Return the tablespace, layout and pages of ``table``, of the first of its partitions."""
        return self._found[table.name][0]

    @functools.cached_property
    def _undo(self) -> Undo:
        return Undo(self._spaces)

    @functools.cached_property
    def _redo(self) -> list[Log]:
        return [*map(log_of, self._redo_sources), *self._logical]

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``: live ones, of damaged pages and logs too, history, deleted ones."""
        parts = self._found[table.name]
        versioned = any(found.definition.until for found in parts)
        for found in parts:
            self._read[id(found)] = 0
        for state in (decode.LIVE, *([decode.HISTORY] if versioned else []), decode.BEFORE, decode.DELETED):
            for found in parts:
                for batch in self._in_state(found, state):
                    self._read[id(found)] += batch.num_rows if state in {decode.LIVE, decode.HISTORY} else 0
                    if batch.num_rows:
                        yield Rows.of(table, batch)

    def _in_state(self, found: Found, state: int) -> Iterator[pyarrow.RecordBatch]:
        target = shown_in(found)
        if state == decode.BEFORE:
            return self._before(found, target)
        return (
            self._deleted(found, target) if state == decode.DELETED else self._batches(found, target, state)
        )

    def _before(self, found: Found, target: decode.Target) -> Iterator[pyarrow.RecordBatch]:
        """Yield rows as they were before they were changed, where undo logs tell."""
        if not self._undo:
            return
        fetch = functools.partial(lobs.fetch, found.space)
        ids = {(each.space, each.definition.clustered): each.table for each in self._known}
        table = ids.get((found.space.space, found.owner), 0) if ids else None
        for located, sure in rows_before(found, self._undo, table):
            yield decode.batch(located, target, fetch, decode.BEFORE, sure)

    def _batches(self, found: Found, target: decode.Target, wanted: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows that the table has, or its history, of sound and damaged pages and of logs."""
        fetch = functools.partial(lobs.fetch, found.space)
        for located, sure, state in itertools.chain(self._live(found), self._found_elsewhere(found)):
            if not found.definition.until:
                yield decode.batch(located, target, fetch, state, sure)
                continue
            chosen = is_current(found, located) == (wanted == decode.LIVE)
            kept = sure[chosen] if sure is not None else None
            shown = state if wanted == decode.LIVE else wanted
            yield decode.batch(located.only(chosen), target, fetch, shown, kept)

    def _live(self, found: Found) -> Iterator[Batch]:
        """Yield the rows of sound pages."""
        now = current(found)
        for kept, data in found.space.groups(now.leaves):
            located = live(found, kept, data)
            sure = np.where(np.isin(kept, found.space.stale), STALE, now.sure[kept]).astype(np.float32)
            yield located, sure[located.owners], decode.LIVE

    def _deleted(self, found: Found, target: decode.Target) -> Iterator[pyarrow.RecordBatch]:
        """Yield rows that were deleted."""
        fetch = functools.partial(lobs.fetch, found.space)
        for kept, data in found.space.groups(current_leaves(found)):
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

    def _found_elsewhere(self, found: Found) -> Iterator[Batch]:
        """Yield the rows of damaged pages and then those that only logs hold, with confidence and state."""
        damaged = not found.space.zipped and len(damaged_pages(found)) > 0
        lost = (found.space.table["verdict"] != pages.VALID).any() and not found.space.zipped
        remaking = self._redo if lost else []
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
        parts = self._found[table.name]
        if len(parts) == 1:
            return estimate(parts[0], recovered, self._accounted.get(id(parts[0])))
        losses = [
            estimate(each, self._read.get(id(each), 0), self._accounted.get(id(each))) for each in parts
        ]
        known = [each.expected for each in losses if each.expected is not None]
        whole = len(known) == len(losses)
        worst = next((each for each in losses if each.expected != each.recovered), losses[0])
        return Loss(table.name, recovered, max(recovered, sum(known)) if whole else None, worst.why)


def graft_of(database: Database, table: Table) -> Graft | Message:
    """Return the tablespace of ``table`` that the server imports, or why there is none."""
    assert isinstance(database, InnodbDatabase)  # noqa: S101  the engine opened it
    found = database.found(table)
    if found.partition:
        return say("a partitioned table is not grafted; its rows are in the other outputs")
    return graft(found)


def _folder(found: Found) -> str:
    return found.space.sources[0].folder


def _are_one_table(parts: Sequence[Found], other: Found) -> bool:
    """Return whether ``other`` is one more partition of a table."""
    same = other.partition and parts[0].definition.columns == other.definition.columns
    together = _folder(parts[0]) == _folder(other)
    return bool(same and together) and other.partition not in {"", *(each.partition for each in parts)}


def _named(parts: Sequence[Found], name: str) -> Table:
    """Return the table of ``parts`` under the name that is free for it."""
    schema, slash, _ = name.partition("/")
    files = tuple({source.name: None for found in parts for source in found.space.sources})
    return msgspec.structs.replace(parts[0].table, name=name, schema=schema if slash else "", files=files)


def deleted(found: Found, numbers: NDArray[np.int64], data: NDArray[np.uint8]) -> Iterator[decode.Located]:
    """Yield the records that are marked as deleted, and those that the pages have given up."""
    origins, owners, _ = decode.listed(data, found.space.logical)
    located = decode.locate(data, numbers, origins, owners, found.plan)
    yield located.only((located.begins >= 0) & ((located.info() & 0x30) == 0x20))
    origins, owners, _ = decode.listed(data, found.space.logical, deleted=True)
    freed = decode.locate(data, numbers, origins, owners, found.plan)
    yield freed.only(freed.begins >= 0)
