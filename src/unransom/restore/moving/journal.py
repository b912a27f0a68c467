"""What a plan has come to: one row per file that was touched, written before and after each act.

It is SQLite, and every commit is on disk when it returns. A run that was killed finds here which files
it had begun, and what was in their places before.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from unransom.core.messages import Message
from unransom.restore.moving.place import Found

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, state TEXT NOT NULL,
    found TEXT, mark TEXT NOT NULL DEFAULT '', why TEXT);
CREATE INDEX IF NOT EXISTS files_by_batch ON files (batch, state);
CREATE TABLE IF NOT EXISTS folders (path BLOB PRIMARY KEY);
CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, applied TEXT NOT NULL DEFAULT '',
    signed_by TEXT NOT NULL DEFAULT '', signed TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
    undone TEXT NOT NULL DEFAULT '', scanners TEXT NOT NULL DEFAULT '');
"""


class State(enum.StrEnum):
    """What has become of a file of the plan; one without a row waits."""

    CLEAN = "clean"  # scanned, and nothing was found
    HELD = "held"  # a scanner has found something: it does not move
    BEGUN = "begun"  # a run was going to move it
    MOVED = "moved"
    PRESENT = "present"  # the target had the same bytes already
    FAILED = "failed"
    BACK = "back"  # taken back, but what was kept aside is still there
    KEPT = "kept"  # was not taken back: somebody has changed it since


OPEN = frozenset({State.CLEAN, State.BEGUN, State.FAILED})  # to be moved yet
ENDED = frozenset({State.HELD, State.MOVED, State.PRESENT, State.KEPT})


class Row(NamedTuple):
    """A row of the journal."""

    number: int
    state: State
    found: Found | None = None
    mark: str = ""
    why: Message | None = None


class Signed(NamedTuple):
    """What is known of a batch: times are RFC 3339, "" for what has not happened."""

    applied: str = ""
    signed_by: str = ""
    signed: str = ""
    note: str = ""
    undone: str = ""
    scanners: str = ""


class Journal:
    """The journal of one plan."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the journal."""
        self._database.close()

    def rows(self, numbers: Sequence[int]) -> dict[int, Row]:
        """Return the rows of files, by number; those without one are left out."""
        marks = ",".join("?" * len(numbers))
        found = self._database.execute(
            f"SELECT number, state, found, mark, why FROM files WHERE number IN ({marks})",  # noqa: S608 marks
            numbers,
        )
        return {row[0]: _row(row) for row in found}

    def write(self, batch: int, rows: Iterable[Row], folders: Iterable[bytes] = ()) -> None:
        """Write rows, and folders that will be made, all at once."""
        encode = msgspec.json.encode
        with self._transaction():
            self._database.executemany(
                "INSERT OR IGNORE INTO folders VALUES (?)", ((each,) for each in folders)
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        row.number,
                        batch,
                        row.state.value,
                        encode(row.found).decode() if row.found else None,
                        row.mark,
                        encode(row.why).decode() if row.why else None,
                    )
                    for row in rows
                ),
            )

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget files: they wait again."""
        with self._transaction():
            self._database.executemany("DELETE FROM files WHERE number = ?", ((each,) for each in numbers))

    def forget_scans(self, batch: int) -> None:
        """Forget what scanners have said about files that have not moved."""
        states = (State.CLEAN.value, State.HELD.value)
        self._database.execute("DELETE FROM files WHERE batch = ? AND state IN (?, ?)", (batch, *states))

    def counts(self, batch: int | None = None) -> dict[State, int]:
        """Return how many files of a batch, or of all, are in each state."""
        rows = self._database.execute(
            "SELECT state, count(*) FROM files WHERE ?1 IS NULL OR batch = ?1 GROUP BY state", (batch,)
        )
        return {State(state): count for state, count in rows}

    def told(self, states: Iterable[State]) -> Iterator[Row]:
        """Yield the rows in these states, by number."""
        for state in sorted(states):
            rows = self._database.execute(
                "SELECT number, state, found, mark, why FROM files WHERE state = ? ORDER BY number",
                (state.value,),
            )
            yield from map(_row, rows)

    def folders(self) -> list[bytes]:
        """Return the folders that moves have made."""
        return [path for (path,) in self._database.execute("SELECT path FROM folders")]

    def forget_folders(self) -> None:
        """Forget the folders: they are gone again."""
        self._database.execute("DELETE FROM folders")

    def signed(self, batch: int) -> Signed:
        """Return what is known of a batch."""
        query = "SELECT applied, signed_by, signed, note, undone, scanners FROM batches WHERE number = ?"
        row = self._database.execute(query, (batch,)).fetchone()
        return Signed(*row) if row else Signed()

    def sign(self, batch: int, signed: Signed) -> None:
        """Write what is known of a batch."""
        self._database.execute(
            "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", (batch, *signed)
        )

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database  # which commits, or takes back, at the end of its `with`


def _row(row: tuple[int, str, str | None, str, str | None]) -> Row:
    number, state, found, mark, why = row
    return Row(
        number,
        State(state),
        msgspec.structs.replace(msgspec.json.decode(found, type=Found), fresh=False) if found else None,
        mark,
        msgspec.json.decode(why, type=Message) if why else None,
    )
