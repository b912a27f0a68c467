"""SQL scripts as ``unransom databases --format sql`` writes them: cut into tables, and their rows read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from unransom.core.errors import UsageError
from unransom.core.messages import Message, say
from unransom.core.paths import safe_name

MOST = 1 << 28  # characters of a statement
HEADER = re.compile(r"SET (NAMES|time_zone|sql_mode)\b[^;]*;\n\Z")
NAME = r"(`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\")"
CREATE = re.compile(rf"CREATE TABLE {NAME} \(")
INSERT = re.compile(rf"INSERT INTO {NAME} VALUES\n")
VALUE = re.compile(
    r"(?P<null>NULL)|(?P<hex>0x[0-9a-fA-F]*)|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<bytea>'\\x(?P<digits>[0-9a-f]*)'::bytea)|(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z]+)"
)
ESCAPED = re.compile(r"\\(.)", re.S)
Value = str | bytes | Decimal | None


class Table(NamedTuple):
    """A table that was cut out of a script.

    Attributes:
        name: Its name.
        path: Script of this table alone.
        verdict: ``good`` where all of its rows came back; ``partial``; ``unknown`` where nothing says so.
        why: For people.
    """

    name: str
    path: Path
    verdict: str
    why: Message | None


def statements(path: Path) -> Iterator[str]:
    """Yield the statements of a script. In what we write, texts double their quotes, and nothing else.

    Raises:
        UsageError: It has a statement that we do not write, or ends in the middle of one.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            yield from _statements(lines, path.name)
    except UnicodeDecodeError as error:
        raise UsageError(say("{file} cannot be read", file=path.name), detail=str(error)) from error


def _statements(lines: Iterable[str], name: str) -> Iterator[str]:
    parts: list[str] = []
    quotes = size = 0
    for line in lines:
        if not parts and not line.strip():
            continue
        parts.append(line)
        quotes += line.count("'")
        size += len(line)
        if size > MOST:
            break
        if line.endswith(";\n") and quotes % 2 == 0:
            yield "".join(parts)
            parts, quotes, size = [], 0, 0
    if parts:
        raise UsageError(say("{file} ends in the middle of a statement", file=name))


def unquoted(name: str) -> str:
    """Return the name that SQL writes in quotes."""
    mark = name[0]
    return name[1:-1].replace(mark * 2, mark)


def is_mysql(statement: str) -> bool:
    """Return whether a statement that creates or fills a table is for MySQL or MariaDB."""
    found = CREATE.match(statement) or INSERT.match(statement)
    return bool(found and found[1][0] == "`")


def tables_of(script: Path, folder: Path) -> Iterator[Table]:
    """Cut a script, or all in a folder, into one for each table; yield the tables.

    Args:
        script: As ``unransom databases`` wrote it, with ``loss.json`` beside it.
        folder: Where the parts go.

    Raises:
        UsageError: It is no script of ours for a database that is known.
    """
    if script.is_dir():
        for path in sorted(script.glob("*.sql")):
            yield from tables_of(path, folder)
        return
    loss = _loss(script)
    for name, path in _cut(script, folder).items():
        recovered, expected = loss.get((script.stem, name), (-1, None))
        if recovered < 0 or expected is None:
            yield Table(name, path, "unknown", say("nothing says how many rows it had"))
        elif recovered == expected:
            yield Table(name, path, "good", None)
        else:
            why = say("{recovered} of {expected} rows came back", recovered=recovered, expected=expected)
            yield Table(name, path, "partial", why)


def _cut(script: Path, folder: Path) -> dict[str, Path]:
    """Write a script for each table, and return them by the tables' names."""
    done: dict[str, Path] = {}
    for statement in statements(script):
        found = CREATE.match(statement) or INSERT.match(statement)
        if not found:
            if HEADER.match(statement):
                continue
            raise UsageError(
                say("{file} has a statement that `unransom databases` does not write", file=script.name),
                detail=statement[:100],
            )
        name = unquoted(found[1])
        begins = statement.startswith("CREATE")
        if begins == (name in done):
            raise UsageError(say("{file} creates table {table} twice, or not", file=script.name, table=name))
        if begins:
            file = safe_name(f"{script.stem}.{name}.sql".encode()).decode("utf-8", "replace")
            done[name] = folder / file
        with done[name].open("w" if begins else "a", encoding="utf-8", newline="\n") as out:
            out.write(statement)
    return done


def _loss(script: Path) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return rows that came back, and rows that there were, by database and table."""
    try:
        document = json.loads((script.parent / "loss.json").read_bytes())
        return {
            (str(each["database"]), str(each["table"])): (int(each["recovered"]), each["expected"])
            for each in document["tables"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def rows(statement: str) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of a statement that inserts.

    Raises:
        UsageError: It cannot be read.
    """
    found = INSERT.match(statement)
    at = found.end() if found else 0
    escapes = is_mysql(statement)
    while found and statement[at : at + 1] == "(":
        row: list[Value] = []
        at += 1
        while True:
            value = VALUE.match(statement, at)
            if value is None:
                raise UsageError(say("a statement cannot be read"), detail=statement[at : at + 60])
            row.append(_value(value, escapes=escapes))
            at = value.end()
            if statement[at : at + 2] != ", ":
                break
            at += 2
        yield tuple(row)
        if statement[at : at + 4] == ");\n":
            return
        if statement[at : at + 3] != "),\n":
            break
        at += 3
    raise UsageError(say("a statement cannot be read"), detail=statement[at : at + 60])


def _value(found: re.Match[str], *, escapes: bool) -> Value:
    match found.lastgroup:
        case "null":
            return None
        case "hex":
            return bytes.fromhex(found["hex"][2:])
        case "number":
            return Decimal(found["number"])
        case "bytea":
            return bytes.fromhex(found["digits"])
        case "text":
            text = found["text"][1:-1].replace("''", "'")
            return ESCAPED.sub(lambda each: "\0" if each[1] == "0" else each[1], text) if escapes else text
    return found["word"]
