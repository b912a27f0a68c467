"""Where the definitions of tables come from, and which of them fits the pages at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ddl, decode, frm, lobs, pages, sdi
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.plan import Plan, plan_of
from unransom.catalog.databases.innodb.schema import Layout, TableDef, layout_of, shown
from unransom.catalog.databases.innodb.tablespace import Tablespace
from unransom.catalog.databases.table import Table
from unransom.core.messages import Message, say

FITS = 0.9  # share of the records of sampled pages that a definition must explain
SAMPLE = 12  # pages


class Found(NamedTuple):
    """A table with its pages.

    Attributes:
        table: As readers see it.
        space: The tablespace that it is in.
        definition: As its source declares it.
        layout, plan: Of its records.
        owner: Id of its clustered index.
    """

    table: Table
    space: Tablespace
    definition: TableDef
    layout: Layout
    plan: Plan
    owner: int


def tables_of(space: Tablespace, hints: Hints, others: Sequence[Source]) -> tuple[list[Found], list[Message]]:
    """Return the tables in ``space`` and what stands in the way of more."""
    indexes = _indexes(space)
    known = list(_from_sdi(space))
    found = [_made(space, each, each.clustered) for each in known if each.clustered in indexes or not indexes]
    if found or not indexes:
        return found, [] if found else [_empty(space, known)]
    candidates = [*known, *_from_frm(space, others), *_from_sql(hints)]
    index = min(indexes)
    best, score, rival = _best(space, index, candidates)
    if best is None or score < FITS:
        return [], [say("{file}: no definition of its table; give one with --schema", file=_name(space))]
    problems = []
    if rival:
        problems.append(
            say("{file}: both {one} and {other} fit its rows", file=_name(space), one=best.name, other=rival)
        )
    confidence = 0.5 if rival else score
    return [_made(space, msgspec.structs.replace(best, confidence=confidence), index)], problems


def _empty(space: Tablespace, known: list[TableDef]) -> Message:
    return say("{file}: no page of a table is sound", file=_name(space))


def _name(space: Tablespace) -> str:
    return space.sources[0].name


def stem(name: str) -> str:
    """Return the table's name that a file's name says."""
    return name.rpartition("/")[2].rpartition(".")[0] or name


def _indexes(space: Tablespace) -> dict[int, int]:
    """Return the sound leaf pages of each index."""
    table = space.table
    mine = (table["verdict"] == pages.VALID) & np.isin(table["kind"], (pages.INDEX, pages.INSTANT))
    unique, counts = np.unique(table["index"][mine & (table["level"] == 0)], return_counts=True)
    return dict(zip(unique.tolist(), counts.tolist(), strict=True))


def _made(space: Tablespace, definition: TableDef, index: int) -> Found:
    layout = layout_of(definition)
    table = Table(
        name=definition.name,
        columns=tuple(shown(column) for column in definition.columns if not column.hidden),
        key=tuple(part.column for part in definition.key),
        source=definition.source,
        confidence=definition.confidence,
    )
    return Found(table, space, definition, layout, plan_of(layout), index)


def _from_sdi(space: Tablespace) -> Iterator[TableDef]:
    """Yield the definitions in the pages of the SDI index."""
    mine = (space.table["kind"] == pages.SDI) & (space.table["level"] == 0)
    mine &= space.table["verdict"] == pages.VALID
    for numbers, data in space.groups(np.flatnonzero(mine).astype(np.int64)):
        origins, owners, _ = decode.listed(data, space.logical)
        for place in range(len(numbers)):
            page = data[place * space.logical : (place + 1) * space.logical].tobytes()
            starts = (origins[owners == place] - place * space.logical).tolist()
            for text in sdi.texts(page, starts, lambda reference: lobs.fetch(space, reference) or b""):
                definition = sdi.definition(text)
                if definition is not None:
                    yield definition


def _from_frm(space: Tablespace, others: Iterable[Source]) -> Iterator[TableDef]:
    """Yield the definitions in .frm files, those with the tablespace's name first."""
    names = {stem(source.name).lower() for source in space.sources}
    for source in sorted(others, key=lambda other: stem(other.name).lower() not in names):
        if source.name.lower().endswith(".frm") and source.reader.size < frm.MOST:
            definition = frm.definition(source.reader.read_at(0, frm.MOST), stem(source.name))
            if definition is not None:
                yield definition


def _from_sql(hints: Hints) -> Iterator[TableDef]:
    for text in hints.sql:
        yield from ddl.definitions(text)


def _best(
    space: Tablespace, index: int, candidates: Sequence[TableDef]
) -> tuple[TableDef | None, float, str]:
    """Return the definition that explains the records best, its score, and another that does as well."""
    numbers = leaves(space.table, index)
    sample = numbers[:: max(len(numbers) // SAMPLE, 1)][:SAMPLE]
    names = {stem(source.name).lower() for source in space.sources}
    rated = []
    for candidate in candidates:
        named = _alike(candidate.name.split("/")[-1].lower(), names)
        rated.append((fit(space, sample, plan_of(layout_of(candidate))), named, candidate))
    if not rated:
        return None, 0.0, ""
    rated.sort(key=lambda each: (each[0] >= FITS, each[1], each[0]), reverse=True)
    score, named, best = rated[0]
    rivals = [
        each.name
        for other, alike, each in rated[1:]
        if other >= FITS and alike == named and each.columns != best.columns
    ]
    return best, score, rivals[0] if rivals else ""


def _alike(table: str, stems: set[str]) -> int:
    """Return how well the name of a file fits that of a table."""
    if table in stems or any(each.split("#p#")[0] == table for each in stems):
        return 2
    return int(any(each.endswith(table) for each in stems))


def fit(space: Tablespace, numbers: NDArray[np.int64], plan: Plan) -> float:
    """Return the share of the records of some pages that ``plan`` explains, end to end."""
    good = total = 0
    for kept, data in space.groups(numbers):
        origins, owners, _ = decode.listed(data, space.logical)
        located = decode.locate(data, kept, origins, owners, plan)
        plain = (located.info() & 0x10) == 0
        located = located.only(plain)
        order = np.argsort(located.origins)
        begins, ends = located.begins[order], located.ends[order]
        sound = (begins >= 0) & np.append(ends[:-1] <= begins[1:], True)
        total += len(order)
        good += int(sound.sum())
    return good / total if total else 1.0
