"""Where the definitions of tables come from, and which of them fits the pages at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ddl, decode, frm, lobs, pages, sdi
from unransom.catalog.databases.innodb.binlog import TableMap
from unransom.catalog.databases.innodb.charsets import LATIN1, UTF8
from unransom.catalog.databases.innodb.encryption import needs_key
from unransom.catalog.databases.innodb.file_names import decoded, named
from unransom.catalog.databases.innodb.inference import inferred
from unransom.catalog.databases.innodb.instant import arranged
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.plan import Plan, plan_of
from unransom.catalog.databases.innodb.schema import (
    DOC_ID,
    DOC_ID_TYPE,
    ColumnDef,
    Layout,
    TableDef,
    shown,
)
from unransom.catalog.databases.innodb.tablespace import Tablespace, absent
from unransom.catalog.databases.innodb.types import OLD_TYPES, column_type
from unransom.catalog.databases.table import Table
from unransom.core.messages import Message, say

FITS = 0.9  # share of the records of sampled pages that a definition must explain
SOUND = 0.99  # share that shows that the definition with the file's name is the one
NAMESAKE, OWN = 2, 3  # how well the name of a table fits that of a file: it is the same, so is the database's
TILED, TOLD = 0.25, 5  # share of records that end where the next begins, and how many of them tell
SAMPLE = 12  # pages


class Found(NamedTuple):
    """A table with its pages.

    Attributes:
        table: As readers see it.
        space: The tablespace that it is in.
        definition: As its source declares it.
        layout, plan: Of its records.
        owner: Id of its clustered index.
        partition: The partition of the table that it is, "" where the table has none.
    """

    table: Table
    space: Tablespace
    definition: TableDef
    layout: Layout
    plan: Plan
    owner: int
    partition: str = ""


def tables_of(space: Tablespace, hints: Hints, others: Sequence[Source]) -> tuple[list[Found], list[Message]]:
    """Return the tables in ``space`` and what stands in the way of more."""
    if any(needs_key(source.reader) for source in space.sources):
        return [], [
            say(
                "{file}: the server encrypted its pages; give the server's key file: --key of unransom"
                " databases, --server-key of unransom recover",
                file=_name(space),
            )
        ]
    if space.is_encrypted():
        return [], [
            say(
                "{file}: the server encrypted its pages, and page 0, which says with which key, is lost; give"
                " an old copy of the file as well",
                file=_name(space),
            )
        ]
    indexes = _indexes(space)
    known = list(_from_sdi(space))
    found = [_made(space, each, each.clustered) for each in known if each.clustered in indexes or not indexes]
    if found or not indexes:
        return found, [] if found else [_empty(space, known)]
    candidates = [*known, *_from_frm(space, others), *_from_sql(hints)]
    rated = _best(space, indexes, candidates)
    if not rated or rated[0].sound < FITS or _is_by_chance(space, rated[0]):
        return _guessed(space, indexes)
    best, *others_rated = rated
    rivals = [
        row.definition.name
        for row in others_rated
        if row.worth[:2] == best.worth[:2]
        and row.tiled > best.tiled - 0.1
        and row.definition.name != best.definition.name
    ]
    problems = [
        say(
            "{file}: both {one} and {other} fit its rows",
            file=_name(space),
            one=best.definition.name,
            other=rival,
        )
        for rival in rivals[:1]
    ]
    definition = msgspec.structs.replace(best.definition, confidence=0.5 if rivals else best.sound)
    return [_made(space, definition, best.owner)], problems


def _is_by_chance(space: Tablespace, best: Rated) -> bool:
    """Return whether a definition without the file's name leaves gaps between the records it explains."""
    records = int(space.table["records"][_sample(space, best.owner)].sum())
    return not best.named and best.tiled < TILED and records >= TOLD


