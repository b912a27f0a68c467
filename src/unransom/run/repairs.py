"""What a case has for repair: outputs with holes, and locked files that no key opens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

import msgspec

from unransom.case import files
from unransom.catalog.formats.identify import extension_of
from unransom.catalog.formats.repair import REPAIRS
from unransom.catalog.formats.repair import sqlite as sqlite_database
from unransom.core.records import FileRef, Output
from unransom.recover.repair.records import Broken, Mended
from unransom.recover.repair.step import LOGS, logs_of, name_before

STEP = "repair"
SIBLINGS = 4  # sound files of the same origin that are looked at
LISTED = 1000  # files that siblings are chosen from
FILMS = ("mp4", "mov", "m4v", "3gp", "qt")
HELPED = {"jpg": "jpeg", "jpeg": "jpeg"} | dict.fromkeys(FILMS, "mp4")  # formats that siblings help
IN_PART = "state = 'partial' AND output IS NOT NULL AND method <> 'copy'"
SHUT = "state IN ('locked', 'failed') AND output IS NULL"
# Of a file that is locked all over nothing comes back, and it would be read in vain. What is left of others
# is told by their first bytes, or by the estimate, which takes all behind the first fault for locked.
SOME_LEFT = f"{SHUT} AND (coalesce(format, '') <> '' OR coalesce(locked, size) < 0.9 * size)"
# Where nothing tells what a file is, all of it is searched for what may be rebuilt.
FORMATS = ", ".join(f"'{name}'" for each in REPAIRS for name in each.formats)
QUICK = f"(format IN ({FORMATS}) OR size < {64 << 20})"
OPEN = f"id NOT IN (SELECT item FROM journal WHERE step = '{STEP}' AND done)"
# A database that is locked all over comes back from its log where that is left, whatever its size.
LOG_LEFT = f"state = 'intact' OR output IS NOT NULL OR {SOME_LEFT}"
LOG_PATHS = ", ".join(f"log_path(files.path, {number})" for number in range(2 * len(LOGS)))
LOGGED = (
    f"{SHUT} AND log_path(files.path, 0) IS NOT NULL AND EXISTS (SELECT 1 FROM files AS log"
    f" WHERE log.source = files.source AND log.path IN ({LOG_PATHS})"
    f" AND log.stream = files.stream AND log.version = files.version AND log.size > 0 AND ({LOG_LEFT}))"
)
DAMAGED = "coalesce(json_extract(body, '$.damaged'), 0)"
SOUND = f"state = 'intact' AND NOT {DAMAGED} AND source = :source AND format = :format AND id <> :id"
LOG = "source = :source AND path = :path AND stream = :stream AND version = :version AND state <> 'skipped'"
# What triage found damaged otherwise than by a locker: no key is wanted, and parts may be left.
HARMED = f"state = 'intact' AND output IS NULL AND {DAMAGED}"
Condition = str


def condition(*, every: bool) -> Condition:
    """Return the SQL condition of files that wait.

    Args:
        every: Also those that are locked all over, and large ones of which nothing tells what they are.
    """
    if every:
        return f"({IN_PART} OR {SHUT} OR {HARMED}) AND {OPEN}"
    return f"(({IN_PART} OR {SOME_LEFT} OR {HARMED}) AND {QUICK} OR {LOGGED}) AND {OPEN}"


def total(where: Condition) -> Callable[[sqlite3.Connection], tuple[int, int]]:
    """Return what counts the files that wait, and their bytes."""
    query = f"SELECT count(*), coalesce(sum(size), 0) FROM files WHERE {where}"

    def counted(database: sqlite3.Connection) -> tuple[int, int]:
        database.create_function("log_path", 2, _log_path, deterministic=True)
        count, size = database.execute(query).fetchone()
        return count, size

    return counted


def waiting(where: Condition) -> Callable[[sqlite3.Connection], Iterator[tuple[int, Broken]]]:
    """Return what yields the files that wait, by number."""

    def found(database: sqlite3.Connection) -> Iterator[tuple[int, Broken]]:
        database.create_function("log_path", 2, _log_path, deterministic=True)
        for ref in files.select(database, where):
            broken = Broken(
                ref=ref,
                output=_output(database, ref),
                siblings=_siblings(database, ref),
                logs=tuple(_logs(database, ref)),
            )
            yield ref.id, broken

    return found


def reopen_repair(database: sqlite3.Connection, number: int) -> None:
    """Let a file be repaired again: it has a new output, and what was built is of what lay there before."""
    database.execute("DELETE FROM journal WHERE step = ? AND item = ?", (STEP, number))


def rebuilt(database: sqlite3.Connection, most: int) -> Iterator[tuple[Mended, bytes]]:
    """Yield what was rebuilt and what has taken its place since (a path), those that nothing has first.

    A rebuilt file stays where it is when a key opens the file later, or when the file is rebuilt from more of
    it: the chain tells of it, and nothing is taken back.
    """
    rows = database.execute(
        "WITH mended AS (SELECT id, body, json_extract(body, '$.output.derived_from') AS file FROM records"
        " WHERE type = 'Mended' AND json_extract(body, '$.output') IS NOT NULL),"
        " ranked AS (SELECT *, max(id) OVER (PARTITION BY file) AS newest FROM mended)"
        " SELECT ranked.body, iif(state = 'recovered', output, NULL) AS whole,"
        " iif(ranked.id < newest, (SELECT body FROM records WHERE id = newest), NULL) AS later"
        " FROM ranked LEFT JOIN files ON files.id = ranked.file"
        " ORDER BY whole IS NOT NULL OR later IS NOT NULL, ranked.id LIMIT ?",
        (most,),
    )
    for body, whole, later in rows:
        newer = msgspec.json.decode(later, type=Mended).output if later else None
        yield msgspec.json.decode(body, type=Mended), whole or (newer.path if newer else b"")


def mended_after(database: sqlite3.Connection, last: int) -> Iterator[Mended]:
    """Yield what became of files, of records with numbers above ``last``."""
    rows = database.execute("SELECT body FROM records WHERE type = 'Mended' AND id > ? ORDER BY id", (last,))
    for (body,) in rows:
        yield msgspec.json.decode(body, type=Mended)


def last_record(database: sqlite3.Connection) -> int:
    """Return the number of the newest record, 0 for none."""
    return int(database.execute("SELECT coalesce(max(id), 0) FROM records").fetchone()[0])


def _output(database: sqlite3.Connection, ref: FileRef) -> Output | None:
    """Return what came back of a file in part, None where nothing did."""
    row = database.execute(
        "SELECT records.body FROM files JOIN records ON records.item = files.id WHERE files.id = ?"
        " AND files.output IS NOT NULL AND records.type = 'Output' ORDER BY records.id DESC LIMIT 1",
        (ref.id,),
    ).fetchone()
    return msgspec.json.decode(row[0], type=Output) if row else None


@lru_cache(maxsize=16)  # SQL asks for them one by one
def _log_paths(path: bytes) -> tuple[bytes, ...]:
    """Return where logs of a file may lie; none where it is no database by its name."""
    folder, slash, name = path.rpartition(b"/")
    if extension_of(name_before(name)) not in sqlite_database.REPAIR.extensions:
        return ()
    return tuple(folder + slash + each for each in logs_of(name))


def _log_path(path: bytes, number: int) -> bytes | None:
    """Return one of the places for SQL, None behind the last."""
    paths = _log_paths(path)
    return paths[number] if number < len(paths) else None


def _logs(database: sqlite3.Connection, ref: FileRef) -> Iterator[Broken]:
    """Yield the logs that a database left beside it, as they lie or as they came back."""
    same = {"source": ref.source, "stream": ref.stream, "version": ref.version}
    for path in _log_paths(ref.path):
        for log in files.select(database, LOG, path=path, **same):
            yield Broken(ref=log, output=_output(database, log))


def _siblings(database: sqlite3.Connection, ref: FileRef) -> tuple[FileRef, ...]:
    """Return sound files of the same source and format, those of the same folder first."""
    kind = HELPED.get(extension_of(name_before(ref.output_path())))
    if kind is None:
        return ()
    found = files.select(database, SOUND, source=ref.source, id=ref.id, format=kind)
    folder = ref.path.rpartition(b"/")[0]
    first = sorted(islice(found, LISTED), key=lambda each: each.path.rpartition(b"/")[0] != folder)
    return tuple(first[:SIBLINGS])
