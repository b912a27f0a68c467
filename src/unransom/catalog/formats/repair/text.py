"""Texts in lines (CSV, logs, scripts, mails) and JSON: every record that is whole, and what is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from unransom.catalog.formats import csv, html, svg, text, xml
from unransom.catalog.formats import json as json_format
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import say
from unransom.core.spans import Origin, Span, gaps, merge
from unransom.core.streams import CHUNK, Reader, chunks

NOISE = np.isin(np.arange(256), [*range(9), 11, *range(14, 27), *range(28, 32), 127, 255])
APART = 96  # bytes of noise are of one hole where they are no further apart
FEW = 4  # bytes of noise that a hole must have: fewer are a slip in a text
MARGIN = 16  # bytes around noise that may be random and look like text
MOST_JSON = 1 << 28  # bytes of JSON looked into
UNCLOSED = 64  # beginnings of objects that go on to the end of a stretch
WIDE = (b"\xff\xfe", b"\xfe\xff")


def finds(reader: Reader) -> bool:
    """Return False: any file has some bytes that look like text, so it is the name that must say it."""
    del reader
    return False


def holes(damaged: Damaged) -> list[Span]:
    """Return the ranges that are lost, and those in which bytes are that no text has."""
    found: list[Span] = []
    position = 0
    for piece in chunks(damaged.reader):
        places = np.flatnonzero(NOISE[np.frombuffer(piece, np.uint8)])
        if len(places):
            ends = np.flatnonzero(np.diff(places) > APART)
            firsts, lasts = places[np.r_[0, ends + 1]], places[np.r_[ends, len(places) - 1]]
            counts = np.diff(np.r_[0, ends + 1, len(places)])
            for first, last, count in zip(firsts.tolist(), lasts.tolist(), counts.tolist(), strict=True):
                edge = first == places[0] or last == places[-1]
                if count >= FEW or edge:
                    found.append(Span(max(position + first - MARGIN, 0), position + last + 1 + MARGIN))
        position += len(piece)
    joined = merge(Span(span.start, span.end + APART) for span in found)
    return merge([*damaged.lost, *(Span(span.start, span.end - APART) for span in joined)])


def _lines(damaged: Damaged, lost: list[Span]) -> list[Span]:
    """Return the ranges of whole lines between the holes."""
    reader = damaged.reader
    found = []
    for span in gaps(lost, reader.size):
        start = span.start if span.start == 0 else _behind_line(reader, span.start, span.end)
        end = span.end if span.end >= reader.size else _before_line(reader, start, span.end)
        if start < end:
            found.append(Span(start, end))
    return found


def _behind_line(reader: Reader, start: int, end: int) -> int:
    """Return where the next line begins, ``end`` where none does."""
    for piece in chunks(reader, start, end):
        if (found := piece.find(b"\n")) >= 0:
            return start + found + 1
        start += len(piece)
    return end


def _before_line(reader: Reader, start: int, end: int) -> int:
    """Return where the last whole line ends, ``start`` where none does."""
    while end > start:
        low = max(start, end - CHUNK)
        if (found := reader.read_at(low, end - low).rfind(b"\n")) >= 0:
            return low + found + 1
        end = low
    return start


def repair(damaged: Damaged) -> Repaired | None:
    """Take the whole lines; None where it is no text, or nothing of it is lost."""
    reader = damaged.reader
    if reader.read_at(0, 2) in WIDE:
        return None
    lost = holes(damaged)
    if not lost:
        return None
    if damaged.name.lower().endswith(b".json") and reader.size <= MOST_JSON:
        return _objects(damaged, list(gaps(lost, reader.size)), lost)  # it may be a single line
    kept = _lines(damaged, lost)
    size = sum(map(len, kept))
    if not size:
        return None
    count = sum(piece.count(b"\n") for span in kept for piece in chunks(reader, span.start, span.end))
    return Repaired(
        _pieces(reader, kept),
        say("the whole lines were put one behind the other"),
        (Count("lines", count), Count("bytes", size, reader.size)),
        (
            say(
                "{bytes} bytes in {count} places are lost, with the lines cut there",
                bytes=reader.size - size,
                count=len(lost),
            ),
        ),
        tuple(f"bytes {span.start}-{min(span.end, reader.size)}" for span in lost[:LISTED]),
    )


def _pieces(reader: Reader, kept: list[Span]) -> Iterator[Piece]:
    for span in kept:
        yield from copied(reader, span.start, span.end)


def _objects(damaged: Damaged, kept: list[Span], lost: list[Span]) -> Repaired | None:
    """Take the whole objects of a JSON document as a list."""
    found: list[bytes] = []
    for span in kept:
        piece = damaged.reader.read_at(span.start, len(span)).decode("utf-8", "replace")
        found += [each.encode() for each in _whole_objects(piece)]
    if not found:
        return None
    return Repaired(
        [(b"[\n", Origin.GUESSED), (b",\n".join(found), Origin.PLAIN), (b"\n]\n", Origin.GUESSED)],
        say("the whole objects were put into a list"),
        (Count("objects", len(found)),),
        (say("what was between {count} holes in the document is lost", count=len(lost)),),
        tuple(f"bytes {span.start}-{min(span.end, damaged.reader.size)}" for span in lost[:LISTED]),
    )


def _whole_objects(stretch: str) -> Iterator[str]:
    """Yield the outermost objects that are whole in a stretch of JSON."""
    decoder = json.JSONDecoder()
    position = unclosed = 0
    while unclosed < UNCLOSED and (position := stretch.find("{", position)) >= 0:
        try:
            value, end = decoder.raw_decode(stretch, position)
        except json.JSONDecodeError as error:
            unclosed += error.pos >= len(stretch) - 1
            position += 1
        except RecursionError:
            return
        else:
            if value:
                yield stretch[position:end]
            position = end


FORMATS = (text.FORMAT, csv.FORMAT, json_format.FORMAT, xml.FORMAT, html.FORMAT, svg.FORMAT)
EXTENSIONS = tuple(extension for each in FORMATS for extension in each.extensions)
REPAIR = Repair(
    tuple(each.name for each in FORMATS),
    (*EXTENSIONS, "eml", "sql", "log", "mbox", "tsv", "jsonl"),
    repair,
    finds,
)
