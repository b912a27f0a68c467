"""The company's database, seen through SQLAlchemy: its tables, typed values, rows by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say
from unransom.restore.fill.columns import fitted
from unransom.restore.fill.mapping import TableMapping

BATCH = 1000  # rows of a statement and of a transaction
LEDGER = "unransom_fill"  # the table that remembers what was filled, and from where
Row = dict[str, Any]
Key = tuple[Any, ...]


class Target:
    """An open database. Nothing is ever updated in it: rows are inserted, or deleted by an undo."""

    def __init__(self, url: str) -> None:
        """Connect.

        Args:
            url: Of SQLAlchemy; ``mysql://``, ``mariadb://`` and ``postgresql://`` get their drivers.

        Raises:
            UsageError: It is no URL of a kind that is known.
            UnransomError: The server does not answer.
        """
        try:
            address = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise UsageError(say("the target is no database URL")) from error
        drivers = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
        address = address.set(drivername=drivers.get(address.drivername, address.drivername))
        if address.get_backend_name() == "mysql" and "charset" not in address.query:
            address = address.update_query_dict({"charset": "utf8mb4"})
        self.engine = sa.create_engine(address)
        if address.get_backend_name() == "mysql":
            sa.event.listen(self.engine, "connect", _strict)
        self._tables: dict[str, sa.Table] = {}
        try:
            self.engine.connect().close()
        except sa.exc.SQLAlchemyError as error:
            raise UnransomError(say("the target database does not answer"), detail=_plain(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def table(self, name: str) -> sa.Table:
        """Return the table ``name``.

        Raises:
            UsageError: There is none.
        """
        if name not in self._tables:
            schema, _, short = name.rpartition(".")
            try:
                self._tables[name] = sa.Table(
                    short, sa.MetaData(), schema=schema or None, autoload_with=self.engine, resolve_fks=False
                )
            except sa.exc.NoSuchTableError as error:
                raise UsageError(say("the target has no table {table}", table=name)) from error
        return self._tables[name]

    def ledger(self) -> sa.Table:
        """Return the table of provenance, made where it is missing."""
        table = sa.Table(
            LEDGER,
            sa.MetaData(),
            sa.Column("plan", sa.String(64), primary_key=True),
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("target_table", sa.String(128), nullable=False),
            sa.Column("filled_key", sa.Text, nullable=False),
            sa.Column("filled_row", sa.Text, nullable=False),
            sa.Column("source_file", sa.Text, nullable=False),
            sa.Column("source_row", sa.BigInteger, nullable=False),
            sa.Column("source_sha256", sa.String(64), nullable=False),
            mysql_charset="utf8mb4",
        )
        table.create(self.engine, checkfirst=True)
        return table

    def has_ledger(self) -> bool:
        """Return whether something was filled here and not undone."""
        return sa.inspect(self.engine).has_table(LEDGER)

    def typed(self, mapping: TableMapping, row: Row, zone: str = "UTC") -> Row:
        """Return ``row`` with values as the columns' types want them.

        Args:
            mapping: Of the row's table.
            row: Values by column.
            zone: In which columns without a zone hold times; that of a plan's rows are what they hold.

        Raises:
            UsageError: The table has no such column.
            Misfit: A value does not fit without loss.
        """
        table = self.table(mapping.table)
        typed = {}
        for name, value in row.items():
            if name not in table.c:
                raise UsageError(
                    say(
                        "table {table} of the target has no column {column}", table=mapping.table, column=name
                    )
                )
            typed[name] = fitted(table.c[name], value, zone)
        return typed

    def existing(
        self, connection: sa.Connection, mapping: TableMapping, columns: Sequence[str], keys: Iterable[Key]
    ) -> dict[Key, Row]:
        """Return the rows that are there for ``keys``, by normalised key."""
        table = self.table(mapping.table)
        key_columns = [table.c[name] for name in mapping.key]
        chosen = [table.c[name] for name in dict.fromkeys((*mapping.key, *columns))]
        condition = sa.tuple_(*key_columns).in_(list(keys))
        found = connection.execute(sa.select(*chosen).where(condition)).mappings()
        return {key_of(dict(row), mapping): dict(row) for row in found}


def _strict(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:  # a value that does not fit is an error, never cut to size
        cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'")


def key_of(row: Row, mapping: TableMapping) -> Key:
    """Return the key of a row, in a form that does not depend on how a driver gives values."""
    return tuple(_comparable(row[name]) for name in mapping.key)


def same(ours: Row, theirs: Row, ignore: Iterable[str] = ()) -> bool:
    """Return whether two rows say the same in the columns of ``ours``."""
    left_out = set(ignore)
    return all(_equal(value, theirs.get(name)) for name, value in ours.items() if name not in left_out)


def _equal(one: Any, other: Any) -> bool:
    one, other = _comparable(one), _comparable(other)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) < timedelta(seconds=1)  # columns without fractions round them
    return bool(one == other)


def _comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, bool | int | float | Decimal):
        return Decimal(str(value)).normalize()
    if isinstance(value, str):
        return value.rstrip(" ")  # columns of a fixed length fill up what is shorter
    return str(value) if isinstance(value, UUID) else value


def _plain(error: Exception) -> str:
    """Return what a driver says, without the statement and without the address, which may hold a secret."""
    return str(getattr(error, "orig", error))[:300]
