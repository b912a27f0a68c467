"""Find stretches of uniformly random bytes where the format has text, tables or raw pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unransom.core.stats import DEVIATION, block_chi_squares
from unransom.core.streams import Reader, chunks

WINDOW = 1024  # so that an encrypted block of 4 KiB fills two windows wherever it starts
UNIFORM = 255 + 5 * DEVIATION


def uniform_stretches(reader: Reader, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of two or more adjacent windows from ``start`` to ``end`` that are uniformly random.

    Text has a chi-square of thousands per window. Only for data that is neither compressed nor encrypted.
    """
    for piece in chunks(reader, start, end):
        uniform = np.concatenate(([False], block_chi_squares(piece, WINDOW) < UNIFORM, [False]))
        edges = np.flatnonzero(uniform[1:] != uniform[:-1])
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if last - first > 1:
                yield start + first * WINDOW, start + last * WINDOW
        start += len(piece)
