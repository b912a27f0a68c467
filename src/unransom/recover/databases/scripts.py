"""The definitions in scripts and dumps, read without the rows that are nearly all of them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

from unransom.catalog.exports.containers import ReaderFile
from unransom.core.streams import Reader

LONGEST = 1 << 20  # characters that are read of one line at a time
MOST_TEXT = 64 << 20  # characters of all statements of one script
ROWS = ("insert ", "replace into")  # what statements with rows begin like
BEHIND_ROWS = ("create ", "go", "unlock ", "alter ", "/*!")  # and what stands behind them at the latest
GZIP = b"\x1f\x8b"


def read_statements(reader: Reader) -> str:
    """Return the statements of a script without those that insert rows.

    The script is read line by line, packed or not, in UTF-8 or UTF-16. Where a packed one is damaged, what
    stands before the damage counts.
    """
    raw: IO[bytes] = io.BufferedReader(ReaderFile(reader))
    if reader.read_at(0, 2) == GZIP:
        raw = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    head = _first(raw)
    raw.seek(0)
    encoding = "utf-16" if head in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    with io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="\n") as lines:
        return "".join(_without_rows(_lines(lines)))


def _first(file: IO[bytes]) -> bytes:
    try:
        return file.read(2)
    except (OSError, EOFError, zlib.error):
        return b""


def _lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of ``file`` up to where it cannot be read."""
    while True:
        try:
            line = file.readline(LONGEST)
        except (OSError, EOFError, zlib.error):
            return
        if not line:
            return
        yield line


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
