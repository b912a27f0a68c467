"""``unransom report``: the report of a case as it stands."""

from __future__ import annotations

from pathlib import Path

import click

from unransom.cli.options import case_option, json_option
from unransom.cli.speech import LANGUAGE, t


@click.command(
    help=t("Write result.json and report.html of a case again, and print the summary."),
    epilog=t("Example: unransom report --case fs01 --lang zh"),
)
@case_option
@json_option
def command(case: Path, as_json: bool) -> int:
    """Write the report in the language of this process."""
    from unransom.case.case import Case
    from unransom.report import jsonfile, text
    from unransom.run.recover import conclude, write_report

    with Case(case) as opened:
        result = conclude(opened, f"unransom report --case {case}", [])
        write_report(opened, result, LANGUAGE)
    print(jsonfile.encode(result).decode() if as_json else text.render(result, LANGUAGE))
    return 0
