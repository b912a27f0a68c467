"""A database as a target: each file is the script of a table, loaded aside and renamed when it is proven.

A table that is in the way is renamed, and gets its name back when the batch is undone. What was written is
read back and compared with the script, row by row, whatever the order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say
from unransom.restore.fill.target import Target
from unransom.restore.moving.place import (
    NOTHING,
    OTHER,
    SAME,
    Found,
    FullError,
    KeptError,
    MoveError,
    Room,
)
from unransom.restore.moving.plan import Entry
from unransom.restore.moving.scripts import CREATE, INSERT, is_mysql, rows, statements

FULL = frozenset({1021, 1114, "53100"})  # codes of servers without room
MODULUS = 1 << 256
ROWS = 1000  # that are fetched at once
MODES = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO"


class TablesPlace:
    """The tables of one database."""

    def __init__(self, location: str, plan: str, password: str) -> None:
        """Connect.

        Raises:
            UsageError: It is no URL of a kind that is known.
            UnransomError: It does not answer.
        """
        self.location = location
        try:
            url = sa.make_url(location).set(password=password or None)
        except sa.exc.ArgumentError as error:
            raise UsageError(say("the target is no database URL")) from error
        self._target = Target(url.render_as_string(hide_password=False))
        self._engine = self._target.engine
        self._is_mysql = self._engine.dialect.name in {"mysql", "mariadb"}
        self._prefix = f"unransom_{plan[:8]}_"

    def room(self) -> Room:
        """Return nothing: a database does not say what is free."""
        return Room(None, None)

    def survey(self, entries: Sequence[Entry]) -> None:
        """Do nothing: one by one is as quick."""

    def look(self, entry: Entry, source: Path) -> Found:
        """Return what is there; see ``Place.look``."""
        with self._told():
            if not self._has(entry.path):
                return Found(NOTHING)
            content = self._content(entry.path)
            same = content == self._promised(source, entry.path)
            return Found(SAME if same else OTHER, content)

    def put(self, number: int, entry: Entry, source: Path, before: Found) -> str:
        """Load, read back, rename; see ``Place.put``."""
        draft, aside = f"{self._prefix}{number}", f"{self._prefix}{number}_old"
        with self._told():
            if self._has(entry.path) and (before.kind == NOTHING or self._has(aside)):
                content = self._content(entry.path)
                if content == self._promised(source, entry.path):
                    return content  # a run was killed behind this
                raise MoveError(say("somebody has put another file there meanwhile"))
            if before.kind == OTHER and self._content(entry.path) != before.mark:
                raise MoveError(say("somebody has put another file there meanwhile"))
            self._load(draft, source)
            content = self._content(draft)
            if content != self._promised(source, draft):
                self._run(f"DROP TABLE {self._quoted(draft)}")
                raise MoveError(say("what was read back is not what the plan says: its source has changed"))
            names = [(entry.path, aside)] if before.kind == OTHER else []
            self._rename([*names, (draft, entry.path)])
            return content

    def back(self, number: int, entry: Entry, before: Found, mark: str) -> None:
        """Give what was there its name again; see ``Place.back``."""
        draft, aside = f"{self._prefix}{number}", f"{self._prefix}{number}_old"
        with self._told():
            self._run(f"DROP TABLE IF EXISTS {self._quoted(draft)}")
            if before.kind == OTHER and not self._has(aside):
                return  # it never left, or is back already
            there = self._has(entry.path)
            if there and mark and self._content(entry.path) != mark:
                raise KeptError(say("somebody has changed it since it was moved"))
            names = [(entry.path, draft)] if there else []
            self._rename([*names, *([(aside, entry.path)] if before.kind == OTHER else [])])
            self._run(f"DROP TABLE IF EXISTS {self._quoted(draft)}")

    def forget(self, number: int, entry: Entry, before: Found) -> None:
        """Do nothing: what was aside has its name again."""

    def digest(self, entry: Entry, source: Path) -> str | None:
        """Return the script's digest where the table has its rows; see ``Place.digest``."""
        with self._told():
            if not self._has(entry.path):
                return None
            content = self._content(entry.path)
            return entry.sha256 if content == self._promised(source, entry.path) else content

    def settle(self) -> None:
        """Do nothing: what was committed lasts."""

    def remove_folders(self, folders: Iterable[bytes]) -> None:
        """Do nothing: there are none."""

    def close(self) -> None:
        """Close all connections."""
        self._target.close()

    def _told(self) -> _Told:
        return _Told()

    def _has(self, name: str) -> bool:
        return sa.inspect(self._engine).has_table(name)

    def _quoted(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    def _run(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement.replace("%", "%%"))

    def _rename(self, names: list[tuple[str, str]]) -> None:
        """Rename tables, all at once."""
        pairs = [(self._quoted(old), self._quoted(new)) for old, new in names]
        if not pairs:
            return
        if self._is_mysql:
            self._run("RENAME TABLE " + ", ".join(f"{old} TO {new}" for old, new in pairs))
            return
        with self._engine.begin() as connection:
            for old, new in pairs:
                connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}".replace("%", "%%"))

    def _load(self, draft: str, source: Path) -> None:
        self._run(f"DROP TABLE IF EXISTS {self._quoted(draft)}")
        with self._engine.begin() as connection:
            if self._is_mysql:
                connection.exec_driver_sql(f"SET SESSION sql_mode = '{MODES}'")
            for statement in statements(source):
                found = CREATE.match(statement) or INSERT.match(statement)
                if found is None or is_mysql(statement) != self._is_mysql:
                    raise MoveError(say("its script is for another kind of database"))
                text = statement[: found.start(1)] + self._quoted(draft) + statement[found.end(1) :]
                connection.exec_driver_sql(text.rstrip(";\n").replace("%", "%%"))

    def _table(self, name: str) -> sa.Table:
        return sa.Table(name, sa.MetaData(), autoload_with=self._engine, resolve_fks=False)

    def _content(self, name: str) -> str:
        """Return what tells the rows of a table from others: their number, and a digest without an order."""
        kinds = [column.type for column in self._table(name).columns]
        count = total = 0
        with self._engine.connect() as connection:
            chosen = connection.execution_options(stream_results=True, yield_per=ROWS)
            # As the driver gives them: SQLAlchemy would round numbers of some types.
            for row in chosen.exec_driver_sql(f"SELECT * FROM {self._quoted(name)}".replace("%", "%%")):  # noqa: S608
                count += 1
                total += _digest(tuple(map(_plain, row, kinds)))
        return f"{count}:{total % MODULUS:064x}"

    def _promised(self, source: Path, like: str) -> str:
        """Return the same of the rows of a script, typed like the table ``like``."""
        kinds = [column.type for column in self._table(like).columns]
        count = total = 0
        for statement in statements(source):
            for row in rows(statement) if statement.startswith("INSERT") else ():
                if len(row) != len(kinds):
                    return f"{len(row)} columns"
                count += 1
                total += _digest(tuple(map(_plain, row, kinds)))
        return f"{count}:{total % MODULUS:064x}"


