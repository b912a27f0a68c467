"""What the commands about orders share: how exports are opened, and what a user may say about them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unransom.cli.options import EXISTING
from unransom.cli.screen import Screen, say_to_people
from unransom.cli.speech import spoken, t

if TYPE_CHECKING:
    from unransom.catalog.exports.channel import Export, Source
    from unransom.verify.orders.reading import Unread

PASSWORD = "UNRANSOM_ZIP_PASSWORD"  # noqa: S105  the name of a variable of the environment

files_argument = click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="FILE...")


def reading_options(function: Any) -> Any:
    """Add what the user may say about exports whose own values leave it open."""
    for option in (
        click.option("--shop", default="", metavar="NAME", help=t("Shop that the exports belong to.")),
        click.option("--zone", default="", metavar="ZONE", help=t("Time zone of times written without one.")),
        click.option(
            "--dates",
            type=click.Choice(["", "dmy", "mdy", "ymd", "ydm"]),
            default="",
            help=t("Order of day and month."),
        ),
        click.option(
            "--decimal", type=click.Choice(["", "point", "comma"]), default="", help=t("Decimal mark.")
        ),
        click.option("--encoding", default="", metavar="NAME", help=t("Encoding of the text.")),
    ):
        function = option(function)
    return function


@contextlib.contextmanager
def opened_exports(
    files: tuple[Path, ...], reading: dict[str, str], unread: list[str], screen: Screen | None = None
) -> Iterator[Iterator[Export]]:
    """Give the exports that the files hold, one by one.

    Args:
        files: Files, or folders of them.
        reading: What the user says about them.
        unread: Gets the names of files that could not be read; why goes to standard error.
        screen: Shows the progress.
    """
    from unransom.core.progress import silent
    from unransom.verify.orders.reading import Unread, read_exports

    with contextlib.ExitStack() as stack:

        def read_ones() -> Iterator[Export]:
            for result in read_exports(_sources(files, reading, stack), screen or silent):
                if isinstance(result, Unread):
                    unread.append(result.name)
                    _tell(result)
                else:
                    yield result

        yield read_ones()


def _sources(
    files: tuple[Path, ...], reading: dict[str, str], stack: contextlib.ExitStack
) -> Iterator[Source]:
    """Yield the files, also those in folders; they stay open as long as ``stack``."""
    from unransom.catalog.exports.channel import Reading, Source
    from unransom.catalog.exports.containers import is_locked
    from unransom.core.outputs import FileReader

    password = os.environ.get(PASSWORD, "")
    for path in files:
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file():
                reader = stack.enter_context(FileReader(each))
                if not password and sys.stdin.isatty() and is_locked(reader):
                    password = _asked(each.name)
                yield Source(each.name, reader, Reading(**reading, password=password))


def _asked(name: str) -> str:
    """Ask for the password of a locked zip; those behind it are opened with the same."""
    prompt = t("Password of {file}", file=name)
    return str(click.prompt(prompt, default="", hide_input=True, show_default=False, err=True))


def _tell(unread: Unread) -> None:
    """Say that a file was not read, and what to do."""
    say_to_people(t("{file}: not read: {why}", file=unread.name, why=spoken(unread.why)))
    if unread.detail:
        say_to_people(f"  {unread.detail}")
    if unread.hint:
        say_to_people(f"  {t('hint: {hint}', hint=spoken(unread.hint))}")
