"""Tells which of many originals, whatever they are called, a locked file was: by what is not locked of it.

Most lockers leave a part of every larger file as it was. Short samples from the same places of a locked file
and of originals say which belong together, without any comparison of each with each.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from unransom.core.streams import Reader

SAMPLE = 64  # bytes
DISTINCT = 16  # different bytes that a sample must have: padding and tables of zeros are alike everywhere
AGREED = 2  # samples that must be the same
SMALL, MIDDLE, LARGE = 1 << 12, 1 << 16, 1 << 20  # bytes from one place to the next
PLACES = tuple(
    sorted({step * number + SAMPLE for step in (SMALL, MIDDLE, LARGE) for number in range(1, 25)})
)  # of samples; not at the very beginning, where files of one format are alike
ADDED = 2048  # bytes that a locker may put behind the original


def sampled(content: Reader) -> frozenset[bytes]:
    """Return digests of short samples from fixed places, each with its place; none of what says little."""
    found = set()
    for place in PLACES:
        if place + SAMPLE > content.size:
            break
        sample = content.read_at(place, SAMPLE)
        if len(set(sample)) >= DISTINCT:
            found.add(hashlib.blake2b(sample, digest_size=12, salt=place.to_bytes(8)).digest())
    return frozenset(found)


class Originals:
    """Originals, to be found again by what a locked file has in common with them."""

    def __init__(self, originals: Iterable[tuple[int, frozenset[bytes]]]) -> None:
        """Take the size of each original and what was ``sampled`` of it; they are numbered in that order."""
        self._sizes: list[int] = []
        self._places: dict[bytes, list[int]] = defaultdict(list)
        for number, (size, digests) in enumerate(originals):
            self._sizes.append(size)
            for each in digests:
                self._places[each].append(number)

    def of(self, size: int, digests: frozenset[bytes]) -> int | None:
        """Return the number of the original of a locked file; None where none is, or several may be.

        Args:
            size: Of the locked file.
            digests: What was ``sampled`` of it.
        """
        agreed = Counter(number for each in digests for number in self._places.get(each, ()))
        fitting = [
            (count, number)
            for number, count in agreed.items()
            if count >= AGREED and 0 <= size - self._sizes[number] <= ADDED
        ]
        if not fitting:
            return None
        (most, best), *others = sorted(fitting, reverse=True)
        return None if any(count == most for count, _ in others) else best
