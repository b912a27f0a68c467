"""Versions of objects from before the locking: a bucket that keeps them needs no key.

A locker overwrites an object, or puts a locked one beside it and deletes the first. Either way the newest
version of before is what was locked. Stores list the versions of a key newest first, so of two rows of a
key the later is the older version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from unransom.case import files
from unransom.core.clock import rfc3339
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, State
from unransom.core.text import shown

BUCKETS = "source IN (SELECT id FROM sources WHERE json_extract(body, '$.kind') IN ('bucket', 'collection'))"
BEFORE = (  # versions of a key that may be what was locked, newest first
    "SELECT id, body FROM files WHERE source = ? AND path = ? AND id > ? AND version <> ''"
    " AND state IN ('intact', 'unknown') AND json_extract(body, '$.candidates[0]') IS NULL"
    " ORDER BY state <> 'intact', id LIMIT 1"
)
WINDOW = "SELECT min(modified), max(modified) FROM files WHERE source = ? AND state = 'locked'"


def waiting(database: sqlite3.Connection) -> Iterator[FileRef]:
    """Yield, for every object that was locked or deleted, the version that was there before.

    It has the number of the row that it stands for, and says in ``why`` what was taken.
    """
    windows: dict[str, tuple[int | None, int | None]] = {}
    for ref in files.select(database, f"{BUCKETS} AND state IN ('locked', 'unknown', 'intact')"):
        if ref.source not in windows:
            windows[ref.source] = database.execute(WINDOW, (ref.source,)).fetchone()
        found = _found(database, ref, windows[ref.source])
        if found:
            yield found


def _found(
    database: sqlite3.Connection, ref: FileRef, window: tuple[int | None, int | None]
) -> FileRef | None:
    if ref.deleted:
        is_whole = ref.state is State.INTACT and _newest(database, ref)
        return _taken(ref, ref, _deleted(ref)) if is_whole and _within(ref.changed, window) else None
    if ref.state is State.LOCKED:
        return _before(database, ref, ref.path, ref.id) or _beside(database, ref)
    if ref.state is State.UNKNOWN and _within(ref.modified, window):
        return _before(database, ref, ref.path, ref.id)
    return None


def _beside(database: sqlite3.Connection, ref: FileRef) -> FileRef | None:
    """Return the object that was locked into ``ref``, which has another name, and was deleted."""
    return _before(database, ref, ref.original, 0) if ref.original not in {b"", ref.path} else None


def _before(database: sqlite3.Connection, ref: FileRef, path: bytes, after: int) -> FileRef | None:
    row = database.execute(BEFORE, (ref.source, path, after)).fetchone()
    if row is None:
        return None
    version = msgspec.structs.replace(msgspec.json.decode(row[1], type=FileRef), id=row[0])
    why = say(
        "the version of {time} was taken, from before the locking of {locked}",
        time=rfc3339(version.modified),
        locked=rfc3339(ref.modified),
    )
    return _taken(ref, version, why)


def _taken(ref: FileRef, version: FileRef, why: Message) -> FileRef:
    return msgspec.structs.replace(version, id=ref.id, why=why, original=b"")


def _deleted(ref: FileRef) -> Message:
    return say(
        "{path} was deleted at {time}, while files were locked; its last version was taken",
        path=shown(ref.path),
        time=rfc3339(ref.changed),
    )


def _newest(database: sqlite3.Connection, ref: FileRef) -> bool:
    query = "SELECT 1 FROM files WHERE source = ? AND path = ? AND id < ?"
    return database.execute(query, (ref.source, ref.path, ref.id)).fetchone() is None


def _within(time: int | None, window: tuple[int | None, int | None]) -> bool:
    first, last = window
    return time is not None and first is not None and last is not None and first <= time <= last
