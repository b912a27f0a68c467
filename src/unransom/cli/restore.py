"""``unransom restore``: recovered files go back in batches, checked, signed off, and reversible."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unransom.cli.options import (
    EXISTING,
    PATH,
    case_option,
    json_option,
    jsonl_option,
    progress_option,
    size_of,
)
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError, VerificationError
from unransom.core.messages import say

if TYPE_CHECKING:
    from unransom.case.case import Case
    from unransom.restore.moving.move import Work
    from unransom.run.restoring import Standing

to_option = click.option(
    "--to",
    metavar="TARGET",
    help=t("A folder, s3://bucket/prefix, or mysql:// or postgresql://user@host/database."),
)
plan_option = click.option(
    "--plan", "plan_file", type=PATH, metavar="FILE", help=t("The plan; else restore/plan.jsonl of the case.")
)
batch_option = click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help=t("Number of the batch; without it the next, or all."),
)
bandwidth_option = click.option(
    "--bandwidth",
    default="0",
    metavar="SIZE",
    callback=lambda _context, _parameter, value: size_of(value),
    help=t("Bytes a second that may pass, e.g. 20M; 0 for any number."),
)
threads_option = click.option(
    "--workers", type=click.IntRange(1, 64), default=8, metavar="N", help=t("Files moved at the same time.")
)


def acting(function: Any) -> Any:
    """Add the options of everything that opens the target."""
    for option in (progress_option, threads_option, bandwidth_option, plan_option, to_option, case_option):
        function = option(function)
    return function


@click.group(
    help=t("Move recovered files back in batches: plan, apply, verify, sign, undo."),
    epilog=t("Example: unransom restore plan --case fs01 --to s3://shop-images"),
)
def command() -> None:
    """Gather the commands below."""


@command.command(
    help=t("Plan what moves back, in which batches; write nothing to the target."),
    epilog=t("Example: unransom restore plan --case fs01 --to /mnt/share --priorities first.toml"),
)
@case_option
@click.option(
    "--to",
    required=True,
    metavar="TARGET",
    help=t("A folder, s3://bucket/prefix, or mysql:// or postgresql://user@host/database."),
)
@plan_option
@click.option("--priorities", type=EXISTING, metavar="TOML", help=t("Rules that say what moves first."))
@click.option(
    "--accept",
    "accepted",
    type=(str, str),
    multiple=True,
    metavar="PATH REASON",
    help=t("Move this file, or what fits this pattern, though it is not shown to be good."),
)
@click.option("--only", multiple=True, metavar="PATTERN", help=t("Only files whose path fits."))
@click.option(
    "--below",
    type=(str, str),
    multiple=True,
    metavar="SOURCE FOLDER",
    help=t("Folder of the target for a source's files, '' for the target itself; else the source's name."),
)
@click.option(
    "--tables",
    type=EXISTING,
    multiple=True,
    metavar="SQL",
    help=t("For a database: scripts that `unransom databases --format sql` wrote."),
)
@json_option
def plan(
    case: Path,
    to: str,
    plan_file: Path | None,
    priorities: Path | None,
    accepted: tuple[tuple[str, str], ...],
    only: tuple[str, ...],
    below: tuple[tuple[str, str], ...],
    tables: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Write the plan; print its batches, what stays out, and whether there is room."""
    from unransom.case.case import Case
    from unransom.restore.moving.priority import Priorities, load_priorities
    from unransom.restore.moving.targets import location_of, room_at
    from unransom.run import restoring

    rules = load_priorities(priorities.read_bytes()) if priorities else Priorities()
    wish = restoring.Wish(location_of(to), rules, accepted, only, dict(below), tables)
    path = plan_file or restoring.default_plan(case)
    with Case(case) as opened:
        room = room_at(wish.to)  # a target that is not there changes no plan
        made = restoring.make_plan(opened, wish, path)
    fits = restoring.room_for(made, room)
    if as_json:
        document = {
            "plan": str(path),
            "id": made.id,
            "target": made.head.target,
            "batches": [
                {"number": each.number, "name": each.name, "files": each.files, "bytes": each.size}
                for each in made.batches
            ],
            "left_out": made.head.out,
            "free": room.size,
            "fits": fits,
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for each in made.batches:
            print(
                t(
                    "batch {number}: {name}, {files} files, {size} MB",
                    number=each.number,
                    name=each.name,
                    files=f"{each.files:,}",
                    size=f"{each.size / 1e6:,.1f}",
                )
            )
        if made.head.out:
            print(t("{count} files stay out; the plan says why", count=f"{made.head.out:,}"))
        say_to_people(str(path))
    if not fits:
        say_to_people(t("The target has no room for all of it: {size} MB are free.", size=_mb(room.size)))
    return EXIT_DONE if fits and not made.head.out else EXIT_INCOMPLETE


def _mb(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.0f}"


@contextlib.contextmanager
def _opened(
    case: Path, plan_file: Path | None, to: str | None, about: dict[str, Any]
) -> Iterator[tuple[Case, Work]]:
    """Give the case, and what acts on its plan need."""
    from unransom.case.case import Case
    from unransom.restore.moving.targets import location_of
    from unransom.run import restoring

    style = about.pop("progress", Style.NONE)
    with Screen(style) as screen, Case(case) as opened:
        settings = restoring.Settings(**about, listener=screen)
        path = plan_file or restoring.default_plan(case)
        with restoring.opened(opened, path, settings, location_of(to) if to else "") as work:
            yield opened, work


@command.command(
    help=t("Scan and move a batch, and check what was written; a batch moves when those before are signed."),
    epilog=t("Example: unransom restore apply --case fs01 --rules rules/ --probes probes.toml"),
)
@batch_option
@click.option(
    "--rules",
    type=EXISTING,
    multiple=True,
    metavar="DIR",
    help=t("YARA rules to scan with before a file moves."),
)
@click.option("--no-clamav", is_flag=True, help=t("Do not scan with ClamAV, though it is installed."))
@click.option("--unscanned", default="", metavar="REASON", help=t("Move without a scan, and say why."))
@click.option(
    "--probes", type=EXISTING, metavar="TOML", help=t("Probes to carry out before and after the batch.")
)
@acting
def apply(
    case: Path,
    plan_file: Path | None,
    to: str | None,
    batch: int | None,
    rules: tuple[Path, ...],
    no_clamav: bool,
    unscanned: str,
    probes: Path | None,
    **about: Any,
) -> int:
    """Move the batch and print what it came to."""
    from unransom.cli.cutover import run_probes
    from unransom.restore.moving.move import next_batch
    from unransom.restore.moving.scan import scanners
    from unransom.run import restoring

    workers = about["workers"]
    with _opened(case, plan_file, to, about) as (opened, work):
        number = batch or next_batch(work.plan, work.journal)
        if number is None:
            say_to_people(t("All batches are applied."))
            return EXIT_DONE
        found = () if unscanned else scanners(rules, workers, clamav=not no_clamav)
        for scanner in found:
            say_to_people(t("scans with {scanner}", scanner=scanner.name))
        code = EXIT_DONE
        if probes:
            run_probes(opened, probes, f"before-batch-{number}")
        standing = restoring.apply(opened, work, number, found, unscanned)
        if probes:
            code = run_probes(opened, probes, f"after-batch-{number}")
        _print_standing(standing)
        _print_odd(work, number)
    return code or (EXIT_DONE if standing.signed.applied and not _left(standing) else EXIT_INCOMPLETE)


def _left(standing: Standing) -> int:
    from unransom.restore.moving.journal import State

    return sum(standing.counts.get(state, 0) for state in (State.HELD, State.FAILED, State.KEPT))


@command.command(
    help=t("Read what was moved again from the target, and compare every hash."),
    epilog=t("Example: unransom restore verify --case fs01"),
)
@batch_option
@jsonl_option
@acting
def verify(
    case: Path, plan_file: Path | None, to: str | None, batch: int | None, jsonl: bool, **about: Any
) -> int:
    """Print what is wrong, and how much is right."""
    from unransom.run import restoring

    good = bad = 0
    with _opened(case, plan_file, to, about) as (opened, work):
        for checked in restoring.verify(opened, work, batch):
            good, bad = good + (checked.why is None), bad + (checked.why is not None)
            if jsonl:
                row = {
                    "path": checked.entry.path,
                    "sha256": checked.entry.sha256,
                    "good": checked.why is None,
                }
                print(
                    json.dumps(row | {"why": spoken(checked.why) if checked.why else ""}, ensure_ascii=False)
                )
            elif checked.why:
                print(f"{checked.entry.path}  {spoken(checked.why)}")
    say_to_people(t("{good} files in the target are right, {bad} are not", good=f"{good:,}", bad=f"{bad:,}"))
    return VerificationError.exit_code if bad else EXIT_DONE


@command.command(
    help=t("Sign a batch off: somebody has looked at it, and the next may move."),
    epilog=t("Example: unransom restore sign --case fs01 --batch 1 --by 'L. Chen'"),
)
@click.option("--batch", type=click.IntRange(1), required=True, metavar="N", help=t("Number of the batch."))
@click.option("--by", "name", required=True, metavar="NAME", help=t("Who signs."))
@click.option("--note", default="", metavar="TEXT", help=t("What was looked at."))
@acting
def sign(
    case: Path, plan_file: Path | None, to: str | None, batch: int, name: str, note: str, **about: Any
) -> int:
    """Write the signature down, in the journal and in the evidence chain."""
    from unransom.run import restoring

    if not name.strip():
        raise UsageError(say("a signature needs a name"))
    with _opened(case, plan_file, to, about) as (opened, work):
        restoring.sign(opened, work, batch, name, note)
        _print_standing(restoring.standing(work, batch))
    return EXIT_DONE


@command.command(
    help=t("Take a batch back, or all of them: the target becomes what it was."),
    epilog=t("Example: unransom restore undo --case fs01 --batch 2"),
)
@batch_option
@acting
def undo(case: Path, plan_file: Path | None, to: str | None, batch: int | None, **about: Any) -> int:
    """Take back, last batch first; print what stays since somebody has changed it."""
    from unransom.run import restoring

    left = 0
    with _opened(case, plan_file, to, about) as (opened, work):
        numbers = [batch] if batch else [each.number for each in reversed(work.plan.batches)]
        for number in numbers:
            standing = restoring.undo(opened, work, number)
            left += _left(standing)
            _print_standing(standing)
            _print_odd(work, number)
    return EXIT_INCOMPLETE if left else EXIT_DONE


@command.command(
    help=t("Say how the batches of a plan stand."),
    epilog=t("Example: unransom restore status --case fs01 --out for-finance --lang zh"),
)
@click.option("--out", type=PATH, metavar="DIR", help=t("Folder for every batch and file as CSV and xlsx."))
@json_option
@acting
def status(
    case: Path, plan_file: Path | None, to: str | None, out: Path | None, as_json: bool, **about: Any
) -> int:
    """Print a line for each batch; write tables."""
    from unransom.run import restoring
    from unransom.run.restore_results import write_restore

    with _opened(case, plan_file, to, about) as (_, work):
        standings = restoring.standings(work)
        if as_json:
            print(json.dumps(_document(work, standings), ensure_ascii=False, indent=2))
        else:
            print(t("plan {plan}, to {target}", plan=work.plan.id[:16], target=work.plan.head.target))
            for standing in standings:
                _print_standing(standing)
        for path in write_restore(work, out, LANGUAGE) if out else ():
            say_to_people(str(path))
    return EXIT_DONE


def _document(work: Work, standings: list[Standing]) -> dict[str, object]:
    return {
        "plan": work.plan.id,
        "target": work.plan.head.target,
        "batches": [
            {
                "number": each.batch.number,
                "name": each.batch.name,
                "state": each.word,
                "files": each.batch.files,
                "bytes": each.batch.size,
                "waiting": each.waiting,
                "counts": {state.value: count for state, count in each.counts.items()},
                **each.signed._asdict(),
            }
            for each in standings
        ],
    }


def _print_standing(standing: Standing) -> None:
    from unransom.run.restore_results import STATES, spoken_word

    counts = [
        f"{count:,} {spoken(STATES[state])}" for state, count in sorted(standing.counts.items()) if count
    ]
    by = f" ({standing.signed.signed_by})" if standing.signed.signed_by else ""
    print(
        t(
            "batch {number}: {name}: {state}; {counts} of {files}",
            number=standing.batch.number,
            name=standing.batch.name,
            state=spoken(spoken_word(standing.word)) + by,
            counts=", ".join(counts) or "0",
            files=f"{standing.batch.files:,}",
        )
    )


def _print_odd(work: Work, batch: int) -> None:
    """Print what did not move, or not back, and why."""
    from unransom.restore.moving.journal import State

    rows = {row.number: row for row in work.journal.told([State.HELD, State.FAILED, State.KEPT])}
    for number, entry in work.plan.entries(batch) if rows else ():
        why = rows[number].why if number in rows else None
        if why:
            print(f"  {entry.path}  {spoken(why)}")
