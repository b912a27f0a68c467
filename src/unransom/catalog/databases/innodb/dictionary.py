"""The data dictionary that MySQL before 8 and MariaDB keep in ``ibdata1``: the tables of all tablespaces.

It names each table, its columns and the id of its clustered index, so that pages of a tablespace that many
tables share find their owners. It does not know the digits of decimals and the words of ENUM and SET.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from unransom.catalog.databases.innodb import decode, lobs
from unransom.catalog.databases.innodb.accounted import live
from unransom.catalog.databases.innodb.charsets import BINARY, UTF8, charset_of_collation
from unransom.catalog.databases.innodb.current import current_leaves
from unransom.catalog.databases.innodb.file_names import AUXILIARY, PARTITION, decoded
from unransom.catalog.databases.innodb.frm import BLOBS, INTEGERS
from unransom.catalog.databases.innodb.frm import OLD as OLD_CLOCKS
from unransom.catalog.databases.innodb.origin import made, shown_in
from unransom.catalog.databases.innodb.schema import (
    MOST_COLUMNS,
    ColumnDef,
    KeyPart,
    Registered,
    TableDef,
)
from unransom.catalog.databases.innodb.tablespace import SYSTEM, Tablespace
from unransom.catalog.databases.innodb.types import ColumnType, column_type

MOST_TABLES = 1 << 18
LONGEST = 1 << 16  # bytes of a value on its page
CLUSTERED = 1  # bit of an index's type
NOT_NULL, UNSIGNED, VIRTUAL = 0x100, 0x200, 0x2000  # bits of a column's type
INT, FIXED_BINARY = 6, 3  # main types
CHAR, NEWDECIMAL = 254, 246  # types in the numbers of SQL
POINTER = 8  # bytes that the length of a large value counts besides those of its own length
CLOCKS = {7: ("timestamp", 4), 11: ("time", 3), 12: ("datetime", 5)}  # bytes without a fraction
PLAIN = {4: "float", 5: "double", 10: "date", 13: "year", 14: "date", 245: "json", 255: "geometry"}
Row = dict[str, Any]


def _system(index: int, name: str, key: int, columns: str) -> TableDef:
    """Return the definition of a table of the dictionary, by words like ``NAME:text ID:8``."""
    types = {"text": "varchar(1000)", "4": "int unsigned", "8": "bigint unsigned"}
    parts = [each.split(":") for each in columns.split()]
    made_of = [(called, column_type(types[kind], UTF8)) for called, kind in parts]
    known = tuple(ColumnDef(called, kind) for called, kind in made_of if kind is not None)
    return TableDef(name, known, tuple(KeyPart(each.name) for each in known[:key]), clustered=index)


TABLES = _system(
    1, "SYS_TABLES", 1, "NAME:text ID:8 N_COLS:4 TYPE:4 MIX_ID:8 MIX_LEN:4 CLUSTER_NAME:text SPACE:4"
)
COLUMNS = _system(2, "SYS_COLUMNS", 2, "TABLE_ID:8 POS:4 NAME:text MTYPE:4 PRTYPE:4 LEN:4 PREC:4")
INDEXES = _system(3, "SYS_INDEXES", 2, "TABLE_ID:8 ID:8 NAME:text N_FIELDS:4 TYPE:4 SPACE:4 PAGE_NO:4")
FIELDS = _system(4, "SYS_FIELDS", 2, "INDEX_ID:8 POS:4 COL_NAME:text")


def registered(space: Tablespace) -> Iterator[Registered]:
    """Yield the tables that the data dictionary in ``space`` knows, of sound pages of it."""
    if space.space != SYSTEM or not len(space.table):
        return
    columns, clustered, fields = _by(space, COLUMNS), _by(space, INDEXES), _by(space, FIELDS)
    for place, row in enumerate(_rows(space, TABLES)):
        if place >= MOST_TABLES:
            return
        database, slash, table = (row["NAME"] or "").partition("/")
        index = next((each for each in clustered[row["ID"]] if (each["TYPE"] or 0) & CLUSTERED), None)
        if not slash or index is None or index["SPACE"] is None or AUXILIARY.match(table):
            continue
        name, *partition = PARTITION.split(table, maxsplit=1)
        mine = [each for each in columns[row["ID"]] if not (each["PRTYPE"] or 0) & VIRTUAL]
        known, vague = _columns(mine[:MOST_COLUMNS])
        definition = TableDef(
            f"{decoded(database)}/{decoded(name)}",
            known if len(known) == len(mine) else (),
            _key(fields[index["ID"]], known),
            source="data dictionary",
            clustered=index["ID"],
        )
        yield Registered(definition, index["SPACE"], decoded("".join(partition)), vague, row["ID"])


def _by(space: Tablespace, definition: TableDef) -> defaultdict[int, list[Row]]:
    """Return the rows of a table of the dictionary by the first column of its key, in the key's order."""
    first, second = (part.column for part in definition.key)
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for row in _rows(space, definition):
        if row[first] is not None and row[second] is not None:
            groups[row[first]].append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: row[second])
    return groups


