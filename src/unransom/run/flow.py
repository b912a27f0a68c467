"""The only order of the steps: what each takes from the case, and where its code is."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from unransom.case import files, found_keys
from unransom.case.manifests import expected_digest
from unransom.core.records import Delivery, FileRef, LockedGroup, Output
from unransom.core.searches import LockedFile, Secret
from unransom.run import database_files, repairs, searches, versions
from unransom.run.searches import LOCKED
from unransom.run.told_by_notes import NAMELESS, narrowed
from unransom.run.work import Item

# SQL conditions on `files`.
FOUND = "state = 'found'"
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
        items: Yields them; each is made when a worker is free for it.
        anew: Every run performs it on all of its items, and what an earlier run of it stored is replaced.
        unit: Of its progress.
    """

    name: str
    perform: str
    total: Callable[[sqlite3.Connection], tuple[int, int]]
    items: Callable[[sqlite3.Connection], Iterator[Numbered]]
    anew: bool = False
    unit: str = "files"


def _as_it_is(_: sqlite3.Connection) -> Callable[[FileRef], Item]:
    return lambda ref: ref


def _per_file(
    name: str,
    perform: str,
    condition: str,
    wrapper: Callable[[sqlite3.Connection], Callable[[FileRef], Item]] = _as_it_is,
) -> Step:
    """Return a step for every file that meets ``condition`` and that it is not done with."""
    where = f"{condition} AND id NOT IN (SELECT item FROM journal WHERE step = '{name}' AND done)"

    def total(database: sqlite3.Connection) -> tuple[int, int]:
        query = f"SELECT count(*), coalesce(sum(size), 0) FROM files WHERE {where}"
        count, size = database.execute(query).fetchone()
        return count, size

    def items(database: sqlite3.Connection) -> Iterator[Numbered]:
        wrap = wrapper(database)
        for ref in files.select(database, where):
            yield Numbered(ref.id, wrap(ref))

    return Step(name, perform, total, items)


def _anew(
    name: str,
    perform: str,
    items: Callable[[sqlite3.Connection], Iterator[Numbered]],
    listed: Callable[[sqlite3.Connection], Iterator[object]],
) -> Step:
    """Return a step for a few items that every run performs on all of them.

    ``listed`` yields something for each item, and is cheaper than to make them.
    """
    return Step(name, perform, lambda database: (sum(1 for _ in listed(database)), 0), items, anew=True)


def _groups(database: sqlite3.Connection) -> Iterator[Numbered]:
    """Yield locked files by family, a few samples each; few enough to be tried anew by every run."""
    for number, (family, count, size) in enumerate(searches.groups(database), 1):
        if family:
            samples = searches.samples(database, family)
            yield Numbered(number, LockedGroup(family=family, samples=samples, files=count, size=size))


def _targets(database: sqlite3.Connection) -> Iterator[Numbered]:
    yield from (Numbered(number, target) for number, target in enumerate(searches.targets(database), 1))


class Parts(Iterator[Numbered]):
    """The parts of searches, which become more while they are performed."""

    def __init__(self, search: searches.Search) -> None:
        """Number the shards of ``search``."""
        self._search = search

    def __next__(self) -> Numbered:
        return Numbered._make(next(self._search))

    @property
    def total(self) -> int:
        """How many there are, as far as that can be told now."""
        return self._search.total

    @property
    def over(self) -> bool:
        """Whether nobody waits any more for those that were given out."""
        return self._search.over


def _search(name: str, longest: float) -> Step:
    """Return a step for the searches that take at most ``longest`` seconds of one core."""
    return Step(
        name,
        "unransom.recover.keys.search:run",
        lambda database: (searches.Search(database, longest).total, 0),
        lambda database: Parts(searches.Search(database, longest)),
        unit="parts",
    )


