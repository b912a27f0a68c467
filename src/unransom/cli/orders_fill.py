"""``unransom orders plan``, ``fill`` and ``undo``: what is missing goes into a company's database."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unransom.cli.options import EXISTING, PATH, progress_option
from unransom.cli.orders_exports import files_argument, opened_exports, reading_options
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from unransom.restore.fill.plan import Counts
    from unransom.restore.fill.target import Target

Act = Callable[..., Iterator[Any]]  # on a plan, a mapping, a target, and a listener; the counts come last

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
mapping_option = click.option(
    "--mapping",
    type=EXISTING,
    required=True,
    metavar="FILE",
    help=t("TOML: tables and columns of the target."),
)
target_option = click.option(
    "--target",
    type=EXISTING,
    metavar="FILE",
    help=t("File with the database URL; without it UNRANSOM_TARGET has it."),
)


@click.command(
    "plan",
    help=t("Plan which orders, lines and payments are missing in a database; write nothing to it."),
    epilog=t("Example: unransom orders plan exports/* --mapping oms.toml --target oms.url --out fill.jsonl"),
)
@files_argument
@mapping_option
@target_option
@click.option("--out", type=PATH, required=True, metavar="FILE", help=t("The plan: one JSON record per row."))
@click.option("--from", "start", type=DAY, help=t("Orders placed from then on, in UTC."))
@click.option("--until", type=DAY, help=t("Orders placed before then, in UTC."))
@click.option("--memory-limit", default="1GB", metavar="SIZE", help=t("Memory that the join may take."))
@reading_options
@progress_option
def plan(
    files: tuple[Path, ...],
    mapping: Path,
    target: Path | None,
    out: Path,
    start: datetime | None,
    until: datetime | None,
    memory_limit: str,
    progress: Style,
    **reading: str,
) -> int:
    """Write the plan; print what it comes to."""
    from unransom.restore.fill.mapping import load_mapping
    from unransom.restore.fill.plan import make_plan, write_plan
    from unransom.verify.orders.filling import QUERIES, rows_to_fill
    from unransom.verify.orders.match import Match
    from unransom.verify.sheets import whole

    mapped, digest = load_mapping(mapping.read_bytes())
    with Screen(progress) as screen, _opened(target) as database:
        unread: list[str] = []
        with opened_exports(files, reading, unread, screen) as exports:
            proof = Match(list(exports), memory_limit, screen)
        rows = {of: rows_to_fill(proof, of, start, until) for of in QUERIES}
        with whole(out) as path:
            counts = write_plan(make_plan(rows, mapped, database, screen), path, digest)
    for text in (
        t("{count} rows to insert", count=counts.insert),
        t("{count} rows are there already", count=counts.present),
        t("{count} rows are there and differ: they stay as they are", count=counts.differs),
        t("{count} rows do not fit the target's columns", count=counts.misfit),
    ):
        print(text)
    return EXIT_INCOMPLETE if counts.differs or counts.misfit or unread else EXIT_DONE


@click.command(
    "fill",
    help=t("Carry out an approved plan; a second run changes nothing."),
    epilog=t("Example: unransom orders fill fill.jsonl --mapping oms.toml --target oms.url"),
)
@click.argument("plan_file", type=EXISTING, metavar="PLAN")
@mapping_option
@target_option
@progress_option
def fill(plan_file: Path, mapping: Path, target: Path | None, progress: Style) -> int:
    """Insert the rows; print those that have come to differ since the plan."""
    from unransom.restore.fill import load

    counts = _carried_out(load.fill, plan_file, mapping, target, progress)
    say_to_people(t("{count} rows inserted", count=counts.insert))
    say_to_people(t("{count} rows are there already", count=counts.present))
    return EXIT_INCOMPLETE if counts.differs else EXIT_DONE


@click.command(
    "undo",
    help=t("Take back what a plan filled; rows that somebody has changed since stay."),
    epilog=t("Example: unransom orders undo fill.jsonl --mapping oms.toml --target oms.url"),
)
@click.argument("plan_file", type=EXISTING, metavar="PLAN")
@mapping_option
@target_option
@progress_option
def undo(plan_file: Path, mapping: Path, target: Path | None, progress: Style) -> int:
    """Delete the rows; print those that stay."""
    from unransom.restore.fill import load

    counts = _carried_out(load.undo, plan_file, mapping, target, progress)
    say_to_people(t("{count} rows taken back", count=counts.insert))
    return EXIT_INCOMPLETE if counts.kept else EXIT_DONE


def _carried_out(act: Act, plan_file: Path, mapping: Path, target: Path | None, progress: Style) -> Counts:
    """Do something with a plan; print the rows that stay as they are, return the counts."""
    from unransom.restore.fill.mapping import load_mapping
    from unransom.restore.fill.plan import Counts, Entry, Plan

    mapped, digest = load_mapping(mapping.read_bytes())
    counts = Counts()
    with Screen(progress) as screen, _opened(target) as database:
        for result in act(Plan(plan_file, digest), mapped, database, screen):
            if isinstance(result, Counts):
                counts = result
            else:
                print(json.dumps(result.told() if isinstance(result, Entry) else result, default=str))
    return counts


@contextlib.contextmanager
def _opened(target: Path | None) -> Iterator[Target]:
    """Give the target database; its URL holds a password, so it is never an argument."""
    from unransom.restore.fill.target import Target

    url = target.read_text(encoding="utf-8").strip() if target else os.environ.get("UNRANSOM_TARGET", "")
    if not url:
        raise UsageError(
            say("no target is given"),
            hint=say("write its URL to a file for --target, or set UNRANSOM_TARGET"),
        )
    database = Target(url)
    try:
        yield database
    finally:
        database.close()
