"""Find encrypted stretches in programs: code is never uniformly random, constants may be.

A random table among constants begins and ends anywhere; what a locker has encrypted begins and ends at
a multiple of 4 KiB, with other bytes right before and behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats._uniform import uniform_blocks, uniform_stretches
from unransom.core.spans import Span
from unransom.core.stats import DEVIATION, chi_square
from unransom.core.streams import Reader

LEAST = 3072  # bytes: constants of ciphers make shorter stretches
EVEN = 255 - 5 * DEVIATION  # tables of ciphers have every byte equally often: more even than random ones
EDGE = 256  # bytes on each side of a block that must be far from random:
DISTINCT = 110  # so many different values at most, where random bytes have 162
CURVE = range(
    146 << 10, 154 << 10
)  # OpenSSL keeps 148 KiB of points of the curve P-256 among code or constants


def random_code(reader: Reader, start: int, end: int) -> Iterator[Span]:
    """Yield the stretches of code from ``start`` to ``end`` that are uniformly random."""
    for first, last in uniform_stretches(reader, start, end):
        if last - first < LEAST or last - first in CURVE:
            continue
        if chi_square(reader.read_at(first, min(last - first, 1 << 16))) >= EVEN:
            yield Span(first, last)


def random_blocks(reader: Reader, start: int, end: int) -> Iterator[Span]:
    """Yield the blocks of constants from ``start`` to ``end`` that are uniformly random, with sharp edges."""
    for span in uniform_blocks(reader, start, end):
        before, behind = reader.read_at(max(0, span.start - EDGE), EDGE), reader.read_at(span.end, EDGE)
        if span.end - span.start not in CURVE and max(len(set(before)), len(set(behind))) < DISTINCT:
            yield span
