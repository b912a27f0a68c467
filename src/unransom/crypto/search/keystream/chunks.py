"""The chunk that stands again and again where a short keystream locks zeros."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
MIXER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it loses nothing


class Modal(NamedTuple):
    """The commonest chunk.

    Attributes:
        chunk: Its bytes.
        times: How often it stands there.
        of: Among how many.
    """

    chunk: bytes
    times: int
    of: int


def modal(rows: Bytes) -> Modal | None:
    """Return the commonest row; None of no rows.

    Args:
        rows: Chunks of the same length, a multiple of 8.
    """
    if not len(rows):
        return None
    words = np.ascontiguousarray(rows).view(np.uint64)
    digests = np.zeros(len(rows), np.uint64)
    for column in words.T:
        digests = (digests ^ column) * MIXER
        digests ^= digests >> np.uint64(29)
    _, first, counts = np.unique(digests, return_index=True, return_counts=True)
    best = int(counts.argmax())
    return Modal(rows[first[best]].tobytes(), int(counts[best]), len(rows))


def between_zeros(steps: Bytes, chunk: int) -> Bytes:
    """Return the locked chunks that have nothing but zeros before and behind them.

    Args:
        steps: Rows of a locked chunk and what is plain behind it, as they follow on each other.
        chunk: Bytes of the locked chunk at the beginning of a row.
    """
    empty = np.logical_not(np.any(steps[:, chunk:], axis=1))
    inside = np.flatnonzero(np.logical_and(empty[1:], empty[:-1])) + 1
    return steps[inside, :chunk]
