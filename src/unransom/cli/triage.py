"""``unransom triage``: what is locked, and by what."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import click

from unransom.cli.options import executor_of, family_option, jsonl_option, progress_option, workers_option
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE


@click.command(
    help=t("Tell intact files from locked ones, and which family locked them."),
    epilog=t("Example: unransom triage /mnt/share --jsonl > triage.jsonl"),
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@family_option
@click.option("--csv", "as_csv", is_flag=True, help=t("Write CSV."))
@workers_option
@progress_option
@jsonl_option
def command(
    sources: tuple[str, ...],
    families: tuple[Path, ...],
    as_csv: bool,
    workers: int,
    progress: Style,
    jsonl: bool,
) -> int:
    """Examine the sources in a case of their own and print what was found."""
    from unransom.cli.tables import print_counts, print_rows
    from unransom.core.records import State
    from unransom.report.text import render_problems
    from unransom.run.alone import work_alone
    from unransom.run.recover import Job

    executor = executor_of(workers)
    with contextlib.closing(executor), Screen(progress) as screen:
        job = Job(sources=sources, case=Path(), families=families, last="confirm")
        work = work_alone(job, executor, screen, LANGUAGE)
    shown = [row | {"state": "locked"} if row["locked"] else row for row in work.files]
    if jsonl or as_csv:
        print_rows(shown, jsonl=jsonl, as_csv=as_csv)
    else:
        print_rows(row for row in shown if row["state"] != State.INTACT)
        print_counts(Counter(str(row["state"]) for row in shown))
    if work.result.problems:
        say_to_people(render_problems(work.result, LANGUAGE).rstrip())
    elif not shown:
        say_to_people(t("No files were found in the evidence."))
    return EXIT_INCOMPLETE if work.gaps else EXIT_DONE
