"""The first lines of rebuilt texts, and the first rows of workbooks and databases, for the report."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from unransom.catalog.exports.channel import UnreadableExportError
from unransom.catalog.exports.workbook import is_workbook, sheet_rows
from unransom.core.errors import UnransomError
from unransom.core.outputs import FileReader

LARGEST = 1 << 25  # bytes, unpacked, of a part of a workbook that is read whole, or of a row
WHOLE = ("xl/sharedStrings.xml", "xl/styles.xml")  # such parts
SHEETS, TABLES = 8, 64  # that are tried: of those in front nothing may be left
LETTERS = 200  # of a value
STEPS, MOST_TURNS = 1000, 2000  # instructions of SQLite's machine between two looks, and looks
BETWEEN = "  "
FAULTS = (UnransomError, sqlite3.Error, zipfile.BadZipFile, NotImplementedError, OSError, ValueError)


def first_lines(path: Path, count: int) -> list[str]:
    """Return the first lines of a text that have letters, at most ``count``; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            lines = file.read(count * 2 * LETTERS).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][:count]


def first_rows(path: Path, format_name: str, count: int) -> list[str]:
    """Return the first ``count`` rows of the first sheet or table that has any; none of other files.

    Args:
        path: The file.
        format_name: Its format, as in the catalogue.
        count: Lines at most.
    """
    try:
        if format_name == "ooxml":
            return _of_workbook(path, count)
        return _of_database(path, count) if format_name == "sqlite" else []
    except FAULTS:
        return []


def _of_workbook(path: Path, count: int) -> list[str]:
    with FileReader(path) as reader:
        if not is_workbook(reader):
            return []
        with zipfile.ZipFile(path) as archive:
            if any(each.file_size > LARGEST for each in archive.infolist() if each.filename in WHOLE):
                return []
        for sheet in range(1, SHEETS + 1):
            try:
                if lines := _lines(sheet_rows(reader, sheet), count):
                    return lines
            except UnreadableExportError:
                break
    return []


def _of_database(path: Path, count: int) -> list[str]:
    turns = iter(range(MOST_TURNS))
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.set_progress_handler(lambda: next(turns, None) is None, STEPS)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        database.execute("PRAGMA trusted_schema = OFF")
        database.text_factory = lambda data: data.decode("utf-8", "replace")
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
            " AND name NOT LIKE 'sqlite~_%' ESCAPE '~' LIMIT ?",
            (TABLES,),
        ).fetchall()
        for (name,) in tables:
            try:
                quoted = name.replace('"', '""')
                rows = database.execute(f'SELECT * FROM "{quoted}" LIMIT ?', (count,))
                if lines := _lines(([_shown(each) for each in row] for row in rows), count):
                    return lines
            except sqlite3.DatabaseError:
                continue
    return []


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)[:LETTERS]


def _lines(rows: Iterable[list[str]], count: int) -> list[str]:
    def every() -> Iterator[str]:
        for row in rows:
            line = BETWEEN.join(" ".join(cell[:LETTERS].split()) for cell in row).rstrip()
            if line:
                yield line

    return list(islice(every(), count))
