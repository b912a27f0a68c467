"""PackBits, the run-length coding of TIFF and PSD."""

from __future__ import annotations


def unpacked_length(data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Return how many bytes the runs from ``start`` to ``end`` stand for, and where the last run ends.

    The last run may claim more than there is: then the second number lies behind ``end``.
    """
    end = len(data) if end is None else end
    length, position = 0, start
    while position < end:
        head = data[position]
        if head < 128:
            length += head + 1
            position += head + 2
        else:
            length += 257 - head if head > 128 else 0
            position += 2 if head > 128 else 1
    return length, position
