"""The keys that sound pages account for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.types import Kind

COMPARABLE = frozenset(
    [Kind.SIGNED, Kind.UNSIGNED, Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP, Kind.ENUM, Kind.BIT, Kind.INET6]
)
MOST_HASHES = 1 << 24  # keys that are remembered: 128 MiB
KEY_BYTES = 8  # of keys that are compared as numbers
_NO_KEYS = np.zeros(0, np.uint64)


class Accounted(NamedTuple):
    """Keys that sound pages account for; a salvaged row with such a key is an old copy.

    Attributes:
        firsts, lasts: First and last key of each sound leaf page, sorted, where keys can be compared.
        hashes: Sorted hashes of all keys, where they cannot.
    """

    firsts: NDArray[np.uint64]
    lasts: NDArray[np.uint64]
    hashes: NDArray[np.uint64]

    def covers(self, keys: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which rows are accounted for, by their keys or by the hashes of them."""
        known = np.zeros(len(keys), np.bool_)
        if len(self.firsts):
            place = np.searchsorted(self.firsts, keys, "right") - 1
            known |= (place >= 0) & (keys <= self.lasts[np.maximum(place, 0)])
        if len(self.hashes):
            place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
            known |= self.hashes[place] == hashes
        return known


class Accounting:
    """Takes the rows of sound pages, and remembers their keys."""

    def __init__(self, found: Found) -> None:
        """Begin with none; the rows are of ``found``."""
        self._found = found
        self._comparable = is_comparable(found)
        self._rows = 0
        self._firsts, self._lasts, self._hashes = [_NO_KEYS], [_NO_KEYS], [_NO_KEYS]

    def add(self, located: decode.Located) -> None:
        """Take the rows of some pages, in their order."""
        self._rows += len(located.origins)
        if self._comparable:
            keys = key_numbers(self._found, located)
            edges = np.flatnonzero(np.diff(located.owners, prepend=-1, append=-1))
            self._firsts.append(keys[edges[:-1]])
            self._lasts.append(keys[edges[1:] - 1])
        elif self._rows < MOST_HASHES:
            self._hashes.append(key_hashes(self._found, located))

    def accounted(self) -> Accounted:
        """Return what was taken."""
        firsts = np.concatenate(self._firsts)
        order = np.argsort(firsts)
        hashes = np.sort(np.concatenate(self._hashes))
        return Accounted(firsts[order], np.concatenate(self._lasts)[order], hashes)


def is_comparable(found: Found) -> bool:
    """Return whether ``key_numbers`` are ordered like the keys, and differ where they do."""
    parts = [field.type for field in found.layout.fields[: found.layout.key]]
    fixed = all(part.kind in COMPARABLE and part.length > 0 for part in parts)
    return fixed and sum(part.length for part in parts) <= KEY_BYTES


def key_hashes(found: Found, located: decode.Located) -> NDArray[np.uint64]:
    """Return a hash of each record's key."""
    out = np.zeros(len(located.origins), np.uint64)
    kernel.key_hashes(located.data, located.starts, located.lengths, found.layout.key, out)
    return out


def live(found: Found, numbers: NDArray[np.int64], data: NDArray[np.uint8]) -> decode.Located:
    """Return the live records of sound pages."""
    origins, owners, _ = decode.listed(data, found.space.logical)
    located = decode.locate(data, numbers, origins, owners, found.plan)
    return located.only((located.begins >= 0) & ((located.info() & 0x30) == 0))


def is_current(found: Found, located: decode.Located) -> NDArray[np.bool_]:
    """Return which records are not those of rows that were changed or deleted since (system versioning)."""
    names = [field.name for field in found.layout.fields]
    if found.definition.until not in names:
        return np.ones(len(located.origins), np.bool_)
    place = names.index(found.definition.until)
    starts = located.starts[place]
    first = decode.numbers_at(located.data, starts, 4)
    if found.layout.fields[place].type.kind is Kind.UNSIGNED:  # the number of a transaction
        return first == np.uint64(0xFFFFFFFF)
    return (first == np.uint64(0x7FFFFFFF)) | (first == np.uint64(0xFFFFFFFF))


def key_numbers(found: Found, located: decode.Located) -> NDArray[np.uint64]:
    """Return each record's key as a number that is ordered like the keys; zeros where there is none."""
    value = np.zeros(len(located.origins), np.uint64)
    for number, field in enumerate(found.layout.fields[: found.layout.key] if is_comparable(found) else ()):
        part = decode.numbers_at(located.data, located.starts[number], field.type.length)
        if field.descending:
            part = np.uint64((1 << 8 * field.type.length) - 1) - part
        value = part if not number else value << np.uint64(8 * field.type.length) | part
    return value
