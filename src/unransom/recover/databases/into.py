"""Writes tables straight into a running MariaDB, MySQL or PostgreSQL; nothing that is there is touched.

Tables are filled under names of their own and get their real ones when all of them are whole, so that a run
that breaks off leaves nothing under a real name.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow
import sqlalchemy

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say
from unransom.recover.databases.sql import create_statement, quoted, when_full, with_lost
from unransom.recover.databases.values import plain
from unransom.recover.databases.writer import Shown

DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
PREFIX = "unransom_"  # of the names of tables that are not whole yet
LONGEST = 48  # characters of a name behind the prefix; PostgreSQL takes 63 bytes in all
ROWS = 1000  # of one statement


def connect(url: str, password: str) -> sqlalchemy.Engine:
    """Return the server that ``url`` names.

    Args:
        url: ``mysql://``, ``mariadb://`` or ``postgresql://``, with the database, without a password.
        password: Of its user, "" for none.

    Raises:
        UsageError: It is no such URL, or has a password in it.
        UnransomError: The server does not answer.
    """
    try:
        address = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise UsageError(say("--into takes a URL like mysql://user@host/database")) from error
    if address.drivername not in DRIVERS or not address.database:
        raise UsageError(say("--into takes a URL like mysql://user@host/database"))
    if address.password is not None:
        raise UsageError(
            say("passwords do not belong into a command: others can see them"),
            hint=say("leave it out; it is asked for, or taken from UNRANSOM_INTO_PASSWORD"),
        )
    address = address.set(drivername=DRIVERS[address.drivername], password=password or None)
    if address.get_backend_name() == "mysql":
        address = address.update_query_dict({"charset": "utf8mb4"})
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    try:
        engine.connect().close()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise UnransomError(say("the server does not answer"), detail=str(error.__cause__ or "")) from error
    return engine


class IntoWriter:
    """Writes the tables of one database into a server."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        """Begin; ``engine`` is where the tables go."""
        self._dialect = "mysql" if engine.dialect.name in {"mysql", "mariadb"} else "postgresql"
        self._connection = engine.connect()
        self._names: dict[str, str] = {}  # real names by those that tables have until they are whole
        self._full: dict[str, list[str]] = {}  # what to run when they have their real names
        self._insert = ""
        self._shown: Shown | None = None
        if self._dialect == "mysql":
            self._run("SET time_zone = '+00:00'")
            # Strict, so that nothing is cut off in silence; zero dates are taken as they are.
            self._run("SET sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'")

    def begin(self, shown: Shown) -> None:
        """Create the table under a name of its own.

        Raises:
            UsageError: The server has a table with the real name.
        """
        if shown.name in self._names.values() or self._has(shown.name):
            self.drop()
            raise UsageError(
                say("the database already has a table {table}", table=shown.name),
                hint=say("give --into an empty database"),
            )
        name = f"{PREFIX}{len(self._names)}_{shown.name[:LONGEST]}"
        self._run(f"DROP TABLE IF EXISTS {quoted(name, self._dialect)}")
        self._names[name] = shown.name
        self._shown = shown._replace(name=name)
        self._run(create_statement(self._shown, self._dialect))
        marks = ", ".join(["%s"] * len(shown.columns))
        self._insert = f"INSERT INTO {quoted(name, self._dialect)} VALUES ({marks})"  # noqa: S608  quoted
        self._note()

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Insert rows."""
        assert self._shown is not None  # noqa: S101  begin came first
        self._shown, statements = with_lost(self._shown, batch, self._dialect)
        for statement in statements:
            self._run(statement)
            self._note()
        pairs = zip(batch.columns, self._shown.columns, strict=True)
        zero_dates = self._dialect == "mysql"
        columns = [self._taken(plain(array, column if zero_dates else None)) for array, column in pairs]
        rows = list(zip(*columns, strict=True))
        for first in range(0, len(rows), ROWS):
            self._connection.exec_driver_sql(self._insert, rows[first : first + ROWS])

    def keep(self) -> list[Path]:
        """Give the tables their names, all at once; there are no files."""
        if self._names and self._dialect == "mysql":
            self._connection.commit()
            pairs = [f"{self._quoted(name)} TO {self._quoted(real)}" for name, real in self._names.items()]
            self._run(f"RENAME TABLE {', '.join(pairs)}")
        else:
            for name, real in self._names.items():
                self._run(f"ALTER TABLE {self._quoted(name)} RENAME TO {self._quoted(real)}")
        for statement in (each for statements in self._full.values() for each in statements):
            self._run(statement)
        self._connection.commit()
        self._connection.close()
        return []

    def drop(self) -> None:
        """Remove what was written."""
        self._connection.rollback()
        for name in self._names:
            self._run(f"DROP TABLE IF EXISTS {self._quoted(name)}")
        self._connection.commit()
        self._connection.close()
        self._names = {}

    def _note(self) -> None:
        """Note what the table that is filled needs in the end, by its real name."""
        assert self._shown is not None  # noqa: S101  begin came first
        real = self._shown._replace(name=self._names[self._shown.name])
        self._full[self._shown.name] = when_full(real, self._dialect)

    def _run(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement.replace("%", "%%"))

    def _quoted(self, name: str) -> str:
        return quoted(name, self._dialect)

    def _has(self, name: str) -> bool:
        return sqlalchemy.inspect(self._connection).has_table(name)

    def _taken(self, values: list[object]) -> list[object]:
        """Return values as the server takes them: PostgreSQL has no NUL in texts, and no truth in numbers."""
        if self._dialect == "mysql":
            return values
        return [
            value.replace("\0", "") if isinstance(value, str)
            else int(value) if isinstance(value, bool)
            else value
            for value in values
        ]  # fmt: skip
