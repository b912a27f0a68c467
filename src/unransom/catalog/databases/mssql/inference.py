"""Columns guessed from records alone, where no description of a table is left; named by their position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.cells import cut
from unransom.catalog.databases.mssql.decode import Records
from unransom.catalog.databases.mssql.layout import Field, Layout
from unransom.catalog.databases.mssql.numbers import TICKS

MOST = 2000  # records that are looked at
MOSTLY = 0.95  # share of them that a guess must fit
EARLIEST, LATEST = 25_567, 62_092  # 1970 and 2070 in days since 1900


def inferred(shape: tuple[int, int], sample: Sequence[Records]) -> Layout:
    """Return a layout for records of ``shape``: end of the fixed part, number of columns."""
    plain = [records for records in sample if not records.compressed]
    if not plain:
        return Layout((), *shape)
    records = plain[0].part(slice(0, MOST))
    fixed = [Field(f"column_{n}", kind, length, place=place) for n, (place, kind, length) in
             enumerate(_fixed(records, shape[0]), 1)]  # fmt: skip
    variable = [
        Field(f"column_{len(fixed) + 1 + n}", kind, 8000, place=-n - 1)
        for n, kind in enumerate(_variable(records, shape[1]))
    ]
    return Layout((*fixed, *variable), *shape)


def _fixed(records: Records, end: int) -> list[tuple[int, int, int]]:
    """Return place, type and length of the columns that the fixed part seems to have."""
    ends = (
        records.data[records.starts + 2].astype(np.int64)
        | records.data[records.starts + 3].astype(np.int64) << 8
    )
    starts = records.starts[(ends == end) & (records.starts + end <= records.limits)]
    if len(starts) == 0 or end <= 4:
        return []
    part = records.data[starts[:, None] + np.arange(4, end)]
    found, at = [], 0
    while at < part.shape[1]:
        kind, length = _kind_at(part[:, at:])
        found.append((at + 4, kind, length))
        at += length
    return found


def _kind_at(part: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the type of the column that starts at the first byte, and its length."""
    room = part.shape[1]
    if room >= 8 and _share(_is_datetime(part)) >= MOSTLY:
        return types.DATETIME, 8
    letters = _text_length(part)
    if letters:
        return letters
    if room >= 8 and _share(np.isin(part[:, 5:8], (0, 255)).all(axis=1) & part[:, 2:5].any(axis=1)) >= MOSTLY:
        return types.BIGINT, 8
    if room >= 4 and _share(np.isin(part[:, 3], (0, 255))) >= MOSTLY:
        return types.INT, 4
    if room >= 2 and room < 4:
        return types.SMALLINT, 2
    return (types.TINYINT, 1) if room == 1 else (types.BINARY, min(room, 4))


def _share(fits: Any) -> float:
    return float(fits.mean()) if len(fits) else 0.0


def _is_datetime(part: NDArray[np.uint8]) -> NDArray[np.bool_]:
    both = np.ascontiguousarray(part[:, :8]).view("<i4")
    blank = (both == 0).all(axis=1)
    real = (both[:, 0] >= 0) & (both[:, 0] < TICKS) & (both[:, 1] > EARLIEST) & (both[:, 1] < LATEST)
    return real if blank.mean() > 0.5 else real | blank


def _text_length(part: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Return the type and length of a text of fixed length, None where there is none."""
    printable = (part >= 32) & (part < 127)
    if part.shape[1] >= 4 and _share((part[:, 1:4:2] == 0).all(axis=1) & printable[:, 0]) >= MOSTLY:
        good = (printable[:, 0 : part.shape[1] // 2 * 2 : 2] & (part[:, 1::2] == 0)).mean(axis=0) >= MOSTLY
        run = int(np.argmin(good)) if not good.all() else len(good)
        return (types.NCHAR, 2 * run) if run >= 2 else None
    good = printable.mean(axis=0) >= MOSTLY
    run = int(np.argmin(good)) if not good.all() else len(good)
    return (types.CHAR, run) if run >= 3 else None


def _variable(records: Records, columns: int) -> list[int]:
    """Return the types of the variable columns."""
    count = min(columns, 1024)
    layout = np.array([(-n - 1, 0, 0) for n in range(count)] + [(0, 0, 0)], np.int64)
    rows = len(records.starts)
    starts, lengths = np.zeros((count + 1, rows), np.int64), np.zeros((count + 1, rows), np.int64)
    sound, ends = np.zeros(rows, bool), np.zeros(rows, np.int64)
    cut(records.data, records.starts, records.limits, layout, (starts, lengths, sound, ends))
    used = np.flatnonzero((lengths[:count, sound] > 0).any(axis=1))
    last = int(used.max()) + 1 if len(used) else 0
    return [_text_kind(records.data, starts[n, sound], lengths[n, sound]) for n in range(last)]


def _text_kind(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> int:
    values = [data[s : s + n] for s, n in zip(starts[:200], lengths[:200], strict=True) if 0 < n < 1 << 15]
    joined = np.concatenate(values) if values else np.zeros(0, np.uint8)
    if len(joined) and all(len(value) % 2 == 0 for value in values):
        wide = np.concatenate([value.reshape(-1, 2) for value in values])
        if (wide[:, 1] == 0).mean() > 0.5 or _share((wide[:, 1] >= 0x4E) & (wide[:, 1] < 0xA0)) > 0.5:
            return types.NVARCHAR
    return (
        types.VARCHAR if len(joined) and ((joined >= 32) | (joined == 10)).mean() > 0.9 else types.VARBINARY
    )
