"""What each step has done with each item, so that the same command goes on where it stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

DEATHS = 3  # workers that may die on an item before it is blamed


def finish(database: sqlite3.Connection, step: str, items: Iterable[int]) -> None:
    """Remember that ``step`` is done with ``items``."""
    database.executemany(
        "INSERT INTO journal (step, item, done) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET done = 1",
        ((step, item) for item in items),
    )


def death(database: sqlite3.Connection, step: str, item: int) -> int:
    """Count a worker that died on ``item``; return how many have."""
    row = database.execute(
        "INSERT INTO journal (step, item, deaths) VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET deaths = deaths + 1 RETURNING deaths",
        (step, item),
    ).fetchone()
    return int(row[0])


def reopen(database: sqlite3.Connection, steps: Iterable[str]) -> None:
    """Forget what ``steps`` have done: their surroundings have changed, a new key was given."""
    database.executemany("DELETE FROM journal WHERE step = ?", ((step,) for step in steps))
