"""``unransom orders``: what exports of sales and payment channels prove, and the fill of what is missing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unransom.cli.options import EXISTING, PATH, jsonl_option, progress_option
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError, VerificationError
from unransom.core.messages import say

if TYPE_CHECKING:
    from unransom.catalog.exports.channel import Export, Source
    from unransom.restore.fill.target import Target
    from unransom.verify.orders.match import Match
    from unransom.verify.orders.reading import Unread

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
files_argument = click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="FILE...")


def reading_options(function: Any) -> Any:
    """Add what the user may say about exports whose own values leave it open."""
    for option in (
        click.option("--shop", default="", metavar="NAME", help=t("Shop that the exports belong to.")),
        click.option("--zone", default="", metavar="ZONE", help=t("Time zone of times written without one.")),
        click.option(
            "--dates", type=click.Choice(["", "dmy", "mdy"]), default="", help=t("Order of day and month.")
        ),
        click.option(
            "--decimal", type=click.Choice(["", "point", "comma"]), default="", help=t("Decimal mark.")
        ),
        click.option("--encoding", default="", metavar="NAME", help=t("Encoding of the text.")),
    ):
        function = option(function)
    return function


@click.group(help=t("Prove orders against payments from exports, and fill in what is missing."))
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
    with _exports(files, reading, unread) as exports:
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
    with _exports(files, reading, unread) as exports:
        found = list(exports)
    bad = False
    for verdict in verdicts(found):
        bad = bad or verdict.grade is Grade.BAD
        if jsonl:
            print(msgspec.json.encode({**msgspec.to_builtins(verdict), "why": spoken(verdict.why)}).decode())
        else:
            print(f"{verdict.grade.value:<8} {verdict.file}  {spoken(verdict.why)}")
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
@click.option("--memory-limit", default="1GB", metavar="SIZE", help=t("Memory that the join may take."))
@reading_options
@progress_option
def match(
    files: tuple[Path, ...],
    out: Path,
    forms: tuple[str, ...],
    memory_limit: str,
    progress: Style,
    **reading: str,
) -> int:
    """Print the classes with their counts; write everything."""
    from unransom.verify.orders.match import Match
    from unransom.verify.orders.outputs import write_results

    with Screen(progress) as screen:
        unread: list[str] = []
        with _exports(files, reading, unread, screen) as exports:
            found = list(exports)
        if not found:
            raise UsageError(say("none of the files is an export that is known"))
        proof = Match(found, memory_limit, screen)
        written = write_results(proof, out, LANGUAGE, forms or ("csv", "xlsx"))
    _print_classes(proof)
    for path in written:
        say_to_people(str(path))
    if any(verdict.grade == "bad" for verdict in proof.verdicts):
        return VerificationError.exit_code
    return EXIT_DONE if proof.whole and not unread else EXIT_INCOMPLETE


@contextlib.contextmanager
def _exports(
    files: tuple[Path, ...], reading: dict[str, str], unread: list[str], screen: Screen | None = None
) -> Iterator[Iterator[Export]]:
    """Give the exports that the files hold, one by one.

    Args:
        files: Files, or folders of them.
        reading: What the user says about them.
        unread: Gets the names of files that could not be read; why goes to standard error.
        screen: Shows the progress.
    """
    from unransom.catalog.exports.channel import Reading, Source
    from unransom.core.outputs import FileReader
    from unransom.core.progress import silent
    from unransom.verify.orders.reading import Unread, read_exports

    with contextlib.ExitStack() as stack:

        def sources() -> Iterator[Source]:
            for path in files:
                for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    if each.is_file():
                        yield Source(each.name, stack.enter_context(FileReader(each)), Reading(**reading))

        def read_ones() -> Iterator[Export]:
            for result in read_exports(sources(), screen or silent):
                if isinstance(result, Unread):
                    unread.append(result.name)
                    _tell(result)
                else:
                    yield result

        yield read_ones()


def _tell(unread: Unread) -> None:
    """Say that a file was not read, and what to do."""
    say_to_people(t("{file}: not read: {why}", file=unread.name, why=spoken(unread.why)))
    if unread.detail:
        say_to_people(f"  {unread.detail}")
    if unread.hint:
        say_to_people(f"  {t('hint: {hint}', hint=spoken(unread.hint))}")


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
    from collections import Counter

    from unransom.verify.orders.match import CLASS_NAMES

    counts: Counter[str] = Counter()
    for row in proof.summary():
        counts[row.klass] += row.count
    for name, label in CLASS_NAMES.items():
        if counts[name]:
            print(f"{counts[name]:>10,}  {spoken(label)}")
    for verdict in proof.verdicts:
        if verdict.grade == "bad":
            print(f"{verdict.grade.value:<8} {verdict.file}  {spoken(verdict.why)}")


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


@command.command(
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
    from unransom.verify.orders.outputs import whole

    mapped, digest = load_mapping(mapping.read_bytes())
    with Screen(progress) as screen, _opened(target) as database:
        unread: list[str] = []
        with _exports(files, reading, unread, screen) as exports:
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


@command.command(
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
    from unransom.restore.fill.mapping import load_mapping
    from unransom.restore.fill.plan import Counts, Plan

    mapped, digest = load_mapping(mapping.read_bytes())
    counts = Counts()
    with Screen(progress) as screen, _opened(target) as database:
        for result in load.fill(Plan(plan_file, digest), mapped, database, screen):
            if isinstance(result, Counts):
                counts = result
            else:
                print(
                    json.dumps(
                        {"table": result.table, "row": result.row, "theirs": result.theirs}, default=str
                    )
                )
    say_to_people(t("{count} rows inserted", count=counts.insert))
    say_to_people(t("{count} rows are there already", count=counts.present))
    return EXIT_INCOMPLETE if counts.differs else EXIT_DONE


@command.command(
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
    from unransom.restore.fill.mapping import load_mapping
    from unransom.restore.fill.plan import Counts, Plan

    mapped, digest = load_mapping(mapping.read_bytes())
    counts = Counts()
    with Screen(progress) as screen, _opened(target) as database:
        for result in load.undo(Plan(plan_file, digest), mapped, database, screen):
            if isinstance(result, Counts):
                counts = result
            else:
                print(json.dumps(result, default=str))
    say_to_people(t("{count} rows taken back", count=counts.insert))
    return EXIT_INCOMPLETE if counts.kept else EXIT_DONE


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
