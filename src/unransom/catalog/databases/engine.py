"""What every database engine offers: it recognises its files, and opens them as tables with rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.table import Loss, Rows, Table
from unransom.core.messages import Message
from unransom.core.streams import Reader


class Source(NamedTuple):
    """A file that may hold pages of a database: a data file, a log, a backup, an old copy, a carved run.

    Attributes:
        name: Last part of its path.
        reader: Its bytes.
        folder: Name of the folder that it is in, which servers name like the database; "" where not known.
    """

    name: str
    reader: Reader
    folder: str = ""


class Hints(msgspec.Struct, frozen=True):
    """What is known from outside.

    Attributes:
        sql: Texts with CREATE TABLE statements: scripts and dumps.
        keys: Secrets for encrypted pages by their number or name, e.g. of a MariaDB key file.
    """

    sql: tuple[str, ...] = ()
    keys: dict[str, bytes] = {}


class Database(Protocol):
    """An opened database: some sources of one engine, merged."""

    name: str
    tables: tuple[Table, ...]
    problems: tuple[Message, ...]  # what could not be read, and what would help

    def rows(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of ``table``, live ones and what else was found, in batches of bounded size."""
        ...

    def loss(self, table: Table, recovered: int) -> Loss:
        """Return what is missing from ``table`` of which ``recovered`` live or salvaged rows were read."""
        ...


class Graft(NamedTuple):
    """A file that the engine's server takes as its own.

    Attributes:
        size: Bytes in all.
        page: Bytes of a page.
        pages: Numbers and bytes of its pages, in any order; what is not yielded is zeros.
        rows: Live rows in it.
        dropped: Rows left out, because a value off their page is lost.
        create: The statement that makes the empty table which takes the file.
        afterwards: Statements that finish the table once it has.
        restored: Damaged pages of which salvaged rows are in it, and where on the page these are.
        doubted: Sound pages of which it has no row, as they may not be the table's any more.
    """

    size: int
    page: int
    pages: Iterator[tuple[int, bytes]]
    rows: int
    dropped: int
    create: str
    afterwards: tuple[str, ...]
    restored: Mapping[int, NDArray[np.int64]] = {}
    doubted: Sequence[int] = ()


class Repair(NamedTuple):
    """A damaged file as whole as it can be made, without a server's word that it takes it.

    Attributes:
        name: Of the file.
        size: Bytes in all.
        page: Bytes of a page.
        pages: Numbers and bytes of its pages, in any order, the last one of a number counts; what is not
            yielded is zeros.
        kept: Pages that keep their bytes.
        damaged: Pages that were made anew, emptied, or left damaged.
        main: It is the file that others hang on.
    """

    name: str
    size: int
    page: int
    pages: Iterator[tuple[int, bytes]]
    kept: int
    damaged: int
    main: bool


class Engine(NamedTuple):
    """A database engine.

    Attributes:
        name: One word, e.g. ``innodb``.
        title: For people.
        recognise: Whether a file is this engine's, damaged or not: bits of evidence, 0 for none. Reads a
            bounded part of it, and more than its first page: that is what lockers take first.
        open: The sources that were recognised, as the databases that they hold.
        graft: Makes the file of a table that the server takes, or says why there is none; None of engines
            whose servers take no such file.
        repair: Makes repaired files of a database, or says why one cannot be; None where there is ``graft``.
    """

    name: str
    title: str
    recognise: Callable[[Reader], int]
    open: Callable[[Sequence[Source], Hints], Sequence[Database]]
    graft: Callable[[Database, Table], Graft | Message] | None = None
    repair: Callable[[Database], Iterable[Repair | Message]] | None = None
