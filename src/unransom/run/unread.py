"""What could not be listed or read: it leaves a gap in every count, and people mend it.

Rights are given, credentials set, cables put in; then the same command takes what was passed over before.
What the bytes of an image lack they lack for good, and it is not tried again, unless the image was gone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.case.files import store
from unransom.core.records import Problem
from unransom.evidence.presence import BRING_BACK, SourceGoneError, check_there

MENDABLE = frozenset({"folder", "bucket", "file"})  # kinds of sources
ABSENT = "absent"  # fact: sources that were gone when the last run ended

# A problem with listing `source`; parameters: the source's id and a colon.
_LISTING = (
    "type = 'Problem' AND step = 'list'"
    " AND substr(json_extract(body, '$.item'), 1, length(:source)) = :source"
)
_UNREAD = (
    "state = 'failed' AND id IN"
    " (SELECT item FROM records WHERE type = 'Problem' AND json_extract(body, '$.code') = 'read')"
)


def gaps(case: Case) -> int:
    """Return how many folders and buckets could not be listed, so that files may be in no count."""
    query = f"SELECT count(*) FROM records WHERE {_LISTING} AND coalesce(json_extract(body, '$.fatal'), 1)"
    return sum(
        int(case.database.execute(query, {"source": f"{each}:"}).fetchone()[0]) for each in _mendable(case)
    )


def unread(case: Case) -> int:
    """Return how many files could not be read."""
    return int(case.database.execute(f"SELECT count(*) FROM files WHERE {_UNREAD}").fetchone()[0])


def give_another_chance(case: Case) -> None:
    """Have sources with gaps listed anew, and files that could not be read examined anew."""
    for source in _mendable(case):
        with transaction(case.database):
            _list_again(case.database, source)
            _examine_again(case.database, source)


def absent(case: Case) -> list[str]:
    """Return the sources that were gone when the last run ended."""
    found: list[str] = json.loads(case.fact(ABSENT, "[]"))
    return found


def remember_absent(case: Case) -> None:
    """Look which sources are gone by now, and tell of them: what they hold is to be read anew."""
    told: list[Problem] = []
    found: list[str] = []
    for source in case.sources():
        try:
            check_there(source)
        except SourceGoneError as error:
            found.append(source.id)
            told.append(Problem(item=f"{source.id}:", what=error.what, resolution=BRING_BACK, code="read"))
    if found != absent(case):
        with transaction(case.database):
            case.set_fact(ABSENT, json.dumps(found))
            store(case.database, "list", 0, told)


def _mendable(case: Case) -> Iterator[str]:
    gone = absent(case)
    yield from [source.id for source in case.sources() if source.kind in MENDABLE or source.id in gone]


def _list_again(database: sqlite3.Connection, source: str) -> None:
    told = database.execute(f"DELETE FROM records WHERE {_LISTING}", {"source": f"{source}:"})
    if told.rowcount:
        database.execute("UPDATE sources SET listed = 0 WHERE id = ?", (source,))


def _examine_again(database: sqlite3.Connection, source: str) -> None:
    query = f"SELECT id FROM files WHERE source = ? AND {_UNREAD}"
    for (number,) in database.execute(query, (source,)).fetchall():
        database.execute("DELETE FROM journal WHERE item = ? AND done", (number,))
        database.execute("DELETE FROM records WHERE type = 'Problem' AND item = ?", (number,))
        database.execute("UPDATE files SET state = 'found', why = NULL WHERE id = ?", (number,))
