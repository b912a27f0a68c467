"""``unransom cutover``: declared probes of a company's systems, before and after each batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, PATH, case_option, json_option, progress_option
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, VerificationError

if TYPE_CHECKING:
    from unransom.case.case import Case
    from unransom.restore.cutover.recovery import Recovery, Run
    from unransom.run.cutting_over import Outcome

out_option = click.option("--out", type=PATH, metavar="DIR", help=t("Folder for all runs as CSV and xlsx."))


@click.group(
    help=t("Probe the systems of the company before and after each batch."),
    epilog=t("Example: unransom cutover check --case fs01 --probes probes.toml --label before-batch-1"),
)
def command() -> None:
    """Gather the commands below."""


@command.command(
    help=t("Carry out the probes; exit 14 where an answer is wrong, 3 where a question could not be put."),
    epilog=t("Example: unransom cutover check --case fs01 --probes probes.toml --label before-batch-1"),
)
@case_option
@click.option("--probes", type=EXISTING, required=True, metavar="TOML", help=t("What to ask which system."))
@click.option("--label", default="", metavar="TEXT", help=t("What the run is about."))
@out_option
@json_option
@progress_option
def check(case: Path, probes: Path, label: str, out: Path | None, as_json: bool, progress: Style) -> int:
    """Print the verdicts, what has changed, and how long each system took."""
    from unransom.case.case import Case
    from unransom.run import cutting_over

    with Case(case) as opened, Screen(progress) as screen:
        outcome = cutting_over.check(opened, probes, label, screen)
        if as_json:
            print(json.dumps(_document([outcome.run], outcome.recoveries), ensure_ascii=False, indent=2))
        else:
            _print(outcome)
        if out:
            _write(cutting_over.runs(opened), outcome.recoveries, out)
    return _code(outcome.run)


@command.command(
    help=t("Show all runs of the probes, and how long each system took."),
    epilog=t("Example: unransom cutover show --case fs01 --out for-finance --lang zh"),
)
@case_option
@click.option("--probes", type=EXISTING, metavar="TOML", help=t("Where the deadline stands."))
@out_option
@json_option
def show(case: Path, probes: Path | None, out: Path | None, as_json: bool) -> int:
    """Print a line for each run and system; ask nothing."""
    from unransom.case.case import Case
    from unransom.run import cutting_over

    with Case(case) as opened:
        runs, recoveries = cutting_over.standing(opened, probes)
    if as_json:
        print(json.dumps(_document(runs, recoveries), ensure_ascii=False, indent=2))
    else:
        for run in runs:
            good = sum(answer.grade.value == "good" for answer in run.answers)
            about = {"label": run.label, "time": run.time}
            print(t("{time}  {label}: {good} of {count} good", **about, good=good, count=len(run.answers)))
        _print_recoveries(recoveries)
    if out:
        _write(runs, recoveries, out)
    return EXIT_DONE


def run_probes(case: Case, probes: Path, label: str) -> int:
    """Carry out probes around a batch, print them, and return an exit code."""
    from unransom.run import cutting_over

    outcome = cutting_over.check(case, probes, label)
    _print(outcome)
    return _code(outcome.run)


def _code(run: Run) -> int:
    from unransom.run.cutting_over import worst

    codes = {"bad": VerificationError.exit_code, "unknown": EXIT_INCOMPLETE}
    return codes.get(worst(run).value, EXIT_DONE)


def _print(outcome: Outcome) -> None:
    from unransom.run.cutting_over import GRADES

    print(outcome.run.label)
    for answer in outcome.run.answers:
        value = f" [{answer.value}]" if answer.value else ""
        print(f"  {spoken(GRADES[answer.grade]):<8} {answer.id}{value}  {spoken(answer.why)}")
    for change in outcome.changes:
        about = {"before": spoken(GRADES[change.before]), "now": spoken(GRADES[change.now])}
        print(t("  since the run before: {probe} was {before}, is {now}", probe=change.id, **about))
    _print_recoveries(outcome.recoveries)


def _print_recoveries(recoveries: Sequence[Recovery]) -> None:
    for each in recoveries:
        about = {"system": each.system, "hours": f"{each.hours:,.1f}"}
        if each.up_since:
            line = t("{system}: up since {time}, after {hours} h", **about, time=each.up_since)
        else:
            line = t("{system}: not up after {hours} h", **about)
        left = each.hours_left
        if left is not None and left >= 0:
            line += t(", {left} h before the deadline", left=f"{left:,.1f}")
        elif left is not None:
            line += t(", {left} h behind the deadline", left=f"{-left:,.1f}")
        print(line)


def _document(runs: Sequence[Run], recoveries: Sequence[Recovery]) -> dict[str, object]:
    return {
        "runs": [
            {
                "number": run.number,
                "label": run.label,
                "time": run.time,
                "probes": [
                    {
                        "system": answer.system,
                        "name": answer.name,
                        "verdict": answer.grade.value,
                        "value": answer.value,
                        "seconds": answer.seconds,
                        "why": spoken(answer.why),
                    }
                    for answer in run.answers
                ],
            }
            for run in runs
        ],
        "systems": [{**each._asdict(), "grade": each.grade.value} for each in recoveries],
    }


def _write(runs: Sequence[Run], recoveries: Sequence[Recovery], out: Path) -> None:
    from unransom.run.cutting_over import write_cutover

    for path in write_cutover(runs, recoveries, out, LANGUAGE):
        say_to_people(str(path))
