"""Records of some pages of an index in the order in which they lie, for guesses about their fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import decode
from unransom.catalog.databases.innodb.liveness import free_pages, leaves
from unransom.catalog.databases.innodb.tablespace import Tablespace

PAGES = 16
MOST = 2000  # records
FIRST = 120  # where the records of a compact page begin
SPECIAL = 0xD0  # info bits of records that are no rows, or of rows from instant changes


class Sample(NamedTuple):
    """Some compact records.

    Attributes:
        data: Pages.
        origins: Where they start, in the order in which they lie.
        begins: Where the first of a page begins with its header; -1 of the others.
        tops: Where the last of a page ends; -1 of the others.
        redundant: They are not compact after all; ``begins`` and ``tops`` say nothing then.
    """

    data: NDArray[np.uint8]
    origins: NDArray[np.int64]
    begins: NDArray[np.int64]
    tops: NDArray[np.int64]
    redundant: bool


def sample_of(space: Tablespace, index: int) -> Sample | None:
    """Return records of ``index`` from all over it, None where it has none."""
    numbers = leaves(space.table, index)
    numbers = numbers[~free_pages(space)[numbers]]
    numbers = numbers[:: max(len(numbers) // PAGES, 1)][:PAGES]
    for _, data in space.groups(numbers, PAGES):
        parts = list(_parts(data, space.logical))
        if not parts:
            return None
        origins, begins, tops = (np.concatenate(column)[:MOST] for column in zip(*parts, strict=True))
        return Sample(data, origins, begins, tops, not data[42] & 0x80)
    return None


def _parts(
    data: NDArray[np.uint8], size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield origins, begins and tops of the records of each page."""
    compact = bool(data[42] & 0x80)
    live, owners, ended = decode.listed(data, size)
    freed, freed_owners, _ = decode.listed(data, size, deleted=True)
    for page in range(len(data) // size):
        base = page * size
        if not ended[page] or bool(data[base + 42] & 0x80) != compact:
            continue
        origins = np.unique(np.concatenate([live[owners == page], freed[freed_owners == page]]))
        if not compact:
            origins = live[owners == page]
        if not len(origins):
            continue
        begins, tops = np.full(len(origins), -1, np.int64), np.full(len(origins), -1, np.int64)
        top = int(data[base + 40]) << 8 | int(data[base + 41])
        begins[0], tops[-1] = base + FIRST, base + top
        if int(origins[-1]) < base + top <= base + size:
            yield origins, begins, tops
