"""What click itself says, in the language of this process and by the width of its letters.

Click looks its sentences up with ``gettext``, whose catalogues are binary files that are found by the
locale; ``--lang`` asks for a language in another way, and our sentences are in the TOML files of
``core/locale``. So its modules get our look-up instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from click import core, decorators, exceptions, formatting, parser, types

from unransom.cli.speech import LANGUAGE
from unransom.core.messages import say, translated

NARROWEST = 20  # columns that a text gets beside its term, however narrow the terminal is

# The templates as click writes them; named here so that the gate of the translations sees them.
SENTENCES = (
    say("Usage:"),
    say("Options"),
    say("Commands"),
    say("Show this message and exit."),
    say("Show the version and exit."),
    say("required"),
    say("default: {default}", default=""),
    say("Error: {message}", message=""),
    say("Try '{command} {option}' for help.", command="", option=""),
    say("Missing command."),
    say("Missing argument"),
    say("Missing option"),
    say("Missing parameter"),
    say("Invalid value: {message}", message=""),
    say("Invalid value for {param_hint}: {message}", param_hint="", message=""),
    say("No such option {name!r}.", name=""),
    say("No such command {name!r}.", name=""),
    say("Did you mean {possibility}?", possibility=""),
    say("(Did you mean one of: {possibilities}?)", possibilities=""),
    say("Choose from:\n\t{choices}", choices=""),
    say("{value!r} is not {choice}.", value="", choice=""),
    say("{value!r} is not one of {choices}.", value="", choices=""),
    say("{value!r} does not match the format {format}.", value="", format=""),
    say("{value!r} does not match the formats {formats}.", value="", formats=""),
    say("{value!r} is not a valid {number_type}.", value="", number_type=""),
    say("{value} is not in the range {range}.", value="", range=""),
    say("file"),
    say("directory"),
    say("path"),
    say("{name} {filename!r} does not exist.", name="", filename=""),
    say("{name} {filename!r} is a file.", name="", filename=""),
    say("{name} {filename!r} is a directory.", name="", filename=""),
    say("{name} {filename!r} is not readable.", name="", filename=""),
    say("Option {name!r} does not take a value.", name=""),
    say("Option {name!r} requires an argument.", name=""),
    say("Option {name!r} requires {nargs} arguments.", name="", nargs=""),
    say("Got unexpected extra argument ({args})", args=""),
    say("Got unexpected extra arguments ({args})", args=""),
)


def _ours(text: str) -> str:
    return translated(text, LANGUAGE)


def _ours_by_number(one: str, several: str, number: int) -> str:
    return translated(one if number == 1 else several, LANGUAGE)


def teach_click() -> None:
    """Have click say its sentences in the language of this process."""
    for module in (core, decorators, exceptions, formatting, parser, types):
        vars(module).update({"_": _ours, "ngettext": _ours_by_number} if LANGUAGE != "en" else {})
    click.Context.formatter_class = WideFormatter if LANGUAGE == "zh" else click.HelpFormatter


class WideFormatter(click.HelpFormatter):
    """Breaks lines by columns: click counts letters, and Chinese ones take two columns each."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        width = self.width - self.current_indent
        super().write_text("\n\n".join(_broken(each, width) for each in text.split("\n\n")))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms with their texts beside them."""
        listed: Sequence[tuple[str, str]] = list(rows)
        terms = min(max((len(term) for term, _ in listed), default=0), col_max) + col_spacing
        width = max(self.width - self.current_indent - terms, NARROWEST)
        super().write_dl([(term, _broken(text, width)) for term, text in listed], col_max, col_spacing)


def _broken(text: str, width: int) -> str:
    r"""Return ``text`` in lines of ``width`` columns, and click's word ``\b`` to leave them as they are."""
    from unransom.report.columns import wrap

    return "\b\n" + "\n".join(wrap(" ".join(text.split()), width))
