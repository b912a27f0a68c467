"""``unransom timeline``: one stream of dated facts, for Timesketch and mactime."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import PATH
from unransom.cli.speech import LANGUAGE, t
from unransom.core.errors import EXIT_DONE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unransom.core.records import TimelineEvent

ALWAYS = (-(1 << 63), (1 << 63) - 1)


@click.command(
    help=t("Put all dated facts of sources or of a case in order: files, journals of changes, notes, acts."),
    epilog=t("Example: unransom timeline --case fs01 --format timesketch --out fs01.jsonl"),
)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--case", type=PATH, metavar="DIR", help=t("The case folder."))
@click.option(
    "--format",
    "form",
    type=click.Choice(["timesketch", "bodyfile"]),
    default="timesketch",
    help=t("JSON lines for Timesketch, or a bodyfile for mactime."),
)
@click.option(
    "--since", default="", metavar="TIME", help=t("Only from this time on, e.g. 2026-03-01T22:00Z.")
)
@click.option("--until", default="", metavar="TIME", help=t("Only up to this time."))
@click.option("--out", type=PATH, metavar="FILE", help=t("File to write; else standard output."))
def command(
    sources: tuple[str, ...], case: Path | None, form: str, since: str, until: str, out: Path | None
) -> int:
    """Write the events, the earliest first."""
    from unransom.report.exports import timeline as forms
    from unransom.run.timeline import in_order

    if bool(sources) == bool(case):
        raise UsageError(say("name sources, or a case with --case"))
    first = _moment(since) if since else ALWAYS[0]
    last = _moment(until) if until else ALWAYS[1]
    write = forms.timesketch if form == "timesketch" else forms.bodyfile
    lines = write(in_order(_events(sources, case), first, last), LANGUAGE)
    if out is None:
        for line in lines:
            print(line)
        return EXIT_DONE
    count = 0
    with out.open("x", encoding="utf-8", errors="backslashreplace") as file:
        for line in lines:
            count += 1
            file.write(line + "\n")
    print(t("{count:,} events in {file}", count=count, file=str(out)))
    return EXIT_DONE


def _events(sources: tuple[str, ...], folder: Path | None) -> Iterator[TimelineEvent]:
    from unransom.case.case import Case
    from unransom.run.timeline import of_case, of_sources

    if folder is None:
        yield from of_sources(sources)
        return
    with Case(folder) as case:
        yield from of_case(case)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            say("{text} is no time", text=text), hint=say("write e.g. 2026-03-01T22:00:00Z")
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000
