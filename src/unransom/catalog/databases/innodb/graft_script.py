"""The statements around the import of a graft: the empty table before, its other keys afterwards."""

from __future__ import annotations

import re
from typing import NamedTuple

from unransom.catalog.databases.innodb.ddl import is_column, items_of, name_of, without
from unransom.catalog.databases.innodb.quoting import quoted
from unransom.catalog.databases.innodb.schema import ColumnDef, KeyPart, TableDef
from unransom.catalog.databases.innodb.types import Kind

FORMAT = re.compile(r"\bROW_FORMAT\s*=?\s*(\w+)", re.IGNORECASE)
PAGE_COMPRESSED = re.compile(r",?\s*`?\bPAGE_COMPRESS(ED|ION_LEVEL)`?\s*=\s*\S+", re.IGNORECASE)
COMPACT, REDUNDANT = "COMPACT", "REDUNDANT"
EMPTY = "null"  # type of a column of which no value is known
WORDS = frozenset([Kind.TEXT, Kind.ENUM, Kind.SET])


def declared_format(table: TableDef) -> str:
    """Return the row format that the statement of a table ends with, "" where it names none."""
    named = FORMAT.findall(items_of(table.create)[1]) if table.create else []
    return str(named[-1]).upper() if named else ""  # of several options the last counts


def statements(table: TableDef, largest: int, *, row_format: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement that makes the empty table, and those that finish it.

    Args:
        table: Its definition; the statement that it was read from is kept where there is one.
        largest: Value that AUTO_INCREMENT goes on from, 0 for none.
        row_format: Of the records, "" for the usual one: a server takes no others than those of the table
            that it made.
    """
    name = quoted(table.name.split("/")[-1])
    given = _given(table) if table.create else _made(table)
    own = [column for column in table.columns if column.hidden]
    lines = [*given.columns, *map(_column, own), *given.rest]
    create = f"CREATE TABLE {name} (\n  " + ",\n  ".join(lines) + f"\n) {given.options}"
    if row_format and declared_format(table) != row_format:
        create += f" ROW_FORMAT={row_format}"
    alters = [f"DROP COLUMN {quoted(column.name)}" for column in own]
    alters += [f"ADD {item}" for item in given.keys]
    leading = table.key[0].column if table.key else ""
    if largest and any(column.automatic and column.name == leading for column in table.columns):
        alters.append(f"AUTO_INCREMENT = {largest + 1}")
    altered = [f"ALTER TABLE {name} {each}" for each in alters]
    if given.numbered:
        altered.append(f"ALTER TABLE {name} MODIFY {given.numbered}")
    return create, (*altered, *(f"ALTER TABLE {name} ADD {item}" for item in given.references))


class _Parts(NamedTuple):
    """What a statement is put together from.

    Attributes:
        columns, rest: What is listed: columns, and what of the clustered key and of versions.
        options: Behind that.
        keys, references: Other keys and checks, and foreign keys, which the import does not take.
        numbered: The column that is numbered, where the clustered key does not begin with it: a server
            takes it only when its own key is there.
    """

    columns: list[str]
    rest: list[str]
    options: str
    keys: list[str]
    references: list[str]
    numbered: str = ""


def _given(table: TableDef) -> _Parts:
    """Return the statement without secondary keys, and those keys; the import takes one index only."""
    items, options = items_of(table.create)
    options = PAGE_COMPRESSED.sub("", options)  # the graft's pages are not
    key = [part.column.lower() for part in table.key]
    primary = any(kind == "primary" for kind, _, _ in items)
    numbered = next((column.name.lower() for column in table.columns if column.automatic), "")
    parts = _Parts([], [], options, [], [])
    for kind, columns, text in items:
        clustered = kind == "primary" or (kind == "unique" and not primary and columns == key)
        if kind == "unique" and clustered:
            primary = True  # only the first of them
        if not kind and numbered and numbered not in key[:1] and name_of(text).lower() == numbered:
            parts = parts._replace(numbered=text)
            parts.columns.append(without(text, "auto_increment"))
        elif not kind and is_column(text):
            parts.columns.append(text)
        elif not kind or clustered:
            parts.rest.append(text)
        else:
            (parts.references if kind == "foreign" else parts.keys).append(text)
    return parts


def _made(table: TableDef) -> _Parts:
    moments = {table.since: " GENERATED ALWAYS AS ROW START", table.until: " GENERATED ALWAYS AS ROW END"}
    columns = [_column(column, moments.get(column.name)) for column in table.columns if not column.hidden]
    rest = []
    if table.key:
        rest.append(f"PRIMARY KEY ({', '.join(_part(part, table) for part in table.key)})")
    if table.until:
        rest.append(f"PERIOD FOR SYSTEM_TIME ({quoted(table.since)}, {quoted(table.until)})")
    return _Parts(columns, rest, "ENGINE=InnoDB" + " WITH SYSTEM VERSIONING" * bool(table.until), [], [])


def _part(part: KeyPart, table: TableDef) -> str:
    kind = next(column.type for column in table.columns if column.name == part.column)
    characters = part.prefix // (kind.charset.most if kind.kind is Kind.TEXT else 1)
    return quoted(part.column) + (f"({characters})" if part.prefix else "") + " DESC" * part.descending


def _column(column: ColumnDef, moment: str | None = None) -> str:
    charset = f" CHARACTER SET {column.type.charset.name}" if column.type.kind in WORDS else ""
    declared = column.type.declared if column.type.declared != EMPTY else "blob"
    if "character set" in declared.lower() or "charset" in declared.lower():
        charset = ""
    packed = " COMPRESSED" if column.type.packed else ""
    rest = moment or (" NULL" if column.nullable else " NOT NULL")
    rest += " INVISIBLE" * column.invisible + " AUTO_INCREMENT" * column.automatic
    return f"{quoted(column.name)} {declared}{packed}{charset}{rest}"
