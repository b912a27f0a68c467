"""Descriptions of families as TOML, read with errors that name the line, and written.

The line of a value is the first one after which the text, read so far and with its brackets closed, has
that value: ``tomllib`` itself is asked, line by line.
"""

from __future__ import annotations

import bisect
import datetime
import functools
import json
import re
import tomllib
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

import msgspec

from unransom.catalog.schemes.allowed import allowed_at
from unransom.catalog.schemes.data import Path
from unransom.catalog.schemes.described import Description
from unransom.core.errors import UsageError
from unransom.core.messages import Message, say

LARGEST = 1 << 18  # bytes of a description
DATES = (datetime.datetime, datetime.date, datetime.time)
CLOSERS = ("", "]", "]]", "]}", "]]]", "]}]", "]}}", '"""', "'''")  # what a text that is cut off may lack

_PLACE = re.compile(r"\(at line (\d+), column \d+\)")
_AT = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_QUOTED = re.compile(r"`([^`]*)`")


class DescriptionError(UsageError):
    """The description of a family cannot be used; says in which line and why."""


def read_description(data: bytes, file: str, taken: Collection[str] = ()) -> Description:
    """Return the description that ``data`` holds.

    Args:
        data: TOML.
        file: What it is called in errors.
        taken: Names that a family may not have.

    Raises:
        DescriptionError: It is no TOML, or does not describe a family.
    """
    reading = _Reading(file, data)
    description = reading.description()
    if description.name in taken:
        reading.refuse(("name",), say("a family that unransom knows is called {name}", name=description.name))
    for path, why in description.problems():
        reading.refuse(path, why)
    return description


class _Reading:
    """One text, and where in it things are."""

    def __init__(self, file: str, data: bytes) -> None:
        self._file = file
        if len(data) > LARGEST:
            raise self._error(1, say("it is longer than {bytes} bytes", bytes=LARGEST))
        try:
            self._text = data.decode().replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise self._error(data[: error.start].count(b"\n") + 1, say("it is not UTF-8")) from error
        self._tree = self._parsed()

    def description(self) -> Description:
        """Return the description, checked as far as its structure goes."""
        try:
            return _converted(self._tree)
        except (msgspec.ValidationError, RecursionError) as error:
            self._blame(str(error))

    def refuse(self, path: Path, why: Message) -> NoReturn:
        """Raise the error about the value at ``path``."""
        raise self._error(self._line(path), why, path)

    def _error(self, line: int, why: Message, path: Path = ()) -> DescriptionError:
        place = f"{self._file}:{line}"
        what = say("{place}: the description of a family is wrong", place=place)
        if path:
            what = say("{place}: {key} is wrong", place=place, key=_dotted(path))
        hint = say("`unransom list families --schema` prints all that a description may say")
        return DescriptionError(what, causes=(why,), hint=hint)

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = _PLACE.search(str(error))
            last = self._text.count("\n", 0, len(self._text.rstrip())) + 1
            why = say("this is no TOML: {why}", why=_PLACE.sub("", str(error)).strip())
            raise self._error(int(found[1]) if found else last, why) from error
        except (RecursionError, ValueError) as error:
            raise self._error(1, say("this is no TOML: {why}", why=str(error))) from error

    def _blame(self, complaint: str) -> NoReturn:
        """Raise the error that msgspec's ``complaint`` is about."""
        said = _AT.sub("", complaint)
        path = self._path(complaint)
        quoted = _QUOTED.search(said)
        if "unknown field" in said and quoted:
            keys = ", ".join(allowed_at(Description, self._tree, path))
            self.refuse((*path, quoted[1]), say("there is no such key here; there are {keys}", keys=keys))
        if "missing required field" in said and quoted:
            self.refuse(path, say("the key {key} is missing", key=quoted[1]))
        if said.startswith("Invalid"):
            values = ", ".join(allowed_at(Description, self._tree, path))
            self.refuse(path, say("there is no such value here; there are {values}", values=values))
        self.refuse(path, say("the value does not fit: {why}", why=said[:1].lower() + said[1:]))

    def _path(self, complaint: str) -> Path:
        """Return the path in msgspec's ``complaint``, which does not say keys of tables that name parts."""
        found = _AT.search(complaint)
        path: list[str | int] = []
        for name, index in _STEP.findall(found[1]) if found else ():
            if name:
                path.append(name)
            elif index != "...":
                path.append(int(index))
            else:
                path.append(self._culprit(tuple(path), complaint))
        return tuple(path)

    def _culprit(self, path: Path, complaint: str) -> str:
        """Return the key of the table at ``path`` without which msgspec would not complain like this."""
        for key in _at(self._tree, path):
            if _complaint(_without(self._tree, (*path, key))) != complaint:
                return key
        return next(iter(_at(self._tree, path)), "")

    def _line(self, path: Path) -> int:
        """Return the line, from 1, in which the value at ``path``, or the last table on its way, begins."""
        while path and not _has(self._tree, path):
            path = path[:-1]
        lines = self._text.split("\n")

        @functools.cache
        def tree(count: int) -> dict[str, Any] | None:
            return _closed("\n".join(lines[:count]))

        def reached(count: int) -> bool:
            while (found := tree(count)) is None:
                count -= 1
            return _has(found, path)

        return (
            bisect.bisect_left(range(len(lines) + 1), True, lo=1, hi=len(lines), key=reached) if path else 1
        )


def _converted(tree: object) -> Description:
    return msgspec.convert(tree, Description, builtin_types=DATES, str_keys=True)


def _complaint(tree: object) -> str:
    try:
        _converted(tree)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _closed(text: str) -> dict[str, Any] | None:
    """Return what a text that may be cut off says, None where it ends within a value."""
    for closer in CLOSERS:
        try:
            return tomllib.loads(text + closer)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
    return None


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _has(tree: object, path: Path) -> bool:
    try:
        _at(tree, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _without(tree: Any, path: Path) -> Any:
    """Return a copy of ``tree`` without what is at ``path``."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in tree.items() if key != first}
    copy = tree.copy()
    copy[first] = _without(tree[first], tuple(rest))
    return copy


def _dotted(path: Path) -> str:
    """Return a path as people read it, e.g. ``tail.parts[2].size``; the first of a list is number 0."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def written(description: Description) -> str:
    """Return ``description`` as TOML that ``read_description`` reads back as the same."""
    return "".join(_table(msgspec.to_builtins(description), ""))


def _table(table: dict[str, Any], prefix: str) -> Iterator[str]:
    """Yield the lines of a table: first its values, then the tables in it."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    for key, value in table.items():
        if key not in inner:
            yield f"{_key(key)} = {_value(value)}\n"
    for key, value in inner.items():
        name = f"{prefix}{_key(key)}"
        yield f"\n[{name}]\n"
        yield from _table(value, f"{name}.")


def _value(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
        case list() | tuple() if any(isinstance(each, dict) for each in value):
            return "[\n" + "".join(f"    {_value(each)},\n" for each in value) + "]"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text)
