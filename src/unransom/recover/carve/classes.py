"""What clusters hold: zeros, text, dense bytes or others, and which are pages of databases."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import innodb, mssql

ZERO, TEXT, DENSE, OTHER = range(4)  # of `_map_kernel`
KNOWN, LOCKED, LOCKED_HEAD = range(4, 7)  # of a file that is there: intact, locked, the first of a locked one
BASES = 4

MOST_PAGES = 1 << 26  # of InnoDB
INFIMUM = b"infimum\0"  # the name of the first record of an index page
HEADER = 99 + len(INFIMUM)  # bytes up to its end
SQLITE_SIZES = (4096, 1024, 8192, 16384, 32768)

Classes = NDArray[np.uint8]


def classes_of(data: bytes | memoryview, cluster: int) -> Classes:
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
    from unransom.recover.carve._cluster_kernel import (  # noqa: PLC0415  numba is slow to import
        INNODB,
        MSSQL,
        SQLITE,
        likely_pages,
    )

    sizes = {MSSQL: _mssql_size, INNODB: _innodb_size, SQLITE: _sqlite_size}
    likely = np.zeros(len(data) // cluster, np.uint8)
    likely_pages(np.frombuffer(data, np.uint8), cluster, likely)
    marked = np.zeros(len(likely), np.bool_)
    for index in np.flatnonzero(likely).tolist():
        size = sizes[int(likely[index])](data, index * cluster)
        marked[index : index - (-size // cluster)] = True
    return marked


def _mssql_size(data: bytes, start: int) -> int:
    """Return the bytes of a page of SQL Server, 0 where its header makes no sense."""
    from unransom.catalog.databases.mssql.pages import (  # noqa: PLC0415  as long to import as all else here
        FIRST_RECORD,
        headers_of,
        plausible,
    )

    headers = headers_of(np.frombuffer(data, np.uint8, FIRST_RECORD, start).reshape(1, -1))
    return mssql.PAGE if plausible(headers)[0] and headers["free"][0] >= FIRST_RECORD else 0


def _innodb_size(data: bytes, start: int) -> int:
    """Return the bytes of a page of InnoDB, those of its header where its end is not there; 0 for none."""
    from unransom.catalog.databases.innodb.pages import (  # noqa: PLC0415  as long to import as all else here
        INDEXES,
        KINDS,
        NIL,
    )

    head = data[start : start + HEADER]
    number, previous, following = struct.unpack_from(">III", head, 4)
    kind = int.from_bytes(head[24:26])
    beside = all(each < MOST_PAGES or each == NIL for each in (previous, following))
    if not kind or kind not in KINDS or number >= MOST_PAGES or not beside:
        return 0
    low = head[20:24]  # the end of its log sequence number stands again at the page's end
    for size in innodb.SIZES:
        end = data[start + size - 8 : start + size]
        if low in {end[4:], end[:4]} and any(low):
            return size
    return HEADER if kind in INDEXES and head.endswith(INFIMUM) else 0


def _sqlite_size(data: bytes, start: int) -> int:
    """Return the bytes of a page of SQLite with cells, 0 where it is none."""
    from unransom.catalog.formats._sqlite_pages import begins_tree  # noqa: PLC0415  numba is slow to import

    sizes = (size for size in SQLITE_SIZES if start + size <= len(data))
    return next((size for size in sizes if begins_tree(data[start : start + size])), 0)
