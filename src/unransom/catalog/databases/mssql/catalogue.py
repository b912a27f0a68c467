"""The server's own tables: which tables there are, how their rows lie, which pages are theirs.

They are read from whatever of their pages is left: a page says which table it belongs to, so neither the
boot page nor any link is needed. Columns that lost their name keep their type and place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.layout import Field, Layout
from unransom.catalog.databases.mssql.script import Declared
from unransom.catalog.databases.mssql.system_tables import (
    COLUMNS,
    INDEX_COLUMNS,
    INDEXES,
    LINKS,
    OBJECTS,
    OLD_PLACES,
    OLD_ROW_COLUMNS,
    ROW_COLUMNS,
    ROWSETS,
    SCHEMAS,
    SYSTEM_OBJECTS,
    UNITS,
    Row,
)
from unransom.catalog.databases.table import Numbering, Reference

DROPPED = 1 << 16  # columns that were dropped have higher numbers
IN_ROW = 1  # type of allocation unit
NOT_NULL = 128  # bit of the status of a row column
IDENTITY = 4  # bit of the status of a column
COMPUTED = 16  # bit of the status of a column: it is stored only where it is persisted
PRIMARY_KEY = 0x20  # bit of the status of an index
FOREIGN_COLUMN, FOREIGN_KEY = 28, 29  # classes of links: from a foreign key to its column, to the named one
SCHEMA = 50  # class of a schema among the server's classes
USER_TABLE = int.from_bytes(b"U ", "little")


class Partition(msgspec.Struct, frozen=True):
    """A part of a table with a layout of its own.

    Attributes:
        units: Allocation units whose data pages hold its rows.
        layout: How its rows lie, as far as that is known.
        rowset: Its number, by which the log calls it; 0 where that is lost.
    """

    units: frozenset[int]
    layout: Layout
    rowset: int = 0


class Entry(msgspec.Struct, frozen=True):
    """A table as the catalogue has it.

    Attributes:
        object: Its number.
        name: With its schema.
        partitions: Its parts, all with the same columns.
        key: Names of the columns of its primary or clustered key.
        rows: That the server counted, None where that is lost.
        named: Its name is known.
        references: Its foreign keys.
    """

    object: int
    name: str
    partitions: tuple[Partition, ...]
    key: tuple[str, ...] = ()
    rows: int | None = None
    named: bool = True
    references: tuple[Reference, ...] = ()


class Catalogue(msgspec.Struct, frozen=True):
    """What the server's own tables say.

    Attributes:
        tables: The user's tables.
        foreign: Allocation units of indexes, of the server and of what is no table.
        declared: The tables by their columns alone: how the server would lay them out.
    """

    tables: tuple[Entry, ...] = ()
    foreign: frozenset[int] = frozenset()
    declared: tuple[Declared, ...] = ()


def catalogue_of(rows: Mapping[int, list[Row]]) -> Catalogue:
    """Put the rows of the server's tables together."""
    units: dict[int, set[int]] = defaultdict(set)
    for row in rows[UNITS]:
        if row["type"] == IN_ROW:
            units[row["rowset"]].add(row["unit"])
    described = {(row["object"], row["column"]): row for row in rows[COLUMNS] if row["number"] == 0}
    schemas = {row["schema"]: row["name"] for row in rows[SCHEMAS] if row["class"] == SCHEMA and row["name"]}
    titles = {
        row["object"]: f"{schemas.get(row['schema'], 'dbo')}.{row['name']}"
        for row in rows[OBJECTS]
        if row["kind"] == USER_TABLE and row["name"]
    }
    others = {row["object"] for row in rows[OBJECTS]} - set(titles)
    tables: dict[int, list[Row]] = defaultdict(list)
    foreign: set[int] = set()
    for row in sorted(rows[ROWSETS], key=lambda part: part["rowset"]):
        if row["object"] < SYSTEM_OBJECTS or row["index"] > 1 or row["object"] in others:
            foreign |= units[row["rowset"]]
        else:
            tables[row["object"]].append(row)
    stored = _row_columns(rows)
    references = _references(titles, described, rows)
    entries = [
        Entry(
            number,
            titles.get(number, f"object_{number}"),
            tuple(
                Partition(frozenset(units[row["rowset"]]), _layout(number, stored[row["rowset"]], described))
                for row in rowsets
            ),
            _key(number, stored[rowsets[0]["rowset"]], described, rows),
            sum(row["rows"] or 0 for row in rowsets),
            number in titles,
            references.get(number, ()),
        )
        for number, rowsets in tables.items()
    ]
    entries.sort(key=lambda entry: entry.name)
    declared = tuple(_declared(titles, described, rows))
    return Catalogue(tuple(entries), frozenset(foreign), declared)


