"""A SQLite file per database."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import sqlalchemy

from unransom.core.drafts import DraftFile
from unransom.recover.databases.values import plain
from unransom.recover.databases.writer import Shown

MOST_INTEGER = (1 << 63) - 1


class SqliteWriter:
    """Writes tables into a SQLite file, values exact: decimals and points in time are text there."""

    def __init__(self, folder: Path, database: str) -> None:
        """Begin the file of ``database`` in ``folder``."""
        self._draft = DraftFile(folder, f"{database}.sqlite")
        self._engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(self._draft.path)), poolclass=sqlalchemy.NullPool
        )
        self._connection = self._engine.raw_connection()
        cursor = self._connection.cursor()
        cursor.execute("pragma journal_mode = off")
        cursor.execute("pragma synchronous = off")  # flushed once, before it gets its name
        self._insert = ""
        self._shown: Shown | None = None

    def begin(self, shown: Shown) -> None:
        """Create the table."""
        columns = ", ".join(f"{_quoted(column.name)} {_affinity(column.arrow)}" for column in shown.columns)
        self._connection.cursor().execute(f"create table {_quoted(shown.name)} ({columns})")
        marks = ", ".join("?" * len(shown.columns))
        self._insert = f"insert into {_quoted(shown.name)} values ({marks})"  # noqa: S608  names are quoted
        self._shown = shown

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Insert rows."""
        assert self._shown is not None  # noqa: S101  begin came first
        columns = zip(batch.columns, self._shown.columns, strict=True)
        values = [_held(plain(array, column)) for array, column in columns]
        self._connection.cursor().executemany(self._insert, list(zip(*values, strict=True)))

    def keep(self) -> list[Path]:
        """Commit, and give the file its name."""
        self._connection.commit()
        self._close()
        return [self._draft.keep()]

    def drop(self) -> None:
        """Remove the file."""
        self._close()
        self._draft.drop()

    def _close(self) -> None:
        self._connection.close()
        self._engine.dispose()


def _held(values: list[object]) -> list[object]:
    """Return values as SQLite holds them: its numbers end at 2 ** 63."""
    return [str(value) if isinstance(value, int) and value > MOST_INTEGER else value for value in values]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("\0", "") + '"'


def _affinity(kind: pyarrow.DataType) -> str:
    """Return the declared type under which SQLite leaves the values as they are."""
    types = pyarrow.types
    if types.is_uint64(kind):
        return ""  # from 2 ** 63 on they are text
    if types.is_integer(kind) or types.is_boolean(kind):
        return "INTEGER"
    if types.is_floating(kind):
        return "REAL"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return "BLOB"
    return "TEXT"
