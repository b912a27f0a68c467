"""Texts in lines (CSV, logs, scripts, mails) and JSON: every record that is whole, and what is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from unransom.catalog.formats import csv, html, svg, text, xml
from unransom.catalog.formats import json as json_format
from unransom.catalog.formats.repair._letters import NARROW, Letters, letters_of
from unransom.catalog.formats.repair._quotes import whole_rows
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import Message, say
from unransom.core.spans import Origin, Span, gaps, merge
from unransom.core.streams import CHUNK, Reader, chunks

APART = 96  # bytes of noise are of one hole where they are no further apart
FEW = 4  # bytes of noise that a hole must have: fewer are a slip in a text
MARGIN = 32  # bytes around noise that may be random and look like text
SECTOR = 512  # holes begin and end at multiples of it, mostly
EMPTY = bytes(16)
TAIL = 65536  # or so many bytes in front of the end
MOST_JSON = 1 << 28  # bytes of JSON looked into
TABLES = (b".csv", b".tsv")
UNCLOSED = 64  # beginnings of objects that go on to the end of a stretch


def finds(reader: Reader) -> bool:
    """Return False: any file has some bytes that look like text, so it is the name that must say it."""
    del reader
    return False


def holes(damaged: Damaged, letters: Letters = NARROW) -> list[Span]:
    """Return the ranges that are lost, and those in which bytes are that no text has.

    Args:
        damaged: The text.
        letters: How its letters are written.
    """
    known = merge(damaged.lost)
    noise = [each for each in _noise(damaged.reader, letters) if not _within(each, known)]
    joined = merge(Span(span.start, span.end + APART) for span in noise)
    return merge([*known, *(_edged(Span(span.start, span.end - APART), damaged.reader) for span in joined)])


def _edged(span: Span, reader: Reader) -> Span:
    """Return the hole that shows as noise: random bytes at its ends may look like text, or like lines.

    Where it begins or ends with zeros, those are all of it.
    """
    tail = reader.size - TAIL
    low = tail if 0 <= span.start - tail <= APART else span.start // SECTOR * SECTOR
    high = -(-span.end // SECTOR) * SECTOR
    start = low if span.start - low <= APART else max(span.start - MARGIN, 0)
    end = high if high - span.end <= APART else span.end + MARGIN
    return Span(
        span.start if reader.read_at(span.start, len(EMPTY)) == EMPTY else start,
        span.end if reader.read_at(span.end - len(EMPTY), len(EMPTY)) == EMPTY else min(end, reader.size),
    )


def _within(span: Span, known: list[Span]) -> bool:
    """Return whether a stretch of noise is of a hole that is known to the byte."""
    return any(each.start <= span.start and span.end <= each.end for each in known)


def _noise(reader: Reader, letters: Letters) -> Iterator[Span]:
    """Yield stretches with what no text has; piece by piece, as they are read."""
    strange, width = letters.strange(), letters.width
    apart = APART // width
    position = 0
    for piece in chunks(reader):
        places = np.flatnonzero(strange[np.frombuffer(piece[: len(piece) // width * width], letters.unit)])
        if len(places):
            ends = np.flatnonzero(np.diff(places) > apart)
            firsts, lasts = places[np.r_[0, ends + 1]], places[np.r_[ends, len(places) - 1]]
            counts = np.diff(np.r_[0, ends + 1, len(places)])
            for first, last, count in zip(firsts.tolist(), lasts.tolist(), counts.tolist(), strict=True):
                edge = first == places[0] or last == places[-1]
                if count >= FEW or edge:
                    yield Span(position + first * width, position + (last + 1) * width)
        position += len(piece)


def whole_lines(reader: Reader, lost: list[Span], letters: Letters) -> list[Span]:
    """Return the ranges of whole lines between the holes."""
    found = []
    for span in gaps(lost, reader.size):
        start, end = letters.up(span.start), span.end // letters.width * letters.width
        start = start if start == 0 else _behind_line(reader, start, end, letters)
        end = span.end if span.end >= reader.size else _before_line(reader, start, end, letters)
        if start < end:
            found.append(Span(start, end))
    return found


def _behind_line(reader: Reader, start: int, end: int, letters: Letters) -> int:
    """Return where the next line begins, ``end`` where none does."""
    for piece in chunks(reader, start, end):
        if (found := letters.line(piece)) >= 0:
            return start + found
        start += len(piece)
    return end


def _before_line(reader: Reader, start: int, end: int, letters: Letters) -> int:
    """Return where the last whole line ends, ``start`` where none does."""
    while end > start:
        low = max(start, end - CHUNK)
        if (found := letters.last_line(reader.read_at(low, end - low))) >= 0:
            return low + found
        end = low
    return start


def repair(damaged: Damaged) -> Repaired | None:
    """Take the whole lines; None where it is no text, or nothing of it is lost."""
    reader = damaged.reader
    letters = letters_of(reader)
    lost = holes(damaged, letters)
    if damaged.name.lower().endswith(b".json") and reader.size <= MOST_JSON:
        return _objects(damaged, lost, letters)  # it may be a single line
    if not lost:
        return None
    kept = whole_lines(reader, lost, letters)
    if letters is NARROW and damaged.name.lower().endswith(TABLES):
        kept = whole_rows(reader, kept)
    if not kept:
        return None
    return Repaired(
        _pieces(reader, kept, letters),
        say("the whole lines were put one behind the other"),
        counts_of(reader, kept, letters),
        (told_of(reader, kept, lost),),
        named(reader, lost),
    )


def counts_of(reader: Reader, kept: list[Span], letters: Letters = NARROW) -> tuple[Count, ...]:
    """Return how many lines and bytes are kept."""
    count = sum(letters.lines(piece) for span in kept for piece in chunks(reader, span.start, span.end))
    return Count("lines", count), Count("bytes", sum(map(len, kept)), reader.size)


def told_of(reader: Reader, kept: list[Span], lost: list[Span]) -> Message:
    """Return what is said of the lines that are not kept."""
    return say(
        "{bytes} bytes in {count} places are lost, with the lines cut there",
        bytes=reader.size - sum(map(len, kept)),
        count=len(lost),
    )


def named(reader: Reader, lost: list[Span]) -> tuple[str, ...]:
    """Return the lost ranges for people."""
    return tuple(f"bytes {span.start}-{min(span.end, reader.size)}" for span in lost[:LISTED])


def _pieces(reader: Reader, kept: list[Span], letters: Letters) -> Iterator[Piece]:
    if letters.mark and kept[0].start:
        yield letters.mark, Origin.GUESSED
    for span in kept:
        yield from copied(reader, span.start, span.end)


def _objects(damaged: Damaged, lost: list[Span], letters: Letters) -> Repaired | None:
    """Take the whole objects of a JSON document as a list, in UTF-8; it may have no hole, and be cut off."""
    reader = damaged.reader
    found: list[bytes] = []
    for span in gaps(lost, reader.size):
        start = letters.up(span.start)
        piece = reader.read_at(start, max(span.end - start, 0)).decode(letters.codec, "replace")
        found += [each.encode("utf-8", "replace") for each in _whole_objects(piece)]
    if not found:
        return None
    missing = say("what was between {count} holes in the document is lost", count=len(lost))
    return Repaired(
        [(b"[\n", Origin.GUESSED), (b",\n".join(found), Origin.PLAIN), (b"\n]\n", Origin.GUESSED)],
        say("the whole objects were put into a list"),
        (Count("objects", len(found)),),
        (
            missing
            if lost
            else say("the document breaks off, or has an error: what is no whole object is lost"),
        ),
        named(reader, lost),
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
    (*EXTENSIONS, "sql", "log", "mbox", "tsv", "jsonl"),
    repair,
    finds,
)
