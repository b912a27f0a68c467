"""Where the definitions of tables come from, and which of them fits the pages at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ddl, decode, frm, lobs, pages, rating, sdi
from unransom.catalog.databases.innodb.binlog import TableMap
from unransom.catalog.databases.innodb.charsets import LATIN1
from unransom.catalog.databases.innodb.encryption import needs_key
from unransom.catalog.databases.innodb.file_names import Named, decoded, named
from unransom.catalog.databases.innodb.inference import inferred
from unransom.catalog.databases.innodb.instant import is_changed
from unransom.catalog.databases.innodb.plan import Plan, plan_of
from unransom.catalog.databases.innodb.schema import (
    DOC_ID,
    Layout,
    Registered,
    TableDef,
    shown,
)
from unransom.catalog.databases.innodb.tablespace import SYSTEM, Tablespace, absent
from unransom.catalog.databases.innodb.undo import has_undo
from unransom.catalog.databases.table import Table
from unransom.core.messages import Message, say

MOST_TORN = 128  # indexes that only damaged pages speak of
TILED, TOLD = 0.25, 5  # share of records that end where the next begins, and how many of them tell


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


def places(space: Tablespace) -> set[tuple[str, str]]:
    """Return what the files of a tablespace call its table: database and name, in lower case."""
    return {(decoded(source.folder).lower(), named(source.name).table.lower()) for source in space.sources}


def tables_of(
    space: Tablespace,
    hints: Hints,
    others: Sequence[Source],
    registered: Sequence[Registered] = (),
    taken: Collection[tuple[str, str]] = (),
) -> tuple[list[Found], list[Message]]:
    """Return the tables in ``space`` and what stands in the way of more.

    Args:
        space: The tablespace.
        hints: What is known from outside.
        others: Files that may hold definitions.
        registered: What the server's data dictionary and first partitions know, of all tablespaces.
        taken: ``places`` of other tablespaces, whose definitions are not this one's.
    """
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
    known = [definition for definition, _ in _from_sdi(space)]
    found = [made(space, each, each.clustered) for each in known if each.clustered in indexes or not indexes]
    if found or not indexes:
        return found, [] if found or has_undo(space) else [_empty(space, known)]
    here = [each for each in registered if each.space == space.space]
    found, problems = _registered(space, indexes, here, hints, others)
    if found or (registered and space.space == SYSTEM):
        return found, problems
    if space.space == SYSTEM:
        problems = [
            say("{file}: its data dictionary is lost; at most one table in it is read", file=_name(space))
        ]
    mine = places(space)
    theirs = {table for _, table in taken} - {table for _, table in mine}
    candidates = [
        each
        for each in (*known, *_from_frm(space, others), *_from_sql(hints))
        if each.name.lower().rpartition("/")[2] not in theirs
    ]
    rated = rating.best(space, indexes, candidates, mine)
    if not rated or rated[0].sound < rating.FITS or _is_by_chance(space, rated[0]):
        guessed, why = _guessed(space, indexes)
        return guessed, [*problems, *_unmapped(space, indexes), *why]
    best, *others_rated = rated
    rivals = [
        row.definition.name
        for row in others_rated
        if row.worth[:2] == best.worth[:2]
        and row.tiled > best.tiled - 0.1
        and row.definition.name != best.definition.name
    ]
    problems += [
        say(
            "{file}: both {one} and {other} fit its rows",
            file=_name(space),
            one=best.definition.name,
            other=rival,
        )
        for rival in rivals[:1]
    ]
    definition = msgspec.structs.replace(best.definition, confidence=0.5 if rivals else best.sound)
    return [made(space, definition, best.owner)], problems


def _registered(
    space: Tablespace,
    indexes: Collection[int],
    registered: Sequence[Registered],
    hints: Hints,
    others: Sequence[Source],
) -> tuple[list[Found], list[Message]]:
    """Return the tables that the data dictionary says are in ``space``.

    Of a tablespace of one table it counts only where the file has the table's name and holds its index: on
    another server the same ids are other tables'.
    """
    scripts = list(_from_sql(hints)) if registered else []
    names = {named(source.name).table.lower() for source in space.sources}
    found: list[Found] = []
    problems: list[Message] = []
    for each in registered:
        name, owner = each.definition.name, each.definition.clustered
        if owner not in indexes:
            if space.space == SYSTEM:
                problems.append(
                    say(
                        "{file}: no page of {table} is sound", file=_name(space), table=name.replace("/", ".")
                    )
                )
            continue
        if space.space != SYSTEM and name.lower().partition("/")[2] not in names:
            continue
        best = _defined(space, each, scripts, others)
        if best is None:
            problems.append(
                say(
                    "{file}: no definition fits the rows of {table}; give its .frm file, or --schema",
                    file=_name(space),
                    table=name.replace("/", "."),
                )
            )
            continue
        found.append(made(space, best, owner, each.partition))
        if each.vague and best is each.definition:
            problems.append(
                say(
                    "{file}: only the data dictionary defines {table}: its decimals are bytes, its ENUM and"
                    " SET are numbers. Give its .frm file, or --schema",
                    file=_name(space),
                    table=name.replace("/", "."),
                )
            )
    return found, problems


def _defined(
    space: Tablespace, registered: Registered, scripts: Sequence[TableDef], others: Sequence[Source]
) -> TableDef | None:
    """Return the definition of a table that agrees with the data dictionary and its rows, if one does."""
    known = registered.definition
    database, _, table = known.name.lower().partition("/")
    named_so = [*_frm_of(others, database, table), *(one for one in scripts if _is_of(one, database, table))]
    agreeing = [
        msgspec.structs.replace(one, name=known.name)
        for one in named_so
        if not known.columns or _names(one) == _names(known)
    ]
    definitions = [*agreeing, known] if known.columns else agreeing
    rated = rating.best(space, [known.clustered], definitions, {(database, table)})
    return rated[0].definition if rated and rated[0].sound >= rating.FITS else None


def _frm_of(others: Iterable[Source], database: str, table: str) -> Iterator[TableDef]:
    """Yield the definitions in .frm files of a table: those in the folder of its database, if any."""
    mine = [other for other in others if named(other.name).table.lower() == table]
    beside = [other for other in mine if decoded(other.folder).lower() == database]
    return _all_frm(beside or mine)


def _is_of(definition: TableDef, database: str, table: str) -> bool:
    """Return whether a definition has the name of a table, and of its database where it names one."""
    home, slash, mine = definition.name.lower().rpartition("/")
    return mine == table and (not slash or home == database)


def _names(definition: TableDef) -> set[str]:
    return {column.name.lower() for column in definition.columns} - {DOC_ID.lower()}


def _is_by_chance(space: Tablespace, best: rating.Rated) -> bool:
    """Return whether a definition without the file's name leaves gaps between the records it explains."""
    records = int(space.table["records"][rating.sample(space, best.owner)].sum())
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
            yield made(Tablespace([absent(logs[0])]), definition, 0)


