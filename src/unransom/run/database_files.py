"""Which damaged files of a case are of databases, and which other files may help to get their rows."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from unransom.case import aids, files
from unransom.core.records import FileRef, State
from unransom.recover.databases.records import METHOD, DatabaseFile, Place

# SQL conditions on `files`. A name may have something of the locker's behind it.
ENDINGS = ("mdf", "ndf", "ldf", "ibd", "frm", "bak", "sql", "dump")
NAMED = (
    "(" + " OR ".join(f"CAST(path AS TEXT) LIKE '%.{ending}%'" for ending in ENDINGS) + " OR"
    " CAST(path AS TEXT) LIKE '%ibdata%' OR CAST(path AS TEXT) LIKE '%ib_logfile%' OR"
    " CAST(path AS TEXT) LIKE '%undo%0%' OR CAST(path AS TEXT) LIKE '%#ib_redo%' OR"
    " CAST(path AS TEXT) LIKE '%bin%.0%')"
)
DAMAGED = (
    "(state IN ('locked', 'failed', 'partial', 'lost', 'unknown') OR verdict = 'bad')"
    f" AND (format IN ('innodb', 'mssql') OR {NAMED}) AND coalesce(method, '') <> '{METHOD}'"
    " AND id NOT IN (SELECT item FROM journal WHERE step = 'databases' AND done)"
)
NAME = re.compile(
    rb"(?P<stem>.*?)\.(?P<ending>mdf|ndf|ldf|ibd|frm|bak|sql\.gz|sql|dump|(?:(?<=bin\.)|(?<=binlog\.))\d{6})"
    rb"(?![a-z0-9])"
    rb"|(?P<shared>ibdata\d+)(?![a-z0-9])|(?P<redo>ib_logfile\d+|#ib_redo\d+)(?![a-z0-9])"
    rb"|(?P<undo>undo_?\d{3})(?![a-z0-9])",
    re.I,
)
OF_FILE = re.compile(rb"[ _.-]*(data|log|dat|\d+)$", re.I)  # what files of one database differ in
PARTITION = re.compile(rb"#p#", re.I)  # behind the table's name in that of a file
BINARY_LOG = re.compile(rb"bin(log)?$", re.I)
SQL_SERVER = frozenset({"mdf", "ndf", "ldf", "bak"})
MOST_FILES = 200_000  # that may help, in all
MOST_OTHERS, MOST_LOGS = 500, 64  # for one file
LARGEST_SCRIPT = 256 << 20  # bytes
LONGEST_LOGS = 1 << 30  # bytes of all binary logs for one file
LONGEST_UNDO = 256 << 20  # bytes of shared tablespaces and undo logs for one file
REDO_FOLDER = b"#innodb_redo"  # below the server's, since MySQL 8.0.30


class Candidate(NamedTuple):
    """A file whose name is one of a database's.

    Attributes:
        place: Where it is.
        folder: Path of its folder, with its source.
        stem, ending: Of its name before the attack, in lower case; the ending of a shared tablespace, an undo
            log, a redo log and a binary log is ``ibdata``, ``undo``, ``redo`` and ``binlog``.
        whole: It is not damaged, or was recovered.
    """

    place: Place
    folder: bytes
    stem: bytes
    ending: str
    whole: bool


def total(database: sqlite3.Connection) -> tuple[int, int]:
    """Return how many files are waiting at most, and their bytes."""
    query = f"SELECT count(*), coalesce(sum(size), 0) FROM files WHERE {DAMAGED}"
    count, size = database.execute(query).fetchone()
    return count, size


def waiting(database: sqlite3.Connection) -> Iterator[tuple[int, DatabaseFile]]:
    """Yield the damaged files that lead a database or a table, each with those that may help."""
    shelf: _Shelf | None = None
    for number, output, state in database.execute(
        f"SELECT id, output, state FROM files WHERE {DAMAGED} ORDER BY id"
    ).fetchall():
        ref = next(files.select(database, "id = :number", number=number))
        found = _candidate(ref, output, State(state))
        if found is None:
            continue
        shelf = shelf or _Shelf(database)
        if shelf.leads(found):
            yield number, DatabaseFile(file=found.place, others=tuple(shelf.others(found)))


def keep_rows(database: sqlite3.Connection) -> None:
    """Count files again as partial whose rows are back, after keys were tried on them once more."""
    database.execute(
        "UPDATE files SET state = 'partial', why = (SELECT json_extract(body, '$.why') FROM records"
        " WHERE type = 'Output' AND item = files.id ORDER BY id DESC LIMIT 1)"
        f" WHERE method = '{METHOD}' AND state <> 'partial'"
    )


def _candidate(ref: FileRef, output: bytes | None, state: State) -> Candidate | None:
    """Return what a file is by its name; None where that is none of a database's."""
    folder, _, name = (ref.original or ref.path).rpartition(b"/")
    match = NAME.match(name)
    if match is None:
        if ref.format not in {"innodb", "mssql"}:
            return None
        stem, ending, end = name.lower(), "ibd" if ref.format == "innodb" else "mdf", len(name)
    else:
        stem, ending, end = _parts(match)
        if ending == "":
            return None
    shown = name[:end].decode("utf-8", "surrogateescape")
    whole = state in {State.INTACT, State.RECOVERED}
    place = Place(ref=ref, output=output or b"", name=shown)
    return Candidate(place, (ref.source.encode() + b"/" + folder).rstrip(b"/"), stem, ending, whole)


