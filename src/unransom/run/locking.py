"""When a source was locked: the moment it started, its order and its speed."""

from __future__ import annotations

import sqlite3

from unransom.case.case import Case
from unransom.core.clock import rfc3339
from unransom.core.records import Source
from unransom.core.text import shown
from unransom.report.document import Bucket, Timeline

BUCKETS = 60
FOLDERS = 12
SECOND = 1_000_000_000
LOCKED = "family IS NOT NULL AND modified IS NOT NULL AND source = ?"


def timeline(case: Case, source: Source) -> Timeline | None:
    """Return when the files of ``source`` were locked, None where none was.

    The earliest and the latest thousandth are left out: one absurd time would flatten the rest.
    """
    database = case.database
    query = f"SELECT modified FROM files WHERE {LOCKED} ORDER BY modified"
    times = [time for (time,) in database.execute(query, (source.id,))]
    if not times:
        return None
    cut = len(times) // 1000
    first, last = times[cut], times[-1 - cut]
    width = max((last - first) // BUCKETS + 1, SECOND)
    rows = database.execute(
        f"SELECT (modified - ?2) / ?3, count(*), sum(size) FROM files WHERE {LOCKED.replace('?', '?1')}"
        " AND modified BETWEEN ?2 AND ?4 GROUP BY 1",
        (source.id, first, width, last),
    ).fetchall()
    seconds = max(last - first, SECOND) / SECOND
    return Timeline(
        source=source.id,
        first=rfc3339(first),
        last=rfc3339(last),
        origin=f"{source.kind} mtime",
        files_per_second=round(sum(count for _, count, _ in rows) / seconds, 3),
        bytes_per_second=round(sum(size for _, _, size in rows) / seconds, 3),
        folders=_folders(database, source, first),
        buckets=tuple(
            Bucket(start=rfc3339(first + index * width), seconds=width / 1e9, files=count, size=size)
            for index, count, size in rows
        ),
    )


def _folders(database: sqlite3.Connection, source: Source, first: int) -> tuple[str, ...]:
    """Return the top folders in the order in which their first files were locked; "." is the top itself."""
    found: dict[bytes, None] = {}
    query = f"SELECT path FROM files WHERE {LOCKED} AND modified >= ? ORDER BY modified, id"
    for (path,) in database.execute(query, (source.id, first)):
        found.setdefault(path.partition(b"/")[0] if b"/" in path else b".")
        if len(found) == FOLDERS:
            break
    return tuple(map(shown, found))