def spaceless(
    maps: Sequence[TableMap], logs: Sequence[Source], hints: Hints, others: Sequence[Source], known: set[str]
) -> Iterator[Found]:
    """Yield the tables that binary logs and definitions know and whose files are missing."""
    found = {name.lower() for name in known}
    logged = {each.name.lower() for each in maps}
    for definition in [*_from_sql(hints), *_all_frm(others)]:
        name = definition.name.partition("/")[2].lower() or definition.name.lower()
        if name in logged - found:
            found.add(name)
            yield _made(Tablespace([absent(logs[0])]), definition, 0)


def _guessed(space: Tablespace, indexes: Iterable[int]) -> tuple[list[Found], list[Message]]:
    """Return the table by what its records look like, and that a definition would be better."""
    for index in sorted(indexes, key=lambda each: _clustered(space, each), reverse=True):
        definition = inferred(space, index)
        if definition is None or _rate(space, {index: _sample(space, index)}, 0, definition).sound < FITS:
            continue
        called = msgspec.structs.replace(definition, name=named(_name(space)).table)
        message = say(
            "{file}: no definition of its table; its columns are guessed. Give one with --schema",
            file=_name(space),
        )
        return [_made(space, called, index)], [message]
    return [], [say("{file}: no definition of its table; give one with --schema", file=_name(space))]


def _clustered(space: Tablespace, index: int) -> tuple[bool, float]:
    """Return what speaks for ``index`` holding rows: no transaction on its pages, and long records."""
    numbers = _sample(space, index)
    plain, used, records = False, 0, 0
    for _, data in space.groups(numbers):
        for page in data.reshape(-1, space.logical):
            plain |= not page[56:64].any()
            used += int(page[40]) << 8 | int(page[41])
            records += max(int(page[54]) << 8 | int(page[55]), 1)
    return bool(plain), used / max(records, 1)


def _empty(space: Tablespace, known: list[TableDef]) -> Message:
    return say("{file}: no page of a table is sound", file=_name(space))


def _name(space: Tablespace) -> str:
    return space.sources[0].name


def _indexes(space: Tablespace) -> dict[int, int]:
    """Return the sound leaf pages of each index."""
    table = space.table
    mine = (table["verdict"] == pages.VALID) & np.isin(table["kind"], (pages.INDEX, pages.INSTANT))
    unique, counts = np.unique(table["index"][mine & (table["level"] == 0)], return_counts=True)
    return dict(zip(unique.tolist(), counts.tolist(), strict=True))


def _made(space: Tablespace, definition: TableDef, index: int) -> Found:
    layout, core = arranged(space, index, definition)
    schema, slash, _ = definition.name.partition("/")
    table = Table(
        name=definition.name,
        schema=schema if slash else "",
        columns=tuple(shown(column) for column in definition.columns if not column.hidden),
        key=tuple(part.column for part in definition.key),
        source=definition.source,
        confidence=definition.confidence,
        references=definition.references,
    )
    return Found(
        table, space, definition, layout, plan_of(layout, core), index, named(_name(space)).partition
    )


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
    """Yield the definitions in .frm files: only the one beside the tablespace with its name, if any."""
    names = {named(source.name).table.lower() for source in space.sources}
    places = {(source.folder, named(source.name).table.lower()) for source in space.sources}
    every = sorted(others, key=lambda other: named(other.name).table.lower() not in names)
    beside = [other for other in every if (other.folder, named(other.name).table.lower()) in places]
    yield from _all_frm([other for other in beside if other.name.lower().endswith(".frm")] or every)


def _all_frm(others: Iterable[Source]) -> Iterator[TableDef]:
    for source in others:
        if source.name.lower().endswith(".frm") and source.reader.size < frm.MOST:
            yield from frm.definitions(source.reader.read_at(0, frm.MOST), named(source.name).table)


def _from_sql(hints: Hints) -> Iterator[TableDef]:
    for text in hints.sql:
        for one, other in zip(ddl.definitions(text), ddl.definitions(text, LATIN1), strict=True):
            yield one
            if other.columns != one.columns:
                yield other


