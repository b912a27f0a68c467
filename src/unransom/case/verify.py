"""Whether a case is what it was: seal, chain, signatures, time stamps, and every file that they tell of."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from unransom.case import seal, stamps
from unransom.case.case import DATABASE, STOPPED, TAMPERED, Case
from unransom.case.chain import check
from unransom.case.custody import Custody
from unransom.case.lock import was_stopped
from unransom.core.clock import rfc3339
from unransom.core.errors import NoSuchCaseError
from unransom.core.messages import Message, say

CHAIN = "chain.jsonl"
TURNED_BACK = timedelta(seconds=1)  # and more: servers of time step a clock by less
TOLD = frozenset({"outputs", "image"})  # acts whose facts name files and their hashes in ``outputs``


def flaws_of(folder: Path, roots: Sequence[x509.Certificate] = ()) -> Iterator[Message]:
    """Yield everything in a closed case that was changed, is missing or out of order; nothing is written.

    Args:
        folder: The case folder.
        roots: Certificates of time stamp authorities that are trusted.

    Raises:
        NoSuchCaseError: There is no case.
        CaseLockedError: Another process works on it.
    """
    if not (folder / DATABASE).exists() and not (folder / seal.NAME).exists():
        raise NoSuchCaseError(say("there is no case in {folder}", folder=str(folder)))
    if was_stopped(folder):
        Case(folder).close()  # its last run was killed: opening it mends and seals it
    broken = set()
    for name, flaw in seal.flaws(folder):
        broken.add(name)
        yield flaw
    if broken & {DATABASE, seal.NAME}:  # SQLite reads no file that somebody may have made up
        yield from _flaws(folder, None, roots)
        return
    database = sqlite3.connect(f"{(folder / DATABASE).absolute().as_uri()}?immutable=1", uri=True)
    try:
        yield from _flaws(folder, database, roots)
    finally:
        database.close()


def flaws(case: Case) -> Iterator[Message]:
    """Yield what is wrong with an open case; its seal is that of the last time it was closed."""
    yield from _flaws(case.folder, case.database, ())


def remarks_of(folder: Path) -> Iterator[Message]:
    """Yield what is no fault by itself, but what a reader of a closed case should know."""
    try:
        entries = [json.loads(line) for line in (folder / CHAIN).read_bytes().splitlines()]
        yield from _remarks(entries)
    except (OSError, ValueError, KeyError, TypeError):
        return  # that is a flaw, and named as one


def _remarks(entries: Sequence[dict[str, Any]]) -> Iterator[Message]:
    latest = datetime.min.replace(tzinfo=UTC)
    for entry in entries:
        sequence, time = entry["sequence"], entry["time"]
        moment = datetime.fromisoformat(time)
        if entry["act"] == STOPPED:
            files = ", ".join(file for (file,) in entry["facts"]["files"])
            yield say(
                "chain.jsonl, entry {sequence}: a run was stopped before {time}; until then no seal stood"
                " for what was changed in {files}",
                sequence=sequence,
                time=time,
                files=files,
            )
        if latest - moment > TURNED_BACK:
            yield say(
                "chain.jsonl, entry {sequence}: its time {time} is before {earlier} of an entry before it:"
                " the clock was set back",
                sequence=sequence,
                time=time,
                earlier=rfc3339(int(latest.timestamp()) * 10**9),
            )
        latest = max(latest, moment)


def _flaws(
    folder: Path, database: sqlite3.Connection | None, roots: Sequence[x509.Certificate]
) -> Iterator[Message]:
    try:
        lines = (folder / CHAIN).read_bytes().splitlines(keepends=True)
    except OSError:
        yield say("{path}: the file is missing", path=CHAIN)
        return
    flaw = check(lines)
    if flaw:
        yield say("chain.jsonl, entry {sequence}: {why}", sequence=flaw.sequence, why=flaw.why)
        return
    yield from _acts(lines, roots)
    told = _told(lines)
    yield from _files(folder, told)
    if database is not None:
        yield from _database(database, lines, told)


def _acts(lines: Sequence[bytes], roots: Sequence[x509.Certificate]) -> Iterator[Message]:
    """Yield what is wrong with signatures and time stamps, and changes that were found when it was opened."""
    custody = Custody().read(lines)
    for flaw in (*custody.flaws, *stamps.check(custody.stamps, roots)):
        yield say("chain.jsonl, entry {sequence}: {why}", sequence=flaw.sequence, why=flaw.why)
    for line in lines:
        if f'{{"act":"{TAMPERED}"'.encode() in line:
            entry = json.loads(line)
            for (file,) in entry["facts"]["files"]:
                yield say("{path}: was changed by others before {time}", path=file, time=entry["time"])


def _database(
    database: sqlite3.Connection, lines: Sequence[bytes], told: dict[str, str]
) -> Iterator[Message]:
    """Yield where the database tells something else than the chain."""
    try:
        stored = [entry for (entry,) in database.execute("SELECT entry FROM chain ORDER BY sequence")]
        known = database.execute("SELECT output, sha256 FROM files WHERE output IS NOT NULL").fetchall()
    except sqlite3.DatabaseError as error:
        yield say("{path}: the file cannot be read: {error}", path=DATABASE, error=str(error))
        return
    if stored != [line.decode().rstrip("\n") for line in lines]:
        yield say("chain.jsonl and case.sqlite do not tell the same")
    for path, sha256 in known:
        shown = path.decode("utf-8", "backslashreplace")
        if told.get(shown) != sha256:
            yield say("{path}: case.sqlite has another hash than the chain", path=shown)


def _told(lines: Iterable[bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file that the chain tells of, by path, save those withdrawn later."""
    told: dict[str, str] = {}
    for line in lines:
        entry = json.loads(line)
        if entry["act"] in TOLD:
            told.update(entry["facts"]["outputs"])
        elif entry["act"] == "outputs withdrawn":
            for path, _ in entry["facts"]["outputs"]:
                told.pop(path, None)
    return told


def _files(folder: Path, told: dict[str, str]) -> Iterator[Message]:
    """Yield what is wrong with the outputs and images on disk."""
    missing = dict(told)
    for path in _below(folder):
        shown = seal.escaped(path, folder)
        sha256 = missing.pop(shown, None)
        if sha256 is None:
            yield say("{path}: the chain does not tell of this file", path=shown)
            continue
        if os.path.islink(path):  # noqa: PTH114 the name may be any bytes
            yield say("{path}: is a link, and not the file itself", path=shown)
            continue
        try:
            with open(path, "rb") as file:  # noqa: PTH123 the name may be any bytes
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    yield say("{path}: the content was changed", path=shown)
        except OSError as error:
            yield say("{path}: the file cannot be read: {error}", path=shown, error=str(error))
    for shown in missing:
        yield say("{path}: the file is missing", path=shown)


def _below(folder: Path) -> Iterator[str]:
    waiting = [str(folder / each) for each in seal.OUTPUTS if (folder / each).is_dir()]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                yield entry.path
