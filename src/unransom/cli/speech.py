"""What the command line says, in the language of this process."""

from __future__ import annotations

import sys

from unransom.core.messages import LANGUAGES, Message, Value, language_of, preferred_language, say


def take_language(arguments: list[str]) -> tuple[str, list[str]]:
    """Return what ``--lang`` asks for, "" without it, and the arguments without it, wherever it stood."""
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1], arguments[:index] + arguments[index + 2 :]
        if argument.startswith("--lang="):
            return argument.partition("=")[2], arguments[:index] + arguments[index + 1 :]
    return "", arguments


ASKED_FOR, ARGUMENTS = take_language(sys.argv[1:])
# The commands' help is in this language, so it is settled before they are defined.
LANGUAGE = language_of(ASKED_FOR) if ASKED_FOR else preferred_language()
CHOICES = LANGUAGES


def t(text: str, /, **values: Value) -> str:
    """Return ``text``, a literal template, with its values in the language of this process."""
    return say(text, **values).render(LANGUAGE)


def spoken(message: Message) -> str:
    """Return ``message`` in the language of this process."""
    return message.render(LANGUAGE)
