"""``unransom case``: make, show and check a case."""

from __future__ import annotations

from pathlib import Path

import click

from unransom.cli.options import json_option
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, VerificationError

folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")


@click.group(
    help=t("Make a case, show it, or check that nothing in it was changed."),
    epilog=t("Example: unransom case verify fs01"),
)
def command() -> None:
    """Gather the commands below."""


@command.command(help=t("Make an empty case."), epilog=t("Example: unransom case new fs01 --name 'ACME'"))
@folder_argument
@click.option("--name", default="", help=t("What people call the case."))
def new(folder: Path, name: str) -> int:
    """Make the case."""
    from unransom.case.case import Case

    with Case(folder, create=True, name=name):
        print(folder)
    return EXIT_DONE


@command.command(help=t("Print the summary of a case."), epilog=t("Example: unransom case show fs01"))
@folder_argument
@json_option
def show(folder: Path, as_json: bool) -> int:
    """Print the summary, and write nothing."""
    from unransom.case.case import Case
    from unransom.report import jsonfile, text
    from unransom.run.recover import conclude

    with Case(folder) as case:
        result = conclude(case, f"unransom case show {folder}", [])
    print(jsonfile.encode(result).decode() if as_json else text.render(result, LANGUAGE))
    return EXIT_DONE


@command.command(
    help=t("Check the evidence chain and every output against it."),
    epilog=t("Example: unransom case verify fs01"),
)
@folder_argument
def verify(folder: Path) -> int:
    """Name everything that was changed, is missing or out of order."""
    from unransom.case.case import Case
    from unransom.case.verify import flaws

    with Case(folder) as case:
        found = list(flaws(case))
    for flaw in found:
        print(spoken(flaw))
    if not found:
        print(t("The chain holds, and every output is what it was."))
    return VerificationError.exit_code if found else EXIT_DONE
