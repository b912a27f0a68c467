"""The program: its commands, loaded when they are called, and what becomes of errors."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
from typing import NamedTuple

import click

from unransom import __version__
from unransom.cli.refusal import refused
from unransom.cli.screen import complain, say_to_people
from unransom.cli.speech import ARGUMENTS, ASKED_FOR, CHOICES, t
from unransom.cli.wording import teach_click
from unransom.core.errors import EXIT_BUG, EXIT_INTERRUPTED, UnransomError, UsageError
from unransom.core.extras import remedy
from unransom.core.messages import say

teach_click()  # before the options below are made: they look up their help when they are


class Command(NamedTuple):
    """A command and one line about it; its module has the same name."""

    name: str
    help: str


COMMANDS: tuple[Command, ...] = (
    Command("recover", t("The main job: from locked evidence to verified files and a report.")),
    Command("acquire", t("Copy a device or a file to an image, resumable, with its hashes.")),
    Command("triage", t("Tell intact files from locked ones, and which family locked them.")),
    Command("keys", t("Try keys on locked files, or say which keys are wanted.")),
    Command("library", t("Keep keys and parts of keys, with where they came from, for other cases.")),
    Command("unlock", t("Unlock single files with a key.")),
    Command("carve", t("Get files out of the free space of an image, fragments put together.")),
    Command("repair", t("Rebuild damaged or partly locked files so that they open.")),
    Command("databases", t("Get rows out of damaged files of MySQL, MariaDB and SQL Server.")),
    Command("orders", t("Prove orders against payments from exports, and fill in what is missing.")),
    Command("verify", t("Check files by their structure and against hashes of the originals.")),
    Command("restore", t("Move recovered files back in batches: planned, checked, signed, reversible.")),
    Command("cutover", t("Probe the systems of the company before and after each batch.")),
    Command("timeline", t("All dated facts in order, for Timesketch and mactime.")),
    Command("report", t("Write the report of a case again, in either language.")),
    Command("case", t("Show a case, or check its evidence chain and outputs.")),
    Command("files", t("List every file of a case with what became of it.")),
    Command("list", t("List what unransom knows: families, formats, sources.")),
    Command("doctor", t("Say what this machine lacks and what it would enable.")),
    Command("selftest", t("Check known answers of every cipher.")),
    Command("demo", t("Make a small locked company, recover it, and compare every hash.")),
)


class Commands(click.Group):
    """Loads a command when it is called, so that ``--help`` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the work."""
        return [command.name for command in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None where there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"unransom.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with what stands in the table."""
        with formatter.section(t("Commands")):
            formatter.write_dl(list(COMMANDS))


@click.command(
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
    help=t("Get a company's data back after a ransomware attack, without paying."),
    epilog=t("Example: unransom recover /mnt/images/fs01.img --case fs01 --key private.pem"),
)
@click.option("--lang", type=click.Choice(CHOICES), expose_value=False, help=t("Language."))
@click.version_option(__version__, prog_name="unransom", message="%(prog)s %(version)s")
def program() -> None:
    """Parse the options in front of the command; ``--lang`` was taken out before, wherever it stood."""


def run() -> int:
    """Run the command line; return the exit code."""
    _write_what_the_terminal_takes()
    try:
        _refuse_unknown_language()
        code = program.main(ARGUMENTS, prog_name="unransom", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        say_to_people(t("Interrupted. Run the same command again to go on."))
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UnransomError as error:
        complain(error)
        return error.exit_code
    except ModuleNotFoundError as error:
        return _lacking(error)
    except SystemExit:  # how click ends when the reader of our output is gone, e.g. `| head`
        return 0
    except OSError as error:
        complain(refused(error))
        return UnransomError.exit_code
    except Exception:  # noqa: BLE001 the last line of defence
        return _fault()
    return code if isinstance(code, int) else 0


def _write_what_the_terminal_takes() -> None:
    """Have letters that the terminal's encoding lacks written as escapes: names of files have any letter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _refuse_unknown_language() -> None:
    if ASKED_FOR and ASKED_FOR not in CHOICES:
        raise UsageError(
            say("there is no language {name} here", name=ASKED_FOR),
            hint=say("--lang takes {names}", names=", ".join(CHOICES)),
        )


def _lacking(error: ModuleNotFoundError) -> int:
    """Say which part is not installed, where it is one that only some users need."""
    hint = remedy(error)
    if hint is None:
        return _fault()
    lack = UsageError(
        say("this needs a part of unransom that is not installed"), detail=str(error), hint=hint
    )
    complain(lack)
    return lack.exit_code


def _fault() -> int:
    traceback.print_exc()
    say_to_people(t("This is a fault in unransom itself. Nothing in the evidence was changed."))
    return EXIT_BUG