def _parts(match: re.Match[bytes]) -> tuple[bytes, str, int]:
    """Return stem and ending of a name, "" of one that is no database's, and where its own name ends."""
    for group, called in (("shared", "ibdata"), ("redo", "redo"), ("undo", "undo")):
        if match[group]:
            return match[group].lower(), called, match.end()
    stem, ending = match["stem"].lower(), match["ending"].decode().lower()
    if ending.isdigit():
        ending = "binlog" if BINARY_LOG.search(stem) else ""
    return stem, "sql" if ending in {"sql.gz", "dump"} else ending, match.end()


class _Shelf:
    """All files of the case that may help with a database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._by_ending: dict[str, list[Candidate]] = defaultdict(list)
        self._by_name: dict[tuple[bytes, str], list[Candidate]] = defaultdict(list)
        for each in islice(chain(_evidence(database), _known(database)), MOST_FILES):
            self._by_ending[each.ending].append(each)
            self._by_name[each.stem, each.ending].append(each)

    def leads(self, found: Candidate) -> bool:
        """Return whether the rows of ``found`` are looked for: not where another file leads its database."""
        if found.ending in {"ibd", "ibdata", "mdf"}:
            return True
        return found.ending in {"ndf", "bak"} and not any(
            _of_one_database(found, each) for each in self._by_ending["mdf"]
        )

    def others(self, found: Candidate) -> Iterator[Place]:
        """Yield the files that may help with ``found``, each once."""
        seen = {_identity(found)}
        helping = self._mssql(found) if found.ending in SQL_SERVER else self._innodb(found)
        for each in islice(chain(helping, self._scripts()), MOST_OTHERS):
            if _identity(each) not in seen:
                seen.add(_identity(each))
                yield each.place

    def _mssql(self, found: Candidate) -> Iterator[Candidate]:
        for ending in sorted(SQL_SERVER):
            yield from (each for each in self._by_ending[ending] if _of_one_database(found, each))

    def _innodb(self, found: Candidate) -> Iterator[Candidate]:
        if found.ending == "ibdata":
            below = found.folder + b"/"
            yield from (each for each in self._by_ending["frm"] if each.folder.startswith(below))
        yield from self._by_name[found.stem, found.ending]
        table = PARTITION.split(found.stem, maxsplit=1)[0]
        near = sorted(self._by_name[table, "frm"], key=lambda each: each.folder != found.folder)
        yield from (each for each in near if each.whole)
        yield from self._near("redo", found)
        undo = sorted(self._near("ibdata", found) + self._near("undo", found), key=_size)
        yield from _within(undo, LONGEST_UNDO)
        logs = sorted(self._near("binlog", found), key=lambda log: log.place.name, reverse=True)
        yield from _within(logs[:MOST_LOGS], LONGEST_LOGS)

    def _near(self, ending: str, found: Candidate) -> list[Candidate]:
        """Return the files in the folder of ``found``, in the one above, which is the server's, and below."""
        homes = {found.folder, found.folder.rpartition(b"/")[0]}
        homes |= {home + b"/" + REDO_FOLDER for home in homes}
        return [each for each in self._by_ending[ending] if each.folder in homes]

    def _scripts(self) -> Iterable[Candidate]:
        return (
            each for each in self._by_ending["sql"] if each.whole and each.place.ref.size <= LARGEST_SCRIPT
        )


def _size(found: Candidate) -> int:
    return found.place.ref.size


def _within(some: Iterable[Candidate], room: int) -> Iterator[Candidate]:
    """Yield the first files that have at most ``room`` bytes together."""
    for each in some:
        room -= _size(each)
        if room < 0:
            return
        yield each


def _identity(found: Candidate) -> tuple[str, bytes, str, str]:
    ref = found.place.ref
    return ref.source, ref.path, ref.stream, ref.version


def _of_one_database(some: Candidate, other: Candidate) -> bool:
    """Return whether two files of SQL Server are called like parts of one database."""
    one, two = (OF_FILE.sub(b"", each.stem) or each.stem for each in (some, other))
    return one.startswith(two) or two.startswith(one)


def _evidence(database: sqlite3.Connection) -> Iterator[Candidate]:
    decode = msgspec.json.Decoder(FileRef).decode
    query = (
        f"SELECT id, body, state, CASE method WHEN '{METHOD}' THEN NULL ELSE output END FROM files"
        f" WHERE state NOT IN ('skipped', 'found') AND {NAMED} ORDER BY id"
    )
    for number, body, state, output in database.execute(query):
        ref = msgspec.structs.replace(decode(body), id=number)
        found = _candidate(ref, output, State(state))
        if found is not None:
            yield found


def _known(database: sqlite3.Connection) -> Iterator[Candidate]:
    for ref in aids.select(database, "known"):
        found = _candidate(ref, None, State.INTACT)
        if found is not None:
            yield found
