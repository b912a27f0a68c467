"""Versions of files from before the locking: a bucket or volume that keeps them needs no key.

A locker overwrites a file, or puts a locked one beside it and deletes the first. Either way the newest
version of before is what was locked. Stores list the versions of a path newest first, so of two rows of a
path the later is the older version: of an object, or of a file in the shadow copies of its volume.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from unransom.case import files
from unransom.core.clock import rfc3339
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, State
from unransom.core.text import shown

VERSIONED = (  # sources that keep versions: buckets all of them, volumes what shadow copies have
    "source IN (SELECT id FROM sources WHERE (json_extract(body, '$.kind') = 'image') = :shadows"
    " AND EXISTS (SELECT 1 FROM files WHERE files.source = sources.id AND version <> ''))"
)
BEFORE = (  # versions of a path that may be what was locked, newest first
    "SELECT id, body FROM files WHERE source = ? AND path = ? AND stream = ? AND id > ? AND version <> ''"
    " AND state IN ('intact', 'unknown') AND json_extract(body, '$.candidates[0]') IS NULL"
    " ORDER BY state <> 'intact', id LIMIT 1"
)
NEWER = "SELECT 1 FROM files WHERE source = ? AND path = ? AND stream = ? AND version <> '' AND id < ?"
WINDOW = "SELECT min(modified), max(modified) FROM files WHERE source = ? AND state = 'locked'"


def waiting(database: sqlite3.Connection, *, shadows: bool) -> Iterator[FileRef]:
    """Yield, for every file that was locked or deleted, the version that was there before.

    It has the number of the row that it stands for, and says in ``why`` what was taken.

    Args:
        database: Of the case.
        shadows: Whether shadow copies of volumes are looked at: what was written between the copy and the
            locking they have not, so that keys go first. Else buckets are, which keep every version.
    """
    versions = _Versions(database, shadows=shadows)
    where = f"{VERSIONED} AND state IN ('locked', 'unknown', 'intact')"
    for ref in files.select(database, where, shadows=shadows):
        found = versions.gone(ref) if ref.deleted else versions.before_locking(ref)
        if found:
            yield found


class _Window(NamedTuple):
    """When the files of a source were locked: nanoseconds since 1970; None where none were."""

    first: int | None
    last: int | None

    def has(self, time: int | None) -> bool:
        """Return whether ``time`` lies between."""
        return None not in {time, self.first} and self.first <= time <= self.last  # type: ignore[operator]


class _Versions:
    """The versions that a case has of files."""

    def __init__(self, database: sqlite3.Connection, *, shadows: bool) -> None:
        self._database = database
        self._shadows = shadows
        self._windows: dict[str, _Window] = {}

    def gone(self, ref: FileRef) -> FileRef | None:
        """Return ``ref`` where it is the last version of a file that went with the locking."""
        window = self._window(ref.source)
        # When a file went that only a shadow copy has, nothing says.
        then = window.first is not None if self._shadows else window.has(ref.changed)
        if not then or not ref.version or ref.state is not State.INTACT or not self._is_newest(ref):
            return None
        return _taken(ref, ref, _missing(ref) if self._shadows else _deleted(ref))

    def before_locking(self, ref: FileRef) -> FileRef | None:
        """Return the version of before, where ``ref`` was locked or is likely to have been."""
        if ref.state is State.LOCKED:
            return self._before(ref, ref.path, ref.id) or self._beside(ref)
        if ref.state is State.UNKNOWN and self._window(ref.source).has(ref.modified):
            return self._before(ref, ref.path, ref.id)
        return None

    def _beside(self, ref: FileRef) -> FileRef | None:
        """Return the file that was locked into ``ref``, which has another name, and was deleted."""
        return self._before(ref, ref.original, 0) if ref.original not in {b"", ref.path} else None

    def _before(self, ref: FileRef, path: bytes, after: int) -> FileRef | None:
        row = self._database.execute(BEFORE, (ref.source, path, ref.stream, after)).fetchone()
        if row is None:
            return None
        version = msgspec.structs.replace(msgspec.json.decode(row[1], type=FileRef), id=row[0])
        return _taken(ref, version, _of_shadow(ref, version) if self._shadows else _older(ref, version))

    def _window(self, source: str) -> _Window:
        if source not in self._windows:
            self._windows[source] = _Window(*self._database.execute(WINDOW, (source,)).fetchone())
        return self._windows[source]

    def _is_newest(self, ref: FileRef) -> bool:
        row = self._database.execute(NEWER, (ref.source, ref.path, ref.stream, ref.id)).fetchone()
        return row is None


def _taken(ref: FileRef, version: FileRef, why: Message) -> FileRef:
    return msgspec.structs.replace(version, id=ref.id, why=why, original=b"")


def _older(ref: FileRef, version: FileRef) -> Message:
    return say(
        "the version of {time} was taken, from before the locking of {locked}",
        time=rfc3339(version.modified),
        locked=rfc3339(ref.modified),
    )


def _of_shadow(ref: FileRef, version: FileRef) -> Message:
    return say(
        "the version of {time} in the shadow copy {version} was taken, from before the locking of {locked}",
        time=rfc3339(version.modified),
        version=version.version,
        locked=rfc3339(ref.modified),
    )


def _deleted(ref: FileRef) -> Message:
    return say(
        "{path} was deleted at {time}, while files were locked; its last version was taken",
        path=shown(ref.path),
        time=rfc3339(ref.changed),
    )


def _missing(ref: FileRef) -> Message:
    return say(
        "{path} is no longer on the volume; it was taken from the shadow copy {version}",
        path=shown(ref.path),
        version=ref.version,
    )
