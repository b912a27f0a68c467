"""The cross-reference sections of a PDF: tables and streams that say where each object starts."""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._pdf_walk import Kind, Part

TABLE_CAP = 1 << 26  # bytes of one cross-reference stream

_LINES = re.compile(rb"(\d{10})[ ]\d{5}[ ]n")
_WIDTHS = re.compile(rb"/W\s*\[\s*(\d)\s+(\d)\s+(\d)\s*\]")
_PREDICTOR = re.compile(rb"/Predictor\s+1[0-5]\b")
_FLATE = re.compile(rb"/Filter\s*\[?\s*/FlateDecode")

Offsets = NDArray[np.int64]
NONE: Offsets = np.empty(0, np.int64)


def table_offsets(part: Part) -> Offsets:
    """Return the offsets of the objects in use that a cross-reference table lists."""
    return np.array([int(digits) for digits in _LINES.findall(part.text)], np.int64)


def is_stream(part: Part) -> bool:
    """Return whether the part is a cross-reference stream."""
    return part.kind is Kind.STREAM and b"/XRef" in part.text and _WIDTHS.search(part.text) is not None


def stream_offsets(part: Part, data: bytes) -> Offsets:
    """Return the offsets that a cross-reference stream of ``data`` lists; none where it is broken."""
    widths = _WIDTHS.search(part.text)
    if widths is None:
        return NONE
    kind, place, generation = (int(width) for width in widths.groups())
    rows = _rows(part.text, data, kind + place + generation)
    if rows is None or not 0 < place <= 7:
        return NONE
    used = rows[:, 0] == 1 if kind == 1 else np.full(len(rows), kind == 0)
    offsets = np.zeros(int(used.sum()), np.int64)
    for column in range(kind, kind + place):
        offsets = offsets << 8 | rows[used, column]
    return offsets


def _rows(text: bytes, data: bytes, width: int) -> NDArray[np.uint8] | None:
    """Return the table as rows of ``width`` bytes; None where it is not such a table."""
    if _FLATE.search(text):
        try:
            data = zlib.decompressobj().decompress(data, TABLE_CAP)
        except zlib.error:
            return None
    predicted = _PREDICTOR.search(text) is not None
    stride = width + predicted
    values = np.frombuffer(data, np.uint8)
    if not stride or len(values) < stride:
        return None
    rows = values[: len(values) // stride * stride].reshape(-1, stride)
    if not predicted:
        return rows
    if not np.isin(rows[:, 0], (0, 2)).all():
        return None  # no producer uses other PNG filters here
    return _unfilter(rows)


def _unfilter(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo PNG's filters None (0) and Up (2): a row with Up is a difference to the row above."""
    sums = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint64)
    starts = np.flatnonzero(rows[:, 0] == 0)  # rows that stand for themselves: sums start anew
    if len(starts):
        last = np.searchsorted(starts, np.arange(len(rows)), side="right") - 1
        before = np.where((last >= 0) & (starts[last] > 0), starts[last] - 1, -1)
        sums -= np.where(before[:, None] >= 0, sums[before], 0)
    return (sums & 0xFF).astype(np.uint8)
