"""Where rows of a table in text end whose quoted values go on over lines."""

from __future__ import annotations

import re

import numpy as np

from unransom.core.spans import Span
from unransom.core.streams import Reader, chunks

QUOTE, LINE = 0x22, 0x0A
SAMPLE = 1 << 17  # bytes behind a hole that tell whether it begins within quotes
EDGES = (b"", *(bytes([each]) for each in b",;\t|\r\n"))  # what stands beside a value
SHARE = 0.9  # of the bytes of whole lines: where less is left, quotes are written in another way


def whole_rows(reader: Reader, kept: list[Span]) -> list[Span]:
    """Return what is left of ``kept`` when rows that are cut within quotes are left out.

    Args:
        reader: The table, in letters of one byte for quotes and ends of lines.
        kept: Ranges of whole lines.
    """
    found = [_cut(reader, span, _begins_within(reader, span)) for span in kept]
    found = [span for span in found if span.start < span.end]
    return found if sum(map(len, found)) >= SHARE * sum(map(len, kept)) else kept


def _begins_within(reader: Reader, span: Span) -> bool:
    """Return whether the lines of ``span`` begin within a quoted value.

    In front of a quote that opens one stands what parts values, and behind one that closes it.
    """
    if span.start == 0:
        return False
    data = reader.read_at(span.start, min(SAMPLE, len(span))).replace(b'""', b"")  # those within a value
    fits = [0, 0]
    for number, found in enumerate(re.finditer(b'"', data)):
        fits[number % 2] += data[max(found.start() - 1, 0) : found.start()] in EDGES
        fits[1 - number % 2] += data[found.end() : found.end() + 1] in EDGES
    return fits[1] > fits[0]


def _cut(reader: Reader, span: Span, within: bool) -> Span:
    """Return the whole rows of ``span``, whose beginning is ``within`` quotes or not."""
    start, end = (span.end if within else span.start), span.start
    position, odd = span.start, int(within)
    for piece in chunks(reader, span.start, span.end):
        data = np.frombuffer(piece, np.uint8)
        open_at = (odd + np.cumsum(data == QUOTE, dtype=np.int64)) & 1
        ends = np.flatnonzero((data == LINE) & (open_at == 0))
        if len(ends):
            start = min(start, position + int(ends[0]) + 1)
            end = position + int(ends[-1]) + 1
        position, odd = position + len(data), int(open_at[-1])
    if span.end == reader.size and not odd:
        end = span.end  # a last row without an end of its line
    return Span(start, max(start, end))
