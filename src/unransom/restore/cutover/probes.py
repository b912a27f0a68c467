"""Declarations of probes as TOML: what to ask which system, and what it must answer."""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from unransom.core.errors import UsageError
from unransom.core.messages import say

TYPES = ("text", "number", "list", "object", "bool", "null", "any")
ASKS = ("http", "sql", "count", "newest")
READING = frozenset({"select", "with", "show", "values", "table"})  # what a statement that reads begins with
Wanted = str | int | float | bool


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. It has one of ``http``, ``sql``, ``count`` and ``newest``.

    Attributes:
        system: What is asked, e.g. ``OMS``; a system is up when all of its probes are good.
        name: For people; with the system it is unique.
        http: URL that is fetched.
        sql: Statement whose first value counts; it may only read.
        count: Table whose rows count.
        newest: ``table.column`` with times in UTC; what counts is how many seconds ago the last was.
        database: For the last three, file beside the declarations with the URL of the database, or
            ``env:NAME``.
        headers: For ``http``; ``env:NAME`` takes a value from the environment.
        status: Of HTTP, that are right.
        shape: For ``http``: dotted path into the JSON answer, and the type that must be there, one of
            ``TYPES``; a number in the path is a place in a list.
        values: For ``http``: dotted path, and the value that must be there.
        equals, at_least, at_most: For the value.
        may_fall: The value may be less than in the run before.
        seconds: That the answer may take.
    """

    system: str
    name: str
    http: str = ""
    sql: str = ""
    count: str = ""
    newest: str = ""
    database: str = ""
    headers: dict[str, str] = {}
    status: tuple[int, ...] = (200,)
    shape: dict[str, str] = {}
    values: dict[str, Wanted] = {}
    equals: Wanted | None = None
    at_least: int | float | None = None
    at_most: int | float | None = None
    may_fall: bool = True
    seconds: float = 15.0

    @property
    def id(self) -> str:
        """System and name."""
        return f"{self.system}: {self.name}"


class Probes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of probes.

    Attributes:
        probe: The probes.
        down_since: When the systems went down, the start of the time to recovery.
        deadline: By when they must be up.
    """

    probe: tuple[Probe, ...]
    down_since: datetime | None = None
    deadline: datetime | None = None


def load_probes(text: bytes) -> tuple[Probes, str]:
    """Return the probes in a TOML file, and the file's digest.

    Raises:
        UsageError: They cannot be carried out.
    """
    try:
        probes = msgspec.toml.decode(text, type=Probes)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(say("the probes cannot be read"), detail=str(error)) from error
    if len({probe.id for probe in probes.probe}) != len(probes.probe):
        raise UsageError(say("two probes have the same system and name"))
    if any(moment and not moment.tzinfo for moment in (probes.down_since, probes.deadline)):
        raise UsageError(say("times need a zone, e.g. 2026-11-27T16:00:00Z"))
    for probe in probes.probe:
        _require_sense(probe)
    return probes, hashlib.sha256(text).hexdigest()


def _require_sense(probe: Probe) -> None:
    asked = [name for name in ASKS if getattr(probe, name)]
    if len(asked) != 1:
        raise UsageError(say("probe {name}: it has one of {choices}", name=probe.id, choices=", ".join(ASKS)))
    if probe.http and urlsplit(probe.http).scheme not in {"http", "https"}:
        raise UsageError(say("probe {name}: it is no http:// or https:// URL", name=probe.id))
    if not probe.http:
        _require_database(probe)
    if probe.newest and "." not in probe.newest:
        raise UsageError(say("probe {name}: newest names a table and a column", name=probe.id))
    for kind in probe.shape.values():
        if kind not in TYPES:
            raise UsageError(say("{value} is none of {choices}", value=kind, choices=", ".join(TYPES)))


def _require_database(probe: Probe) -> None:
    if not probe.database:
        raise UsageError(say("probe {name}: it needs a database", name=probe.id))
    if "://" in probe.database:
        raise UsageError(
            say("probe {name}: its database is an address, which may hold a password", name=probe.id),
            hint=say("write the address to a file beside this one, or into the environment as env:NAME"),
        )
    begins = probe.sql.lstrip("( \n\t").lower().split(None, 1)[:1]
    if probe.sql and not READING.intersection(begins):
        raise UsageError(say("probe {name}: its statement does more than read", name=probe.id))
