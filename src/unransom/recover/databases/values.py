"""Values of Arrow batches as Python objects that every database driver takes, decimals and dates exact."""

from __future__ import annotations

import re

import pyarrow
import pyarrow.compute

from unransom.catalog.databases.table import Column

ZERO_DATE, ZERO_MOMENT = "0000-00-00", "0000-00-00 00:00:00"


def plain(array: pyarrow.Array, column: Column | None = None) -> list[object]:
    """Return the values: numbers, bytes and texts; decimals and points in time as text.

    A column that cannot be NULL and holds dates holds a zero date where the batch has none.
    """
    kind = array.type
    if pyarrow.types.is_dictionary(kind):
        array = array.cast(kind.value_type)
    elif pyarrow.types.is_decimal(kind) or pyarrow.types.is_date(kind) or pyarrow.types.is_time(kind):
        array = array.cast(pyarrow.string())
    elif pyarrow.types.is_timestamp(kind):
        array = pyarrow.compute.replace_substring_regex(array.cast(pyarrow.string()), r"\.0+$", "")
    if column is not None and not column.nullable and array.null_count:
        if pyarrow.types.is_date(kind):
            array = array.fill_null(ZERO_DATE)
        elif pyarrow.types.is_timestamp(kind):
            array = array.fill_null(ZERO_MOMENT)
    return list(array.to_pylist())


def length_of(declared: str) -> int:
    """Return the number in brackets of a declared type, 0 where there is none."""
    found = re.search(r"\((\d+)", declared)
    return int(found[1]) if found else 0