class _Told:
    """Turns what a database says into what the mover knows."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, UnransomError):
            raise MoveError(error.what) from error
        if isinstance(error, sa.exc.SQLAlchemyError):
            original = getattr(error, "orig", error)
            codes = {getattr(original, "sqlstate", None), *getattr(original, "args", ())[:1]}
            if codes & FULL:
                raise FullError(str(original)) from error
            reason = str(original).replace("\n", " ")[:300]
            raise MoveError(say("the database refuses it: {error}", error=reason)) from error


def _digest(row: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.sha256(repr(row).encode("utf-8", "surrogatepass")).digest(), "big")


def _plain(value: Any, kind: Any) -> Any:
    """Return a value in a form that a script and a driver have in common.

    Args:
        value: As the script or the driver has it.
        kind: Type of the column.
    """
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        is_number = isinstance(kind, sa.Integer | sa.Numeric) or type(kind).__name__ == "BIT"
        return _number(int.from_bytes(raw, "big")) if is_number else raw
    if isinstance(kind, sa.LargeBinary | sa.types._Binary):
        return str(value).encode()
    if isinstance(kind, sa.Float):
        return repr(float(value))
    if isinstance(kind, sa.Numeric | sa.Integer | sa.Boolean) or type(kind).__name__ in {"BIT", "YEAR"}:
        return _number(value)
    if isinstance(kind, sa.DateTime | sa.Date | sa.Time) or type(kind).__name__ == "TIME":
        return _moment(value)
    if isinstance(kind, sa.JSON):
        return json.dumps(value if not isinstance(value, str) else json.loads(value), sort_keys=True)
    return str(value)


def _number(value: Any) -> str:
    return f"{Decimal(str(int(value) if isinstance(value, bool) else value)).normalize():f}"


def _moment(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f}"
    if isinstance(value, time):
        return _moment(datetime.combine(date.min, value) - datetime.combine(date.min, time.min))
    if isinstance(value, datetime | date):
        return value.isoformat(" ").removesuffix(" 00:00:00") if isinstance(value, datetime) else str(value)
    text = str(value)
    try:
        if "-" in text[1:]:
            return _moment(datetime.fromisoformat(text))
        sign = -1 if text.startswith("-") else 1
        hours, minutes, seconds = text.lstrip("-").split(":")
        total = Decimal(hours) * 3600 + Decimal(minutes) * 60 + Decimal(seconds)
    except (ValueError, ArithmeticError):
        return text  # a zero date, which no calendar has
    return f"{sign * total:.6f}"
