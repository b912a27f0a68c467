"""How many rows a table had, by what is left of it."""

from __future__ import annotations

import numpy as np

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.liveness import free_pages, live_leaves
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.table import Loss
from unransom.core.messages import say


def estimate(found: Found, recovered: int) -> Loss:
    """Return the rows that ``found`` had, of which ``recovered`` came back.

    Damaged pages are taken to have held rows as often as the others do, and as many.
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
    numbers = live_leaves(table, found.owner)
    whole = int(np.isin(table["verdict"], (pages.VALID, pages.BLANK)).sum())
    if not len(numbers):
        return Loss(name, recovered, None, say("{bad} pages are damaged, and none of rows is sound", bad=bad))
    rows = int(table["records"][numbers].sum())
    missing = bad * len(numbers) / whole
    expected = max(recovered, round(rows + missing * rows / len(numbers)))
    why = say(
        "an estimate: {bad} pages of {pages} are damaged, and a sound page of the table holds {rows} rows",
        bad=bad,
        pages=len(table),
        rows=round(rows / len(numbers), 1),
    )
    return Loss(name, recovered, expected, why)