def _rows(space: Tablespace, definition: TableDef) -> Iterator[Row]:
    """Yield the live rows of a table of the dictionary."""
    found = made(space, definition, definition.clustered)
    target, fetch = shown_in(found), functools.partial(lobs.fetch, space)
    for kept, data in space.groups(current_leaves(found)):
        yield from decode.batch(live(found, kept, data), target, fetch, decode.LIVE).to_pylist()


def _key(fields: list[Row], columns: tuple[ColumnDef, ...]) -> tuple[KeyPart, ...]:
    """Return the key of a clustered index; the place of a field also says how much of its column counts."""
    types = {column.name: column.type for column in columns}
    parts = []
    for place, field in enumerate(fields):
        prefix = 0 if field["POS"] == place else field["POS"] & 0x7FFF
        kind = types.get(field["COL_NAME"])
        if kind is not None:
            parts.append(KeyPart(field["COL_NAME"], prefix if prefix < kind.most else 0))
    return tuple(parts)


def _columns(rows: list[Row]) -> tuple[tuple[ColumnDef, ...], bool]:
    """Return the columns whose types make sense, and whether some of these are told in part only."""
    columns, vague = [], False
    for row in rows:
        if None in {row["NAME"], row["MTYPE"], row["PRTYPE"], row["LEN"]} or row["LEN"] >= LONGEST:
            continue
        kind, unsure = _type(row["MTYPE"], row["PRTYPE"], row["LEN"])
        vague |= unsure
        if kind is not None:
            columns.append(ColumnDef(row["NAME"], kind, not row["PRTYPE"] & NOT_NULL))
    return tuple(columns), vague


def _type(main: int, precise: int, length: int) -> tuple[ColumnType | None, bool]:
    """Return the type of a column, and whether more of it is known elsewhere only."""
    number, charset = precise & 0xFF, charset_of_collation(precise >> 16 & 0x7FFF)
    if main == INT and number in OLD_CLOCKS:
        return OLD_CLOCKS[number], False
    if number == NEWDECIMAL:
        return column_type(f"binary({length})", BINARY), True
    chosen = main == INT and number == CHAR  # ENUM and SET are numbers here
    declared = _number(main, precise, length) or PLAIN.get(number) or _text(number, length, charset.most)
    if charset is BINARY:
        declared = declared.replace("text", "blob")
    return column_type(declared, charset) if declared else None, chosen


def _number(main: int, precise: int, length: int) -> str:
    """Return the declared type of a number or a time, "" of others."""
    number = precise & 0xFF
    unsigned = " unsigned" if precise & UNSIGNED else ""
    if number in CLOCKS and main == FIXED_BINARY:
        name, plain = CLOCKS[number]
        return f"{name}({2 * max(length - plain, 0)})"
    if main == INT and number == CHAR:
        sizes = {1: "tinyint", 2: "smallint", 3: "mediumint", 4: "int", 8: "bigint"}
        return sizes[length] + " unsigned" if length in sizes else ""
    if number == 16:
        return f"bit({8 * length})"
    return INTEGERS[number] + unsigned if number in INTEGERS else ""


def _text(number: int, length: int, widest: int) -> str:
    """Return the declared type of text or bytes, "" of others."""
    if number in BLOBS:
        sizes = {1: "tiny", 2: "", 3: "medium", 4: "long"}
        return sizes.get(length - POINTER, "long") + "text"
    names = {15: "varchar", 253: "varchar", CHAR: "char"}
    return f"{names[number]}({length // widest})" if number in names else ""
