"""Whose pages are these? Where the catalogue does not tell, the shape of the records does.

All pages of a part of a table have the same object and index number in their header, so that a few good
records label all of them. A table is a candidate for such a group when its records have the group's shape
(where the fixed part ends, how many columns), and it is taken when the values make sense and no other table
fits as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.cells import FORWARDED, HAS_NULLS, HAS_VARIABLE
from unransom.catalog.databases.mssql.decode import Decoded, Records, decode, records_of
from unransom.catalog.databases.mssql.layout import Layout
from unransom.catalog.databases.mssql.store import PageStore

SAMPLE = 24  # pages of a group that are looked at
ENOUGH = 0.8  # share of rows that must make sense
LIKELY = (1901, 2100)  # years of points in time, but for a year's first day, which often means none
UNLIKELY = 0.15  # off the score of a layout that is rare
TELLING = 0.5  # values a row that could hardly be so by chance
CLEAR = 0.1  # by how much the best table must beat the next one


class Candidate(msgspec.Struct, frozen=True):
    """A table that may own pages.

    Attributes:
        name: Of the table.
        layouts: How its rows may lie.
        key: Columns that no two rows share.
        known: Pages of it are known already.
    """

    name: str
    layouts: tuple[Layout, ...]
    key: tuple[str, ...] = ()
    known: bool = False


class Group(msgspec.Struct, frozen=True):
    """Data pages of one part of an unknown table.

    Attributes:
        unit: The allocation unit that their headers say.
        shape: End of the fixed part and number of columns that most records have.
        compressed: The records are compressed; then only the number of columns tells.
        sample: Some of its records.
    """

    unit: int
    shape: tuple[int, int]
    compressed: bool
    sample: tuple[Records, ...]


class Claim(msgspec.Struct, frozen=True):
    """A group with the tables that fit it.

    Attributes:
        group: Whose table is looked for.
        fits: Score, table and layout of each, the best first.
    """

    group: Group
    fits: tuple[tuple[float, str, Layout], ...]

    @property
    def clear(self) -> bool:
        """One table fits, and no other one fits as well."""
        return bool(self.fits) and (len(self.fits) == 1 or self.fits[0][0] - self.fits[1][0] >= CLEAR)


def group_of(
    store: PageStore, entries: NDArray[np.void], places: NDArray[np.int64], unit: int
) -> Group | None:
    """Return the group that the data pages of one allocation unit make, None where they have no rows.

    Args:
        store: All pages.
        entries: Some pages.
        places: Which of them are the unit's.
        unit: Its number.
    """
    chosen = entries[places[np.unique(np.linspace(0, len(places) - 1, SAMPLE).astype(int))]]
    return group_of_records(records_of(store.read(chosen), chosen), unit)


def group_of_records(found: Sequence[Records], unit: int) -> Group | None:
    """Return the group that records make, None where there are none."""
    votes: Counter[tuple[int, int]] = Counter()
    for records in found:
        votes.update(_shapes(records))
    if not votes:
        return None
    most = max(found, key=lambda records: len(records.starts))
    return Group(unit, votes.most_common(1)[0][0], most.compressed, (most,))


def _shapes(records: Records) -> list[tuple[int, int]]:
    """Return the end of the fixed part and the number of columns that each record says."""
    data = records.data
    if records.compressed:
        return [(0, int(data[start + 1])) for start in records.starts]
    fixed = data[records.starts + 2].astype(np.int64) | data[records.starts + 3].astype(np.int64) << 8
    fits = (fixed >= 4) & (records.starts + fixed + 2 <= records.limits)
    at = (records.starts + fixed)[fits]
    columns = data[at].astype(np.int64) | data[at + 1].astype(np.int64) << 8
    return list(zip(fixed[fits].tolist(), columns.tolist(), strict=True))


def claims(groups: Iterable[Group], candidates: Sequence[Candidate]) -> list[Claim]:
    """Return which tables fit each group.

    A table that is the clear choice for one group is no candidate for the groups for which it is one of
    several.
    """
    found = [Claim(group, _fits(group, candidates)) for group in groups]
    taken = {claim.fits[0][1] for claim in found if claim.clear}
    return [
        claim
        if claim.clear
        else Claim(claim.group, tuple(fit for fit in claim.fits if fit[1] not in taken) or claim.fits)
        for claim in found
    ]


def _fits(group: Group, candidates: Sequence[Candidate]) -> tuple[tuple[float, str, Layout], ...]:
    found = []
    for candidate in candidates:
        scores = [
            (score(layout, group.sample, candidate.key) - (not layout.likely) * UNLIKELY, -order, layout)
            for order, layout in enumerate(candidate.layouts)
            if same_shape(group, layout)
        ]
        if scores:
            best = max(scores, key=lambda item: item[:2])
            if best[0] >= ENOUGH and telling(best[2], group.sample) >= TELLING:
                found.append((best[0], candidate.name, best[2]))
    return tuple(sorted(found, key=lambda fit: -fit[0]))


def same_shape(group: Group, layout: Layout) -> bool:
    """Tell whether the records of a group look like those of a table."""
    return layout.columns == group.shape[1] and (group.compressed or layout.fixed == group.shape[0])


def score(layout: Layout, sample: Iterable[Records], key: Sequence[str] = ()) -> float:
    """Return which share of some records makes sense with ``layout``, and has a ``key`` of its own."""
    good = total = 0
    keys: list[pyarrow.Table] = []
    names = [field.name for field in layout.fields]
    for records in sample:
        live = records.part(np.flatnonzero(~records.deleted))
        total += len(live.starts)
        for decoded in decode(layout, live):
            wrong = (decoded.doubts > 0) | odd_rows(layout, decoded)
            good += int((~wrong).sum())
            keys.append(pyarrow.table(decoded.columns, names).select([n for n in names if n in key]))
    if not total or not keys:
        return 0.0
    columns = pyarrow.concat_tables(keys)
    distinct = columns.group_by(columns.column_names).aggregate([]).num_rows if columns.num_columns else total
    return min(good, distinct) / total


def odd_rows(layout: Layout, decoded: Decoded) -> NDArray[np.bool_]:
    """Tell which rows the server would store, but hardly of this table."""
    odd = np.zeros(len(decoded.doubts), bool)
    if not decoded.records.compressed:
        counts = _variable_counts(decoded.records)
        odd |= counts > _most_variable(layout)
        if any(field.place < 0 and not field.nullable for field in layout.fields):
            odd |= counts == 0
    for field, column in zip(layout.fields, decoded.columns, strict=True):
        if not field.nullable and not field.variable:
            odd |= np.asarray(column.is_null())
        if pyarrow.types.is_timestamp(column.type):
            year = pc.fill_null(pc.year(column), LIKELY[0])
            strange = pc.or_(pc.less(year, LIKELY[0]), pc.greater(year, LIKELY[1]))
            odd |= np.asarray(strange) & (np.asarray(pc.fill_null(pc.day_of_year(column), 1)) > 1)
    return odd


def _most_variable(layout: Layout) -> int:
    """Return how many variable values a record may have."""
    fixed = sum(field.place > 0 for field in layout.fields)
    deepest = max((-field.place for field in layout.fields), default=0)
    return max(layout.columns - fixed, deepest) + any(field.place == 0 for field in layout.fields)


def _variable_counts(records: Records) -> NDArray[np.int64]:
    """Return how many variable values each plain record has."""

    def number(at: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.minimum(at, len(data) - 2)
        return data[at].astype(np.int64) | data[at + 1].astype(np.int64) << 8

    data, status = records.data, records.data[records.starts]
    at = records.starts + number(records.starts + 2)
    has_nulls = status & HAS_NULLS > 0
    at = np.where(has_nulls, at + 2 + (number(at) + 7) // 8, at)
    forwarded = status >> 1 & 7 == FORWARDED  # its last value says where it was
    return np.where(status & HAS_VARIABLE > 0, number(at) - forwarded, 0)


def telling(layout: Layout, sample: Iterable[Records]) -> float:
    """Return how many values of a row, on average, could hardly be so by chance: texts and points in time.

    For a table that has no such columns this is 1: there is nothing to tell by but its shape and key.
    """
    found = rows = 0
    if not any(
        pyarrow.types.is_string(f.arrow) or pyarrow.types.is_timestamp(f.arrow) for f in layout.fields
    ):
        return 1.0
    for records in sample:
        for decoded in decode(layout, records):
            rows += len(decoded.doubts)
            for column in decoded.columns:
                if pyarrow.types.is_string(column.type):
                    found += pc.sum(pc.greater(pc.utf8_length(column), 1)).as_py() or 0
                elif pyarrow.types.is_timestamp(column.type):
                    found += len(column) - column.null_count
    return found / rows if rows else 0.0
