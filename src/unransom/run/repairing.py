"""Repair files that a person names, without a case."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.core.outputs import FileReader, Outputs
from unransom.core.progress import Listener, Progress, silent
from unransom.core.spans import Origin, Span
from unransom.core.text import shown
from unransom.recover.repair.records import Mended
from unransom.recover.repair.step import logs_of, mend, unreadable
from unransom.run.rebuilt_database import writer

SIBLINGS = 32  # sound files of the same origin that are looked at
DRAFTS = ".unransom-drafts"


class Job(msgspec.Struct, frozen=True):
    """What to repair.

    Attributes:
        files: Files, and folders whose files are meant.
        out: Folder for what comes out.
        siblings: Sound files of the same origin, and folders of them.
        lost: Ranges of the files that are known to be lost, where it is one file.
    """

    files: tuple[Path, ...]
    out: Path
    siblings: tuple[Path, ...] = ()
    lost: tuple[Span, ...] = ()


def read_map(path: Path) -> tuple[Span, ...]:
    """Return the lost ranges of a byte map in JSON: ``[[start, end], …]`` or ``[[start, end, origin], …]``.

    Of runs with an origin, those that are ``lost`` or ``guessed`` count.

    Raises:
        UsageError: It is no such map.
    """
    try:
        runs = json.loads(path.read_bytes())
        runs = runs.get("map", []) if isinstance(runs, dict) else runs
        kept = [run for run in runs if len(run) == 2 or run[2] in {Origin.LOST, Origin.GUESSED}]
        return tuple(Span(int(start), int(end)) for start, end, *_ in kept)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise UsageError(
            say("{path} is no byte map", path=str(path)),
            detail=str(error),
            hint=say('write JSON such as [[0, 65536, "lost"]]'),
        ) from error


def repair(job: Job, listener: Listener = silent) -> Iterator[Mended]:
    """Repair every file; yield what became of it. A file that fails does not stop the others."""
    job.out.mkdir(parents=True, exist_ok=True)
    scratch = job.out / DRAFTS
    outputs = Outputs(job.out, scratch, job.out)
    outputs.clear_scratch()
    files = list(_listed(job.files, job.out))
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            paths = [path for path, _ in _listed(job.siblings, job.out)][:SIBLINGS]
            siblings = tuple(stack.enter_context(FileReader(path)) for path in paths)
            for number, (path, item) in enumerate(files):
                listener(_progress(number, len(files), item, began))
                yield _mended(path, item, outputs, job, siblings)
    finally:
        outputs.clear_scratch()
        with contextlib.suppress(OSError):
            scratch.rmdir()
    listener(_progress(len(files), len(files), b"", began))


def _mended(path: Path, item: bytes, outputs: Outputs, job: Job, siblings: tuple[FileReader, ...]) -> Mended:
    try:
        with contextlib.ExitStack() as stack:
            reader = stack.enter_context(FileReader(path))
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=job.out / DRAFTS))
            name = os.fsencode(path.name)
            beside = (path.with_name(os.fsdecode(each)) for each in logs_of(name))
            logs = tuple(stack.enter_context(FileReader(each)) for each in beside if _is_plain(each))
            damaged = Damaged(reader, name, job.lost, siblings, logs)
            return mend(damaged, item, outputs, writer(Path(folder)))
    except OSError as error:
        return unreadable(item, error)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _progress(done: int, total: int, item: bytes, began: float) -> Progress:
    seconds = time.monotonic() - began
    return Progress("repair", done, total, "files", shown(item), seconds=seconds, finished=done == total)


def _listed(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield (path, name of the output) of files, those below folders too; never what lies in ``out``."""
    for path in paths:
        if not path.is_dir():
            yield path, os.fsencode(path.name)
            continue
        for parent, folders, names in os.walk(path):
            here = Path(parent)
            folders[:] = sorted(name for name in folders if (here / name).resolve() != out.resolve())
            for name in sorted(names):
                file = here / name
                if _is_plain(file):
                    yield file, os.fsencode(file.relative_to(path))
