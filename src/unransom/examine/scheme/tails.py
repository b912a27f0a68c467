"""What the ends of locked files have in common: constant bytes, and blocks that some of them share."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from unransom.core.streams import Salvage

LOOKED = 2048  # bytes from the end
BLOBS = (1024, 512, 256, 128, 64, 32)  # bytes that a wrapped key may have
LEAST = 3  # files that must agree


class Tails(NamedTuple):
    """What the ends of some files have in common.

    Attributes:
        constant: From how far before the end on the bytes are the same in all files, and how many are.
        shared: Bytes at the end that some files have in common, 0 where none do.
        files: How many files have them in common.
    """

    constant: tuple[int, int]
    shared: int
    files: int


def tails_of(ends: list[bytes]) -> Tails:
    """Return what ``ends``, the last bytes of locked files, have in common."""
    ends = [end for end in ends if len(end) >= 32]
    if len(ends) < LEAST:
        return Tails((0, 0), 0, 0)
    length = min(LOOKED, *map(len, ends))
    table = np.stack([np.frombuffer(end[-length:], np.uint8) for end in ends])
    same = (table == table[0]).all(axis=0)
    constant = np.flatnonzero(same)
    # Single columns are the same by chance where files are few.
    solid = [int(place) for place in constant if place + 1 < length and same[place + 1]]
    first = length - solid[0] if solid else (1 if same[-1] else 0)
    for blob in BLOBS:
        if blob > length:
            continue
        common = Counter(end[-blob:] for end in ends).most_common(1)[0]
        if common[1] >= LEAST and len(set(common[0])) > min(blob, 256) // 4:
            return Tails((first, int(same.sum())), blob, common[1])
    return Tails((first, int(same.sum())), 0, 0)


def end_of(locked: Salvage) -> bytes:
    """Return the last bytes of a file."""
    return locked.read_at(max(locked.size - LOOKED, 0), LOOKED)
