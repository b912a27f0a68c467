"""Repair what a case has only in part: outputs with holes, and locked files that no key opens."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from unransom.case import files
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.catalog.formats.identify import extension_of
from unransom.catalog.formats.repair import REPAIRS
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.errors import UnreadableError
from unransom.core.outputs import FileReader
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import FileRef, Output
from unransom.core.spans import Origin, Span
from unransom.core.streams import Reader
from unransom.core.text import shown
from unransom.evidence import open_store
from unransom.recover.repair.records import Mended
from unransom.recover.repair.step import mend
from unransom.run.previews import preview
from unransom.run.repairing import unreadable, writer

STEP = "repair"
FOLDER = b"repaired/"  # of what comes out, below the folder of outputs
SIBLINGS = 4  # sound pictures of the same source that are looked at
IN_PART = "state = 'partial' AND output IS NOT NULL AND method <> 'copy'"
SHUT = "(state IN ('locked', 'failed') AND output IS NULL)"
OPEN = f"({IN_PART} OR {SHUT}) AND id NOT IN (SELECT item FROM records WHERE type = 'Mended')"
SOUND = "state = 'intact' AND source = :source AND format = 'jpeg' AND id <> :id"


def waiting(case: Case) -> int:
    """Return how many files wait for a repair."""
    return int(case.database.execute(f"SELECT count(*) FROM files WHERE {OPEN}").fetchone()[0])


def repair_case(case: Case, listener: Listener = silent) -> Iterator[Mended]:
    """Repair every file that waits for it, and store what became of each; yield that.

    A run that is stopped goes on with the files that are left. The files' own entries stay as they are: a key
    that is found later still opens them.
    """
    total, began = waiting(case), time.monotonic()
    case.outputs().clear_scratch()
    for number, ref in enumerate(files.select(case.database, OPEN)):
        seconds = time.monotonic() - began
        listener(Progress(STEP, number, total, "files", shown(ref.path), seconds=seconds))
        mended = _with_preview(case, _mended(case, ref))
        _store(case, ref, mended)
        yield mended
    seconds = time.monotonic() - began
    listener(Progress(STEP, total, total, "files", seconds=seconds, finished=True))


def _mended(case: Case, ref: FileRef) -> Mended:
    """Return what became of a file; what cannot be read is a problem of its own."""
    output = _output_of(case, ref)
    item = output.path.removeprefix(b"recovered/") if output else ref.output_path()
    try:
        with ExitStack() as stack, tempfile.TemporaryDirectory(dir=case.folder / "scratch") as folder:
            if output:
                reader: Reader = stack.enter_context(
                    FileReader(os.fsencode(case.folder) + b"/" + output.path)
                )
            else:
                reader = _opened(case, ref, stack)
            name = _name(item)
            siblings = _siblings(case, ref, stack) if extension_of(name) in {"jpg", "jpeg"} else ()
            damaged = Damaged(reader, name, _lost(output), siblings)
            return mend(damaged, FOLDER + item, case.outputs(), writer(Path(folder)))
    except (OSError, UnreadableError) as error:
        return unreadable(item, error, fatal=False)


def _output_of(case: Case, ref: FileRef) -> Output | None:
    """Return what came back of a file in part, None where nothing did."""
    row = case.database.execute(
        "SELECT records.body FROM files JOIN records ON records.item = files.id WHERE files.id = ?"
        " AND files.output IS NOT NULL AND records.type = 'Output' ORDER BY records.id DESC LIMIT 1",
        (ref.id,),
    ).fetchone()
    return msgspec.json.decode(row[0], type=Output) if row else None


def _lost(output: Output | None) -> tuple[Span, ...]:
    runs = output.map if output else ()
    return tuple(Span(run.start, run.end) for run in runs if run.origin in {Origin.LOST, Origin.GUESSED})


def _name(item: bytes) -> bytes:
    """Return the name of a file without what a locker put behind its extension."""
    name = item.rpartition(b"/")[2]
    stem = name.rpartition(b".")[0]
    known = {extension for each in REPAIRS for extension in each.extensions}
    return stem if extension_of(name) not in known and extension_of(stem) in known else name


def _opened(case: Case, ref: FileRef, stack: ExitStack) -> Reader:
    source = next(each for each in case.sources() if each.id == ref.source)
    store = open_store(source)
    stack.callback(store.close)
    return stack.enter_context(store.open(ref))


def _siblings(case: Case, ref: FileRef, stack: ExitStack) -> tuple[Reader, ...]:
    """Return sound pictures of the same source, those of the same folder first."""
    found = files.select(case.database, SOUND, source=ref.source, id=ref.id)
    folder = ref.path.rpartition(b"/")[0]
    first = [each for each, _ in zip(found, range(1000), strict=False)]
    first.sort(key=lambda each: each.path.rpartition(b"/")[0] != folder)
    return tuple(_opened(case, each, stack) for each in first[:SIBLINGS])


def _with_preview(case: Case, mended: Mended) -> Mended:
    if mended.output is None:
        return mended
    root = os.fsencode(case.folder) + b"/"
    text = next((each for each in mended.beside if each.endswith(b".txt")), None)
    if mended.output.format in {"csv", "text", "json", "xml", "html"}:
        text = mended.output.path
    small = preview(
        Path(os.fsdecode(root + mended.output.path)),
        mended.output.format,
        Path(os.fsdecode(root + text)) if text else None,
    )
    return msgspec.structs.replace(mended, preview=small)


def _store(case: Case, ref: FileRef, mended: Mended) -> None:
    if mended.output:
        output = msgspec.structs.replace(mended.output, derived_from=ref.id)
        mended = msgspec.structs.replace(mended, output=output)
    with transaction(case.database):
        files.store(case.database, STEP, ref.id, [mended])
        if mended.output:
            path = mended.output.path.decode("utf-8", "backslashreplace")
            case.record("outputs", {"step": STEP, "outputs": [[path, mended.output.digests.sha256]]})
    case.publish()
