"""A stage on plain files, without a case: for the person who has one file.

It is the same flow, in a case of its own that is thrown away afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from unransom.case import found_keys
from unransom.case.case import Case
from unransom.case.files import records_of
from unransom.core.progress import Listener, silent
from unransom.core.records import KeyFound, KeyTrial
from unransom.core.searches import AttackPlan, Secret
from unransom.report.document import Result
from unransom.run.executor import Executor
from unransom.run.flow import CARVE
from unransom.run.listing import Row, rows
from unransom.run.recover import Job, recover
from unransom.run.unread import gaps, unread
from unransom.run.wanted import WantedKey, wanted_keys


class Work(msgspec.Struct, frozen=True):
    """What a stage on plain files came to.

    Attributes:
        result: As of a case.
        files: A row per file.
        found, trials: What trying keys came to.
        wanted: Wrapped keys that wait for a key holder, the one that opens most files first.
        plans: What attacks on keys would cost, and what rules them out.
        secrets: Keys that searches found.
        gaps: Files that could not be read, and folders and buckets that could not be listed.
    """

    result: Result
    files: tuple[Row, ...]
    found: tuple[KeyFound, ...]
    trials: tuple[KeyTrial, ...]
    wanted: tuple[WantedKey, ...]
    plans: tuple[AttackPlan, ...]
    secrets: tuple[Secret, ...]
    gaps: int


def work_alone(
    job: Job, executor: Executor, listener: Listener = silent, language: str = "en", out: Path | None = None
) -> Work:
    """Run ``job`` in a case that is thrown away; outputs are moved to ``out``.

    Args:
        job: Its ``case`` is ignored.
        executor: What runs it.
        listener: Hears the progress.
        language: Of the sentences in the rows.
        out: Folder for outputs; the temporary case is made in it, so that moving is renaming.
    """
    if out:
        out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".unransom-", dir=out))
    try:
        alone = msgspec.structs.replace(job, case=folder, left_out=job.left_out | {CARVE.name})
        result = recover(alone, executor, listener, language)
        with Case(folder) as case:
            files = list(rows(case, language=language, examining=job.last == "confirm"))
            found = tuple(records_of(case.database, KeyFound))
            trials = tuple(records_of(case.database, KeyTrial))
            wanted = tuple(wanted_keys(case))
            plans = tuple(records_of(case.database, AttackPlan))
            secrets = tuple(found_keys.of(case.database))
            unseen = gaps(case) + unread(case)
        if out:
            files = [_moved(row, folder, out) for row in files]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Work(result, tuple(files), found, trials, wanted, plans, secrets, unseen)


def _moved(row: Row, folder: Path, out: Path) -> Row:
    """Move the output of ``row`` below ``out``, never over another file."""
    if not isinstance(row["output"], str):
        return row
    source = folder / row["output"]
    # recovered/<source>/<path>: a single file's source is the file itself
    target = out.joinpath(*Path(row["output"]).parts[2:])
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{source.stem}.{number}{source.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return row | {"output": os.fspath(target.relative_to(out))}
