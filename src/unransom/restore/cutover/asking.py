"""Carries out probes. A connection goes only to what a probe names: no proxy, no redirect is followed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from unransom.core.errors import UnransomError
from unransom.core.messages import Message, say
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import Grade
from unransom.restore.cutover.probes import Probe, Wanted

MOST = 16 << 20  # bytes of an answer that are read
PIECE = 1 << 16  # bytes of it that are asked for at once
LONGEST = 200  # characters of a value that are kept
KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "bool": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "any": lambda _: True,
}


class Answer(msgspec.Struct, frozen=True):
    """The verdict on a probe.

    Attributes:
        system, name: The probe's.
        grade: ``good``; ``bad``; ``unknown`` where it could not be asked.
        value: What was found, as text.
        seconds: Until the answer was there.
        why: For people.
    """

    system: str
    name: str
    grade: Grade
    value: str
    seconds: float
    why: Message

    @property
    def id(self) -> str:
        """System and name."""
        return f"{self.system}: {self.name}"


class CannotAskError(Exception):
    """The question cannot be put; ``why`` is for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


def carry_out(
    probes: Sequence[Probe], folder: Path, before: Mapping[str, str], listener: Listener = silent
) -> Iterator[Answer]:
    """Yield the verdict on each probe.

    Args:
        probes: What to ask.
        folder: Where files with the URLs of databases are.
        before: Values of the run before, by ``Probe.id``.
        listener: Told how far it is.
    """
    started = time.monotonic()
    for number, probe in enumerate(probes, 1):
        yield _answer(probe, folder, before.get(probe.id, ""))
        seconds = time.monotonic() - started
        finished = number == len(probes)
        listener(
            Progress("probes", number, len(probes), "parts", probe.id, seconds=seconds, finished=finished)
        )


def _answer(probe: Probe, folder: Path, before: str) -> Answer:
    started = time.monotonic()
    try:
        value, why = _by_http(probe) if probe.http else _by_sql(probe, folder)
    except CannotAskError as error:
        return _told(probe, Grade.UNKNOWN, "", started, error.why)
    why = why or _wrong(probe, value, before)
    return _told(
        probe, Grade.BAD if why else Grade.GOOD, _shown(value), started, why or say("it is as it should be")
    )


def _told(probe: Probe, grade: Grade, value: str, started: float, why: Message) -> Answer:
    return Answer(probe.system, probe.name, grade, value, round(time.monotonic() - started, 3), why)


def _shown(value: Any) -> str:
    text = "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST]


# HTTP


def _secret(text: str) -> str:
    """Return a value, taken from the environment where it says so.

    Raises:
        CannotAskError: It is not there.
    """
    if not text.startswith("env:"):
        return text
    found = os.environ.get(text.removeprefix("env:"))
    if found is None:
        raise CannotAskError(say("{name} is not set", name=text.removeprefix("env:")))
    return found


def _by_http(probe: Probe) -> tuple[Any, Message | None]:
    """Return the status, and what is wrong with the answer."""
    url = urlsplit(probe.http)
    headers = {"Accept": "application/json", "User-Agent": "unransom", "Connection": "close"}
    headers |= {name: _secret(value) for name, value in probe.headers.items()}
    try:
        with contextlib.closing(_connection(url, probe.seconds)) as connection:
            deadline = time.monotonic() + probe.seconds
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.connect()
            line = connection.sock
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = _body(response, line, deadline)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, say("it does not answer: {error}", error=str(error) or type(error).__name__)
    if response.status not in probe.status:
        return response.status, say("it answers with status {status}", status=response.status)
    return response.status, _wrong_json(probe, body) if probe.shape or probe.values else None


def _body(response: http.client.HTTPResponse, line: socket.socket, deadline: float) -> bytes:
    """Return an answer, which may come in drops, as far as ``MOST``.

    Raises:
        TimeoutError: It is not there by ``deadline``, seconds of the monotonic clock.
    """
    body = bytearray()
    while len(body) <= MOST:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        line.settimeout(left)
        piece = response.read1(PIECE)
        if not piece:
            break
        body += piece
    return bytes(body)


def _connection(url: SplitResult, seconds: float) -> http.client.HTTPConnection:
    if url.scheme == "https":
        trusted = ssl.create_default_context()
        return http.client.HTTPSConnection(url.hostname or "", url.port, timeout=seconds, context=trusted)
    return http.client.HTTPConnection(url.hostname or "", url.port, timeout=seconds)


