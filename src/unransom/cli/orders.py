"""``unransom orders``: what exports of sales and payment channels prove, and the fill of what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, PATH, jsonl_option, progress_option
from unransom.cli.orders_exports import files_argument, opened_exports, reading_options
from unransom.cli.orders_fill import fill, plan, undo
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError, VerificationError
from unransom.core.messages import say

if TYPE_CHECKING:
    from unransom.catalog.exports.channel import Export
    from unransom.verify.orders.match import Match


@click.group(
    help=t("Prove orders against payments from exports, and fill in what is missing."),
    epilog=t("Example: unransom orders read settlement.txt --jsonl"),
)
def command() -> None:
    """Group the commands."""


@command.command(
    "read",
    help=t("Print the records of exports: orders, lines, payments, refunds, fees."),
    epilog=t("Example: unransom orders read settlement.txt --jsonl"),
)
@files_argument
@reading_options
@jsonl_option
def read(files: tuple[Path, ...], jsonl: bool, **reading: str) -> int:
    """Print how each file is written and what it holds, or every record."""
    import msgspec

    from unransom.catalog.exports.tables import records

    unread: list[str] = []
    with opened_exports(files, reading, unread) as exports:
        for export in exports:
            if jsonl:
                for record in records(export):
                    print(msgspec.json.encode(record).decode())
            else:
                _describe(export)
    return EXIT_INCOMPLETE if unread else EXIT_DONE


@command.command(
    "check",
    help=t("Check the control totals and balance chains of exports; exit 14 where one does not hold."),
    epilog=t("Example: unransom orders check bills/*.zip"),
)
@files_argument
@reading_options
@jsonl_option
def check(files: tuple[Path, ...], jsonl: bool, **reading: str) -> int:
    """Print the verdicts on each export."""
    import msgspec

    from unransom.core.records import Grade
    from unransom.verify.orders.control import verdicts

    unread: list[str] = []
    with opened_exports(files, reading, unread) as exports:
        found = list(exports)
    bad = False
    for verdict in verdicts(found):
        bad = bad or verdict.grade is Grade.BAD
        if jsonl:
            print(msgspec.json.encode({**msgspec.to_builtins(verdict), "why": spoken(verdict.why)}).decode())
        else:
            print(f"{verdict.grade.value:<8} {verdict.file}  {spoken(verdict.why)}")
    for export in found if not jsonl else ():
        for note in export.notes:
            print(f"{'':<8} {export.name}  {spoken(note)}")
    if bad:
        return VerificationError.exit_code
    return EXIT_INCOMPLETE if unread else EXIT_DONE


@command.command(
    "match",
    help=t("Prove every order against every payment; write the classes, the gaps and the open hours."),
    epilog=t("Example: unransom orders match exports/* --out proof"),
)
@files_argument
@click.option("--out", type=PATH, required=True, metavar="DIR", help=t("Folder for the results."))
@click.option(
    "--form",
    "forms",
    type=click.Choice(["csv", "xlsx"]),
    multiple=True,
    help=t("Of the results; both without it."),
)
@click.option(
    "--shops", type=EXISTING, metavar="TOML", help=t("Which shops there are: one that is missing is told.")
)
@click.option("--memory-limit", default="1GB", metavar="SIZE", help=t("Memory that the join may take."))
@reading_options
@progress_option
def match(
    files: tuple[Path, ...],
    out: Path,
    forms: tuple[str, ...],
    shops: Path | None,
    memory_limit: str,
    progress: Style,
    **reading: str,
) -> int:
    """Print the classes with their counts; write everything."""
    from unransom.verify.orders.match import Match
    from unransom.verify.orders.outputs import write_results
    from unransom.verify.orders.shops import load_shops

    declared = load_shops(shops.read_bytes()) if shops else None
    with Screen(progress) as screen:
        unread: list[str] = []
        with opened_exports(files, reading, unread, screen) as exports:
            found = list(exports)
        if not found:
            raise UsageError(say("none of the files is an export that is known"))
        proof = Match(found, memory_limit, screen, declared)
        written = write_results(proof, out, LANGUAGE, forms or ("csv", "xlsx"))
    _print_classes(proof)
    for path in written:
        say_to_people(str(path))
    if any(verdict.grade == "bad" for verdict in proof.verdicts):
        return VerificationError.exit_code
    return EXIT_DONE if proof.whole and not unread else EXIT_INCOMPLETE


def _describe(export: Export) -> None:
    conventions = export.conventions
    print(
        t(
            "{file}: {channel}, {sales} rows of orders, {moves} movements of money",
            file=export.name,
            channel=export.channel,
            sales=export.sales.num_rows,
            moves=export.moves.num_rows,
        )
    )
    written = {"encoding": conventions.encoding, "decimal": conventions.decimal, "dates": conventions.dates}
    print(
        "  "
        + ", ".join(
            f"{name} {value}" for name, value in (*written.items(), ("zone", conventions.zone)) if value
        )
    )
    for note in export.notes:
        print(f"  {spoken(note)}")


def _print_classes(proof: Match) -> None:
    from unransom.verify.orders.match import CLASS_NAMES

    counts = proof.classes()
    for name, label in CLASS_NAMES.items():
        if name in counts:
            print(f"{counts[name]:>10,}  {spoken(label)}")
    for verdict in proof.verdicts:
        if verdict.grade == "bad":
            print(f"{verdict.grade.value:<8} {verdict.file}  {spoken(verdict.why)}")
    for odd in proof.odds:
        print(spoken(odd))
    for realm, shop, hours in proof.open_hours() if proof.shops else ():
        print(t("{shop} ({realm}): {count} hours are not proven", shop=shop, realm=realm, count=hours))


@command.command(
    "compare",
    help=t(
        "Carry out declared checks between tables: plans, stock, production orders; exit 14 where one fails."
    ),
    epilog=t("Example: unransom orders compare checks.toml --out checked"),
)
@click.argument("declarations", type=EXISTING, metavar="TOML")
@click.option("--out", type=PATH, metavar="DIR", help=t("Folder for the verdicts as CSV and xlsx."))
@jsonl_option
def compare(declarations: Path, out: Path | None, jsonl: bool) -> int:
    """Print how the checks ended; the tables lie below the folder of the declarations."""
    from unransom.core.records import Grade
    from unransom.verify.business.declarations import load_declarations
    from unransom.verify.business.verdicts import carried_out, write_verdicts

    checks = load_declarations(declarations.read_bytes())
    verdicts = list(carried_out(checks, declarations.parent))
    for check in checks:
        mine = [verdict for verdict in verdicts if verdict.check == check.name]
        bad = [verdict for verdict in mine if verdict.grade is Grade.BAD]
        if not jsonl:
            print(
                t(
                    "{check}: {good} of {count} agree",
                    check=check.name,
                    good=len(mine) - len(bad),
                    count=len(mine),
                )
            )
        for verdict in mine if jsonl else bad:
            if jsonl:
                print(json.dumps(verdict.as_row(LANGUAGE), ensure_ascii=False))
            else:
                print(f"  {' '.join(verdict.key)} {verdict.measure}  {spoken(verdict.why)}")
    if out:
        for path in write_verdicts(verdicts, out, LANGUAGE):
            say_to_people(str(path))
    return VerificationError.exit_code if any(v.grade is Grade.BAD for v in verdicts) else EXIT_DONE


for each in (plan, fill, undo):
    command.add_command(each)
