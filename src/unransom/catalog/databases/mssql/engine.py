"""SQL Server as a database engine: which files are its own, and which of them make one database."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Engine, Hints, Source
from unransom.catalog.databases.mssql.database import MssqlDatabase
from unransom.catalog.databases.mssql.pages import Soundness, scan
from unransom.catalog.databases.mssql.store import PageStore, keys_of
from unransom.core.streams import Reader, Window

PROBES = 8  # places that are looked at
PROBE = 1 << 18  # bytes of each
PAGE_BITS = 28  # of evidence in a header that makes sense
SAME = 0.5  # share of common pages that two files of one database have of the same object
FEW = 4  # common pages that do not tell


def recognise(reader: Reader) -> int:
    """Return the bits of evidence that ``reader`` holds pages of SQL Server, 0 for none."""
    bits = 0
    for place in np.unique(np.linspace(0, max(reader.size - PROBE, 0), PROBES).astype(np.int64)).tolist():
        entries = scan(Window(reader, place // 512 * 512, PROBE))
        bits += PAGE_BITS * int((entries["soundness"] >= Soundness.TORN).sum())
        if bits >= 10 * PAGE_BITS:
            break
    return min(bits, 256) if bits >= 2 * PAGE_BITS else 0


def open_databases(sources: Sequence[Source], hints: Hints) -> list[MssqlDatabase]:
    """Open the databases that ``sources`` are parts or copies of."""
    scanned = [scan(source.reader, number) for number, source in enumerate(sources)]
    readers = [source.reader for source in sources]
    return [
        MssqlDatabase(sources[group[0]].name, PageStore(readers, [scanned[n] for n in group]), hints)
        for group in _groups(scanned)
    ]


def _groups(scanned: Sequence[NDArray[np.void]]) -> list[list[int]]:
    """Return which sources belong together, by their numbers."""
    groups: list[list[int]] = []
    for number, entries in enumerate(scanned):
        sound = entries[entries["soundness"] >= Soundness.TORN]
        if len(sound) == 0:
            continue
        home = next((group for group in groups if any(_related(sound, scanned[n]) for n in group)), None)
        if home is None:
            groups.append([number])
        else:
            home.append(number)
    return groups


def _related(some: NDArray[np.void], others: NDArray[np.void]) -> bool:
    """Tell whether two sources are of one database: other files of it, or the same pages."""
    others = others[others["soundness"] >= Soundness.TORN]
    _, mine, theirs = np.intersect1d(keys_of(some), keys_of(others), return_indices=True)
    if len(mine) < FEW:
        return not np.isin(some["file"], others["file"]).any()
    same = some["object"][mine] == others["object"][theirs]
    same &= some["index"][mine] == others["index"][theirs]
    return bool(same.mean() >= SAME)


ENGINE = Engine("mssql", "Microsoft SQL Server", recognise, open_databases)
