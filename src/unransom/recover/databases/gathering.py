"""Finds the files of databases, their definitions and dumps among what a person names: files and folders."""

from __future__ import annotations

import gzip
import os
import resource
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

from unransom.catalog.databases import ENGINES
from unransom.catalog.databases.engine import Source
from unransom.core.outputs import FileReader

BESIDES = (".frm", ".ldf", ".bak", ".trn")  # definitions and logs, which no engine recognises
SCRIPTS = (".sql", ".sql.gz", ".dump")
LONGEST = 1 << 20  # characters that are read of one line at a time
MOST_TEXT = 64 << 20  # characters of all statements of one script
ROWS = ("insert ", "replace into")  # what statements with rows begin like
BEHIND_ROWS = ("create ", "go", "unlock ", "alter ", "/*!")  # and what stands behind them at the latest
GZIP = b"\x1f\x8b"


class Gathered(NamedTuple):
    """What was found.

    Attributes:
        sources: Files that may hold pages, and definitions.
        sql: The statements that create tables in the scripts.
    """

    sources: list[Source]
    sql: tuple[str, ...]


def gather(paths: Sequence[Path], scripts: Sequence[Path], stack: ExitStack) -> Gathered:
    """Open what ``paths`` name and read the scripts.

    Of a folder everything below it counts that an engine recognises, or that its name says is a definition, a
    log or a script; a file that is named counts in any case.

    Args:
        paths: Files and folders.
        scripts: Files with statements: scripts and dumps.
        stack: Closes the files.
    """
    _allow_many_files()
    sources: list[Source] = []
    found = list(scripts)
    for path in paths:
        if path.is_dir():
            sources += _inside(path, found, stack)
        else:
            sources.append(Source(path.name, stack.enter_context(FileReader(path))))
    return Gathered(sources, tuple(statements(script) for script in found))


def _allow_many_files() -> None:
    """Let the process have as many open files as the system lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _inside(folder: Path, scripts: list[Path], stack: ExitStack) -> Iterator[Source]:
    """Yield the files below ``folder`` that count, and add to ``scripts``."""
    for path in _files(folder):
        if path.name.lower().endswith(SCRIPTS):
            scripts.append(path)
        elif path.name.lower().endswith(BESIDES) or _is_known(path):
            yield Source(path.name, stack.enter_context(FileReader(path)))


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _is_known(path: Path) -> bool:
    with FileReader(path) as reader:
        return any(engine.recognise(reader) for engine in ENGINES)


def statements(script: Path) -> str:
    """Return the statements of ``script`` without those that insert rows.

    The script is read line by line, packed or not, in UTF-8 or UTF-16.
    """
    with script.open("rb") as file:
        head = file.read(2)
    opened: Callable[..., IO[str]] = gzip.open if head == GZIP else open
    encoding = "utf-16" if head in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    with opened(script, "rt", encoding=encoding, errors="replace", newline="\n") as lines:
        return "".join(_without_rows(iter(lambda: lines.readline(LONGEST), "")))


def _without_rows(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a script but those that insert rows, which are nearly all of a dump."""
    rows, total = False, 0
    for line in lines:
        start = line.lstrip()[:16].lower()
        rows = (rows and not start.startswith(BEHIND_ROWS)) or start.startswith(ROWS)
        if not rows:
            total += len(line)
            if total > MOST_TEXT:
                return
            yield line
        elif line.rstrip().endswith(";"):
            rows = False
