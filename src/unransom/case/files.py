"""The files of a case: every file of the evidence, and what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from unransom import __version__
from unransom.core.clock import now_ns
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Grade, KeyFound, Kind, Output, Problem, Record, State, Verdict
from unransom.core.searches import Secret
from unransom.core.spans import ByteMap, Origin

encode = msgspec.json.Encoder().encode
Stored = TypeVar("Stored", bound=Record)


def add(database: sqlite3.Connection, refs: Iterable[FileRef]) -> None:
    """Add files that were listed; those that are there already stay as they are."""
    database.executemany(
        "INSERT OR IGNORE INTO files"
        " (source, path, stream, version, locator, size, modified, state, why, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                ref.source,
                ref.path,
                ref.stream,
                ref.version,
                ref.locator,
                ref.size,
                ref.modified,
                ref.state,
                encode(ref.why).decode() if ref.why else None,
                encode(ref).decode(),
            )
            for ref in map(_listed, refs)
        ),
    )


def _listed(ref: FileRef) -> FileRef:
    """Return ``ref`` as it is examined, or left out with the reason."""
    if ref.kind is not Kind.FILE:
        why = say("a {kind} has no content of its own", kind=ref.kind.value)
    elif ref.deleted and not ref.version:  # of an object in a bucket a version is there
        why = say("deleted: what is left of it is found by carving")
    else:
        return ref
    return msgspec.structs.replace(ref, state=State.SKIPPED, why=why)


def select(database: sqlite3.Connection, where: str, **values: Any) -> Iterator[FileRef]:
    """Yield the files for which the SQL condition ``where`` holds, in the order of their ids.

    ``values`` are those of the named parameters in the condition. Rows are fetched page by page, so the
    caller may change the table in between.
    """
    decode = msgspec.json.Decoder(FileRef).decode
    last = 0
    while True:
        rows = database.execute(
            f"SELECT id, body FROM files WHERE id > :last AND ({where}) ORDER BY id LIMIT 1000",
            values | {"last": last},
        ).fetchall()
        for number, body in rows:
            yield msgspec.structs.replace(decode(body), id=number)
        if not rows:
            return
        last = rows[-1][0]


def store(database: sqlite3.Connection, step: str, item: int, records: Iterable[Record]) -> None:
    """Store what ``step`` yielded for ``item`` and bring the item's row up to it."""
    now = now_ns()
    for record in records:
        if isinstance(record, Secret):
            raise TypeError("a key belongs to the case's keys, not to its records")
        if isinstance(record, KeyFound) and _known(database, record):
            continue
        if isinstance(record, FileRef):
            _examined(database, record)
            continue
        database.execute(
            "INSERT INTO records (type, step, version, item, time, body) VALUES (?, ?, ?, ?, ?, ?)",
            (type(record).__name__, step, __version__, _item_of(record, item), now, encode(record).decode()),
        )
        match record:
            case Output():
                _recovered(database, item, record)
            case Verdict():
                _judged(database, item, record)
            case Problem() if record.fatal and item:
                _failed(database, item, record)


def _item_of(record: Record, item: int) -> int:
    """Return the file that ``record`` is about: a search for all files may find the key of one."""
    return record.item if isinstance(record, KeyFound) else item


def _known(database: sqlite3.Connection, found: KeyFound) -> bool:
    """Return whether an earlier run has stored that the key opens the family, or the file."""
    query = "SELECT body FROM records WHERE type = 'KeyFound' AND item = ?"
    decode = msgspec.json.Decoder(KeyFound).decode
    stored = (decode(body) for (body,) in database.execute(query, (found.item,)))
    return any((each.family, each.fingerprint) == (found.family, found.fingerprint) for each in stored)


def forget(database: sqlite3.Connection, step: str) -> None:
    """Remove what ``step`` stored in earlier runs, save keys that were proven: those stay proven."""
    database.execute("DELETE FROM records WHERE step = ? AND type <> 'KeyFound'", (step,))


def _examined(database: sqlite3.Connection, ref: FileRef) -> None:
    database.execute(
        "UPDATE files SET state = ?, family = ?, format = ?, locked = ?, why = ?, body = ? WHERE id = ?",
        (
            ref.state,
            ref.family,
            ref.format,
            ref.locked,
            encode(ref.why).decode() if ref.why else None,
            encode(ref).decode(),
            ref.id,
        ),
    )


def _recovered(database: sqlite3.Connection, item: int, output: Output) -> None:
    origins = ByteMap(output.map).totals()
    database.execute(
        "UPDATE files SET state = CASE WHEN ?1 AND state = 'intact'"
        " AND NOT coalesce(json_extract(body, '$.deleted'), 0) THEN state ELSE ?2 END,"
        " family = coalesce(?, family), output = ?, output_size = ?, method = ?,"
        " key = ?, md5 = ?, sha256 = ?, verdict = ?, why = ?, format = ?,"
        " plain = ?, unlocked = ?, guessed = ?, lost = ? WHERE id = ?",
        (
            output.method == "copy",
            _state(output.grade),
            output.outer or output.family or None,  # a key proves what triage may have guessed from a name
            output.path,
            output.digests.size,
            output.method,
            output.key,
            output.digests.md5,
            output.digests.sha256,
            output.grade,
            encode(output.why).decode(),
            output.format,
            *(origins[origin] for origin in Origin),
            item,
        ),
    )


def _judged(database: sqlite3.Connection, item: int, verdict: Verdict) -> None:
    database.execute(
        "UPDATE files SET state = CASE WHEN method = 'copy' AND state = 'intact' THEN state ELSE ? END,"
        " verdict = ?, why = ? WHERE id = ?",
        (_state(verdict.grade), verdict.grade, encode(verdict.why).decode(), item),
    )


def _state(grade: Grade) -> State:
    """Return the state of a file whose output has ``grade``.

    UNKNOWN is no failure: the bytes come from a proven key, and nothing is there to compare them with.
    """
    return State.RECOVERED if grade in {Grade.GOOD, Grade.UNKNOWN} else State.PARTIAL


def _failed(database: sqlite3.Connection, item: int, problem: Problem) -> None:
    database.execute(
        "UPDATE files SET state = 'failed', why = ? WHERE id = ?", (encode(problem.what).decode(), item)
    )


def records_of(database: sqlite3.Connection, kind: type[Stored]) -> Iterator[Stored]:
    """Yield all stored records of a type, oldest first."""
    decode = msgspec.json.Decoder(kind).decode
    for (body,) in database.execute("SELECT body FROM records WHERE type = ? ORDER BY id", (kind.__name__,)):
        yield decode(body)


def proven_keys(database: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the fingerprints of keys that are proven to open all files of a family, by family."""
    proven: dict[str, set[str]] = {}
    for found in records_of(database, KeyFound):
        if found.item:
            continue
        proven.setdefault(found.family, set()).add(found.fingerprint)
    return {family: frozenset(prints) for family, prints in proven.items()}


def message(body: str | None) -> Message | None:
    """Return a message that is stored as JSON."""
    return msgspec.json.decode(body, type=Message) if body else None
