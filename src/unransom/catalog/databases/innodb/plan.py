"""A layout as the arrays that the compiled kernels take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb.schema import Field, Layout
from unransom.catalog.databases.innodb.types import VARIABLE

MOST_VERSIONS = 256


class Plan(NamedTuple):
    """See ``_record_kernel``; the order of the arrays is the kernels'."""

    widths: NDArray[np.int32]
    nullable: NDArray[np.uint8]
    big: NDArray[np.uint8]
    orders: NDArray[np.int16]
    counts: NDArray[np.int16]
    versions: NDArray[np.int16]
    numbers: NDArray[np.int16]


def plan_of(layout: Layout, core: int = 0) -> Plan:
    """Return the arrays for ``layout``.

    Args:
        layout: Of the table.
        core: Fields of records from before instant changes (MariaDB), 0 where there were none.
    """
    fields = layout.fields
    variants = _row_versions(fields)
    versions = np.full(MOST_VERSIONS, -1, np.int16)
    versions[: len(variants)] = np.arange(len(variants))
    stored = [number for number, field in enumerate(fields) if not field.added]
    early = core or sum(not fields[number].late for number in stored)
    if early < len(stored) and len(variants) == 1:
        variants[0] = stored[:early]
    numbers = np.full(len(fields) + 1, -1, np.int16)
    for count in range(early, len(stored) + 1) if early < len(stored) else ():
        numbers[count] = len(variants)
        variants.append(stored[:count])
    numbers[0] = early
    orders = np.zeros((len(variants), max(len(fields), 1)), np.int16)
    for row, variant in enumerate(variants):
        orders[row, : len(variant)] = variant
    return Plan(
        widths=np.array(
            [-1 if field.type.length == VARIABLE else field.type.length for field in fields], np.int32
        ),
        nullable=np.array([field.nullable for field in fields], np.uint8),
        big=np.array([field.type.big for field in fields], np.uint8),
        orders=orders,
        counts=np.array([len(variant) for variant in variants], np.int16),
        versions=versions,
        numbers=numbers,
    )


def _row_versions(fields: tuple[Field, ...]) -> list[list[int]]:
    """Return the fields of each row version of MySQL 8.0.29 and later; just one where there are none."""
    last = max((max(field.added, field.dropped) for field in fields), default=0)
    return [
        [
            number
            for number, field in enumerate(fields)
            if field.added <= version and (not field.dropped or field.dropped > version)
        ]
        for version in range(min(last, MOST_VERSIONS - 1) + 1)
    ]
