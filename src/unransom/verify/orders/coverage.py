"""What the exports cover: whose payments, which stretches of time, and where an export cannot be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.channel import Export
from unransom.catalog.exports.moments import DAY
from unransom.core.orders import ExportVerdict
from unransom.core.records import Grade

UTC = pyarrow.timestamp("us")  # how DuckDB gets times: in UTC, without saying so in each value
HOUR = 3_600_000_000  # microseconds
# How late a channel may be with a movement, by its own documentation.
LAGS = {"amazon_finances": 48 * HOUR, "paypal_transactions": 3 * HOUR}


def _span(export: Export) -> tuple[int, int] | None:
    """Return the first and last microsecond that the movements of an export cover."""
    bounds = export.window
    if not bounds:
        found = pc.min_max(export.moves["time"].cast("int64")).as_py()
        bounds = None if found["min"] is None else (found["min"], found["max"])
    if bounds and export.conventions.precision >= DAY:
        # A date without a time, in a zone that need not be the orders': a day more on either side.
        return bounds[0] - 24 * HOUR, bounds[1] + 24 * HOUR
    return bounds


def covers(exports: Sequence[Export]) -> pyarrow.Table:
    """Return which stretches the payment exports of each shop cover, until when, and when the next comes.

    A marketplace's movements name the site or the seller; the money of a company's own shops does not, so
    every payment export covers all of them.
    """
    shops = {(export.realm, shop) for export in exports for shop in _names(export.sales["shop"])}
    accounts = {id(export): _names(export.moves["account"]) for export in exports}
    rows = []
    for realm, shop in sorted(shops):
        moving = [export for export in exports if export.realm == realm and export.moves.num_rows]
        own = [export for export in moving if shop in accounts[id(export)]]
        for export in own or [each for each in moving if realm == "web" or "" in accounts[id(each)]]:
            if span := _span(export):
                start, end = span
                period = end - start if export.sequence else LAGS.get(export.channel, 24 * HOUR)
                until = end - LAGS.get(export.channel, 0)
                rows.append((realm, shop, start, until, end + period))
    return _table(rows, "start", "until", "next")


def _names(column: pyarrow.ChunkedArray) -> set[str]:
    """Return the different names in a column; of each piece its few names are asked, not its rows."""
    return {name or "" for chunk in column.chunks for name in pc.unique(chunk).to_pylist()}


def doubts(exports: Sequence[Export], verdicts: Sequence[ExportVerdict]) -> pyarrow.Table:
    """Return which stretches of which shops an export speaks of that breaks one of its totals."""
    bad = {verdict.file for verdict in verdicts if verdict.grade is Grade.BAD}
    rows = []
    for export in exports:
        if export.name not in bad:
            continue
        times = export.sales["created"] if export.sales.num_rows else export.moves["time"]
        bounds = pc.min_max(times.cast("int64")).as_py()
        for shop in _shops(export) if bounds["min"] is not None else ():
            # The money of own shops is not booked by shop: a doubt about it is one about all of them.
            whose = "" if export.realm == "web" else shop
            rows.append((export.realm, whose, bounds["min"], bounds["max"]))
    return _table(rows, "start", "until")


def grain(exports: Sequence[Export], shops: Sequence[tuple[str, str]]) -> pyarrow.Table:
    """Return which shops have orders without a time of day: for them a day is what can be proven."""
    coarse = dict.fromkeys(shops, False)
    for export in exports:
        for shop in _shops(export):
            if export.conventions.precision >= DAY and (export.realm, shop) in coarse:
                coarse[export.realm, shop] = True
    realms, names = zip(*coarse, strict=True) if coarse else ((), ())
    columns = (pyarrow.array(realms, "string"), pyarrow.array(names, "string"))
    return pyarrow.table([*columns, pyarrow.array(coarse.values(), "bool")], ["realm", "shop", "coarse"])


def _shops(export: Export) -> set[str]:
    """Return the shops that an export has orders of, or else the accounts that it has movements of."""
    return _names(export.sales["shop"] if export.sales.num_rows else export.moves["account"])


def _table(rows: Sequence[tuple[str | int, ...]], *times: str) -> pyarrow.Table:
    """Return rows of a realm, a shop and times as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * (2 + len(times))
    texts = [pyarrow.array(column, "string") for column in columns[:2]]
    moments = [pyarrow.array(column, pyarrow.int64()).cast(UTC) for column in columns[2:]]
    return pyarrow.table([*texts, *moments], ["realm", "shop", *times])
