"""Carving as a step of a case: what is found becomes files of the case, and originals of locked ones.

A carved file that is shown to be the original of a locked one is that file's output, and with the locked copy
a pair for searches of keys. One that the list has as deleted takes that entry; every other gets one of its
own, so that all of them are counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from unransom.case import files
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.core.messages import say
from unransom.core.progress import Listener
from unransom.core.records import FileRef, Finding, Grade, Output, Problem, Source
from unransom.core.spans import Origin, Run
from unransom.evidence.locations import is_called_image, path_of
from unransom.evidence.presence import check_there
from unransom.recover.carve.candidates import Candidate, endings, original_of
from unransom.recover.carve.records import Carved, Mapped
from unransom.run.carving import Carving, Job, Outcome
from unransom.run.executor import Executor
from unransom.run.own_originals import add_original
from unransom.run.searches import LOCKED

STEP = "carve"
ORIGINALS = "carved"  # source of originals that searches for keys compare with
PROVEN = frozenset({"checksum-proved", "structure-proved"})
LIKELY = PROVEN | {"decoder-accepted"}


class _Named(msgspec.Struct, frozen=True):
    """A locked file, and what carving calls its original."""

    candidate: Candidate
    ref: FileRef


def images(case: Case) -> list[Source]:
    """Return the images that are not carved yet, also those of which too much is lost to open them."""
    every = (each for each in case.sources() if each.role == "evidence")
    found = (each for each in every if each.kind == "image" or _is_headless(case, each))
    return [each for each in found if not case.fact(_fact(each))]


def _is_headless(case: Case, source: Source) -> bool:
    """Return whether a single file is called like an image, and is not sound as anything else."""
    if source.kind != "file" or not is_called_image(path_of(source)):
        return False
    query = f"SELECT 1 FROM files WHERE source = ? AND {LOCKED}"
    return case.database.execute(query, (source.id,)).fetchone() is not None


def carve_image(case: Case, source: Source, executor: Executor, listener: Listener, *, keys: bool) -> int:
    """Carve an image and store what is found; return how many files.

    Args:
        case: The open case.
        source: The image.
        executor: What runs the tasks.
        listener: Hears the progress.
        keys: There are keys: what is only likely to be an original is left to them.

    Raises:
        UnransomError: The disk is full, or the image is gone.
    """
    named = list(_locked(case, source))
    job = Job(
        image=source.location,
        out=case.folder / "recovered",
        source=source,
        known=tuple(each.candidate for each in named),
        work=case.folder / "scratch" / f"carve-{source.id}",
    )
    try:
        outcome = Carving(job, executor, listener).run()
    except OSError as error:
        outcome = Outcome((), 0, (_unread(source, error),))
    check_there(source)  # what came of half an image is no result
    with transaction(case.database):
        kept = [
            path for each in outcome.files if (path := _store(case, source, each, outcome, named, keys=keys))
        ]
        told = [*outcome.problems, *_findings(source, outcome), *_mapped(source, outcome)]
        files.store(case.database, STEP, 0, told)
        case.set_fact(_fact(source), str(time.time_ns()))
        case.record("outputs", {"step": STEP, "outputs": kept})
    case.publish()
    return len(kept)


def _fact(source: Source) -> str:
    return f"{STEP} {source.id}"


def _locked(case: Case, source: Source) -> Iterator[_Named]:
    locked = list(files.select(case.database, f"source = :source AND {LOCKED}", source=source.id))
    common = endings(ref.path for ref in locked)
    for ref in locked:
        original = ref.original or original_of(ref.path, common)
        if original and original != ref.path:
            yield _Named(Candidate(original, ref.size, ref.modified or 0, own=False), ref)


def _unread(source: Source, error: OSError) -> Problem:
    return Problem(
        item=source.id,
        code="read",
        what=say("the image cannot be carved: {error}", error=str(error)[:200]),
        resolution=say("the rest of the evidence is not affected"),
    )


def _findings(source: Source, outcome: Outcome) -> Iterator[Finding]:
    if outcome.empty:
        what = say("all free space is zeros: it was trimmed or never used, and no deleted file is in it")
        yield Finding(kind="trimmed", item=source.id, what=what)


def _mapped(source: Source, outcome: Outcome) -> Iterator[Mapped]:
    if outcome.searched:
        yield Mapped(source=source.id, searched=outcome.searched, holds=outcome.holds)


def _store(
    case: Case, source: Source, carved: Carved, outcome: Outcome, named: list[_Named], *, keys: bool
) -> list[str] | None:
    """Store a carved file; return its path and hash, None for one that is there already."""
    number = outcome.matched.get(carved.original)
    locked = named[number].ref if number is not None and _is_original(carved, keys=keys) else None
    if not carved.original and _is_there(case, carved):
        (case.folder / "recovered" / carved.path.decode("utf-8", "surrogateescape")).unlink(missing_ok=True)
        return None
    item = locked.id if locked else _entry(case, source, carved)
    guessed = locked is not None and carved.named_by == "size"
    path = b"recovered/" + carved.path
    output = Output(
        path=path,
        digests=carved.digests,
        derived_from=item,
        method=STEP,
        bits=carved.bits,
        grade=Grade.GOOD if carved.proof in PROVEN and not guessed else Grade.UNKNOWN,
        why=say("{why}; that it is this file is told by its size and type", why=carved.why)
        if guessed
        else carved.why,
        map=(Run(0, carved.digests.size, Origin.PLAIN),) if carved.digests.size else (),
        format=carved.format,
    )
    files.store(case.database, STEP, item, [msgspec.structs.replace(carved, path=path), output])
    if locked:
        add_original(case, ORIGINALS, case.folder / "recovered", carved.path)  # with the locked copy, a pair
    return [path.decode("utf-8", "backslashreplace"), carved.digests.sha256]


def _is_original(carved: Carved, *, keys: bool) -> bool:
    """Return whether a carved file is sure enough to be the original of the locked one of its name."""
    if carved.named_by == "size":
        return carved.proof in (PROVEN if keys else LIKELY)
    return carved.named_by in {"record", "name"} and carved.proof in LIKELY


def _is_there(case: Case, carved: Carved) -> bool:
    """Return whether an output has the same bytes."""
    query = "SELECT 1 FROM files WHERE sha256 = ? AND output IS NOT NULL AND output <> ?"
    path = b"recovered/" + carved.path
    return case.database.execute(query, (carved.digests.sha256, path)).fetchone() is not None


def _entry(case: Case, source: Source, carved: Carved) -> int:
    """Return the number of the file's own entry: that of the deleted file of its path, or a new one."""
    path = carved.original or carved.path
    row = case.database.execute(
        "SELECT id FROM files WHERE source = ? AND path = ? AND stream = ''"
        " AND state = 'skipped' AND json_extract(body, '$.deleted')",
        (source.id, path),
    ).fetchone()
    if row:
        return int(row[0])
    start = carved.extents[0].start if carved.extents else carved.digests.sha256
    locator = f"{STEP}:{start}"
    ref = FileRef(
        source=source.id,
        path=path,
        size=carved.digests.size,
        locator=locator,
        modified=carved.modified,
        format=carved.format,
        why=carved.why,
    )
    files.add(case.database, [ref])
    query = "SELECT id FROM files WHERE source = ? AND path = ? AND locator = ?"
    return int(case.database.execute(query, (source.id, path, locator)).fetchone()[0])
