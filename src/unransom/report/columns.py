"""Text in columns of a terminal, where a Chinese character takes two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

_WIDE = "\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U00020000-\U0003fffd"
_CLOSING = "，。、；：！？）】》”"  # never begin a line
_WORDS = re.compile(rf"[{_WIDE}][{_CLOSING}]*|\s+|[^\s{_WIDE}]+")


def wrap(text: str, width: int, indent: str = "", hanging: str = "") -> Iterator[str]:
    """Yield ``text`` in lines of at most ``width`` columns.

    Lines break at spaces and between wide characters; a word longer than a line is cut. The first line
    starts with ``indent``, the others with ``hanging``.
    """
    line, lead = indent, indent
    for word in _pieces(text, max(1, width - max(cell_len(indent), cell_len(hanging)))):
        if cell_len(line) + cell_len(word.rstrip()) > width and line != lead:
            yield line.rstrip()
            line = lead = hanging
        if line != lead or not word.isspace():
            line += word
    if line != lead:
        yield line.rstrip()


def _pieces(text: str, width: int) -> Iterator[str]:
    for word in _WORDS.findall(text):
        piece = ""
        for character in word:
            if piece and cell_len(piece + character) > width:
                yield piece
                piece = ""
            piece += character
        yield piece


def table(rows: Sequence[Sequence[str]], right: Sequence[bool], indent: str = "  ") -> Iterator[str]:
    """Yield ``rows`` as lines with their columns aligned; ``right`` says which to the right."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            " " * (width - cell_len(cell)) + cell if to_right else cell + " " * (width - cell_len(cell))
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        yield (indent + "  ".join(cells)).rstrip()


def shorten(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns; of a path the end is kept, where the name is."""
    if cell_len(text) <= width:
        return text
    kept = text[-width:]
    while cell_len(kept) > width - 1:
        kept = kept[1:]
    return "…" + kept
