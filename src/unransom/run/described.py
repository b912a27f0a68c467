"""Families that were described for a case: read from files, kept in the case, and what that changes in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.catalog.families import FAMILIES
from unransom.catalog.schemes.described import Description, encoded, family_of
from unransom.catalog.schemes.description_text import DescriptionError, read_description
from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.run.withdrawing import remove, withdraw

FACT = "described families"  # a JSON array of descriptions, each as a string
MOST = 1 << 18  # bytes that are read of a description, and one more to see that there are more
AGAIN = "('triage', 'confirm', 'wanted', 'unlock', 'integrity')"  # steps, in SQL
# Outputs that an old description gave and that do not verify.
WITHDRAWN = "family = ? AND method = 'unlock' AND output IS NOT NULL AND verdict <> 'good'"
TAKEN = frozenset(name for family in FAMILIES for name in (family.name, *family.aliases))


def load_descriptions(paths: Sequence[Path]) -> tuple[Description, ...]:
    """Return the descriptions in files, and in the TOML files of folders.

    Raises:
        UsageError: A file cannot be read, describes no family, or one with the name of another.
    """
    found: dict[str, Description] = {}
    for path in _files(paths):
        description = read_description(_content(path), str(path), TAKEN)
        if found.setdefault(description.name, description) != description:
            raise DescriptionError(say("two descriptions have the name {name}", name=description.name))
    return tuple(found.values())


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(path.glob("*.toml"))
        if not inside:
            raise UsageError(
                say("there is no description of a family in {path}", path=str(path)),
                hint=say("descriptions are files that end with .toml"),
            )
        yield from inside


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST + 1)
    except OSError as error:
        raise UsageError(
            say("the description {path} cannot be read", path=str(path)),
            detail=os.strerror(error.errno or 0),
        ) from error


def described_in(case: Case) -> tuple[bytes, ...]:
    """Return the families that were described for ``case``, as ``catalog.families`` takes them."""
    return tuple(text.encode() for text in json.loads(case.fact(FACT, "[]")))


def add_descriptions(case: Case, descriptions: Iterable[Description]) -> None:
    """Keep descriptions in the case; where one is new, examine again what has not come back yet.

    A description takes the place of one with the same name: what that one had proven is forgotten, and its
    outputs are withdrawn, save those that verify.
    """
    known = {family_of(body).name: body for body in described_in(case)}
    new = {each.name: body for each in descriptions if (body := encoded(each)) != known.get(each.name)}
    if not new:
        return
    withdrawn: list[bytes] = []
    with transaction(case.database):
        case.set_fact(FACT, json.dumps([body.decode() for body in (known | new).values()]))
        for name, body in new.items():
            case.record("family described", {"name": name, "sha256": hashlib.sha256(body).hexdigest()})
            case.database.execute(
                "DELETE FROM records WHERE type = 'KeyFound' AND json_extract(body, '$.family') = ?", (name,)
            )
            withdrawn += withdraw(case, WITHDRAWN, name)
        _examine_again(case)
    remove(case, withdrawn)


def _examine_again(case: Case) -> None:
    """Let every file that has not come back go through the steps again."""
    again = "item IN (SELECT id FROM files WHERE output IS NULL AND state <> 'skipped')"
    case.database.execute(f"DELETE FROM records WHERE step IN {AGAIN} AND {again}")
    case.database.execute(f"DELETE FROM journal WHERE step IN {AGAIN} AND {again}")
    case.database.execute("UPDATE files SET state = 'found' WHERE output IS NULL AND state <> 'skipped'")
