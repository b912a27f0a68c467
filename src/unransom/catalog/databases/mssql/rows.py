"""Rows of a table's pages, in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.catalogue import Partition
from unransom.catalog.databases.mssql.decode import Decoded, decode, records_of
from unransom.catalog.databases.mssql.lob import LobReader
from unransom.catalog.databases.mssql.store import PageStore


def decoded_rows(store: PageStore, entries: NDArray[np.void], partition: Partition) -> Iterator[Decoded]:
    """Yield the rows on the pages of ``entries``."""
    lobs = LobReader(store.page)
    for part, pages in store.batches(entries):
        for records in records_of(pages, part):
            yield from decode(partition.layout, records, lobs)
