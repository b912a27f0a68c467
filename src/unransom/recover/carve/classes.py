"""What clusters hold: zeros, text, dense bytes or others, and which are pages of databases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb.pages import INDEXES, NIL
from unransom.catalog.databases.innodb.pages import KINDS as INNODB_KINDS
from unransom.catalog.databases.mssql.pages import headers_of, plausible
from unransom.catalog.formats import innodb, mssql

ZERO, TEXT, DENSE, OTHER = range(4)  # of `_map_kernel`
KNOWN, LOCKED, LOCKED_HEAD = range(4, 7)  # of a file that is there: intact, locked, the first of a locked one
BASES = 4

FIELDS = 112  # bytes of a cluster that hold the header of a page
MOST_PAGES = 1 << 26  # of InnoDB
RECORDS, INFIMUM = 99, b"infimum\0"  # where the first record of an index page stands, and its name
SQLITE_SIZES = (4096, 1024, 8192, 16384, 32768)
ROWS = {2: 12, 5: 12, 10: 8, 13: 8}  # bytes of the header of an SQLite page, by its kind

Classes = NDArray[np.uint8]
Heads = NDArray[np.uint8]


def classes_of(data: bytes, cluster: int) -> Classes:
    """Return what each cluster of ``data`` holds; what is missing of the last one counts as zeros."""
    from unransom.recover.carve._map_kernel import classify  # noqa: PLC0415  numba is slow to import

    values = np.frombuffer(data, np.uint8)
    if len(values) % cluster:
        values = np.concatenate([values, np.zeros(-len(values) % cluster, np.uint8)])
    classes = np.zeros(len(values) // cluster, np.uint8)
    classify(values, cluster, _control(), classes)
    return classes


@cache
def _control() -> NDArray[np.bool_]:
    """Return for each byte whether it is a control character that stands in no text."""
    text = {9, 10, 12, 13, 27, *range(32, 127), *range(128, 256)}
    return np.array([value not in text for value in range(256)])


def page_clusters(data: bytes, cluster: int) -> NDArray[np.bool_]:
    """Return which whole clusters of ``data`` hold a page of a database that begins in ``data``."""
    count = len(data) // cluster
    rows = np.frombuffer(data, np.uint8, count * cluster).reshape(count, cluster)[:, :FIELDS]
    marked = np.zeros(count, np.bool_)
    for index, size in (*_mssql(rows), *_innodb(data, rows, cluster), *_sqlite(data, rows, cluster)):
        marked[index : index + max(size // cluster, 1)] = True
    return marked


def _mssql(rows: Heads) -> Iterator[tuple[int, int]]:
    """Yield the clusters in which pages of SQL Server begin, and bytes of each page."""
    likely = np.flatnonzero((rows[:, 0] == 1) & (rows[:, 1] - 1 < 20) & ~rows[:, 64:96].any(1))
    if len(likely):
        headers = headers_of(rows[likely])
        sane = plausible(headers) & (headers["free"] >= FIELDS - 16)
        yield from ((index, mssql.PAGE) for index in likely[sane].tolist())


def _innodb(data: bytes, rows: Heads, cluster: int) -> Iterator[tuple[int, int]]:
    """Yield the clusters in which pages of InnoDB begin, and bytes of each page."""
    for index in np.flatnonzero(~rows[:, 26:34].any(1) & rows[:, 16:24].any(1)).tolist():
        row = rows[index].tobytes()
        numbers = [int.from_bytes(row[at : at + 4]) for at in (4, 8, 12)]
        kind = int.from_bytes(row[24:26])
        if numbers[0] >= MOST_PAGES or kind not in INNODB_KINDS or not kind:
            continue
        if any(each >= MOST_PAGES and each != NIL for each in numbers[1:]):
            continue
        size = _innodb_size(data, index * cluster, row[20:24])
        if size or (kind in INDEXES and row[RECORDS:].startswith(INFIMUM)):
            yield index, size


def _innodb_size(data: bytes, start: int, low: bytes) -> int:
    """Return the bytes of a page whose end repeats ``low``, the end of its log sequence number; else 0."""
    for size in innodb.SIZES:
        end = data[start + size - 8 : start + size]
        if low in {end[4:], end[:4]} and any(low):
            return size
    return 0


def _sqlite(data: bytes, rows: Heads, cluster: int) -> Iterator[tuple[int, int]]:
    """Yield the clusters in which pages of SQLite begin, and bytes of each page."""
    from unransom.catalog.formats._sqlite_pages import (  # noqa: PLC0415  numba is slow to import
        TREE,
        Frame,
        sort_pages,
    )

    cells = rows[:, 3].astype(np.int32) << 8 | rows[:, 4]
    content = rows[:, 5].astype(np.int32) << 8 | rows[:, 6]
    likely = np.isin(rows[:, 0], list(ROWS)) & (cells > 0) & (rows[:, 7] <= 60) & (8 + 2 * cells <= content)
    for index in np.flatnonzero(likely).tolist():
        start = index * cluster
        for size in SQLITE_SIZES:
            page = data[start : start + size]
            kinds, strong = sort_pages(page, Frame(2, size, size, (1 << 31) - 1, 0))
            if len(kinds) and kinds[0] == TREE and strong[0]:
                yield index, size
                break
