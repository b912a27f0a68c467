"""Hashes of originals from before the attack, and which of them an output must have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from unransom.core.records import Output


def add(database: sqlite3.Connection, manifest: str, entries: Iterable[tuple[bytes, str]]) -> int:
    """Store entries of path and digest; return how many there were."""
    rows = [(path.rpartition(b"/")[2], path, digest, manifest) for path, digest in entries]
    database.executemany("INSERT OR IGNORE INTO manifests VALUES (?, ?, ?, ?)", rows)
    return len(rows)


def expected_digest(database: sqlite3.Connection, output: Output) -> tuple[str, str]:
    """Return the digest that a manifest promises for ``output`` and the manifest's name, "" for none.

    Manifests are made from other places than the evidence is, so an entry belongs to an output when
    the one's path ends with the other's. Of several, one that agrees wins; else the longest path.
    """
    path = output.path.split(b"/", 2)[-1]  # below recovered/<source>
    rows = database.execute(
        "SELECT path, digest, manifest FROM manifests WHERE name = ?", (path.rpartition(b"/")[2],)
    )
    fitting = [row for row in rows if is_of(row[0], path)]
    own = {output.digests.md5, output.digests.sha256}
    best = max(fitting, key=lambda row: (row[1] in own, len(row[0])), default=None)
    return (best[1], best[2]) if best else ("", "")


def is_of(entry: bytes, path: bytes) -> bool:
    """Return whether a manifest's ``entry`` may be about ``path``: the one ends with the other."""
    entry, path = b"/" + entry, b"/" + path
    return entry.endswith(path) or path.endswith(entry)
