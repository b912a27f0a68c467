"""The text of a Word document of 1997 to 2003: by its table of pieces, else as runs of letters."""

from __future__ import annotations

import re
import struct
from operator import eq

from unransom.core.spans import Span

WORD_97 = 0xA5EC
ENCRYPTED = 0x0100
PIECES = 0x01A2  # offset of the place of the table of pieces
PIECE_TABLE = 2
MOST = 1 << 20  # pieces at most
LEAST = 12  # letters of a run that is text
DIFFERENT = 5  # and how many different ones
SAME = 0.7  # share of neighbours that must be of one script
NARROW = re.compile(rb"[\t\r\n\x07\x0b\x0c\x20-\x7e\x80-\xfe]{%d,}" % LEAST)
WIDE = re.compile(
    rb"(?:[\t\r\n\x07\x0b\x0c\x20-\x7e\xa0-\xff]\x00|[\x10-\x1f]\x20|[\x00-\xff][\x04-\x06\x4e-\x9f]){%d,}"
    % LEAST
)
MARKS = {"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\x1f": ""}
FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")


def clean(text: str) -> str:
    """Return text as people read it: without fields, and with lines where paragraphs end."""
    text = FIELD.sub(lambda found: found[1] or "", text)
    text = "".join(MARKS.get(letter, letter) for letter in text)
    return "".join(letter for letter in text if letter in "\n\t" or letter >= " ")


def by_pieces(main: bytes, table: bytes, left: list[Span]) -> list[tuple[int, str]] | None:
    """Return (characters lost in front, text) of the pieces that are left; None without a table of pieces.

    Args:
        main: The stream of the document.
        table: The stream of tables.
        left: Parts of ``main`` that are left.
    """
    if len(main) < PIECES + 8 or int.from_bytes(main[:2], "little") != WORD_97 or main[11] & (ENCRYPTED >> 8):
        return None
    place, size = struct.unpack_from("<II", main, PIECES)
    found = _pieces(table[place : place + size])
    if not found:
        return None
    texts: list[tuple[int, str]] = []
    lost = 0
    for start, count, width in found:
        for low, high in _kept(Span(start, start + count * width), width, left):
            if high is None:
                lost += low
                continue
            raw = main[low:high]
            text = raw.decode("utf-16-le" if width == 2 else "cp1252", "replace")
            texts.append((lost, text))
            lost = 0
    if lost:
        texts.append((lost, ""))
    return texts


def _kept(piece: Span, width: int, left: list[Span]) -> list[tuple[int, int | None]]:
    """Return the parts of a piece in order: (start, end), or (characters lost, None)."""
    parts: list[tuple[int, int | None]] = []
    at = piece.start
    for span in left:
        low, high = max(span.start, at), min(span.end, piece.end)
        low += (low - piece.start) % width
        high -= (high - piece.start) % width
        if low >= high:
            continue
        if low > at:
            parts.append(((low - at) // width, None))
        parts.append((low, high))
        at = high
    if at < piece.end:
        parts.append(((piece.end - at) // width, None))
    return parts


def _pieces(data: bytes) -> list[tuple[int, int, int]]:
    """Return (offset, characters, bytes of a character) of each piece in a table of pieces."""
    at = 0
    while at + 3 <= len(data) and data[at] == 1:  # properties in front
        at += 3 + int.from_bytes(data[at + 1 : at + 3], "little")
    if at + 5 > len(data) or data[at] != PIECE_TABLE:
        return []
    size = min(int.from_bytes(data[at + 1 : at + 5], "little"), len(data) - at - 5)
    count = min((size - 4) // 12, MOST)
    if count <= 0:
        return []
    base = at + 5
    ends = struct.unpack_from(f"<{count + 1}I", data, base)
    found = []
    for number in range(count):
        (place,) = struct.unpack_from("<I", data, base + 4 * (count + 1) + 8 * number + 2)
        length = ends[number + 1] - ends[number]
        if length <= 0:
            continue
        narrow = place & 0x40000000
        found.append(((place & 0x3FFFFFFF) // (2 if narrow else 1), length, 1 if narrow else 2))
    return found


def by_runs(data: bytes, left: list[Span]) -> list[tuple[int, str]]:
    """Return the runs of letters in the parts that are ``left``, of one and of two bytes a letter."""
    texts: list[tuple[int, str]] = []
    for span in left:
        found = [(each.start(), each.end()) for each in WIDE.finditer(data, span.start, span.end)]
        wide = [(start, data[start:end].decode("utf-16-le", "replace")) for start, end in found]
        texts += [(start, text) for start, text in wide if _alike(text)]
        at = span.start
        for start, end in [*found, (span.end, span.end)]:
            texts += [
                (each.start(), each[0].decode("cp1252", "replace"))
                for each in NARROW.finditer(data, at, start)
                if len(set(each[0])) >= DIFFERENT
            ]
            at = end
    return [(0, text) for _, text in sorted(texts)]


def _alike(text: str) -> bool:
    """Return whether neighbours in a text are mostly of one script, as tables of numbers are not."""
    scripts = ["cjk" if letter >= "\u3000" else ord(letter) >> 10 for letter in text]
    return sum(map(eq, scripts, scripts[1:])) >= SAME * (len(scripts) - 1)
