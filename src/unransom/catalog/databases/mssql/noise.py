"""Which stretches of pages look random, as machine code."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

WINDOW, STRIDE = 64, 16  # bytes that are judged at once, and how far from one window to the next
DISTINCT, HIGH = 50, 20  # different bytes, and bytes above 127, that random windows have at least


@njit(cache=True, nogil=True)
def random_places(pages):
    """Tell for each byte of ``pages``, one page a row, whether it lies in a stretch that looks random."""
    out = np.zeros(pages.shape, np.bool_)
    seen = np.zeros(256, np.int64)
    mark = 0
    for row in range(pages.shape[0]):
        for start in range(0, pages.shape[1] - WINDOW + 1, STRIDE):
            mark += 1
            distinct = high = 0
            for index in range(start, start + WINDOW):
                byte = pages[row, index]
                distinct += seen[byte] != mark
                high += byte >> 7
                seen[byte] = mark
            if distinct >= DISTINCT and high >= HIGH:
                out[row, start : start + WINDOW] = True
    return out
