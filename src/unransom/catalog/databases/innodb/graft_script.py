"""The statements around the import of a graft: the empty table before, its other keys afterwards."""

from __future__ import annotations

import re

from unransom.catalog.databases.innodb.ddl import items_of
from unransom.catalog.databases.innodb.schema import ColumnDef, KeyPart, TableDef
from unransom.catalog.databases.innodb.types import Kind

FORMAT = re.compile(r"\bROW_FORMAT\s*=?\s*(\w+)", re.IGNORECASE)
COMPACT, REDUNDANT = "COMPACT", "REDUNDANT"
WORDS = frozenset([Kind.TEXT, Kind.ENUM, Kind.SET])


def quoted(name: str) -> str:
    """Return ``name`` as MySQL and MariaDB take it."""
    return "`" + name.replace("`", "``") + "`"


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
    create, more = _given(table, name) if table.create else (_made(table, name), [])
    if row_format and declared_format(table) != row_format:
        create += f" ROW_FORMAT={row_format}"
    alters = [f"ALTER TABLE {name} ADD {item}" for item in more]
    if largest and any(column.automatic for column in table.columns):
        alters.append(f"ALTER TABLE {name} AUTO_INCREMENT = {largest + 1}")
    return create, tuple(alters)


def _given(table: TableDef, name: str) -> tuple[str, list[str]]:
    """Return the statement without secondary keys, and those keys; the import takes one index only."""
    items, options = items_of(table.create)
    key = [part.column.lower() for part in table.key]
    primary = any(kind == "primary" for kind, _, _ in items)
    kept: list[str] = []
    more: list[str] = []
    for kind, columns, text in items:
        clustered = kind == "primary" or (kind == "unique" and not primary and columns == key)
        if kind == "unique" and clustered:
            primary = True  # only the first of them
        (kept if not kind or clustered else more).append(text)
    return f"CREATE TABLE {name} (\n  " + ",\n  ".join(kept) + f"\n) {options}", more


def _made(table: TableDef, name: str) -> str:
    moments = {table.since: " GENERATED ALWAYS AS ROW START", table.until: " GENERATED ALWAYS AS ROW END"}
    lines = [_column(column, moments.get(column.name)) for column in table.columns if not column.hidden]
    if table.key:
        lines.append(f"PRIMARY KEY ({', '.join(_part(part, table) for part in table.key)})")
    if table.until:
        lines.append(f"PERIOD FOR SYSTEM_TIME ({quoted(table.since)}, {quoted(table.until)})")
    versioned = " WITH SYSTEM VERSIONING" if table.until else ""
    return f"CREATE TABLE {name} (\n  " + ",\n  ".join(lines) + f"\n) ENGINE=InnoDB{versioned}"


def _part(part: KeyPart, table: TableDef) -> str:
    kind = next(column.type for column in table.columns if column.name == part.column)
    characters = part.prefix // (kind.charset.most if kind.kind is Kind.TEXT else 1)
    return quoted(part.column) + (f"({characters})" if part.prefix else "") + " DESC" * part.descending


def _column(column: ColumnDef, moment: str | None) -> str:
    charset = f" CHARACTER SET {column.type.charset.name}" if column.type.kind in WORDS else ""
    declared = column.type.declared
    if "character set" in declared.lower() or "charset" in declared.lower():
        charset = ""
    packed = " COMPRESSED" if column.type.packed else ""
    rest = moment or (" NULL" if column.nullable else " NOT NULL")
    rest += " INVISIBLE" * column.invisible + " AUTO_INCREMENT" * column.automatic
    return f"{quoted(column.name)} {declared}{packed}{charset}{rest}"
