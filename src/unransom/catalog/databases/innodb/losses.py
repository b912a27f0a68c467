"""How many rows a table had, by what is left of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.accounted import Accounted
from unransom.catalog.databases.innodb.current import current_leaves
from unransom.catalog.databases.innodb.liveness import free_pages
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.types import Kind
from unransom.catalog.databases.table import Loss
from unransom.core.messages import say


def estimate(found: Found, recovered: int, accounted: Accounted | None = None) -> Loss:
    """Return the rows that ``found`` had, of which ``recovered`` came back.

    Where keys are numbers and both ends of the table are sound, the gaps between sound pages tell;
    else damaged pages are taken to have held rows as often as the others do, and as many.

    Args:
        found: The table.
        recovered: Rows that came back.
        accounted: The keys of its sound pages, where they are known.
    """
    table = found.space.table
    name = found.table.name
    if not len(table):
        return Loss(
            name, recovered, None, say("its file is missing; these are the rows that binary logs hold")
        )
    damaged = np.isin(table["verdict"], (pages.TORN, pages.LOST)) & ~free_pages(found.space)
    bad = int(damaged.sum())
    if not bad:
        return Loss(name, recovered, recovered, say("every page of the file is sound"))
    numbers = current_leaves(found)
    whole = int(np.isin(table["verdict"], (pages.VALID, pages.BLANK)).sum())
    if not len(numbers):
        return Loss(name, recovered, None, say("{bad} pages are damaged, and none of rows is sound", bad=bad))
    rows = int(table["records"][numbers].sum())
    gaps = _in_gaps(found, accounted, numbers, rows) if accounted else None
    if gaps is not None:
        keys, lost = gaps
        return Loss(
            name,
            recovered,
            max(recovered, rows + lost),
            say(
                "an estimate: {bad} pages of {pages} are damaged, and {keys} keys between others are missing",
                bad=bad,
                pages=len(table),
                keys=keys,
            ),
        )
    missing = bad * len(numbers) / whole
    expected = max(recovered, round(rows + missing * rows / len(numbers)))
    why = say(
        "an estimate: {bad} pages of {pages} are damaged, and a sound page of the table holds {rows} rows",
        bad=bad,
        pages=len(table),
        rows=round(rows / len(numbers), 1),
    )
    return Loss(name, recovered, expected, why)


def _in_gaps(
    found: Found, accounted: Accounted, numbers: NDArray[np.int64], rows: int
) -> tuple[int, int] | None:
    """Return the keys between sound pages, and the rows that they had if they were as dense as elsewhere.

    None where keys are no plain numbers, or where an end of the table is lost.
    """
    ends = found.space.table[numbers]
    whole = (ends["previous"] == pages.NIL).any() and (ends["next"] == pages.NIL).any()
    plain = found.layout.key == 1 and found.layout.fields[0].type.kind in {Kind.SIGNED, Kind.UNSIGNED}
    if not whole or not plain or not len(accounted.firsts):
        return None
    firsts, lasts = accounted.firsts.astype(np.float64), accounted.lasts.astype(np.float64)
    covered = float((lasts - firsts + 1).sum())
    keys = float(np.maximum(firsts[1:] - lasts[:-1] - 1, 0).sum())
    return round(keys), round(keys * min(rows / covered, 1.0))
