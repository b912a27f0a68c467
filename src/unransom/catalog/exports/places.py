"""Where in a file a text stands, for whoever has to look at it."""

from __future__ import annotations

import re

from unransom.catalog.exports.channel import OddTextError, Source, UnreadableExportError
from unransom.core.messages import say
from unransom.core.streams import chunks

LONGEST = 4096  # bytes of a text that is looked for


def line_of(source: Source, text: str, start: int = 0, encoding: str = "utf-8") -> int | None:
    """Return the line, from 1, that has ``text`` as a cell or the beginning of one; None where none has.

    Args:
        source: The file.
        text: Of a cell, without spaces around it.
        start: Byte from which on it is looked for.
        encoding: Of the file.
    """
    wanted, newline = text.encode(encoding, "ignore"), "\n".encode(encoding)
    if not 0 < len(wanted) <= LONGEST:
        return None
    edges = b"|".join(re.escape(mark.encode(encoding)) for mark in ('"', ",", ";", "\t", " ", "\n"))
    cell = re.compile(b"(?:" + edges + b")" + re.escape(wanted) + b"(?:" + edges + b"|\r|$)")
    lines, kept, at = 1, newline, 0
    for piece in chunks(source.reader):
        begin = max(start - at, 0)
        if begin:
            lines += piece.count(newline, 0, begin)
        at += len(piece)
        window = kept + piece[begin:]
        if found := cell.search(window):
            return lines + window.count(newline, len(kept), found.start() + len(newline))
        lines += piece.count(newline, begin)
        kept = window[-LONGEST:] if begin < len(piece) else kept
    return None


def placed(error: OddTextError, source: Source, start: int, encoding: str) -> UnreadableExportError:
    """Return the error with the line of the text that it is about."""
    first = error.text.split(" ")[0]  # a time may be put together from several cells
    line = line_of(source, error.text, start, encoding) or line_of(source, first, start, encoding)
    if line is None:
        return error
    what = say("{why}, in line {line}", why=error.what, line=line)
    return UnreadableExportError(what, detail=error.detail, hint=error.hint)
