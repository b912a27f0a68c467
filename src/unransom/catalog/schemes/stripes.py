"""Which areas of a file are locked, by turns with others that are not, seen from which bytes are plain.

Home-made lockers and new ones write their numbers nowhere. They take round ones: so those are tried that
leave no plain bytes in a locked area, and the key shows which of them is right.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from unransom.core.streams import Reader
from unransom.crypto.noise import is_noise

KIB, MIB = 1 << 10, 1 << 20
SMALLEST = 64 * KIB  # bytes of an area
SAMPLE = 4096  # bytes
SAMPLES = 512  # of a file, at even distances
FEW = 64  # samples of these that must show something plain
CLOSE = 64  # samples at the beginning, one after each smallest area
MOST = 12  # answers
ROUND = (
    *(count * KIB for count in (64, 128, 256, 512)),
    *(count * MIB for count in (1, 2, 3, 4, 5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 200)),
    *(count * 100_000 for count in (1, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
TIMES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 19, 20, 49, 50, 99, 100)
PERCENTS = (1, 2, 3, 5, 10, 15, 20, 25, 30, 33, 40, 50, 60, 70, 75, 80, 90)


class Stripes(NamedTuple):
    """``on`` bytes are locked, ``off`` bytes are not, and again."""

    on: int
    off: int


def stripes(reader: Reader, start: int, size: int) -> list[Stripes]:
    """Return the round numbers that fit a file best; none where nothing in it is plain.

    Args:
        reader: The locked file.
        start: Where its first locked byte is.
        size: Bytes from there on that may be locked.
    """
    places = _places(size)
    plain = np.array([not is_noise(reader.read_at(start + place, SAMPLE)) for place in places[:FEW]], bool)
    if not plain.any():
        return []
    rest = [not is_noise(reader.read_at(start + place, SAMPLE)) for place in places[FEW:]]
    plain = np.concatenate([plain, np.array(rest, bool)])
    at = np.array(places, np.int64)
    found = []
    for each in _round(size):
        phase = at % (each.on + each.off)
        if not (phase[plain] + SAMPLE <= each.on).any():
            between = (phase >= each.on) & (phase + SAMPLE <= each.on + each.off)
            found.append((int((between & ~plain).sum()), each))
    return [each for _, each in sorted(found)[:MOST]]


def _places(size: int) -> list[int]:
    """Return where samples are taken: first ``FEW`` all over the file, then between them and closely."""
    step = max((size - SAMPLE) // FEW, 1)
    wide = [index * step for index in range(FEW) if index * step + SAMPLE <= size]
    narrow = max((size - SAMPLE) // SAMPLES, 1)
    more = {index * narrow for index in range(SAMPLES)} | {index * SMALLEST for index in range(CLOSE)}
    return wide + sorted(place for place in more.difference(wide) if place + SAMPLE <= size)


def _round(size: int) -> set[Stripes]:
    """Return the numbers that lockers may have for a file of ``size`` bytes."""
    found = {Stripes(on, off) for on, off in itertools.product(ROUND, ROUND) if on < size}
    found |= {Stripes(on, on * times) for on, times in itertools.product(ROUND, TIMES) if on < size}
    once = [on for on in ROUND if on < size] + [size * percent // 100 for percent in PERCENTS]
    return found | {Stripes(on, size) for on in once if on >= SMALLEST}
