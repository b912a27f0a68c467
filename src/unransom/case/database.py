"""The case database: SQLite, readable with plain ``sqlite3``, changed by numbered migrations."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from unransom.core.errors import UnransomError
from unransom.core.messages import say


def connect(path: Path) -> sqlite3.Connection:
    """Open the database at ``path``, made if there is none, brought to the newest schema.

    Raises:
        UnransomError: A newer unransom made it, or it is damaged.
    """
    try:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        _migrate(database)
    except sqlite3.DatabaseError as error:
        raise UnransomError(
            say("the case database cannot be opened: {path}", path=str(path)), detail=str(error)
        ) from error
    return database


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Do everything inside or nothing of it.

    Raises:
        UnransomError: The disk is full.
    """
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("COMMIT")
    except BaseException as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            raise disk_full(str(error)) from error
        raise


def disk_full(detail: str) -> UnransomError:
    """Return the error for a case folder that has no room left."""
    return UnransomError(
        say("no space is left where the case is"),
        detail=detail,
        hint=say("make room and run the same command again: it goes on where it stopped"),
    )


def _migrate(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    folder = resources.files("unransom.case.migrations")
    scripts = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    if version > len(scripts):
        raise UnransomError(
            say("this case was made by a newer unransom"),
            hint=say("install that version or a later one; nothing in the case was changed"),
        )
    for number, name in enumerate(scripts[version:], version + 1):
        script = folder.joinpath(name).read_text(encoding="utf-8")
        database.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
