"""The main job: sources, keys and manifests in; a case with verified files, a result and a report out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from unransom.case import manifests
from unransom.case.case import Case
from unransom.case.database import disk_full, transaction
from unransom.core.errors import (
    EXIT_DONE,
    EXIT_INCOMPLETE,
    EvidenceChangedError,
    NoKeyFoundError,
    UnreadableError,
    UsageError,
    VerificationError,
)
from unransom.core.messages import Message, say
from unransom.core.progress import Listener, silent
from unransom.evidence import apart_from, fingerprint_of, identify
from unransom.evidence.presence import BRING_BACK, check_there
from unransom.report import html, jsonfile
from unransom.report.document import Result
from unransom.run.check import hashes_in
from unransom.run.described import add_descriptions, load_descriptions
from unransom.run.engine import ITEM_SECONDS, Engine
from unransom.run.executor import Executor
from unransom.run.flow import FLOW
from unransom.run.given_keys import load_keys, load_server_keys
from unransom.run.library import keys_in
from unransom.run.result import result
from unransom.run.searches import BUDGET
from unransom.run.unread import absent, gaps, give_another_chance, remember_absent, unread
from unransom.run.work import NO_SPACE

# How files begin that gzip, ZIP, 7-Zip, xz, Zstandard, bzip2 and RAR made.
PACKED = (b"\x1f\x8b\x08", b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd",
          b"BZh", b"Rar!\x1a\x07")  # fmt: skip
PAGE = 4096  # bytes of memory


class Job(msgspec.Struct, frozen=True):
    """What `recover` was asked to do.

    Attributes:
        sources: Places that evidence is in, as they were named.
        case: The case folder.
        keys: Key files, or folders of them.
        server_keys: Key files of MariaDB or MySQL, for tables that the server encrypted.
        libraries: Key libraries.
        families: Descriptions of families, or folders of them.
        known: Places with originals: backups, old copies, downloads.
        memory: Dumps of memory, page files, captures that keys may lie in.
        budget: Seconds that searches for keys may take.
        manifests: Files with hashes of originals.
        command: The command line for the report.
        last: Name of the last step to perform.
        deadline_hours: Hours that the business gave the team, if it said.
        extra: Optional steps to perform: ``copy`` for the whole tree, ``wanted`` for wrapped keys.
        left_out: Steps not to perform.
        item_seconds: Seconds that every file may take besides a share for its size.
    """

    sources: tuple[str, ...]
    case: Path
    keys: tuple[Path, ...] = ()
    server_keys: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()
    families: tuple[Path, ...] = ()
    known: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    budget: float = 0.0
    manifests: tuple[Path, ...] = ()
    command: str = "unransom recover"
    last: str = FLOW[-1].name
    deadline_hours: float | None = None
    extra: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    item_seconds: float = ITEM_SECONDS


def recover(job: Job, executor: Executor, listener: Listener = silent, language: str = "en") -> Result:
    """Run the job and write ``result.json`` and ``report.html``; return the result.

    Raises:
        UnransomError: See ``core.errors``; the case holds what was done until then.
    """
    descriptions = load_descriptions(job.families)
    keys = (
        *load_keys(job.keys),
        *load_server_keys(job.server_keys),
        *(key for each in descriptions for key in each.own_keys()),
        *(key for path in job.libraries for key in keys_in(path)),
    )
    for location in (*job.sources, *job.known, *job.memory):
        check_apart(job.case, location)
    for location in job.memory:
        check_unpacked(Path(location))
    with Case(job.case, create=bool(job.sources)) as case:
        with transaction(case.database):
            case.set_fact(BUDGET, str(job.budget))
            if job.deadline_hours:
                case.set_fact("deadline_hours", str(job.deadline_hours))
        check_sources(case)
        give_another_chance(case)
        add_sources(case, job.sources)
        add_sources(case, job.known, "known")
        add_sources(case, job.memory, "memory")
        add_manifests(case, job.manifests)
        add_descriptions(case, descriptions)
        engine = Engine(
            case, executor, keys, listener, job.item_seconds, extra=job.extra, left_out=job.left_out
        )
        try:
            engine.run(job.last)
        except (OSError, UnreadableError):
            check_sources(case)  # that one is gone says more
            raise
        finally:
            remember_absent(case)
            document = conclude(case, job.command, engine.times)
            write_report(case, document, language)
    return document


def check_apart(case: Path, location: str) -> None:
    """Check that evidence and case do not lie in each other, before anything is written.

    Raises:
        UsageError: They do, or there is no evidence.
    """
    evidence = Path(identify(location).location).resolve()
    folder = case.resolve()
    if evidence.is_relative_to(folder / "evidence") and evidence != folder / "evidence":
        return  # an image that was acquired into the case: nothing else is ever written beside it
    if folder.is_relative_to(evidence) or evidence.is_relative_to(folder):
        raise UsageError(
            say("the case must not lie in the evidence, nor the evidence in the case"),
            detail=f"{folder}, {evidence}",
            hint=say("name another folder with --case: evidence is never written to"),
        )


def check_unpacked(dump: Path) -> None:
    """Check that a memory dump is not packed: it is searched as it is, and no key would be found.

    A page file may begin like that too, with a page of what was packed; it is whole pages, which packed data
    hardly ever is.

    Raises:
        UsageError: It is.
    """
    if not dump.is_file():
        return
    with dump.open("rb") as file:
        head = file.read(max(map(len, PACKED)))
    if head.startswith(PACKED) and dump.stat().st_size % PAGE:
        raise UsageError(
            say("{path} is packed: keys are searched for in memory as it was", path=str(dump)),
            hint=say("unpack it first, and name what comes out"),
        )


def check_sources(case: Case) -> None:
    """Check that the sources of the case are as they were.

    Raises:
        EvidenceChangedError: A source is not what it was when the case first saw it.
        SourceGoneError: A source cannot be read any more.
    """
    for source in case.sources():
        found = check_there(source)
        if found != source.fingerprint:
            raise EvidenceChangedError(
                say("{source} has changed since the case first saw it", source=source.location),
                detail=f"{source.fingerprint} -> {found}",
                causes=(
                    say("it was written to, or mounted read-write"),
                    say("another disk has its name now"),
                ),
                hint=say("begin a new case for it, and work on an image"),
            )


def add_sources(case: Case, locations: Sequence[str], role: str = "evidence") -> None:
    """Add the places that are new to the case."""
    for location in locations:
        known = case.sources()
        source = identify(location, {each.id for each in known})
        if role == "memory" and source.kind == "image":
            source = msgspec.structs.replace(source, kind="file")  # bytes to scan, whatever they begin with
        source = apart_from(source, (each for each in known if each.role == role))
        case.add_source(msgspec.structs.replace(source, fingerprint=fingerprint_of(source), role=role))


def add_manifests(case: Case, paths: Sequence[Path]) -> None:
    """Add the hashes in each manifest.

    Raises:
        UsageError: There is no hash in one.
    """
    for path in paths:
        with transaction(case.database):
            manifests.add(case.database, path.name, hashes_in(path))


def conclude(case: Case, command: str, times: list[tuple[str, float, int, int]]) -> Result:
    """Return the result of the case as it stands."""
    code, following = _ending(case)
    return result(case, command, code, times, following)


def write_report(case: Case, document: Result, language: str) -> None:
    """Write ``result.json`` and ``report.html`` into the case folder."""
    _replace(case.folder / "result.json", jsonfile.encode(document))
    _replace(case.folder / "report.html", html.render(document, language).encode())


def _replace(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` such that a crash leaves the old file or the new one."""
    draft = path.with_name(f".{path.name}")
    try:
        draft.write_bytes(data)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise disk_full(str(error)) if error.errno in NO_SPACE else error from error
    draft.replace(path)


