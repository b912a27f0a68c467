"""Tables as text: CSV and its kin with semicolons, tabs or bars."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import (
    Encoding,
    guess_encoding,
    note_text,
    scan_text,
    text_bits,
    text_verdict,
)
from unransom.catalog.formats.format import HEAD, Format, Measure, Validation
from unransom.catalog.formats.text import measure as measure_text
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks

QUOTED = re.compile(rb'"(?:[^"]|"")*"')
DELIMITERS = b",;\t|"
QUOTE, NEWLINE = b'"'[0], b"\n"[0]
ROWS = 10  # from so many on a table has a shape
REGULAR = 0.95  # share of rows with the usual number of columns that makes a table regular


class Shape(msgspec.Struct):
    """How the rows of a table are made.

    Attributes:
        widths: How many rows have how many delimiters, ended rows only.
        last: Delimiters in a last row without a line end, None where there is no such row.
        quoted: The end lies inside of quotes.
    """

    widths: Counter[int]
    last: int | None = None
    quoted: bool = False

    @property
    def usual(self) -> int:
        """Delimiters that most rows have."""
        return self.widths.most_common(1)[0][0] if self.widths else 0

    @property
    def regular(self) -> bool:
        """Whether nearly all of many rows have the same columns, two at least."""
        rows = self.widths.total()
        return rows >= ROWS and self.usual > 0 and self.widths[self.usual] >= REGULAR * rows

    @property
    def cut(self) -> bool:
        """Whether the end of a regular table is missing."""
        return self.regular and (self.quoted or (self.last is not None and 0 < self.last < self.usual))


def delimiter_of(head: bytes, encoding: Encoding) -> int | None:
    """Return the delimiter that most whole lines of ``head`` have equally often, None where there is none."""
    text = head.decode(encoding.name, "replace").encode() if encoding.wide else head
    return _common_delimiter(QUOTED.sub(b"", text), head) or _common_delimiter(text, head)


def _common_delimiter(text: bytes, head: bytes) -> int | None:
    lines = text.splitlines()[:-1] if len(head) == HEAD else text.splitlines()
    lines = [line for line in lines if line]
    best: tuple[int, int] | None = None
    for delimiter in DELIMITERS:
        if text.count(delimiter) * 10 < 9 * len(lines):
            continue  # too few for nine of ten lines to have one
        counts = Counter(line.count(delimiter) for line in lines)
        counts.pop(0, None)
        for width, rows in counts.most_common(1):
            if rows >= 3 and rows * 10 >= 9 * len(lines) and (best is None or width > best[0]):
                best = width, delimiter
    return best[1] if best else None


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` reads as a table."""
    encoding = guess_encoding([head])
    if encoding is None or delimiter_of(head, encoding) is None:
        return 0
    bits = text_bits(head)
    return min(bits + 4, 28) if bits else 0


def measure(reader: Reader) -> Measure:
    """Return the length up to the first bytes that are no text."""
    return measure_text(reader)


def shape_of(pieces: Iterator[bytes], delimiter: int, *, quotes: bool) -> Shape:
    """Count delimiters row by row, with or without minding quotes."""
    shape = Shape(Counter())
    pending, inside, tail = 0, False, b"\n"
    for piece in pieces:
        values = np.frombuffer(piece, np.uint8)
        marks: NDArray[np.bool_] = (values == delimiter) | (values == NEWLINE)
        if quotes and (inside or QUOTE in piece):
            parity = np.bitwise_xor.accumulate(values == QUOTE) ^ inside
            marks &= ~parity
            inside = bool(parity[-1])
        ends = np.flatnonzero(values[marks] == NEWLINE)
        if len(ends):
            widths = np.diff(ends, prepend=-1 - pending) - 1
            kinds, counts = np.unique(widths, return_counts=True)
            shape.widths.update(dict(zip(kinds.tolist(), counts.tolist(), strict=True)))
            pending = int(np.count_nonzero(marks)) - int(ends[-1]) - 1
        else:
            pending += int(np.count_nonzero(marks))
        tail = piece[-1:]
    shape.last = pending if tail != b"\n" else None
    shape.quoted = inside
    return shape


def validate(reader: Reader) -> Validation:
    """Check that all of it is text, and that the last row of a regular table is whole."""
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings = Findings(reader.size)
    note_text(scan, reader, findings)
    delimiter = delimiter_of(reader.read_at(0, HEAD), scan.encoding)
    if delimiter is None or not findings.clean:
        return text_verdict(
            scan, findings, say("text in {encoding}", encoding=scan.encoding.name), reader.size
        )
    shape = shape_of(_bytewise(reader, scan.encoding), delimiter, quotes=True)
    if not shape.regular or shape.cut:  # quotes may stand for inches
        bare = shape_of(_bytewise(reader, scan.encoding), delimiter, quotes=False)
        shape = bare if bare.regular else shape
    if shape.cut:
        findings.fault(reader.size, reader.size, say("the last row is cut off"))
    return text_verdict(
        scan, findings, say("rows of {columns} columns", columns=shape.usual + 1), reader.size
    )


def _bytewise(reader: Reader, encoding: Encoding) -> Iterator[bytes]:
    """Yield the content with one byte for each delimiter."""
    if not encoding.wide:
        yield from chunks(reader)
        return
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    for piece in chunks(reader):
        if text := decoder.decode(piece).encode():
            yield text


FORMAT = Format(
    name="csv",
    title="Table as text",
    extensions=("csv", "tsv", "tab"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=("https://www.rfc-editor.org/rfc/rfc4180",),
    limitations=("A table that was cut off behind a row, or inside the last column, is still a table.",),
)
