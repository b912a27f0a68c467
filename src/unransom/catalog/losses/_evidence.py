"""Bytes that speak for a loss: a filling, and random stretches."""

from __future__ import annotations

from unransom.core.stats import DEVIATION, chi_square
from unransom.core.streams import CHUNK, Reader, chunks

SHORT = 64  # bytes that are compared first
NEAR = 5 * DEVIATION  # chi-square of random bytes is 255 give or take this, but for one stretch in a million


def is_filled(reader: Reader, value: int) -> bool:
    """Return whether all bytes of ``reader`` are ``value``; False where there are none."""
    filling = bytes([value]) * CHUNK
    if reader.size == 0 or reader.read_at(0, SHORT) != filling[: min(SHORT, reader.size)]:
        return False
    return all(piece == filling[: len(piece)] for piece in chunks(reader))


def is_random(data: bytes) -> bool:
    """Return whether ``data``, a KiB or more, is spread like random bytes; compressed data may be, too."""
    return abs(chi_square(data) - 255) < NEAR
