"""The rows of a table as they were before, as far as undo logs tell; they are no rows that the table has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import decode
from unransom.catalog.databases.innodb.accounted import key_hashes
from unransom.catalog.databases.innodb.current import current_leaves
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.undo import INSERTED, Change, Undo, Version, place_of, versions

TOGETHER = 4096  # rows
MOST_TRIED = 8  # tables that a tablespace may be, where the data dictionary does not tell
Row = list[bytes | None]


def rows_before(
    found: Found, undo: Undo, table: int | None
) -> Iterator[tuple[decode.Located, NDArray[np.float32]]]:
    """Yield what rows of ``found`` were before they were changed or deleted, and how sure each is.

    Args:
        found: The table.
        undo: Undo logs of its server.
        table: Its id; None where the data dictionary is lost: then rows must name records of the undo logs.
    """
    for candidate in undo.tables()[:MOST_TRIED] if table is None else [table]:
        changes = undo.changes(candidate, found.layout)
        rows = _rows_of(found, changes) if changes else {}
        if changes and (table is not None or _is_named(found, changes, rows)):
            yield from _located(found, changes, rows)
            return


def _located(
    found: Found, changes: Sequence[Change], rows: dict[tuple[bytes, ...], Row]
) -> Iterator[tuple[decode.Located, NDArray[np.float32]]]:
    by_key: defaultdict[tuple[bytes, ...], list[Change]] = defaultdict(list)
    for change in changes:
        by_key[change.key].append(change)
    batch: list[Version] = []
    for key, some in by_key.items():
        batch += versions(some, rows.get(key), found.layout)
        if len(batch) >= TOGETHER:
            yield _assembled(found, batch)
            batch = []
    if batch:
        yield _assembled(found, batch)


def _assembled(found: Found, batch: Sequence[Version]) -> tuple[decode.Located, NDArray[np.float32]]:
    located = decode.assembled([version.values for version in batch], len(found.layout.fields))
    return located, np.array([version.sure for version in batch], np.float32)


def _is_named(found: Found, changes: Sequence[Change], rows: dict[tuple[bytes, ...], Row]) -> bool:
    """Return whether a row names a change to its own key."""
    keys = {(change.page, change.at): change.key for change in changes}
    pointers = {key: int.from_bytes(row[found.layout.key + 1] or b"", "big") for key, row in rows.items()}
    return any(not roll & INSERTED and keys.get(place_of(roll)) == key for key, roll in pointers.items())


def _rows_of(found: Found, changes: Sequence[Change]) -> dict[tuple[bytes, ...], Row]:
    """Return the rows of sound pages that were changed, by their keys; deleted ones too where they stand."""
    width, key = len(found.layout.fields), found.layout.key
    keys = {change.key for change in changes}
    wanted = key_hashes(found, decode.assembled([[*each, *[None] * (width - key)] for each in keys], width))
    rows: dict[tuple[bytes, ...], Row] = {}
    for kept, data in found.space.groups(current_leaves(found)):
        origins, owners, _ = decode.listed(data, found.space.logical)
        located = decode.locate(data, kept, origins, owners, found.plan)
        located = located.only((located.begins >= 0) & ((located.info() & 0x10) == 0))
        located = located.only(np.isin(key_hashes(found, located), wanted))
        for place in range(len(located.origins)):
            row = _values(located, place)
            rows[tuple(value or b"" for value in row[:key])] = row
    return rows


def _values(located: decode.Located, place: int) -> Row:
    """Return the values of a record by field; NULL too where it ends before."""
    row: Row = []
    for start, length, outside in zip(
        located.starts[:, place].tolist(),
        located.lengths[:, place].tolist(),
        located.outside[:, place].tolist(),
        strict=True,
    ):
        value = located.data[start : start + length].tobytes() if length >= 0 else None
        row.append(decode.Outside(value) if outside and value is not None else value)
    return row
