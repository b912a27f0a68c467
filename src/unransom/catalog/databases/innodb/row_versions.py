"""Rows that MySQL 8 marked with what their table was when they were written, where the SDI is lost.

A record says its row version, or how many fields it has, but not which columns came with it. Where columns
were only added behind the others, a CREATE TABLE statement tells which: how many came with each version is
tried on the records.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from unransom.catalog.databases.innodb import decode
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.schema import Layout
from unransom.catalog.databases.innodb.tablespace import Tablespace

VERSIONED, COUNTED = 0x40, 0x80  # info bits of a record: it has a row version, or a count of its fields
SDI_FLAG = 1 << 14  # of the space: it has SDI, as MySQL 8 writes it
EXTRA, SAMPLE = 5, 24  # bytes of a record's header; pages that are asked
MOST_ADDED, MOST_WAYS = 16, 200  # columns that are tried as added; ways to deal them out to versions


class Marks(NamedTuple):
    """What records say of instant changes: the highest row version, and whether they count their fields."""

    version: int
    counted: bool


def marks(space: Tablespace, owner: int) -> Marks:
    """Return what the records of an index say of instant changes."""
    if space.flags is not None and not space.flags & SDI_FLAG:
        return Marks(0, False)
    numbers = leaves(space.table, owner)
    version, counted = 0, False
    for _, data in space.groups(numbers[:: max(len(numbers) // SAMPLE, 1)][:SAMPLE]):
        origins, owners, _ = decode.listed(data, space.logical)
        origins = origins[data[owners.astype(np.int64) * space.logical + 42] & 0x80 > 0]
        info = data[origins - EXTRA]
        counted |= bool((info & COUNTED).any())
        told = data[origins[info & (VERSIONED | COUNTED) == VERSIONED] - EXTRA - 1]
        version = max(version, int(told.max(initial=0)))
    return Marks(version, counted)


def versioned(layout: Layout, highest: int) -> Iterator[Layout]:
    """Yield the ways in which the last columns may have come with the row versions 1 to ``highest``."""
    count, tried = len(layout.fields), 0
    for many in range(highest, min(MOST_ADDED, count - layout.key - 2) + 1):
        for cuts in itertools.combinations(range(1, many), highest - 1):
            tried += 1
            if tried > MOST_WAYS:
                return
            first = count - many
            starts = [first, *(first + cut for cut in cuts)]
            fields = tuple(
                msgspec.structs.replace(
                    field, added=sum(place >= start for start in starts), untold=place >= first
                )
                for place, field in enumerate(layout.fields)
            )
            yield Layout(fields, layout.key)