def _ending(case: Case) -> tuple[int, Message | None]:
    """Return the exit code and what to do next.

    An output that contradicts a manifest, or a key that unwraps to nonsense, weighs more than a missing
    key, and that more than a few files that did not come back. For what is lost no key is asked for.
    """

    def count(query: str) -> int:
        return int(case.database.execute(query).fetchone()[0])

    locked = count("SELECT count(*) FROM files WHERE state = 'locked'")
    failed = count("SELECT count(*) FROM files WHERE state IN ('failed', 'partial')")
    lost = count("SELECT count(*) FROM files WHERE state = 'lost'")
    opened = count("SELECT count(*) FROM files WHERE method = 'unlock'")
    wrong = count(
        "SELECT count(*) FROM files WHERE verdict = 'bad' OR state = 'failed' AND id IN"
        " (SELECT item FROM records WHERE type = 'Problem' AND json_extract(body, '$.code') = 'output')"
    )
    if absent(case):
        return EXIT_INCOMPLETE, BRING_BACK
    if wrong:
        return VerificationError.exit_code, say("look at the outputs that failed verification")
    if not opened and locked + failed > unread(case):
        return NoKeyFoundError.exit_code, say("bring a key and run the same command again with --key")
    if locked + failed:
        return EXIT_INCOMPLETE, say("look at what was not recovered, and why")
    if lost:
        return EXIT_INCOMPLETE, say("pay for nothing: what is missing is lost, and no key brings it back")
    if gaps(case):
        return EXIT_INCOMPLETE, say("look at what could not be listed: nobody knows what is in it")
    return EXIT_DONE, None
