"""The only order of the steps: what each takes from the case, and where its code is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from unransom.case import files
from unransom.case.manifests import expected_digest
from unransom.core.records import Delivery, FileRef, LockedGroup, Output
from unransom.run.work import Item

SAMPLES = 24  # files of a group that keys are tried on
LARGEST_SAMPLE = 16 << 20  # bytes

# SQL conditions on `files`.
FOUND = "state = 'found'"
LOCKED = "(state = 'locked' OR state = 'unknown' AND json_extract(body, '$.candidates[0]') IS NOT NULL)"
INTACT = "state = 'intact'"
DELIVERED = "output IS NOT NULL"


class Numbered(NamedTuple):
    """An item, and what the journal calls it."""

    number: int
    item: Item


class Step(NamedTuple):
    """A step of the flow.

    Attributes:
        name: As on the command line and in the journal.
        perform: ``module:function``; takes an item and a ``Context``, yields records.
        total: How many items wait for it, and their bytes.
        items: Yields them.
    """

    name: str
    perform: str
    total: Callable[[sqlite3.Connection], tuple[int, int]]
    items: Callable[[sqlite3.Connection], Iterator[Numbered]]


def _per_file(
    name: str,
    perform: str,
    condition: str,
    wrap: Callable[[sqlite3.Connection, FileRef], Item] = lambda _, ref: ref,
) -> Step:
    """Return a step for every file that meets ``condition`` and that it is not done with."""
    where = f"{condition} AND id NOT IN (SELECT item FROM journal WHERE step = '{name}' AND done)"

    def total(database: sqlite3.Connection) -> tuple[int, int]:
        query = f"SELECT count(*), coalesce(sum(size), 0) FROM files WHERE {where}"
        count, size = database.execute(query).fetchone()
        return count, size

    def items(database: sqlite3.Connection) -> Iterator[Numbered]:
        for ref in files.select(database, where):
            yield Numbered(ref.id, wrap(database, ref))

    return Step(name, perform, total, items)


def _groups(database: sqlite3.Connection) -> Iterator[Numbered]:
    """Yield locked files by family, a few samples each; few enough to be tried anew by every run."""
    query = (
        "SELECT family, count(*), sum(size) FROM (SELECT coalesce(family, each.value) AS family, size"
        f" FROM files LEFT JOIN json_each(body, '$.candidates') AS each ON family IS NULL WHERE {LOCKED})"
        " WHERE family IS NOT NULL GROUP BY family ORDER BY family"
    )
    for number, (family, count, size) in enumerate(database.execute(query).fetchall(), 1):
        group = LockedGroup(family=family, samples=_samples(database, family), files=count, size=size)
        yield Numbered(number, group)


def _samples(database: sqlite3.Connection, family: str) -> tuple[FileRef, ...]:
    """Return files to try keys on: of formats that prove most, neither tiny nor large."""
    rows = database.execute(
        f"SELECT id, body FROM files WHERE {LOCKED} AND size BETWEEN 1 AND ?"
        " AND (family = ? OR family IS NULL AND EXISTS"
        " (SELECT 1 FROM json_each(body, '$.candidates') WHERE value = ?))"
        " ORDER BY format IN ('', 'text', 'csv'), abs(size - 65536), id LIMIT ?",
        (LARGEST_SAMPLE, family, family, SAMPLES),
    )
    decode = msgspec.json.Decoder(FileRef).decode
    return tuple(msgspec.structs.replace(decode(body), id=number) for number, body in rows)


def _delivery(database: sqlite3.Connection, ref: FileRef) -> Delivery:
    """Return the output of ``ref`` with the digest that a manifest promises for it."""
    (body,) = database.execute(
        "SELECT body FROM records WHERE type = 'Output' AND item = ? ORDER BY id DESC LIMIT 1", (ref.id,)
    ).fetchone()
    output = msgspec.json.decode(body, type=Output)
    expected, manifest = expected_digest(database, output)
    return Delivery(ref=ref, output=output, expected=expected, manifest=manifest)


FLOW: tuple[Step, ...] = (
    _per_file("triage", "unransom.examine.triage.step:run", FOUND),
    Step(
        "keys",
        "unransom.recover.keys.given:run",
        lambda database: (sum(1 for _ in _groups(database)), 0),
        _groups,
    ),
    _per_file("wanted", "unransom.recover.keys.wanted:run", LOCKED),
    _per_file("unlock", "unransom.recover.unlock.step:run", LOCKED),
    _per_file("copy", "unransom.recover.copy.step:run", INTACT),
    _per_file("integrity", "unransom.verify.integrity.step:run", DELIVERED, _delivery),
)
