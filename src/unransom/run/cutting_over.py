"""Cutover checks of a case: runs of probes are kept, compared, and told to the evidence chain."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from unransom.case.case import Case
from unransom.core.clock import now_ns, rfc3339
from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say
from unransom.core.progress import Listener, silent
from unransom.core.records import Grade
from unransom.restore.cutover.asking import carry_out
from unransom.restore.cutover.probes import Probes, load_probes
from unransom.restore.cutover.recovery import Change, Recovery, Run, changes, grade_of, recoveries
from unransom.run.restore_results import write_sheets
from unransom.run.restoring import told
from unransom.verify.sheets import Sheet, whole

FOLDER = "cutover"  # of the case
GRADES = {
    Grade.GOOD: say("good"),
    Grade.BAD: say("bad"),
    Grade.UNKNOWN: say("unknown"),
    Grade.PARTIAL: say("partial"),
}
PROBE_HEADINGS = (
    *(say("run"), say("label"), say("time (UTC)"), say("system"), say("probe"), say("verdict")),
    *(say("value"), say("seconds"), say("why")),
)
SYSTEM_HEADINGS = (
    *(say("system"), say("verdict"), say("up since (UTC)"), say("hours to recovery")),
    *(say("hours before the deadline"),),
)


class Outcome(NamedTuple):
    """What a run came to: the run, what has changed since the one before, how each system stands."""

    run: Run
    changes: list[Change]
    recoveries: list[Recovery]


def check(case: Case, declarations: Path, label: str, listener: Listener = silent) -> Outcome:
    """Carry out the probes, keep the run, and compare it with the one before."""
    probes, digest = load_probes(declarations.read_bytes())
    times = _times(case, probes)
    earlier = runs(case)
    before = earlier[-1] if earlier else None
    answers = carry_out(probes.probe, declarations.parent, before.values() if before else {}, listener)
    number = before.number + 1 if before else 1
    run = Run(number, label or f"run-{number}", rfc3339(now_ns()), digest, tuple(answers))
    path = case.folder / FOLDER / f"{number:04}-{_plain(run.label)}.json"
    path.parent.mkdir(exist_ok=True)
    body = msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n"
    with whole(path) as draft:
        draft.write_bytes(body)
    grades = [answer.grade for answer in run.answers]
    facts: dict[str, str | int] = {
        "run": number,
        "label": run.label,
        "probes": digest,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    counts = {grade.value: grades.count(grade) for grade in (Grade.GOOD, Grade.BAD, Grade.UNKNOWN)}
    bad = [[answer.id, str(answer.why)] for answer in run.answers if answer.grade is not Grade.GOOD]
    told(case, "cutover checked", {**facts, **counts, "not good": bad})
    return Outcome(run, changes(before, run), list(recoveries([*earlier, run], *times, datetime.now(UTC))))


def _plain(label: str) -> str:
    return re.sub(r"[^\w-]+", "-", label, flags=re.ASCII).strip("-")[:60] or "run"


def runs(case: Case) -> list[Run]:
    """Return the runs of a case, oldest first.

    Raises:
        UnransomError: One of them was damaged.
    """
    found = []
    for path in sorted((case.folder / FOLDER).glob("[0-9]*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Run))
        except msgspec.DecodeError as error:
            raise UnransomError(say("{file} cannot be read", file=str(path)), detail=str(error)) from error
    return sorted(found, key=lambda run: run.number)


def _times(case: Case, probes: Probes | None) -> tuple[datetime, datetime | None]:
    """Return since when the systems are down, and the deadline; the case tells what the probes do not.

    Raises:
        UsageError: They were not down yet, or only from the deadline on.
    """
    created = datetime.fromtimestamp(int(case.fact("created", "0")) / 1e9, UTC)
    down_since = (probes.down_since if probes else None) or _fact(case, "down_since") or created
    deadline = (probes.deadline if probes else None) or _fact(case, "deadline")
    hours = case.fact("deadline_hours")
    if deadline is None and hours:
        deadline = created + timedelta(hours=float(hours))
    if down_since > datetime.now(UTC):
        raise UsageError(
            say("down_since lies in the future: {time}", time=f"{down_since:%Y-%m-%dT%H:%M:%S%z}")
        )
    if deadline and deadline <= down_since:
        raise UsageError(
            say("the deadline is not behind down_since"),
            detail=f"{down_since:%Y-%m-%dT%H:%M:%S%z}, {deadline:%Y-%m-%dT%H:%M:%S%z}",
        )
    return down_since, deadline


def _fact(case: Case, name: str) -> datetime | None:
    return datetime.fromisoformat(text) if (text := case.fact(name)) else None


def standing(case: Case, declarations: Path | None) -> tuple[list[Run], list[Recovery]]:
    """Return all runs, and how each system stands."""
    known = runs(case)
    probes = load_probes(declarations.read_bytes())[0] if declarations else None
    return known, list(recoveries(known, *_times(case, probes), datetime.now(UTC)))


def write_cutover(known: Sequence[Run], found: Sequence[Recovery], folder: Path, language: str) -> list[Path]:
    """Write ``probes.csv``, ``systems.csv`` and ``cutover.xlsx``; return the files."""
    rows = [
        [
            *(run.number, run.label, run.time, answer.system, answer.name),
            GRADES[answer.grade].render(language),
            *(answer.value, answer.seconds, answer.why.render(language)),
        ]
        for run in known
        for answer in run.answers
    ]
    systems = [
        [
            each.system,
            GRADES[each.grade].render(language),
            each.up_since,
            round(each.hours, 2),
            None if each.hours_left is None else round(each.hours_left, 2),
        ]
        for each in found
    ]
    sheets = [
        Sheet("probes", [heading.render(language) for heading in PROBE_HEADINGS], rows),
        Sheet("systems", [heading.render(language) for heading in SYSTEM_HEADINGS], systems),
    ]
    return write_sheets(folder, "cutover", sheets, sheets)


def worst(run: Run) -> Grade:
    """Return the worst verdict of a run."""
    grades = {grade_of(answer.system, run) for answer in run.answers}
    return next((grade for grade in (Grade.BAD, Grade.UNKNOWN) if grade in grades), Grade.GOOD)