def _guessed(space: Tablespace, indexes: Iterable[int]) -> tuple[list[Found], list[Message]]:
    """Return the table by what its records look like, and that a definition would be better."""
    for index in sorted(indexes, key=lambda each: _clustered(space, each), reverse=True):
        definition = inferred(space, index)
        if (
            definition is None
            or rating.rate(space, {index: rating.sample(space, index)}, 0, definition).sound < rating.FITS
        ):
            continue
        called = msgspec.structs.replace(definition, name=_named(space).table)
        message = say(
            "{file}: no definition of its table; its columns are guessed. Give one with --schema",
            file=_name(space),
        )
        return [made(space, called, index)], [message]
    return [], [say("{file}: no definition of its table; give one with --schema", file=_name(space))]


def _unmapped(space: Tablespace, indexes: Iterable[int]) -> Iterator[Message]:
    """Yield that what would tell how a definition fits is lost, where that is so."""
    if any(is_changed(space, index) for index in indexes):
        yield say(
            "{file}: columns were added, dropped or moved instantly, and the page that says which is lost;"
            " its definition tells nothing without it. An old copy of the file may have it",
            file=_name(space),
        )


def _clustered(space: Tablespace, index: int) -> tuple[bool, float]:
    """Return what speaks for ``index`` holding rows: no transaction on its pages, and long records."""
    numbers = rating.sample(space, index)
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


def _named(space: Tablespace) -> Named:
    return named(_name(space))


def _indexes(space: Tablespace) -> set[int]:
    """Return the indexes that have sound leaf pages, or damaged ones that say whose they are."""
    table = space.table
    mine = np.isin(table["verdict"], (pages.VALID, pages.TORN)) & (table["level"] == 0)
    mine &= np.isin(table["kind"], (pages.INDEX, pages.INSTANT))
    unique, counts = np.unique(table["index"][mine], return_counts=True)
    sound = set(table["index"][mine & (table["verdict"] == pages.VALID)].tolist())
    often = unique[np.argsort(counts, kind="stable")[::-1]].tolist()
    return sound | set(often[:MOST_TORN])


def made(space: Tablespace, definition: TableDef, index: int, partition: str = "") -> Found:
    """Return the table that ``definition`` makes of the pages of ``index``."""
    layout, core = rating.arranged(space, index, definition)
    schema, slash, _ = definition.name.partition("/")
    table = Table(
        name=definition.name,
        schema=schema if slash else "",
        columns=tuple(shown(column) for column in definition.columns if not column.hidden),
        key=tuple(part.column for part in definition.key),
        source=definition.source,
        confidence=definition.confidence,
        references=definition.references,
        dialect="mysql",
    )
    return Found(
        table, space, definition, layout, plan_of(layout, core), index, partition or _named(space).partition
    )


def shown_in(found: Found) -> decode.Target:
    """Return what the records of a table are made into."""
    shown = tuple(number for number, column in enumerate(found.definition.columns) if not column.hidden)
    fields = [
        pyarrow.field(found.definition.columns[number].name, found.definition.columns[number].type.arrow)
        for number in shown
    ]
    return decode.Target(found.layout, shown, pyarrow.schema(fields + decode.provenance_fields()))


def partitions(space: Tablespace) -> Iterator[Registered]:
    """Yield the partitions of the table in ``space``: the file of the first describes all (MySQL 8)."""
    for _, parts in _from_sdi(space):
        yield from parts


def _from_sdi(space: Tablespace) -> Iterator[tuple[TableDef, list[Registered]]]:
    """Yield the definitions in the pages of the SDI index, and the partitions of each table."""
    mine = (space.table["kind"] == pages.SDI) & (space.table["level"] == 0)
    mine &= space.table["verdict"] == pages.VALID
    for numbers, data in space.groups(np.flatnonzero(mine).astype(np.int64)):
        origins, owners, _ = decode.listed(data, space.logical)
        for place in range(len(numbers)):
            page = data[place * space.logical : (place + 1) * space.logical].tobytes()
            starts = (origins[owners == place] - place * space.logical).tolist()
            for text in sdi.texts(page, starts, lambda reference: lobs.fetch(space, reference) or b""):
                known = sdi.definition(text)
                if known is not None:
                    yield known


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