def _with_own_keys(database: sqlite3.Connection) -> Callable[[FileRef], Item]:
    own: dict[int, list[Secret]] = {}
    for secret in found_keys.of(database):
        if secret.item:
            own.setdefault(secret.item, []).append(secret)
    return lambda ref: LockedFile(ref=ref, own=tuple(own.get(ref.id, ())))


def _deliveries(database: sqlite3.Connection) -> Callable[[FileRef], Item]:
    return lambda ref: _delivery(database, ref)


def _delivery(database: sqlite3.Connection, ref: FileRef) -> Delivery:
    """Return the output of ``ref`` with the digest that a manifest promises for it."""
    (body,) = database.execute(
        "SELECT body FROM records WHERE type = 'Output' AND item = ? ORDER BY id DESC LIMIT 1", (ref.id,)
    ).fetchone()
    output = msgspec.json.decode(body, type=Output)
    expected, manifest = expected_digest(database, output)
    return Delivery(ref=ref, output=output, expected=expected, manifest=manifest)


def _versions(*, shadows: bool) -> Step:
    def waiting(database: sqlite3.Connection) -> Iterator[Numbered]:
        done = "SELECT 1 FROM journal WHERE step = 'versions' AND item = ? AND done"
        for ref in versions.waiting(database, shadows=shadows):
            if not database.execute(done, (ref.id,)).fetchone():
                yield Numbered(ref.id, ref)

    def total(database: sqlite3.Connection) -> tuple[int, int]:
        sizes = [each.item.size for each in waiting(database) if isinstance(each.item, FileRef)]
        return len(sizes), sum(sizes)

    return Step("versions", "unransom.recover.copy.version:run", total, waiting)


# Unlock comes as soon as there are keys: what they open needs no search, and long searches come last.
UNLOCK = _per_file("unlock", "unransom.recover.unlock.step:run", LOCKED, _with_own_keys)
_PLAN = _anew("plan", "unransom.recover.keys.plan:run", _targets, searches.unsolved)
_DATABASES = Step(
    "databases",
    "unransom.recover.databases.entry:run",
    database_files.total,
    lambda database: map(Numbered._make, database_files.waiting(database)),
)


def _repairs(where: repairs.Condition) -> Step:
    """Return the step for files that are there in part; what it makes is no output of theirs."""
    waiting = repairs.waiting(where)
    return Step(
        repairs.STEP,
        "unransom.run.repair_step:run",
        repairs.total(where),
        lambda database: map(Numbered._make, waiting(database)),
    )


REPAIR = _repairs(repairs.condition(every=False))
REPAIR_ALL = _repairs(repairs.condition(every=True))  # on demand: it reads files that are locked all over
SEARCHES = frozenset({"scheme", "plan", "search", "deep search"})  # steps that the budget is for

# Images are carved as a whole by `run.carve_case`, before keys: what comes back so needs none, and is a pair.
CARVE = Step("carve", "", lambda _: (0, 0), lambda _: iter(()))

FLOW: tuple[Step, ...] = (
    _per_file("triage", "unransom.examine.triage.step:run", FOUND),
    _per_file("confirm", "unransom.examine.triage.confirm:run", NAMELESS, narrowed),
    CARVE,
    _versions(shadows=False),
    _anew("keys", "unransom.recover.keys.given:run", _groups, _groups),
    UNLOCK,
    _anew("scheme", "unransom.examine.scheme.step:run", _targets, searches.unsolved),
    *(_PLAN, _search("search", searches.QUICK), UNLOCK),
    *(_PLAN, _search("deep search", math.inf), UNLOCK),
    _versions(shadows=True),  # behind the keys: these have the files as of the last write
    _per_file("wanted", "unransom.recover.keys.wanted:run", LOCKED),
    _per_file("copy", "unransom.recover.copy.step:run", INTACT),
    _DATABASES,
    _per_file("integrity", "unransom.verify.integrity.step:run", DELIVERED, _deliveries),
    REPAIR,
)
