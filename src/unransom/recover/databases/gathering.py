"""Finds the files of databases, their definitions and dumps among what a person names: files and folders."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from unransom.catalog.databases import ENGINES
from unransom.catalog.databases.engine import Source
from unransom.core.outputs import FileReader
from unransom.recover.databases.scripts import read_statements

BESIDES = (".frm", ".ldf", ".bak", ".trn")  # definitions and logs, which no engine recognises
REDO = ("ib_logfile", "#ib_redo")  # also where their heads are lost
SCRIPTS = (".sql", ".sql.gz", ".dump")


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
            sources.append(_source(path, stack))
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
        elif path.name.lower().endswith(BESIDES) or path.name.startswith(REDO) or _is_known(path):
            yield _source(path, stack)


def _source(path: Path, stack: ExitStack) -> Source:
    return Source(path.name, stack.enter_context(FileReader(path)), path.absolute().parent.name)


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
    """Return the statements of ``script`` without those that insert rows; see ``scripts``."""
    with FileReader(script) as reader:
        return read_statements(reader)