def _variants(definition: TableDef) -> Iterator[TableDef]:
    """Yield ``definition`` as servers may have stored it besides: with a hidden column, with old types."""
    document = column_type(DOC_ID_TYPE, UTF8)
    if document is not None and DOC_ID not in {column.name for column in definition.columns}:
        hidden = ColumnDef(DOC_ID, document, nullable=False, hidden=True)
        yield msgspec.structs.replace(definition, columns=(*definition.columns, hidden))
    aged = tuple(
        msgspec.structs.replace(column, type=OLD_TYPES.get(column.type.kind, column.type))
        for column in definition.columns
    )
    if aged != definition.columns:
        yield msgspec.structs.replace(definition, columns=aged)


class Rated(NamedTuple):
    """How well a definition explains an index.

    Attributes:
        sound: Share of records that it explains without a contradiction.
        named: How well its name and that of the file go together.
        tiled: Share of records that end where the next one begins, of which few definitions are capable.
    """

    sound: float
    named: int
    tiled: float
    owner: int
    definition: TableDef

    @property
    def worth(self) -> tuple[bool, int, float, int]:
        """What ratings are ordered by; servers make the clustered index first."""
        return self.sound >= FITS, self.named, round(self.tiled, 2), -self.owner


def _best(space: Tablespace, indexes: Iterable[int], candidates: Sequence[TableDef]) -> list[Rated]:
    """Return how well each definition explains the index that it explains best, the best first."""
    places = {(decoded(source.folder).lower(), named(source.name).table.lower()) for source in space.sources}
    samples = {index: _sample(space, index) for index in indexes}
    rated: list[Rated] = []
    alike = [_alike(candidate.name.lower(), places) for candidate in candidates]
    for place in sorted(range(len(candidates)), key=lambda place: -alike[place]):
        candidate, likeness = candidates[place], alike[place]
        if any(row.named >= max(likeness + 1, NAMESAKE) and row.sound >= SOUND for row in rated):
            break  # of a whole database's definitions the others need not be tried
        rows = [_rate(space, samples, likeness, candidate)]
        if rows[0].sound < FITS or rows[0].tiled < 0.5:
            rows += [_rate(space, samples, likeness, variant) for variant in _variants(candidate)]
        rated.append(max(rows, key=lambda row: row.worth))
    return sorted(rated, key=lambda row: row.worth, reverse=True)


def _sample(space: Tablespace, index: int) -> NDArray[np.int64]:
    numbers = leaves(space.table, index)
    return numbers[:: max(len(numbers) // SAMPLE, 1)][:SAMPLE]


def _rate(
    space: Tablespace, samples: dict[int, NDArray[np.int64]], likeness: int, definition: TableDef
) -> Rated:
    rows = []
    for index, sample in samples.items():
        layout, core = arranged(space, index, definition)
        plan = plan_of(layout, core)
        sound, tiled = fit(space, sample, plan)
        rows.append(Rated(sound, likeness, tiled, index, definition))
    return max(rows, key=lambda row: row.worth)


def _alike(name: str, places: set[tuple[str, str]]) -> int:
    """Return how well folders and names of files fit the name of a table with its database."""
    database, _, table = name.rpartition("/")
    if (database, table) in places and database:
        return OWN
    if any(table == each for _, each in places):
        return NAMESAKE
    return int(any(each.endswith(table) for _, each in places))


def fit(space: Tablespace, numbers: NDArray[np.int64], plan: Plan) -> tuple[float, float]:
    """Return the shares of the records of some pages that ``plan`` explains, and that it lays end to end."""
    good = tiled = total = 0
    for kept, data in space.groups(numbers):
        origins, owners, _ = decode.listed(data, space.logical)
        located = decode.locate(data, kept, origins, owners, plan)
        located = located.only((located.info() & 0x10) == 0)
        order = np.argsort(located.origins)
        begins, ends = located.begins[order], located.ends[order]
        sound = (begins >= 0) & np.append(ends[:-1] <= begins[1:], True)
        total += len(order)
        good += int(sound.sum())
        tiled += int((ends[:-1] == begins[1:]).sum())
    return (good / total, tiled / total) if total else (1.0, 0.0)
