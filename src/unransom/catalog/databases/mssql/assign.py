"""Which table do the pages of each allocation unit belong to, and how do its rows lie?

The catalogue tells, as far as it is left; what it lacks comes from scripts. Both are held to the records
themselves: a layout counts only where the records have its shape and the values make sense.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints
from unransom.catalog.databases.mssql.catalogue import Catalogue, Partition
from unransom.catalog.databases.mssql.inference import inferred
from unransom.catalog.databases.mssql.layout import Layout
from unransom.catalog.databases.mssql.ownership import (
    ENOUGH,
    Candidate,
    Claim,
    Group,
    claims,
    group_of,
    score,
)
from unransom.catalog.databases.mssql.script import Declared, tables_of
from unransom.catalog.databases.mssql.store import PageStore
from unransom.catalog.databases.table import Table
from unransom.core.messages import Message, say


class Known(msgspec.Struct, frozen=True):
    """A table and where its rows are."""

    table: Table
    partitions: tuple[Partition, ...]


class Assigned(NamedTuple):
    """Tables with their pages, and what could not be told."""

    tables: tuple[Known, ...]
    problems: tuple[Message, ...]


class _Source(NamedTuple):
    """Where a table's description is from."""

    title: str
    key: tuple[str, ...]


def assign(
    store: PageStore,
    data: NDArray[np.void],
    units: NDArray[np.int64],
    catalogue: Catalogue,
    hints: Hints,
) -> Assigned:
    """Return the tables of data pages.

    Args:
        store: All pages.
        data: The data pages of users.
        units: The allocation unit of each.
        catalogue: What is left of it.
        hints: Scripts.
    """
    return _Assignment(catalogue, hints).run(store, data, units)


class _Assignment:
    def __init__(self, catalogue: Catalogue, hints: Hints) -> None:
        self._catalogue = catalogue
        self._owners = {
            unit: entry for entry in catalogue.tables for part in entry.partitions for unit in part.units
        }
        self._layouts = {
            unit: part.layout
            for entry in catalogue.tables
            for part in entry.partitions
            for unit in part.units
        }
        scripts = [table for text in hints.sql for table in tables_of(text)]
        self._described: dict[str, tuple[Declared, str]] = {}
        for table, title in (
            *((table, "catalogue") for table in catalogue.declared),
            *((table, "CREATE TABLE") for table in scripts),
        ):
            self._described[table.name] = (table, title)
        self._parts: dict[str, list[Partition]] = defaultdict(list)
        self._from: dict[str, tuple[str, float]] = {}
        self._problems: list[Message] = []

    def run(self, store: PageStore, data: NDArray[np.void], units: NDArray[np.int64]) -> Assigned:
        open_: list[Group] = []
        for unit in np.unique(units).tolist():
            if unit in self._catalogue.foreign:
                continue
            group = group_of(store, data[units == unit], unit)
            if group is not None and not self._by_catalogue(group):
                open_.append(group)
        free = self._candidates()
        owned = [group for group in open_ if self._same_name(group)]
        rest = [group for group in open_ if not self._same_name(group)]
        for group in owned:
            self._take(claims([group], self._same_name(group))[0])
        for claim in claims(rest, [candidate for candidate in free if candidate.name not in self._parts]):
            self._take(claim)
        return Assigned(tuple(self._tables()), tuple(self._problems))

    def _by_catalogue(self, group: Group) -> bool:
        """Take a group by its number, where the catalogue has the table's columns in full."""
        entry, layout = self._owners.get(group.unit), self._layouts.get(group.unit)
        if entry is None or layout is None or not (entry.named and layout.whole and _fitting(group, layout)):
            return False
        if score(layout, group.sample) < ENOUGH:
            return False
        self._parts[entry.name].append(Partition(frozenset((group.unit,)), layout))
        self._from[entry.name] = ("catalogue", 1.0)
        return True

    def _candidates(self) -> list[Candidate]:
        return [
            Candidate(name, tuple(table.layouts()), table.key) for name, (table, _) in self._described.items()
        ]

    def _same_name(self, group: Group) -> list[Candidate]:
        """Return the descriptions of the table that the catalogue says the group is of."""
        entry = self._owners.get(group.unit)
        if entry is None or entry.name not in self._described:
            return []
        table = self._described[entry.name][0]
        return [Candidate(entry.name, tuple(table.layouts()), table.key)]

    def _take(self, claim: Claim) -> None:
        unit = claim.group.unit
        if claim.clear:
            confidence, name, layout = claim.fits[0]
            self._from.setdefault(name, (self._described[name][1], confidence))
        else:
            entry = self._owners.get(unit)
            name = entry.name if entry else f"unit_{unit:x}"
            layout = self._layouts.get(unit, Layout(()))
            title, confidence = "catalogue", 0.7
            if not _fitting(claim.group, layout) or score(layout, claim.group.sample) < ENOUGH:
                layout, title, confidence = inferred(claim.group.shape, claim.group.sample), "inferred", 0.3
            self._from[name] = (title, confidence)
            self._report(claim, name)
        self._parts[name].append(Partition(frozenset((unit,)), layout))

    def _report(self, claim: Claim, name: str) -> None:
        if claim.fits:
            tables = ", ".join(title for _, title, _ in claim.fits)
            self._problems.append(
                say("{name} could be any of these tables: {tables}", name=name, tables=tables)
            )
        else:
            self._problems.append(
                say(
                    "the columns of {name} are not known; a script with its CREATE TABLE would tell",
                    name=name,
                )
            )

    def _tables(self) -> list[Known]:
        """Return all tables, with those of which no page was found."""
        entries = {entry.name: entry for entry in self._catalogue.tables}
        described = {name for name, entry in entries.items() if entry.partitions[0].layout.fields}
        found = []
        for name in sorted({*self._parts, *described}):
            entry, parts = entries.get(name), tuple(self._parts.get(name, ()))
            layout = parts[0].layout if parts else entry.partitions[0].layout if entry else Layout(())
            title, confidence = self._from.get(name, ("catalogue", 1.0))
            about = self._described.get(name)
            key = about[0].key if about else entry.key if entry else ()
            names = {field.name for field in layout.fields}
            table = Table(
                name,
                tuple(field.column for field in layout.fields),
                key if set(key) <= names else (),
                title,
                confidence,
                entry.rows if entry else None,
            )
            found.append(Known(table, parts))
        return found


def _fitting(group: Group, layout: Layout) -> bool:
    """Tell whether a layout from the catalogue fits the records: old ones lack columns that came later."""
    return bool(layout.fields) and group.shape[1] <= layout.columns + 1 and (
        group.compressed or group.shape[0] <= layout.fixed
    )  # fmt: skip
