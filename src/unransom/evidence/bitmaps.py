"""Bitmaps of clusters and blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unransom.core.spans import Span


def bits_of(bitmap: bytes) -> np.ndarray:
    """Return the bits of a bitmap, the lowest of each byte first."""
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")


def runs(used: np.ndarray, start: int, cluster: int) -> Iterator[Span]:
    """Yield the runs of clusters that are used, the first of which begins at ``start``."""
    edges = np.flatnonzero(np.diff(used.astype(np.int8), prepend=0, append=0)).tolist()
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield Span(start + first * cluster, start + last * cluster)