def _wrong_json(probe: Probe, body: bytes) -> Message | None:
    try:
        document = json.loads(body) if len(body) <= MOST else None
    except (ValueError, RecursionError):
        return say("its answer is no JSON")
    for path, kind in probe.shape.items():
        is_there, value = _at(document, path)
        if not is_there:
            return say("its answer has no {path}", path=path)
        if not KINDS[kind](value):
            return say("{path} in its answer is no {kind}", path=path, kind=kind)
    for path, wanted in probe.values.items():
        is_there, value = _at(document, path)
        if not is_there:
            return say("its answer has no {path}", path=path)
        if value != wanted or isinstance(value, bool) != isinstance(wanted, bool):
            return say("{path} in its answer is {value}", path=path, value=_shown(value))
    return None


def _at(document: Any, path: str) -> tuple[bool, Any]:
    """Return whether something is at a dotted path, and what."""
    for part in path.split(".") if path else ():
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return False, None
    return True, document


# SQL


def _by_sql(probe: Probe, folder: Path) -> tuple[Any, Message | None]:
    """Return the first value of the answer, and why there is none."""
    import sqlalchemy as sa  # noqa: PLC0415 not every file of probes asks databases

    from unransom.restore.cutover.reading import reading  # noqa: PLC0415 as above

    url = _url(probe.database, folder)
    try:
        with reading(url, probe.seconds) as connection:
            quote = connection.dialect.identifier_preparer.quote
            row = connection.execute(sa.text(_statement(probe, quote))).first()
    except UnransomError as error:
        return None, say("it does not answer: {error}", error=error.detail or str(error))
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).replace("\n", " ")[:LONGEST]
        return None, say("it does not answer: {error}", error=reason)
    if row is None or (probe.newest and row[0] is None):
        return None, say("there is no row")
    try:
        return (_age(row[0]) if probe.newest else row[0]), None
    except ValueError:
        return row[0], say("it is {value}, which is no time", value=_shown(row[0]))


def _url(database: str, folder: Path) -> str:
    if database.startswith("env:"):
        return _secret(database)
    try:
        return (folder / database).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotAskError(say("{file} cannot be read", file=database)) from error


def _statement(probe: Probe, quote: Callable[[str], str]) -> str:
    if probe.sql:
        return probe.sql.replace(":", r"\:")  # no parameters are bound
    if probe.count:
        return f"SELECT count(*) FROM {_quoted(probe.count, quote)}"  # noqa: S608 quoted
    table, _, column = probe.newest.rpartition(".")
    return f"SELECT max({quote(column)}) FROM {_quoted(table, quote)}"  # noqa: S608 quoted


def _quoted(name: str, quote: Callable[[str], str]) -> str:
    return ".".join(quote(part) for part in name.split("."))


def _age(moment: Any) -> int:
    """Return how many seconds ago a time was; one without a zone is UTC."""
    found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int((datetime.now(UTC) - aware).total_seconds())


# The value


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


def _wrong(probe: Probe, value: Any, before: str) -> Message | None:
    """Return what is wrong with a value."""
    if probe.equals is not None and not _same(value, probe.equals):
        return say("it is {value}, not {wanted}", value=_shown(value), wanted=str(probe.equals))
    number = _number(value)
    bounded = probe.at_least is not None or probe.at_most is not None
    if bounded and number is None:
        return say("it is {value}, which is no number", value=_shown(value))
    if number is None:
        return None
    if probe.at_least is not None and number < _number(probe.at_least):  # type: ignore[operator]
        return say("it is {value}, less than {limit}", value=_shown(value), limit=str(probe.at_least))
    if probe.at_most is not None and number > _number(probe.at_most):  # type: ignore[operator]
        return say("it is {value}, more than {limit}", value=_shown(value), limit=str(probe.at_most))
    earlier = _number(before) if before and not probe.may_fall else None
    if earlier is not None and number < earlier:
        return say("it has fallen from {before} to {value}", before=before, value=_shown(value))
    return None


def _same(value: Any, wanted: Wanted) -> bool:
    one, other = _number(value), _number(wanted)
    if one is not None and other is not None and not isinstance(wanted, bool):
        return one == other
    return str(value) == str(wanted)
