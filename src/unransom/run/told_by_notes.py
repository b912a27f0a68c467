"""Which family the ransom notes beside a locked file tell of, where triage could not name one."""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Callable

import msgspec

from unransom.core.records import FileRef

NOTE = "type = 'Finding' AND json_extract(records.body, '$.kind') = 'note'"
NAMELESS = (  # files that are locked, and may be of a family of which there are notes
    "state = 'locked' AND family IS NULL AND json_extract(body, '$.candidates[0]') IS NOT NULL AND EXISTS"
    f" (SELECT 1 FROM records WHERE {NOTE} AND json_extract(records.body, '$.facts.families') IS NOT NULL)"
)


def narrowed(database: sqlite3.Connection) -> Callable[[FileRef], FileRef]:
    """Return what leaves of a file's candidates those that a note in its folder, or above, is called after.

    Where other files of the source are named already, by their marks, notes speak of these families only.
    """
    told: dict[tuple[str, bytes], set[str]] = {}
    rows = database.execute(
        "SELECT source, path, json_extract(records.body, '$.facts.families') FROM records"
        f" JOIN files ON files.id = records.item WHERE {NOTE}"
    )
    for source, path, families in rows:
        folder, _, name = path.rpartition(b"/")
        told.setdefault((source, folder), set()).update(_meant(name, (families or "").split(", ")))
    named: dict[str, set[str]] = {}
    query = "SELECT DISTINCT source, family FROM files WHERE state = 'locked' AND family IS NOT NULL"
    for source, family in database.execute(query):
        named.setdefault(source, set()).add(family)

    def of(ref: FileRef) -> FileRef:
        folder, families = ref.path, set[str]()
        while folder:
            folder = folder.rpartition(b"/")[0]
            families |= told.get((ref.source, folder), set())
        families = families & named.get(ref.source, set()) or families
        left = tuple(name for name in ref.candidates if name in families)
        return msgspec.structs.replace(ref, candidates=left)

    return of


def _meant(note: bytes, families: list[str]) -> list[str]:
    """Return those of the families a note is called like whose name is part of its own, if there are any."""
    bare = {family: family.rstrip(string.digits).partition("_")[0].encode() for family in families}
    return [family for family in families if bare[family] and bare[family] in note.lower()] or families
