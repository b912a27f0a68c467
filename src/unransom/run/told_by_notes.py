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
    Where none is, a name that several families give their notes, such as readme.txt, tells of none.
    """
    told: dict[tuple[str, bytes], set[str]] = {}
    sure: dict[tuple[str, bytes], set[str]] = {}
    rows = database.execute(
        "SELECT source, path, json_extract(records.body, '$.facts.families') FROM records"
        f" JOIN files ON files.id = records.item WHERE {NOTE}"
    )
    for source, path, families in rows:
        folder, _, name = path.rpartition(b"/")
        users = (families or "").split(", ")
        meant = _meant(name, users)
        told.setdefault((source, folder), set()).update(meant or users)
        sure.setdefault((source, folder), set()).update(users if len(users) == 1 else meant)
    named: dict[str, set[str]] = {}
    query = "SELECT DISTINCT source, family FROM files WHERE state = 'locked' AND family IS NOT NULL"
    for source, family in database.execute(query):
        named.setdefault(source, set()).add(family)

    def of(ref: FileRef) -> FileRef:
        folder, near, surely = ref.path, set[str](), set[str]()
        while folder:
            folder = folder.rpartition(b"/")[0]
            near |= told.get((ref.source, folder), set())
            surely |= sure.get((ref.source, folder), set())
        families = near & named.get(ref.source, set()) or surely
        left = tuple(name for name in ref.candidates if name in families)
        return msgspec.structs.replace(ref, candidates=left)

    return of


def _meant(note: bytes, families: list[str]) -> list[str]:
    """Return those of the families a note is called like whose name is part of its own."""
    bare = {family: family.rstrip(string.digits).partition("_")[0].encode() for family in families}
    return [family for family in families if bare[family] and bare[family] in note.lower()]
