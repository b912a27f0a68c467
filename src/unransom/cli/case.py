"""``unransom case``: make, show and check a case."""

from __future__ import annotations

import json
from pathlib import Path

import click

from unransom.cli.case_people import approve, people, sign, stamp
from unransom.cli.options import EXISTING, json_option, out_option
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, VerificationError

folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")


@click.group(
    help=t("Make a case, show, check and export it; who acts in it, and who approves."),
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
    help=t("Check seal, chain, signatures, time stamps, and every file that they tell of."),
    epilog=t("Example: unransom case verify fs01 --trust tsa-root.pem"),
)
@folder_argument
@click.option(
    "--trust",
    type=EXISTING,
    multiple=True,
    metavar="PEM",
    help=t("Root certificate of a time stamp authority."),
)
@json_option
def verify(folder: Path, trust: tuple[Path, ...], as_json: bool) -> int:
    """Name everything that was changed, is missing or out of order."""
    from unransom.case.stamps import trusted
    from unransom.case.verify import flaws_of, remarks_of

    found = [spoken(flaw) for flaw in flaws_of(folder, trusted(trust))]
    remarks = [spoken(remark) for remark in remarks_of(folder)]
    if as_json:
        print(json.dumps({"holds": not found, "flaws": found, "remarks": remarks}, ensure_ascii=False))
    else:
        print("\n".join(found) or t("The chain holds, and every output is what it was."))
        print("".join(f"{t('Remark')}: {remark}\n" for remark in remarks), end="")
    return VerificationError.exit_code if found else EXIT_DONE


@command.command(
    help=t(
        "Write the bundle for court and insurer: manifests, chain, indicators, keys by fingerprint, report."
    ),
    epilog=t("Example: unransom case export fs01 --out bundle"),
)
@folder_argument
@out_option
@json_option
def export(folder: Path, out: Path, as_json: bool) -> int:
    """Write the bundle; refuse where a file is not what the chain says."""
    from unransom.case.case import Case
    from unransom.run.bundle import export

    with Case(folder) as case:
        written = export(case, out, LANGUAGE)
    print(json.dumps({"out": str(out), "files": written}) if as_json else "\n".join(written))
    return EXIT_DONE


for each in (people, approve, sign, stamp):
    command.add_command(each)
