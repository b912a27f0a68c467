"""What a file's name says: a locker's extension, the original's name, a ransom note."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from unransom.catalog.families import FAMILIES
from unransom.core.text import guess_text


class Named(NamedTuple):
    """A family's extension on a name, and the name without it."""

    family: str
    original: bytes


@functools.cache
def _extensions() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (family.name, re.compile(f"(?P<before>.*)(?:{pattern})", re.DOTALL))
        for family in FAMILIES
        for pattern in family.extensions
    )


@functools.cache
def _notes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((family.name, re.compile(pattern)) for family in FAMILIES for pattern in family.notes)


def locker_extensions(path: bytes) -> tuple[Named, ...]:
    """Return each family whose extension the file's name ends with."""
    folder, slash, raw = path.rpartition(b"/")
    guess = guess_text(raw)
    found = []
    for family, pattern in _extensions():
        match = pattern.fullmatch(guess.text)
        if match and match["before"]:
            original = match.groupdict().get("name") or match["before"]
            encoding = guess.encoding if guess.exact else "utf-8"
            found.append(Named(family, folder + slash + original.encode(encoding, "surrogateescape")))
    return tuple(found)


def note_families(path: bytes) -> tuple[str, ...]:
    """Return the families whose ransom notes are called like the file."""
    name = guess_text(path.rpartition(b"/")[2]).text
    return tuple(dict.fromkeys(family for family, pattern in _notes() if pattern.fullmatch(name)))
