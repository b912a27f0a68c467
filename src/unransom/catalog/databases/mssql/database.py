"""A SQL Server database from some sources: its tables and their rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints
from unransom.catalog.databases.mssql.assign import assign
from unransom.catalog.databases.mssql.catalogue import (
    SYSTEM_OBJECTS,
    Catalogue,
    catalogue_of,
    stored_rows,
    units_of,
)
from unransom.catalog.databases.mssql.pages import Kind
from unransom.catalog.databases.mssql.rows import decoded_rows
from unransom.catalog.databases.mssql.store import PageStore
from unransom.catalog.databases.table import PROVENANCE, Loss, Rows, Table
from unransom.core.messages import say

FIRST_USER_INDEX = 256  # index numbers of the server's own tables are lower


class MssqlDatabase:
    """An opened database.

    Attributes:
        name: Of the first source.
        tables: Those with a description; also ones without rows.
        problems: What could not be told.
    """

    def __init__(self, name: str, store: PageStore, hints: Hints) -> None:
        self.name = name
        self._store = store
        self._data = _used(store)
        catalogue = catalogue_of(stored_rows(store))
        self._units = units_of(self._data)
        self._number_old(catalogue)
        assigned = assign(store, self._data, self._units, catalogue, hints)
        self.problems = assigned.problems
        self._known = {known.table.name: known for known in assigned.tables}
        self.tables = tuple(known.table for known in assigned.tables)

    def _number_old(self, catalogue: Catalogue) -> None:
        """Number the units of SQL Server 2000 as the catalogue does: its pages have index 0 instead of 1."""
        known = {unit for entry in catalogue.tables for part in entry.partitions for unit in part.units}
        same = np.isin(self._units, np.fromiter(known, np.int64, len(known)))
        old = (self._data["index"] == 0) & (self._data["object"] >= SYSTEM_OBJECTS) & ~same
        self._units[old] |= 1 << 48

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``."""
        for part in self._known[table.name].partitions:
            entries = self._data[np.isin(self._units, list(part.units))]
            for decoded in decoded_rows(self._store, entries, part):
                yield Rows(table, _conform(decoded.batch(part.layout), table))

    def loss(self, table: Table, recovered: int) -> Loss:
        """Return what is missing from ``table``."""
        if table.expected is not None:
            return Loss(table.name, recovered, table.expected, say("the database's own count of rows"))
        return Loss(table.name, recovered, None, say("the database's own count of rows is lost"))


def _used(store: PageStore) -> NDArray[np.void]:
    """Return the data pages that are in use and not the server's own."""
    data = store.select([Kind.DATA])
    data = data[(data["object"] >= SYSTEM_OBJECTS) | (data["index"] >= FIRST_USER_INDEX)]
    return data[store.allocated(data)]


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
