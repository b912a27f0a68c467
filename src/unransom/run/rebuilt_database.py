"""Write the rows of a repaired SQLite database into a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from unransom.catalog.formats.repair.repair import Count, Piece, Table, Tables
from unransom.catalog.formats.repair.sqlite import DELETED, KEYED
from unransom.core.outputs import FileReader
from unransom.core.spans import Origin
from unransom.core.streams import chunks
from unransom.recover.repair.step import WriteTables

VIRTUAL = 2  # PRAGMA table_xinfo: a column that no record holds
FOUND = "lost_and_found"  # table of rows that their own table does not take


class _Column(NamedTuple):
    """A column as SQLite describes it."""

    name: str
    kind: str
    key: int  # place in the primary key from 1, 0 outside of it
    hidden: int


def write_database(tables: Tables, path: Path) -> tuple[Count, ...]:
    """Write ``tables`` into a new database at ``path``; return how many rows each got.

    A row that its table does not take, as its key is there already, goes to a table of its own.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")  # flushed once, before it gets its name
        connection.execute("begin")
        counts = [Count(f"rows of {table.name}", _write(connection, table)) for table in tables.tables]
        for statement in tables.after:
            # An index may not fit the rows, and a view may need what is lost.
            with contextlib.suppress(sqlite3.Error):
                connection.execute(statement)
        connection.execute("commit")
    live = (count.left for table, count in zip(tables.tables, counts, strict=True) if not _is_beside(table))
    total = sum(live)
    return (Count("rows", total), *counts)


def _is_beside(table: Table) -> bool:
    """Return whether the rows of a table may be there already, or had been deleted."""
    return table.name.startswith((DELETED, KEYED)) and not table.create


def _write(connection: sqlite3.Connection, table: Table) -> int:
    name = _quoted(table.name)
    columns = _created(connection, table)
    keyed = "WITHOUT ROWID" in table.create.upper() and bool(columns)
    stored = [column for column in columns if column.hidden != VIRTUAL]
    if keyed:  # its records begin with the key
        stored.sort(key=lambda column: (column.key == 0, column.key))
    keys = [column for column in columns if column.key]
    alias = not keyed and len(keys) == 1 and keys[0].kind.upper() == "INTEGER"
    written = 0
    for number, values in table.rows():
        pairs = [
            (column.name, number if alias and column.key and value is None else value)
            for column, value in zip(stored, values, strict=False)
            if not column.hidden
        ]
        if not keyed and not alias and number:
            pairs.insert(0, ("rowid", number))
        written += _insert(connection, name, pairs)
    return written


def _created(connection: sqlite3.Connection, table: Table) -> list[_Column]:
    """Create the table by its statement, else with columns by number; return its columns."""
    name = _quoted(table.name)
    with contextlib.suppress(sqlite3.Error):
        if table.create:
            connection.execute(table.create)
    if not (columns := _columns(connection, name)):
        names = ", ".join(f"column_{number}" for number in range(1, max(table.columns, 1) + 1))
        connection.execute(f"create table if not exists {name} ({names})")
        columns = _columns(connection, name)
    return columns


def _columns(connection: sqlite3.Connection, name: str) -> list[_Column]:
    rows = connection.execute(f"pragma table_xinfo({name})")
    return [_Column(row[1], row[2], row[5], row[6]) for row in rows]


def _insert(connection: sqlite3.Connection, name: str, pairs: Iterable[tuple[str, object]]) -> int:
    """Insert a row; return whether it is in."""
    pairs = list(pairs)
    names = ", ".join(_quoted(each) for each, _ in pairs)
    marks = ", ".join("?" * len(pairs))
    values = [_storable(value) for _, value in pairs]
    try:
        connection.execute(f"insert into {name} ({names}) values ({marks})", values)
    except sqlite3.Error:
        columns = ", ".join(f"column_{number}" for number in range(1, len(pairs) + 1))
        beside = _quoted(f"{FOUND}_{len(pairs)}_more")
        connection.execute(f"create table if not exists {beside} ({columns})")
        connection.execute(f"insert into {beside} values ({marks})", values)
    return 1


def _storable(value: object) -> object:
    """Return a value as sqlite3 takes it: text that is no Unicode, as bytes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("\0", "") + '"'


def writer(folder: Path) -> WriteTables:
    """Return what writes tables as a database; its drafts go to ``folder``."""

    def write(tables: Tables) -> tuple[Iterable[Piece], tuple[Count, ...]]:
        path = folder / "rows"
        path.unlink(missing_ok=True)
        counts = write_database(tables, path)
        return _pieces(path), counts

    return write


def _pieces(path: Path) -> Iterator[Piece]:
    with FileReader(path) as reader:
        for piece in chunks(reader):
            yield piece, Origin.GUESSED
