"""What files that gave way tell their neighbours: clues, and the keys that clues name."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from unransom.case import found_keys
from unransom.core.keys import Key
from unransom.core.records import FileRef
from unransom.core.searches import AttackPlan

CLUES = 64  # solved neighbours that a search hears of

SOLVED = "SELECT item FROM records WHERE type = 'KeyFound'"


class Solved:
    """The files of a case that gave way to attacks."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Ask ``database`` each time: files give way while searches run."""
        self._database = database
        self._named: dict[str, str] = {}  # fingerprints by the clues that they stand in
        self._keys: dict[str, Key] = {}  # by fingerprint

    def count(self) -> int:
        """Return how many keys were found."""
        (count,) = self._database.execute("SELECT count(*) FROM records WHERE type = 'KeyFound'").fetchone()
        return int(count)

    def tellers(self) -> list[tuple[str, str]]:
        """Return the searches that have a clue for others of their kind: attack and family."""
        query = (
            "SELECT DISTINCT json_extract(body, '$.attack'), json_extract(body, '$.family') FROM records"
            " WHERE type = 'KeyFound' AND json_extract(body, '$.clue') <> '' ORDER BY 1, 2"
        )
        return self._database.execute(query).fetchall()

    def clues(self, plan: AttackPlan, samples: Sequence[FileRef]) -> tuple[tuple[int, str], ...]:
        """Return modification time and clue of the last files that the attack of ``plan`` solved.

        Of files with one clue, which archives under one password have, the last tells it.

        Args:
            plan: The search.
            samples: Of its target: one of them may now be of a family that was found.
        """
        query = (
            "SELECT coalesce((SELECT modified FROM files WHERE files.id = key.item), 0),"
            " json_extract(key.body, '$.clue'), json_extract(key.body, '$.fingerprint'), max(key.id)"
            " FROM records AS key WHERE type = 'KeyFound'"
            " AND json_extract(key.body, '$.attack') = :attack AND json_extract(key.body, '$.clue') <> ''"
            " AND (json_extract(key.body, '$.family') = :family OR key.item IN (SELECT value FROM"
            " json_each(:samples))) GROUP BY json_extract(key.body, '$.clue')"
            " ORDER BY 4 DESC LIMIT :most"
        )
        known = json.dumps([ref.id for ref in samples])
        values = {"attack": plan.attack, "family": plan.family, "samples": known, "most": CLUES}
        rows = self._database.execute(query, values).fetchall()[::-1]
        self._named |= {clue: name for _, clue, name, _ in rows if name in clue}
        return tuple((modified, clue) for modified, clue, *_ in rows)

    def keys(self, clues: Sequence[tuple[int, str]]) -> tuple[Key, ...]:
        """Return the keys that ``clues`` name by their fingerprints."""
        names = [self._named[clue] for _, clue in clues if clue in self._named]
        if not self._keys.keys() >= set(names):
            self._keys = {each.key.fingerprint: each.key for each in found_keys.of(self._database)}
        return tuple(self._keys[name] for name in dict.fromkeys(names) if name in self._keys)