def _declared(
    titles: Mapping[int, str], described: Mapping[tuple[int, int], Row], rows: Mapping[int, list[Row]]
) -> Iterator[Declared]:
    """Yield the tables of ``titles`` by their columns alone, those of which none is lost or computed.

    With a part of its columns a table might seem to be another one's.
    """
    counts = {row["object"]: row["columns"] for row in rows[OBJECTS]}
    columns: dict[int, list[Field]] = defaultdict(list)
    blank = dict.fromkeys(("offset", "bit", "null_bit"), 0) | {"status": NOT_NULL, "order": 1}
    for (table, number), row in sorted(described.items()):
        if table in titles and not row["status"] & COMPUTED:
            columns[table].append(_field(blank | {"column": number}, row))
    for table, fields in columns.items():
        if [field.number for field in fields] != list(range(1, counts[table] + 1)):
            continue
        key = _key(table, [], described, rows)
        yield Declared(titles[table], tuple(_distinct(fields)), key, key)


def _references(
    titles: Mapping[int, str], described: Mapping[tuple[int, int], Row], rows: Mapping[int, list[Row]]
) -> dict[int, tuple[Reference, ...]]:
    """Return the foreign keys of each table, those of which nothing is lost."""
    ends: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in sorted(rows[LINKS], key=lambda link: link["order"]):
        ends[row["class"], row["from"]].append(row)

    def names(links: list[Row]) -> tuple[str, ...]:
        found = [described.get((link["object"], link["column"])) for link in links]
        return tuple(row["name"] for row in found if row is not None and row["name"])

    out: dict[int, tuple[Reference, ...]] = {}
    for (kind, key), links in ends.items():
        named = ends.get((FOREIGN_KEY, key), [])
        columns, keys = names(links), names(named)
        whole = 0 < len(columns) == len(keys) == len(links)
        if kind == FOREIGN_COLUMN and whole and named[0]["object"] in titles:
            table = titles[named[0]["object"]].partition(".")[2]
            own = links[0]["object"]
            out[own] = (*out.get(own, ()), Reference(columns, table, keys))
    return out


def _row_columns(rows: Mapping[int, list[Row]]) -> dict[int, list[Row]]:
    """Return the stored columns of every rowset, in the words of ``ROW_COLUMNS``."""
    out: dict[int, list[Row]] = defaultdict(list)
    for row in rows[ROW_COLUMNS]:
        kind, rest = row["type"] & 0xFF, row["type"] >> 8
        digits = kind in (types.DECIMAL, types.NUMERIC)
        scaled = kind in (types.TIME, types.DATETIME2, types.DATETIMEOFFSET)
        out[row["rowset"]].append(
            row
            | {
                "kind": kind,
                "length": _length(rest & 0xFFFF),
                "precision": rest & 0xFF if digits else 0,
                "scale": rest >> 8 & 0xFF if digits else rest & 0xFF if scaled else 0,
            }
        )
    if out:
        return out
    columns = {(row["rowset"], row["order"]): row["column"] for row in rows[OLD_ROW_COLUMNS]}
    for row in rows[OLD_PLACES]:
        number = columns.get((row["rowset"], row["order"]), row["order"])
        out[row["rowset"]].append(row | {"column": number})
    return out


