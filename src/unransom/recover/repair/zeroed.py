"""Blocks of zeros in a file whose format has none: what a failed copy, a trim or a wiper leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unransom.core.spans import Span
from unransom.core.streams import Reader, chunks

SECTOR = 512
CLUSTER = 4096
SLACK = 3  # zero bytes next to a hole that belong to the file


def zeroed(reader: Reader) -> tuple[Span, ...]:
    """Return the ranges of zeros that were zeroed block by block.

    Packed data has runs of zeros too, but where it likes: a hole begins and ends with a sector, or at an end
    of the file, or is some clusters long.
    """
    return tuple(span for span in _runs(reader) if _is_hole(span, reader.size))


def _is_hole(span: Span, size: int) -> bool:
    edges = _near(span.start, SECTOR) or _near(size - span.start, SECTOR)
    whole = edges and (span.end == size or _near(-span.end, SECTOR))
    return len(span) >= SECTOR and (whole or (len(span) >= CLUSTER and _near(-len(span), CLUSTER)))


def _near(offset: int, block: int) -> bool:
    """Return whether ``offset`` is at a multiple of ``block``, or a few bytes in front of one."""
    return -offset % block <= SLACK


def _runs(reader: Reader) -> Iterator[Span]:
    """Yield the runs of zeros that hold a sector of them, each as far as it goes."""
    position = last = 0  # ``last`` is behind the last byte that is not zero
    for piece in chunks(reader):
        places = np.flatnonzero(np.frombuffer(piece, np.uint8))
        gaps = np.diff(np.r_[last - 1 - position, places])
        for index in np.flatnonzero(gaps > SECTOR).tolist():
            end = position + int(places[index])
            yield Span(end - int(gaps[index]) + 1, end)
        if len(places):
            last = position + int(places[-1]) + 1
        position += len(piece)
    if position - last >= SECTOR:
        yield Span(last, position)
