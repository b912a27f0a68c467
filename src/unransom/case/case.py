"""A case folder: made, opened, and what is asked of it as a whole."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from unransom import __version__
from unransom.case import seal
from unransom.case.chain import Chain, Facts
from unransom.case.database import connect, transaction
from unransom.case.lock import Lock
from unransom.core.clock import now_ns
from unransom.core.errors import NoSuchCaseError, UsageError
from unransom.core.messages import say
from unransom.core.outputs import Outputs
from unransom.core.records import Source

DATABASE = "case.sqlite"
IMAGES = "images"  # fact: SHA-256 of each file of the images in the case, by path
STOPPED, TAMPERED = "gone on after a stop", "found changed"  # acts: files were not as they were sealed


class Case:
    """An open case; it is locked for others until it is closed."""

    def __init__(self, folder: Path, *, create: bool = False, name: str = "") -> None:
        """Open the case in ``folder``; with ``create``, make it where there is none.

        Raises:
            NoSuchCaseError: There is no case and none was to be made.
            CaseLockedError: Another process works on it.
            UsageError: The folder holds something else.
        """
        self.folder = folder.absolute()
        exists = (self.folder / DATABASE).exists()
        if not exists and not create:
            raise NoSuchCaseError(
                say("there is no case in {folder}", folder=str(folder)),
                hint=say("`unransom recover SOURCE --case {folder}` makes one", folder=str(folder)),
            )
        if not exists and self.folder.exists() and any(self.folder.iterdir()):
            raise UsageError(
                say("{folder} is neither empty nor a case", folder=str(folder)),
                hint=say("name a new folder: nothing is ever written beside other files"),
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(self.folder)
        unsealed = seal.changed(self.folder) if exists else []
        self.database: sqlite3.Connection = connect(self.folder / DATABASE)
        self._chain = Chain(self.database, self.folder / "chain.jsonl")
        if exists:
            self._note_changes(unsealed)
        else:
            with transaction(self.database):
                self.set_fact("name", name or self.folder.name)
                self.set_fact("created", str(now_ns()))
                self.record("case made", {"name": name or self.folder.name})
        self.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close and seal the case, and give its lock back."""
        self.database.close()
        sealed = False
        with contextlib.suppress(OSError):  # a full disk: the next run goes on as after a stop, and seals it
            seal.close(self.folder)
            sealed = True
        self._lock.release(whole=sealed)

    def outputs(self) -> Outputs:
        """Return the place for recovered files."""
        return outputs_of(self.folder)

    # Facts and the chain

    def fact(self, name: str, default: str = "") -> str:
        """Return a fact about the case."""
        row = self.database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def set_fact(self, name: str, value: str) -> None:
        """Remember a fact about the case."""
        self.database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def record(self, act: str, facts: Facts) -> None:
        """Add an act to the evidence chain; call inside of a transaction and ``publish`` after it."""
        self._chain.append(act, {"tool": f"unransom {__version__}", **facts})

    def publish(self) -> None:
        """Write what the chain has gained to ``chain.jsonl``."""
        self._chain.publish()

    def _note_changes(self, files: list[str]) -> None:
        """Record which files are not as they were sealed: after a run that was stopped, or by others."""
        if files:
            act = STOPPED if self._lock.stopped else TAMPERED
            with transaction(self.database):
                self.record(act, {"files": [[file] for file in files]})

    # Sources

    def sources(self) -> list[Source]:
        """Return the sources in the order of their ids."""
        rows = self.database.execute("SELECT body FROM sources ORDER BY id").fetchall()
        return [msgspec.json.decode(body, type=Source) for (body,) in rows]

    def add_source(self, source: Source) -> None:
        """Add a source; one whose location is in the case already stays as it is."""
        if source.location in {known.location for known in self.sources()}:
            return
        body = msgspec.json.encode(source).decode()
        with transaction(self.database):
            self.database.execute("INSERT INTO sources (id, body) VALUES (?, ?)", (source.id, body))
            facts = {"id": source.id, "location": source.location, "fingerprint": source.fingerprint}
            self.record("source added", facts)
        self.publish()

    def unlisted(self) -> list[Source]:
        """Return the sources whose files are not all in the case yet."""
        rows = self.database.execute("SELECT body FROM sources WHERE NOT listed ORDER BY id").fetchall()
        return [msgspec.json.decode(body, type=Source) for (body,) in rows]

    def mark_listed(self, source: Source, files: int, size: int) -> None:
        """Remember that every file of ``source`` is in the case."""
        with transaction(self.database):
            self.database.execute("UPDATE sources SET listed = 1 WHERE id = ?", (source.id,))
            self.record("source listed", {"id": source.id, "files": files, "bytes": size})
        self.publish()

    def new_keys(self, fingerprints: set[str]) -> bool:
        """Remember the keys that were given; return whether no run had all of them at the same time.

        A file that was locked twice needs two of them together.
        """
        seen = set(json.loads(self.fact("keys", "[]")))
        together = [set(each) for each in json.loads(self.fact("keys together", "[]"))] or [seen]
        if any(fingerprints <= each for each in together):
            return False
        kept = [sorted(each) for each in together if not each <= fingerprints]
        with transaction(self.database):
            self.set_fact("keys", json.dumps(sorted(seen | fingerprints)))
            self.set_fact("keys together", json.dumps([*kept, sorted(fingerprints)]))
            if fingerprints - seen:
                self.record("keys given", {"fingerprints": [[each] for each in sorted(fingerprints - seen)]})
        self.publish()
        return True


def outputs_of(folder: Path) -> Outputs:
    """Return the place for recovered files of the case in ``folder``; workers need nothing else of it."""
    return Outputs(folder / "recovered", folder / "scratch", folder)
