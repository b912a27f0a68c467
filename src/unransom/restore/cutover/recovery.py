"""Time to recovery: from when a system went down to the first run after which it stayed good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from unransom.core.records import Grade
from unransom.restore.cutover.asking import Answer


class Run(msgspec.Struct, frozen=True):
    """One run of all probes.

    Attributes:
        number: From 1.
        label: What it was about, e.g. ``before-batch-1``.
        time: RFC 3339.
        probes: Digest of their declarations.
        answers: The verdicts.
    """

    number: int
    label: str
    time: str
    probes: str
    answers: tuple[Answer, ...]

    def values(self) -> dict[str, str]:
        """Return what was found, by probe."""
        return {answer.id: answer.value for answer in self.answers}


class Change(NamedTuple):
    """A probe whose verdict is another than in the run before."""

    id: str
    before: Grade
    now: Grade


class Recovery(NamedTuple):
    """How a system stands.

    Attributes:
        system: Its name.
        grade: Good where all of its probes are.
        up_since: RFC 3339, "" while it is not up.
        hours: From when it went down until then, or until now while it is not up.
        hours_left: Until the deadline, from then on; negative where it was missed; None without one.
    """

    system: str
    grade: Grade
    up_since: str
    hours: float
    hours_left: float | None


def changes(before: Run | None, now: Run) -> list[Change]:
    """Return the probes whose verdict has changed."""
    known = {answer.id: answer.grade for answer in before.answers} if before else {}
    return [
        Change(answer.id, known[answer.id], answer.grade)
        for answer in now.answers
        if answer.id in known and known[answer.id] is not answer.grade
    ]


def grade_of(system: str, run: Run) -> Grade:
    """Return how a system stands in a run: good only where all of its probes are."""
    grades = [answer.grade for answer in run.answers if answer.system == system]
    if grades and all(grade is Grade.GOOD for grade in grades):
        return Grade.GOOD
    return Grade.BAD if Grade.BAD in grades else Grade.UNKNOWN


def recoveries(
    runs: Sequence[Run], down_since: datetime, deadline: datetime | None, now: datetime
) -> Iterable[Recovery]:
    """Yield how each system of the last run stands.

    Args:
        runs: All runs, oldest first; those before ``down_since`` do not count.
        down_since: When the systems went down.
        deadline: By when they must be up.
        now: The present.
    """
    if not runs:
        return
    for system in dict.fromkeys(answer.system for answer in runs[-1].answers):
        up_since = ""
        for run in reversed(runs):
            if datetime.fromisoformat(run.time) < down_since or grade_of(system, run) is not Grade.GOOD:
                break
            up_since = run.time
        until = datetime.fromisoformat(up_since) if up_since else now
        left = (deadline - until).total_seconds() / 3600 if deadline else None
        hours = (until - down_since).total_seconds() / 3600
        yield Recovery(system, grade_of(system, runs[-1]), up_since, hours, left)