def _length(value: int) -> int:
    """Return a length as signed: -1 is without limit."""
    return value - 0x10000 if value >= 0x8000 else value


def _layout(table: int, stored: list[Row], described: Mapping[tuple[int, int], Row]) -> Layout:
    fields, ends, whole = [], [4], bool(stored)
    for part in sorted(stored, key=lambda row: row["column"]):
        if part["order"] <= 0 or not 0 < part["column"] < DROPPED:
            continue
        about = described.get((table, part["column"]))
        field = _field(part, about)
        whole &= about is not None
        fields.append(field)
        if field.place > 0:
            ends.append(field.place + field.width)
    bits = {row["null_bit"] for row in stored} - {0}
    last = max(bits, default=0)
    return Layout(tuple(_distinct(fields)), max(ends), last, whole and len(bits) == last)


def _field(part: Row, about: Row | None) -> Field:
    source = part if about is None else about
    hidden = about is None or not about["name"]
    field = Field(
        name=f"column_{part['column']}" if hidden else source["name"],
        kind=source["kind"],
        length=source["length"] or 0,
        precision=source["precision"] or 0,
        scale=source["scale"] or 0,
        user_type=(about or {}).get("user") or 0,
        collation=(source["collation"] or 0) & 0xFFFFFFFF,
        place=part["offset"],
        bit=part["bit"] or 0,
        null_bit=part["null_bit"] or 0,
        number=part["column"],
        nullable=not part["status"] & NOT_NULL,
        automatic=about is not None and bool(about["status"] & IDENTITY),
    )
    raw = about.get("numbers") if about is not None and field.automatic else None
    return msgspec.structs.replace(field, numbering=_numbering(field, raw)) if raw else field


def _numbering(field: Field, raw: bytes) -> Numbering | None:
    """Return how a column's numbers are drawn, None where the bytes are not of its type.

    They are the number drawn last, the step and the first number, as the column stores them, and a byte whose
    lowest bit says that none was drawn (held against tables of three real files, IDENTITY(0,1) among them).
    """
    width = field.width
    if len(raw) != 3 * width + 1:
        return None
    last, step, first = (_whole(field, raw[at : at + width]) for at in range(0, 3 * width, width))
    return Numbering(first, step, None if raw[-1] & 1 else last) if step else None


def _whole(field: Field, raw: bytes) -> int:
    if field.kind in (types.DECIMAL, types.NUMERIC):
        return int.from_bytes(raw[1:], "little") * (1 if raw[0] else -1)
    return int.from_bytes(raw, "little", signed=field.kind != types.TINYINT)


def _distinct(fields: list[Field]) -> Iterator[Field]:
    """Yield ``fields`` with names of which no two are the same."""
    seen: set[str] = set()
    for field in fields:
        unique = field.name if field.name not in seen else f"{field.name}_{field.number}"
        seen.add(unique)
        yield msgspec.structs.replace(field, name=unique)


def _key(
    table: int,
    stored: list[Row],
    described: Mapping[tuple[int, int], Row],
    rows: Mapping[int, list[Row]],
) -> tuple[str, ...]:
    """Return the columns of the primary key, else of the clustered index."""
    primary = [
        row["index"] for row in rows[INDEXES] if row["object"] == table and row["status"] & PRIMARY_KEY
    ]
    columns = sorted(
        (row["order"], row["column"])
        for row in rows[INDEX_COLUMNS]
        if row["object"] == table and row["index"] in primary
    )
    if not columns:
        columns = sorted((row["key"], row["column"]) for row in stored if row["key"])
    found = [described.get((table, column)) for _, column in columns]
    return tuple(row["name"] for row in found if row is not None) if all(found) else ()


def units_of(entries: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the allocation unit that each page's header says."""
    return entries["index"].astype(np.int64) << 48 | entries["object"].astype(np.int64) << 16
