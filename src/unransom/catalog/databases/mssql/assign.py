"""Which table do the pages of each allocation unit belong to, and how do its rows lie?

The catalogue tells, as far as it is left; what it lacks comes from scripts. Both are held to the records
themselves: a layout counts only where the records have its shape and the values make sense.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from unransom.catalog.databases.engine import Hints
from unransom.catalog.databases.mssql.catalogue import Catalogue, Entry, Partition
from unransom.catalog.databases.mssql.inference import inferred
from unransom.catalog.databases.mssql.layout import Layout
from unransom.catalog.databases.mssql.ownership import (
    ENOUGH,
    Candidate,
    Claim,
    Group,
    claims,
    score,
)
from unransom.catalog.databases.mssql.script import Declared, tables_of
from unransom.catalog.databases.table import FITTING, Table
from unransom.core.messages import Message, say


class Known(msgspec.Struct, frozen=True):
    """A table and where its rows are.

    Attributes:
        table: What it is to people.
        partitions: Its parts with pages.
        logged: Its parts of which the log has rows, by rowset.
    """

    table: Table
    partitions: tuple[Partition, ...]
    logged: tuple[Partition, ...] = ()


class Assigned(NamedTuple):
    """Tables with their pages, and what could not be told."""

    tables: tuple[Known, ...]
    problems: tuple[Message, ...]


Owners = dict[int, tuple[Entry, Layout]]


def assign(catalogue: Catalogue, hints: Hints, pages: Sequence[Group], logged: Sequence[Group]) -> Assigned:
    """Return the tables of pages and of rows in the log.

    Args:
        catalogue: What is left of it.
        hints: Scripts.
        pages: The allocation units that users' data pages say they are of.
        logged: The rowsets that the log has rows of.
    """
    return _Assignment(catalogue, hints).run(pages, logged)


class _Assignment:
    def __init__(self, catalogue: Catalogue, hints: Hints) -> None:
        self._catalogue = catalogue
        scripts = [table for text in hints.sql for table in tables_of(text)]
        self._described: dict[str, tuple[Declared, str]] = {}
        for table, title in (
            *((table, "catalogue") for table in catalogue.declared),
            *((table, "CREATE TABLE") for table in scripts),
        ):
            self._described[table.name] = (table, title)
        self._parts: dict[str, list[Partition]] = defaultdict(list)
        self._logged: dict[str, list[Partition]] = defaultdict(list)
        self._from: dict[str, tuple[str, float]] = {}
        self._titles: dict[str, str] = {}  # what the catalogue calls a table that has another name here
        self._problems: list[Message] = []

    def run(self, pages: Sequence[Group], logged: Sequence[Group]) -> Assigned:
        parts = [(entry, part) for entry in self._catalogue.tables for part in entry.partitions]
        by_unit: Owners = {unit: (entry, part.layout) for entry, part in parts for unit in part.units}
        free = self._candidates(set())
        for group, claim in self._claims(pages, by_unit, free):
            layout = self._take(group, claim, by_unit)
            name = self._name(group, claim, by_unit)
            self._parts[name].append(Partition(frozenset((group.unit,)), layout))
        by_rowset: Owners = {part.rowset: (entry, part.layout) for entry, part in parts if part.rowset}
        for group, claim in self._claims(logged, by_rowset, self._candidates(set(self._parts))):
            if claim is None or claim.clear:
                name = self._name(group, claim, by_rowset)
                layout = by_rowset[group.unit][1] if claim is None else claim.fits[0][2]
                self._from.setdefault(name, ("log" if claim else "catalogue", 0.9))
                self._logged[name].append(Partition(frozenset(), layout, group.unit))
        return Assigned(tuple(self._tables()), tuple(self._problems))

    def _claims(
        self, groups: Sequence[Group], owners: Owners, free: list[Candidate]
    ) -> Iterator[tuple[Group, Claim | None]]:
        """Yield each group with the tables that fit it; None where the catalogue tells all about it."""
        unknown = []
        for group in groups:
            if self._by_catalogue(group, owners):
                yield group, None
            elif candidates := self._same_name(group, owners):
                yield group, claims([group], candidates)[0]
            else:
                unknown.append(group)
        settled = {self._titles.get(entry.name, entry.name) for entry, _ in owners.values()}
        free = [one for one in free if one.name not in settled and (one.known or one.name not in self._parts)]
        for claim in claims(unknown, free):
            yield claim.group, claim

    def _by_catalogue(self, group: Group, owners: Owners) -> bool:
        """Tell whether the catalogue has the columns of a group in full."""
        entry, layout = owners.get(group.unit, (None, None))
        if entry is None or layout is None or not (entry.named and layout.whole and _fitting(group, layout)):
            return False
        return score(layout, group.sample) >= ENOUGH

    def _candidates(self, found: set[str]) -> list[Candidate]:
        """Return the tables that are described, and those of which pages are ``found``."""
        candidates = [
            Candidate(name, tuple(table.layouts()), table.key)
            for name, (table, _) in self._described.items()
            if name not in found
        ]
        return candidates + [
            Candidate(name, tuple(part.layout for part in self._parts[name]), known=True)
            for name in found
            if self._from.get(name, ("", 0))[0] != "inferred"
        ]

    def _same_name(self, group: Group, owners: Owners) -> list[Candidate]:
        """Return the description of the table that the catalogue says the group is of."""
        entry = owners.get(group.unit, (None, None))[0]
        if entry is None or entry.name not in self._described:
            return []
        table = self._described[entry.name][0]
        return [Candidate(entry.name, tuple(table.layouts()), table.key)]

    def _name(self, group: Group, claim: Claim | None, owners: Owners) -> str:
        if claim is not None and claim.clear:
            name = claim.fits[0][1]
            if group.unit in owners:
                self._titles[owners[group.unit][0].name] = name
            return name
        return owners[group.unit][0].name if group.unit in owners else f"unit_{group.unit:x}"

    def _take(self, group: Group, claim: Claim | None, owners: Owners) -> Layout:
        """Return the layout of a group, and note where it is from."""
        name = self._name(group, claim, owners)
        layout = owners[group.unit][1] if group.unit in owners else Layout(())
        if claim is None:
            self._from[name] = ("catalogue", 1.0)
            return layout
        if claim.clear:
            confidence, _, layout = claim.fits[0]
            self._from.setdefault(name, (self._described[name][1], confidence))
            return layout
        title, confidence = "catalogue", 0.7
        if not _fitting(group, layout) or score(layout, group.sample) < ENOUGH:
            layout, title, confidence = inferred(group.shape, group.sample), "inferred", 0.3
        self._from[name] = (title, confidence)
        self._report(claim, name)
        return layout

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
        entries = {self._titles.get(entry.name, entry.name): entry for entry in self._catalogue.tables}
        described = {name for name, entry in entries.items() if entry.partitions[0].layout.fields}
        found = []
        for name in sorted({*self._parts, *self._logged, *described}):
            entry, parts = entries.get(name), tuple(self._parts.get(name, ()))
            logged = tuple(self._logged.get(name, ()))
            first = (*parts, *logged, *(entry.partitions if entry else ()))[0]
            layout = first.layout
            title, confidence = self._from.get(name, ("catalogue", 1.0))
            about = self._described.get(name)
            if not (parts or logged or layout.whole) and about is not None:
                alike = [each for each in about[0].layouts() if _same_places(layout, each)]
                if len(alike) == 1:
                    layout, title, confidence = alike[0], about[1], FITTING
            key = (about[0].key if about else ()) or (entry.key if entry else ())
            names = {field.name for field in layout.fields}
            table = Table(
                name,
                tuple(field.column for field in layout.fields),
                key if set(key) <= names else (),
                title,
                confidence,
                entry.rows if entry else None,
                entry.references if entry else (),
                name.partition(".")[0] if "." in name else "",
                dialect="mssql",
            )
            own = entry.partitions if entry else ()
            units = frozenset(unit for part in own for unit in part.units)  # of pages that are all damaged
            found.append(Known(table, parts or (Partition(units, layout),), logged))
        return found


def _same_places(part: Layout, whole: Layout) -> bool:
    """Tell whether a layout from the catalogue, which lacks columns or names, is a part of another one."""
    if (part.fixed, part.columns) != (whole.fixed, whole.columns):
        return False
    places = {(field.place, field.bit): field.kind for field in whole.fields}
    return bool(part.fields) and all(
        places.get((field.place, field.bit)) == field.kind for field in part.fields
    )


def _fitting(group: Group, layout: Layout) -> bool:
    """Tell whether a layout from the catalogue fits the records: old ones lack columns that came later."""
    return bool(layout.fields) and group.shape[1] <= layout.columns + 1 and (
        group.compressed or group.shape[0] <= layout.fixed
    )  # fmt: skip
