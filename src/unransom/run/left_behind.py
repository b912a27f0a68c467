"""Files of the evidence that may hold the locker's key: what it wrote down, dropped or forgot there."""

from __future__ import annotations

import re
import sqlite3

from unransom.case import files
from unransom.core.records import FileRef
from unransom.recover.keys import dumps

SMALLEST = 16  # bytes: a key of AES-128
NOTE = 256 << 10  # bytes of a ransom note with a picture in it
MOST = 96  # files of each sort, the smallest first
TOTAL = 64 << 20  # bytes of all
TELLING = re.compile(
    rb"(?i)key|priv|rsa|secret|\.(?:pem|der|[dep]ky|ppk|pfx|p12|reg|te?mp|pcap(?:ng)?|cap|id|res|hiv|hve)$"
)
# Ransom notes come first, each once though it lies in every folder: some tell a key that is wrapped badly or
# not at all. Then names; then noise of no format and no family, to which no locker added a name: to triage a
# bare key may be a tiny file that somebody locked.
_CHOICE = f"""
WITH sorts AS (
    SELECT id, size, CASE
        WHEN size <= {NOTE} AND id IN
            (SELECT item FROM records WHERE type = 'Finding' AND json_extract(body, '$.kind') = 'note') THEN 1
        WHEN telling(path) OR format = 'registry' THEN 2
        WHEN size <= {dumps.TINY} AND family IS NULL AND state IN ('locked', 'unknown')
            AND coalesce(json_extract(body, '$.original'), '') = '' THEN 3
    END AS sort
    FROM files WHERE size BETWEEN {SMALLEST} AND {dumps.SMALL} AND state NOT IN ('found', 'skipped')
), distinct_notes AS (
    SELECT min(id) AS id, size, sort FROM sorts WHERE sort NOT NULL
    GROUP BY sort, size, CASE sort WHEN 1 THEN 0 ELSE id END
), placed AS (
    SELECT id, size, sort, row_number() OVER (PARTITION BY sort ORDER BY size, id) AS place
    FROM distinct_notes
), summed AS (
    SELECT id, sum(size) OVER (ORDER BY sort, place) AS total FROM placed WHERE place <= {MOST}
)
SELECT id FROM summed WHERE total <= {TOTAL}
"""


def left_behind(database: sqlite3.Connection) -> tuple[FileRef, ...]:
    """Return the files, at most ``MOST`` of each sort and ``TOTAL`` bytes in all."""
    database.create_function("telling", 1, lambda path: bool(TELLING.search(path)), deterministic=True)
    chosen = ",".join(str(number) for (number,) in database.execute(_CHOICE))
    return tuple(files.select(database, f"id IN ({chosen})")) if chosen else ()
