"""``unransom files``: every file of a case."""

from __future__ import annotations

from pathlib import Path

import click

from unransom.cli.options import case_option, jsonl_option
from unransom.cli.speech import LANGUAGE, t

STATES = ("intact", "recovered", "partial", "lost", "unknown", "skipped", "failed")


@click.command(
    help=t("List every file of a case with what became of it, one record per file."),
    epilog=t("Example: unransom files --case fs01 --state failed --jsonl"),
)
@case_option
@click.option("--state", type=click.Choice(STATES), help=t("Only files in this state."))
@click.option("--csv", "as_csv", is_flag=True, help=t("Write CSV."))
@jsonl_option
def command(case: Path, state: str | None, as_csv: bool, jsonl: bool) -> int:
    """Print the files."""
    from unransom.case.case import Case
    from unransom.cli.tables import print_rows
    from unransom.run.listing import rows

    with Case(case) as opened:
        print_rows(rows(opened, state or "", LANGUAGE), jsonl=jsonl, as_csv=as_csv)
    return 0
