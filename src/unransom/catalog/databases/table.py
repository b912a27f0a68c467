"""What both engines' readers yield: pages with a verdict, tables with their source, rows in batches."""

from __future__ import annotations

import enum

import msgspec
import numpy as np
import pyarrow

from unransom.core.messages import Message

PROVENANCE = ("_page", "_slot", "_state", "_confidence")  # columns behind a table's own in every batch
FITTING = 0.9  # confidence of a definition of whose rows each is as sure as it is itself


class PageVerdict(enum.StrEnum):
    """What a page's own checks say."""

    VALID = "valid"  # a checksum holds
    UNCHECKED = "unchecked"  # it carries no checksum, and its header makes sense
    TORN = "torn"  # its header makes sense, and its checksum does not hold
    BLANK = "blank"  # zeros
    LOST = "lost"  # its header makes no sense: locked, or of something else


class Page(msgspec.Struct, frozen=True):
    """A page as it was found.

    Attributes:
        offset: Where it starts in the reader, bytes.
        number: Its own page number; -1 where the header does not tell.
        file: Number of the file of the database (SQL Server), or of the tablespace (InnoDB).
        owner: The object that it belongs to: allocation unit (SQL Server) or index (InnoDB); 0 for none.
        kind: The engine's word for its type, e.g. ``data`` or ``INDEX``.
        verdict: What its checks say.
        algorithm: Which checksum held, e.g. ``crc32``; "" where none did.
        lsn: Log sequence number, to choose the newer of two copies.
    """

    offset: int
    number: int
    file: int
    owner: int
    kind: str
    verdict: PageVerdict
    algorithm: str = ""
    lsn: int = 0


class Numbering(msgspec.Struct, frozen=True):
    """How a server draws the numbers of a column.

    Attributes:
        first: The first one.
        step: From each to the next one, not 0.
        last: That was drawn, None where none was or that is lost.
    """

    first: int = 1
    step: int = 1
    last: int | None = None


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        name: As declared; ``column_3`` where only its position is known.
        declared: Its type in the words of the engine, e.g. ``decimal(10,2)`` or ``nvarchar(40)``.
        arrow: The type of its values in batches: decimals as decimal128, points in time as timestamp
            (microseconds or nanoseconds, without zone), text as string, LOBs as large_binary or large_string,
            what has no better type as string.
        nullable: It may be NULL.
        hidden: The engine's own, not the user's.
        automatic: The server draws its numbers: AUTO_INCREMENT, IDENTITY.
        numbering: How it draws them, where that is known.
    """

    name: str
    declared: str
    arrow: pyarrow.DataType
    nullable: bool = True
    hidden: bool = False
    automatic: bool = False
    numbering: Numbering | None = None


class Reference(msgspec.Struct, frozen=True):
    """A foreign key.

    Attributes:
        columns: Of the table that has it.
        table: Name of the table whose rows they name, without its database or schema.
        keys: The columns of that table, in the same order; () for its primary key.
    """

    columns: tuple[str, ...]
    table: str
    keys: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """A table whose rows can be read.

    Attributes:
        name: With its schema where that is known, e.g. ``dbo.Orders`` or ``sakila/actor``.
        columns: In declared order.
        key: Names of the columns of the primary or clustered key.
        source: Where the schema comes from, for people: ``SDI``, ``.frm``, ``catalogue``, ``CREATE TABLE``,
            ``old copy``, ``log``, ``inferred``.
        confidence: 0.0 to 1.0 that the schema fits the pages.
        expected: Rows that the database itself counts, None where that is lost.
        references: Its foreign keys, as far as its own definition has them.
        schema: The database or schema that ``name`` begins with, "" where it begins with none.
        files: Names of the files that have its pages, where not all tables share all files, else ().
        dialect: Whose words its columns are declared in: ``mysql``, ``mssql``, "" where that is not known.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    source: str = ""
    confidence: float = 1.0
    expected: int | None = None
    references: tuple[Reference, ...] = ()
    schema: str = ""
    files: tuple[str, ...] = ()
    dialect: str = ""

    @property
    def short(self) -> str:
        """The name without its database or schema."""
        return self.name[len(self.schema) + 1 :] if self.schema else self.name


class Rows(msgspec.Struct, frozen=True):
    """Some rows of a table.

    Attributes:
        table: Their table.
        batch: One column per ``table.columns``, then those of ``PROVENANCE``: page number (int64), slot or
            offset in the page (int32), state (dictionary of string: ``live``, ``deleted``, ``salvaged``,
            ``log``, ``old copy``) and confidence (float32).
    """

    table: Table
    batch: pyarrow.RecordBatch

    @classmethod
    def of(cls, table: Table, batch: pyarrow.RecordBatch) -> Rows:
        """Return rows, none of them surer than the definition they were read by, where that is a guess."""
        if table.confidence < FITTING:
            place = batch.num_columns - 1
            sure = np.minimum(batch.column(place).to_numpy(), np.float32(table.confidence))
            batch = batch.set_column(place, batch.schema.field(place), pyarrow.array(sure))
        return cls(table, batch)


class Loss(msgspec.Struct, frozen=True):
    """What of a table did not come back.

    Attributes:
        table: Its name.
        recovered: Rows.
        expected: Rows by the best estimate at hand, None where nothing tells.
        why: How the estimate was made, and what is missing.
    """

    table: str
    recovered: int
    expected: int | None
    why: Message
