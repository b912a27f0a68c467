"""Sharp edges between locked bytes and plain ones: where a locker's areas begin and end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice

from unransom.core.spans import Span
from unransom.core.stats import DEVIATION, chi_square
from unransom.core.streams import Reader
from unransom.crypto.noise import is_noise

EDGE = 64  # bytes on each side of an edge; it lies within as many
PLAIN = 512  # bytes beside an edge that are plain for sure
FAR = 255 + 20 * DEVIATION  # chi-square from which a few hundred bytes are neither encrypted nor compressed
MOST = 8  # areas that are looked at
SAMPLE = 16384  # bytes in which pictures, films and most archives are seen not to be encrypted
UNREADABLE = bytes(512)  # what stands for a sector that could not be read


def areas_bits(reader: Reader, areas: Iterable[Span], size: int) -> int | None:
    """Return how many bits of a file say that exactly these areas of it are locked.

    Args:
        reader: The locked file.
        areas: What a family locks of a file of this size, in order.
        size: Bytes of the original.

    Returns:
        0 where no edge is to be seen, as in compressed content; None where bytes of an area are not random,
        so that other areas were locked, or the file is not as long as it was.
    """
    bits = 0.0
    for area in islice(areas, MOST):
        if not _may_be_locked(reader, area):
            return None
        bits += edge_bits(reader, area.start, size, begins=True)
        if area.end + PLAIN <= size:
            bits += edge_bits(reader, area.end, size, begins=False)
    return int(bits)


def _may_be_locked(reader: Reader, area: Span) -> bool:
    """Return whether all that is looked at of an area is random: its ends, and samples of a large one."""
    ends = (area.start, area.end - EDGE) if len(area) >= EDGE else ()
    if not all(is_noise(reader.read_at(start, EDGE)) for start in ends):
        return False
    starts = (area.start, (area.start + area.end - SAMPLE) // 2, area.end - SAMPLE)
    samples = (reader.read_at(start, SAMPLE) for start in starts if len(area) >= SAMPLE)
    return all(chi_square(sample) < FAR or UNREADABLE in sample for sample in samples)


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
