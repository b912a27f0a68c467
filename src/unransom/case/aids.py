"""What helps a search and is no evidence: originals to compare with, and dumps that keys may lie in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from unransom.core.records import FileRef, Kind


def add(database: sqlite3.Connection, role: str, refs: Iterable[FileRef]) -> None:
    """Add the files of a source with ``role``; those that are there already stay as they are."""
    encode = msgspec.json.Encoder().encode
    database.executemany(
        "INSERT OR IGNORE INTO aids (source, role, name, size, body) VALUES (?, ?, ?, ?, ?)",
        (
            (ref.source, role, ref.name, ref.size, encode(ref).decode())
            for ref in refs
            if ref.kind is Kind.FILE and not ref.deleted
        ),
    )


def select(database: sqlite3.Connection, role: str) -> Iterator[FileRef]:
    """Yield the files with ``role`` in the order they were listed."""
    decode = msgspec.json.Decoder(FileRef).decode
    for (body,) in database.execute("SELECT body FROM aids WHERE role = ? ORDER BY id", (role,)):
        yield decode(body)


def alike(database: sqlite3.Connection, role: str, name: bytes, sizes: range) -> Iterator[FileRef]:
    """Yield the files with ``role`` that are called ``name``, then others of a size in ``sizes``."""
    decode = msgspec.json.Decoder(FileRef).decode
    query = (
        "SELECT body FROM aids WHERE role = ?1 AND name = ?2 UNION ALL"
        " SELECT * FROM (SELECT body FROM aids WHERE role = ?1 AND name <> ?2 AND size BETWEEN ?3 AND ?4"
        " ORDER BY size DESC LIMIT 16)"
    )
    for (body,) in database.execute(query, (role, name, sizes.start, sizes.stop - 1)):
        yield decode(body)
