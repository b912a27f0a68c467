"""Bytes that speak for a loss: a filling, random stretches, and sharp edges between these and plain data."""

from __future__ import annotations

import math

from unransom.core.stats import DEVIATION, chi_square
from unransom.core.streams import CHUNK, Reader, chunks
from unransom.crypto.noise import is_noise

EDGE = 64  # bytes on each side of an edge; it lies within as many
PLAIN = 512  # bytes beside an edge that are plain for sure
NEAR = 5 * DEVIATION  # chi-square of random bytes is 255 give or take this, but for one stretch in a million
FAR = 255 + 20 * DEVIATION  # chi-square from which a few hundred bytes are neither encrypted nor compressed


def is_filled(reader: Reader, value: int) -> bool:
    """Return whether all bytes of ``reader`` are ``value``; False where there are none."""
    filling = bytes([value]) * CHUNK
    if reader.size == 0 or reader.read_at(0, EDGE) != filling[: min(EDGE, reader.size)]:
        return False
    return all(piece == filling[: len(piece)] for piece in chunks(reader))


def is_random(data: bytes) -> bool:
    """Return whether ``data``, a KiB or more, is spread like random bytes; compressed data may be, too."""
    return abs(chi_square(data) - 255) < NEAR


def edge_bits(reader: Reader, at: int, period: int, *, begins: bool) -> float:
    """Return the bits that a sharp edge at ``at`` is worth, 0.0 where there is none.

    A few bytes of compressed data look plain by chance, hundreds of them never do.

    Args:
        reader: The file.
        at: Where random bytes ought to begin, or to end.
        period: Bytes within which the edge might lie anywhere.
        begins: The random bytes are behind the edge, else before it.
    """
    before, behind = reader.read_at(max(at - PLAIN, 0), min(PLAIN, at)), reader.read_at(at, PLAIN)
    if len(before) < PLAIN or len(behind) < PLAIN:
        return 0.0
    random, plain, near = (
        (behind[:EDGE], before, before[-EDGE:]) if begins else (before[-EDGE:], behind, behind[:EDGE])
    )
    if not is_noise(random) or is_noise(near) or chi_square(plain) < FAR:
        return 0.0
    return math.log2(max(period, EDGE) / EDGE)
