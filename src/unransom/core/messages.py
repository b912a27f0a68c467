"""Sentences for people, kept as a template and its values so that they can be said in any language.

A sentence is written once, in English, where it belongs in the code: ``say("chunk {name} is damaged",
name="IDAT")``. The English text is the key of the message catalogues in ``core/locale/<language>/``,
one TOML file per area, each a single table ``"English template" = "translated template"``. So is the text
of what has no values, such as the limitations of a family. A gate in the tests finds every template and
every limitation in the code and fails for one without a translation.
"""

from __future__ import annotations

import functools
import os
import tomllib
from importlib import resources

import msgspec

LANGUAGES = ("en", "zh")


class Message(msgspec.Struct, frozen=True):
    """One sentence: an English template in ``str.format`` syntax and the values to put into it.

    A value may be a sentence itself, which is said in the same language.
    """

    text: str
    values: dict[str, Value] = {}

    def __str__(self) -> str:
        return self.render("en")

    def render(self, language: str) -> str:
        """Return the sentence in ``language``; English where there is no translation."""
        template = translated(self.text, language)
        if not self.values:
            return template
        said = {name: _said(value, language) for name, value in self.values.items()}
        return template.format_map(said)


Value = str | int | float | Message | None


def _said(value: Value, language: str) -> str | int | float | None:
    return value.render(language) if isinstance(value, Message) else value


def translated(text: str, language: str) -> str:
    """Return ``text``, a template or a sentence of the catalogue, in ``language``, or as it is."""
    return catalogue(language).get(text, text)


def say(text: str, /, **values: Value) -> Message:
    """Return the message ``text`` with its ``values``; ``text`` must be a literal (the gate reads it)."""
    return Message(text, values)


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """Return the translations into ``language``, keyed by English template; empty for English."""
    if language not in LANGUAGES or language == "en":
        return {}
    merged: dict[str, str] = {}
    for file in sorted(resources.files("unransom.core").joinpath("locale", language).iterdir(), key=str):
        if file.name.endswith(".toml"):
            merged.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return merged


def language_of(setting: str | None) -> str:
    """Return the supported language that a locale name such as ``zh_CN.UTF-8`` asks for."""
    name = (setting or "").replace("-", "_").split(".")[0].split("_")[0].lower()
    return name if name in LANGUAGES else "en"


def preferred_language() -> str:
    """Return the language that the environment asks for (``LC_ALL``, ``LC_MESSAGES``, ``LANG``)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if setting := os.environ.get(variable):
            return language_of(setting)
    return "en"
