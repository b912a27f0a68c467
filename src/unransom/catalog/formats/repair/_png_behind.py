"""The rows of a PNG behind the last hole of its pixel data: inflated from a block's beginning to the end."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._png_rows import FILTERS, Shape
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.repair._holes import UNKNOWN, inflate_tail
from unransom.catalog.formats.repair.repair import Damaged

LONGEST = 1 << 28  # bytes of pixel data that are looked at
SOUND = 0.98  # share of the rows that must begin with what is a filter
REPEAT = 2  # filter of a row that is like the one above
BEFORE = frozenset({b"IDAT", b"IEND"})


class RowsBehind(NamedTuple):
    """Rows behind a hole.

    Attributes:
        first: The number of the first of them.
        rows: Them as they stand in the stream, unknown bytes as 0.
        whole: Per row, whether all of it is known.
    """

    first: int
    rows: NDArray[np.uint8]
    whole: NDArray[np.bool_]


def rows_behind(damaged: Damaged, shape: Shape, broken: int) -> RowsBehind | None:
    """Return the rows behind the hole in the chunk at ``broken``, None where none come back."""
    if shape.interlaced:
        return None
    data, start = _rest(damaged, broken)
    symbols = inflate_tail(data, start)
    [(count, stride)] = shape.passes()
    if symbols is None or len(symbols) > count * stride:
        return None
    rows = len(symbols) // stride  # what there is of pixel data is known: rows are counted from its end
    if not rows:
        return None
    table = symbols[len(symbols) - rows * stride :].reshape(rows, stride)
    filters = table[:, 0]
    told = filters[filters < UNKNOWN]
    if not len(told) or np.mean(told < FILTERS) < SOUND:
        return None
    known = table < UNKNOWN
    known[~(filters < FILTERS)] = False  # without its filter a row says nothing
    pixels = np.where(known, table, 0).astype(np.uint8)
    pixels[~known[:, 0], 0] = REPEAT
    whole: NDArray[np.bool_] = np.all(known, axis=1)
    return RowsBehind(count - rows, pixels, whole)


def filled(front: bytes, behind: RowsBehind, stride: int) -> bytes:
    """Return the rows in front, those behind, and between them rows that repeat the last in front."""
    gap = np.zeros((behind.first - len(front) // stride, stride), np.uint8)
    gap[:, 0] = REPEAT
    return front + gap.tobytes() + behind.rows.tobytes()


def _rest(damaged: Damaged, broken: int) -> tuple[bytes, int]:
    """Return pixel data that goes to the end of its stream, and from where in it the hole may have ended."""
    reader = Cached(damaged.reader)
    parts: list[bytes] = []
    position, start = broken, 0
    while 0 <= position < reader.size and sum(map(len, parts)) < LONGEST:
        head = reader.read_at(position, 8)
        length = int.from_bytes(head[:4])
        body = reader.read_at(position + 8, min(length, LONGEST)) if head[4:] == b"IDAT" else b""
        if not body and position > broken:
            break
        end = position + 12 + length
        if not body or not _sound(reader, position, body):
            if not body or reader.read_at(end + 4, 4) not in BEFORE:
                # In front of the next chunk is the end of one whose head is lost, and its checksum.
                end = _next_sound(reader, position + 8)
                body = reader.read_at(position + 8, min(max(end - position - 12, 0), LONGEST))
            parts = []  # what is behind the last hole counts
            ends = [span.end - position - 8 for span in damaged.lost if position < span.end < end]
            start = max(ends, default=0)
        parts.append(body)
        position = end
    return b"".join(parts), start


def _sound(reader: Cached, position: int, body: bytes) -> bool:
    return reader.read_at(position + 8 + len(body), 4) == zlib.crc32(b"IDAT" + body).to_bytes(4)


def _next_sound(reader: Cached, position: int) -> int:
    """Return where the next chunk of pixels with its CRC-32 right begins, -1 for nowhere."""
    while (position := find(reader, b"IDAT", position + 1)) >= 0:
        length = int.from_bytes(reader.read_at(position - 4, 4))
        if position + length + 8 <= reader.size and length < LONGEST:
            body = reader.read_at(position, 4 + length)
            if reader.read_at(position + 4 + length, 4) == zlib.crc32(body).to_bytes(4):
                return position - 4
    return -1
