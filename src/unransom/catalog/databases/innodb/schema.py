"""A table's definition and how the records of its clustered index are laid out by it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from unransom.catalog.databases.innodb.types import VARIABLE, ColumnType, Kind
from unransom.catalog.databases.table import Column, Reference

ROW_ID, TRX_ID, ROLL_PTR = "DB_ROW_ID", "DB_TRX_ID", "DB_ROLL_PTR"
DOC_ID, DOC_ID_TYPE = "FTS_DOC_ID", "bigint unsigned"  # hidden column of tables with a full-text index
ROW_START, ROW_END = "row_start", "row_end"  # MariaDB's names of the columns that declare no own
MOST_COLUMNS = 4096  # of a table; InnoDB takes 1017


class ColumnDef(msgspec.Struct, frozen=True):
    """A column as its source declares it.

    Attributes:
        name, type, nullable: As declared.
        hidden: Not the user's: dropped, or the engine's own.
        position: Place in the record where the source says it (MySQL 8 after instant changes), else -1.
        added, dropped: Row versions that it came and went with (MySQL 8.0.29 and later), 0 for none.
        default: Value of rows that are older than the column, as stored bytes; None for NULL.
        late: Added by an instant change of the older kind, so that records may end before it.
        automatic: AUTO_INCREMENT.
        invisible: It is stored, and only shown where it is named (MariaDB).
    """

    name: str
    type: ColumnType
    nullable: bool = True
    hidden: bool = False
    position: int = -1
    added: int = 0
    dropped: int = 0
    default: bytes | None = None
    late: bool = False
    automatic: bool = False
    invisible: bool = False


class KeyPart(msgspec.Struct, frozen=True):
    """A column in a key; ``prefix`` is in bytes, 0 for the whole column; larger values may come first."""

    column: str
    prefix: int = 0
    descending: bool = False


class TableDef(msgspec.Struct, frozen=True):
    """A table as a source of schemas declares it.

    Attributes:
        name: With its database where that is known, e.g. ``sakila/actor``.
        columns: In declared order, stored ones only.
        key: Of the clustered index; empty where rows are numbered by the engine.
        source: Where it was found, for people.
        clustered: Id of the clustered index, 0 where the source does not know it.
        create: The CREATE TABLE statement, where there is one.
        confidence: 0.0 to 1.0 that it is right.
        references: Its foreign keys.
        since, until: The columns that say from and until when a row was the current one (``WITH SYSTEM
            VERSIONING``), or "".
    """

    name: str
    columns: tuple[ColumnDef, ...]
    key: tuple[KeyPart, ...] = ()
    source: str = ""
    clustered: int = 0
    create: str = ""
    confidence: float = 1.0
    references: tuple[Reference, ...] = ()
    since: str = ""
    until: str = ""


class Registered(NamedTuple):
    """A table that the server's data dictionary knows.

    Attributes:
        definition: Without columns where the dictionary has lost them.
        space: Id of the tablespace that it is in.
        partition: The partition of the table that it is, "" where the table has none.
        vague: Of some columns other sources know more.
        table: Id of the table.
    """

    definition: TableDef
    space: int
    partition: str
    vague: bool
    table: int = 0


class Field(msgspec.Struct, frozen=True):
    """A field of a clustered record.

    Attributes:
        column: Number of the column in the table's definition, -1 for the engine's own fields.
        whole: The whole column, not a prefix of it in a key.
        untold: What it is in records that end before it is lost.
        descending: In the key, larger values come first.
    """

    name: str
    type: ColumnType
    nullable: bool
    column: int = -1
    whole: bool = True
    added: int = 0
    dropped: int = 0
    default: bytes | None = None
    late: bool = False
    untold: bool = False
    descending: bool = False


class Layout(msgspec.Struct, frozen=True):
    """The fields of a clustered record, in stored order; the first ``key`` of them make the key."""

    fields: tuple[Field, ...]
    key: int


def _own(name: str, length: int) -> Field:
    return Field(name, ColumnType(name, Kind.UNSIGNED, length, length), nullable=False)


def layout_of(table: TableDef) -> Layout:
    """Return how the records of the clustered index of ``table`` are laid out."""
    numbers = {column.name: number for number, column in enumerate(table.columns)}
    fields = [_field(table, numbers[part.column], part) for part in table.key if part.column in numbers]
    if not fields:
        fields = [_own(ROW_ID, 6)]
    key = len(fields)
    stored = {field.column for field in fields if field.whole}
    fields += [_own(TRX_ID, 6), _own(ROLL_PTR, 7)]
    rest = [number for number in range(len(table.columns)) if number not in stored]
    rest.sort(key=lambda number: (table.columns[number].position < 0, table.columns[number].position, number))
    fields += [_field(table, number, KeyPart("")) for number in rest]
    return Layout(tuple(fields), key)


def _field(table: TableDef, number: int, part: KeyPart) -> Field:
    column, prefix = table.columns[number], part.prefix
    kind = column.type
    if prefix and kind.length == VARIABLE:
        kind = msgspec.structs.replace(kind, most=prefix, big=prefix > 255)
    elif prefix and prefix < kind.length:
        kind = msgspec.structs.replace(kind, length=prefix, most=prefix)
    return Field(
        column.name,
        kind,
        column.nullable,
        number,
        whole=not prefix or prefix >= column.type.most,
        added=column.added,
        dropped=column.dropped,
        default=column.default,
        late=column.late,
        descending=part.descending,
    )


def shown(column: ColumnDef) -> Column:
    """Return ``column`` as readers of tables see it."""
    kind = column.type
    return Column(column.name, kind.declared, kind.arrow, column.nullable, column.hidden, column.automatic)
