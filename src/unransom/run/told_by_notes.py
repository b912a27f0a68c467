"""Which family the ransom notes beside a locked file tell of, where triage could not name one."""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from unransom.core.records import FileRef

NOTE = "type = 'Finding' AND json_extract(records.body, '$.kind') = 'note'"
NAMELESS = (  # files that are locked, and may be of a family of which there are notes
    "state = 'locked' AND family IS NULL AND json_extract(body, '$.candidates[0]') IS NOT NULL AND EXISTS"
    f" (SELECT 1 FROM records WHERE {NOTE} AND json_extract(records.body, '$.facts.families') IS NOT NULL)"
)


class _Note(NamedTuple):
    """The families that a note may be of; it is not sure where it is called as several call theirs."""

    families: tuple[str, ...]
    is_sure: bool


def narrowed(database: sqlite3.Connection) -> Callable[[FileRef], FileRef]:
    """Return what leaves of a file's candidates those that a note in its folder, or above, is called after.

    Where other files of the source are named already, by their marks, notes speak of these families only.
    Where none is, a name that several families give their notes, such as readme.txt, tells of none.
    """
    told: dict[tuple[str, bytes], set[_Note]] = {}
    rows = database.execute(
        "SELECT source, path, json_extract(records.body, '$.facts.families') FROM records"
        f" JOIN files ON files.id = records.item WHERE {NOTE}"
    )
    for source, path, families in rows:
        folder, _, name = path.rpartition(b"/")
        told.setdefault((source, folder), set()).add(_note(name, (families or "").split(", ")))
    named: dict[str, set[str]] = {}
    query = "SELECT DISTINCT source, family FROM files WHERE state = 'locked' AND family IS NOT NULL"
    for source, family in database.execute(query):
        named.setdefault(source, set()).add(family)

    def of(ref: FileRef) -> FileRef:
        folder, notes = ref.path, set[_Note]()
        while folder:
            folder = folder.rpartition(b"/")[0]
            notes |= told.get((ref.source, folder), set())
        near = {family for note in notes for family in note.families}
        sure = {family for note in notes if note.is_sure for family in note.families}
        families = near & named.get(ref.source, set()) or sure
        left = tuple(name for name in ref.candidates if name in families)
        return msgspec.structs.replace(ref, candidates=left)

    return of


def _note(name: bytes, users: list[str]) -> _Note:
    """Return what the name of a note tells, by the families that call theirs so.

    Those whose own name is part of it are meant, if there are any.
    """
    bare = {family: family.rstrip(string.digits).partition("_")[0].encode() for family in users}
    meant = [family for family in users if bare[family] and bare[family] in name.lower()]
    return _Note(tuple(meant or users), bool(meant) or len(users) == 1)
