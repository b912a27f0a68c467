"""The tables of InnoDB tablespaces, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import decode, lobs, pages
from unransom.catalog.databases.innodb.liveness import live_leaves
from unransom.catalog.databases.innodb.origin import Found, tables_of
from unransom.catalog.databases.innodb.tablespace import Scanned, Tablespace, majority, scan_source
from unransom.catalog.databases.table import Loss, Rows, Table
from unransom.core.messages import Message, say
from unransom.core.streams import Reader


def recognise(reader: Reader) -> int:
    """Return bits of evidence that ``reader`` is a tablespace: its header, or pages with own numbers."""
    if pages.space_flags(reader.read_at(0, 64)) is not None:
        return 80
    return 64 if pages.guess_size(reader) else 0


def open_databases(sources: Sequence[Source], hints: Hints) -> list[InnodbDatabase]:
    """Return the databases in ``sources``: one, with a table for each table that was found."""
    groups: list[list[Scanned]] = []
    others: list[Source] = []
    for source in sources:
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
    if not groups:
        return []
    return [InnodbDatabase([Tablespace(group) for group in groups], hints, others)]


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

    def __init__(self, spaces: Sequence[Tablespace], hints: Hints, others: Sequence[Source] = ()) -> None:
        self.problems: tuple[Message, ...] = ()
        self._found: dict[str, Found] = {}
        for space in spaces:
            found, problems = tables_of(space, hints, others)
            self.problems += tuple(problems)
            for each in found:
                self._found[self._free_name(each.table.name)] = each
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

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``: live ones page by page, then deleted ones."""
        found = self._found[table.name]
        target = _target(found)
        for deleted in (False, True):
            for numbers, data in found.space.groups(live_leaves(found.space.table, found.owner)):
                batch = _decoded(found, target, numbers, data, deleted=deleted)
                if batch.num_rows:
                    yield Rows(table, batch)

    def loss(self, table: Table, recovered: int) -> Loss:
        """Return what is missing from ``table``, by the pages that its level above the rows counts."""
        return Loss(table.name, recovered, table.expected, say("by the rows that intact pages hold"))


def _named(table: Table, name: str) -> Table:
    return table if table.name == name else msgspec.structs.replace(table, name=name)


def _target(found: Found) -> decode.Target:
    shown = tuple(number for number, column in enumerate(found.definition.columns) if not column.hidden)
    fields = [
        pyarrow.field(found.definition.columns[number].name, found.definition.columns[number].type.arrow)
        for number in shown
    ]
    return decode.Target(found.layout, shown, pyarrow.schema(fields + decode.provenance_fields()))


def _decoded(
    found: Found, target: decode.Target, numbers: NDArray[np.int64], data: NDArray[np.uint8], *, deleted: bool
) -> pyarrow.RecordBatch:
    """Return the live or the deleted rows of some pages."""
    size = found.space.logical
    records = []
    origins, owners, _ = decode.listed(data, size)
    located = decode.locate(data, numbers, origins, owners, found.plan)
    info = located.info()
    marked = (info & 0x20) > 0
    wanted = (located.begins >= 0) & (marked == deleted) & ((info & 0x10) == 0)
    records.append(located.only(wanted))
    if deleted:
        origins, owners, _ = decode.listed(data, size, deleted=True)
        freed = decode.locate(data, numbers, origins, owners, found.plan)
        records.append(freed.only(freed.begins >= 0))
    state = decode.DELETED if deleted else decode.LIVE

    def fetch(reference: bytes) -> bytes | None:
        return lobs.fetch(found.space, reference)

    parts = [decode.batch(each, target, fetch, state) for each in records]
    return (
        pyarrow.Table.from_batches(parts).combine_chunks().to_batches()[0]
        if len(parts) > 1 and sum(part.num_rows for part in parts)
        else parts[0]
    )
