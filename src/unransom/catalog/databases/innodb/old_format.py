"""Columns guessed from redundant records, which say themselves where their fields end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import guesses
from unransom.catalog.databases.innodb.sampling import Sample
from unransom.catalog.databases.innodb.schema import ColumnDef, KeyPart, TableDef

HEADER, TRX, ROLL = 6, 6, 7
ROWS = 200
SURE = 0.8  # confidence: the fields are certain, their types are not


def old_definition(sample: Sample) -> TableDef | None:
    """Return a definition by which the records of ``sample`` can be read, None where they are no rows."""
    fields = _fields(sample)
    count = len(fields[0]) if fields else 0
    values = [[record[place] for record in fields] for place in range(count)]
    widths = [{len(value) for value in column if value is not None} for column in values]
    own = next((n for n in range(1, count - 1) if widths[n] == {TRX} and widths[n + 1] == {ROLL}), 0)
    if not own:
        return None
    columns: list[ColumnDef] = []
    for place in range(count):
        if place in {own, own + 1}:
            continue
        columns += _columns(values[place], widths[place], f"column_{len(columns) + 1}")
    key = tuple(KeyPart(column.name) for column in columns[:own])
    if own == 1 and columns[0].type.length == TRX and not columns[0].nullable:
        columns, key = columns[1:], ()  # the engine's own number
    return TableDef("", tuple(columns), key, "inferred", confidence=SURE)


def _columns(values: list[bytes | None], widths: set[int], name: str) -> list[ColumnDef]:
    there = [value for value in values if value is not None]
    if len(widths) == 1 and min(widths):
        part = np.frombuffer(b"".join(there), np.uint8).reshape(len(there), -1)
        kind = guesses.whole(guesses.fixed_types(part), part.shape[1])
        return [ColumnDef(name, kind, len(there) < len(values))]
    return [ColumnDef(name, guesses.variable_type(there), len(there) < len(values))]


def _fields(sample: Sample) -> list[list[bytes | None]]:
    """Return the fields of some records, all of as many fields as the most frequent ones."""
    step = max(len(sample.origins) // ROWS, 1)
    records = [_split(sample.data, origin) for origin in sample.origins[::step].tolist()]
    counts = [len(record) for record in records]
    usual = max(set(counts), key=counts.count) if counts else 0
    return [record for record in records if len(record) == usual]


def _split(data: NDArray[np.uint8], origin: int) -> list[bytes | None]:
    head = int(data[origin - 4]) << 8 | int(data[origin - 3])
    count, wide = head >> 1 & 0x3FF, 2 - (head & 1)
    values: list[bytes | None] = []
    last = 0
    for place in range(count):
        at = origin - HEADER - wide * (place + 1)
        if at < 0:
            return []
        end = int(data[at]) if wide == 1 else int(data[at]) << 8 | int(data[at + 1])
        isnull, end = end >> (8 * wide - 1), end & (0x7F if wide == 1 else 0x3FFF)
        if end < last or origin + end > len(data):
            return []
        values.append(None if isnull else data[origin + last : origin + end].tobytes())
        last = end
    return values
