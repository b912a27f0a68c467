"""The evidence chain: every act and output as an entry that contains the hash of the one before it.

An entry is one line of JSON with sorted keys: ``sequence``, ``time``, ``act``, ``facts``, ``previous``
and ``hash``, the SHA-256 of the line without ``hash``. Entries are written to the case database in the
same transaction as what they tell of, and from there to ``chain.jsonl``, which only ever grows.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from unransom.core.clock import now_ns, rfc3339
from unransom.core.messages import Message, say

Facts = Mapping[str, str | int | Sequence[Sequence[str]]]
BEGINNING = "0" * 64  # `previous` of the first entry


class Flaw(NamedTuple):
    """The first entry where the chain does not hold, and why."""

    sequence: int
    why: Message


class Chain:
    """The chain of one case."""

    def __init__(self, database: sqlite3.Connection, file: Path) -> None:
        self._database = database
        self._file = file
        self._count: int | None = None  # entries in the file, None until it was looked at
        file.touch()

    def append(self, act: str, facts: Facts) -> None:
        """Add an entry; call inside of the transaction that it tells of, then ``publish`` after it."""
        last = self._database.execute("SELECT sequence, entry FROM chain ORDER BY 1 DESC LIMIT 1")
        sequence, entry = last.fetchone() or (0, "")
        body = {
            "sequence": sequence + 1,
            "time": rfc3339(now_ns()),
            "act": act,
            "facts": facts,
            "previous": json.loads(entry)["hash"] if entry else BEGINNING,
        }
        entry_line = line(body | {"hash": entry_hash(body)})
        self._database.execute("INSERT INTO chain VALUES (?, ?)", (sequence + 1, entry_line))

    def publish(self) -> None:
        """Bring ``chain.jsonl`` up to the database: a crash may have left it behind, its last line torn."""
        lines = self._file.read_bytes().splitlines(keepends=True) if self._count is None else []
        with self._file.open("ab") as file:
            if self._count is None:
                self._count = sum(line.endswith(b"\n") for line in lines)
                file.truncate(sum(len(line) for line in lines if line.endswith(b"\n")))
            for (entry,) in self._database.execute(
                "SELECT entry FROM chain WHERE sequence > ? ORDER BY sequence", (self._count,)
            ):
                file.write(entry.encode() + b"\n")
                self._count += 1
            file.flush()
            os.fsync(file.fileno())


def line(body: Mapping[str, object]) -> str:
    """Return ``body`` as it is written, hashed and signed: JSON with sorted keys and no spaces."""
    return json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def entry_hash(body: Mapping[str, object]) -> str:
    """Return the hash of an entry, its ``hash`` left out."""
    rest = {name: value for name, value in body.items() if name != "hash"}
    return hashlib.sha256(line(rest).encode()).hexdigest()


def check(lines: Iterable[bytes]) -> Flaw | None:
    """Return the first flaw of the chain in ``lines``, None where every link holds."""
    previous = BEGINNING
    for expected, raw in enumerate(lines, 1):
        try:
            body = json.loads(raw)
            sequence, before, own = body["sequence"], body["previous"], body["hash"]
        except (ValueError, KeyError, TypeError):
            return Flaw(expected, say("the entry cannot be read"))
        if sequence != expected:
            return Flaw(expected, say("an entry is missing or out of order"))
        if before != previous:
            return Flaw(expected, say("the entry does not follow the one before it"))
        if raw.rstrip(b"\n") != line(body).encode() or entry_hash(body) != own:
            return Flaw(expected, say("the entry was changed"))
        previous = own
    return None
