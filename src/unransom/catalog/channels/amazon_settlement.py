"""Amazon, settlement V2: a summary row, then a row for each component of each amount."""

from __future__ import annotations

from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.amazon import check_encoding, move_kind
from unransom.catalog.exports.building import at, count, export, joined, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import total
from unransom.core.messages import say
from unransom.core.orders import ControlTotal

DATES = ("settlement-start-date", "settlement-end-date", "deposit-date", "posted-date-time")
TEXTS = ("order-id", "shipment-id", "order-item-code", "merchant-order-id", "adjustment-id")
LAYOUT = Layout(
    columns={
        name: (name,)
        for name in (
            *("settlement-id", "total-amount", "currency", "transaction-type", "marketplace-name"),
            *("amount-type", "amount-description", "amount", "posted-date", *DATES, *TEXTS),
        )
    },
    required=("settlement-id", "total-amount", "transaction-type", "order-id", "amount-type", "amount"),
    delimiters=("\t", ",", ";"),
    quoted=False,
    encodings=("utf-8", "cp932", "cp1252"),
    texts=(*TEXTS, "posted-date-time"),
)


def _convert(sheet: Sheet) -> Export:
    check_encoding(sheet, "marketplace-name")
    marks = sheet.settle(("amount", "total-amount"), DATES, total_decides=True)
    if len(marks) == 2:
        first, second = (
            total(sheet.money("amount", mark)) == total(sheet.money("total-amount", mark)) for mark in marks
        )
        sheet.decide(first, second)
    amounts = sheet.money("amount")
    totals, window, sequence = _summary(sheet, amounts)
    rows = pc.invert(present(sheet.text("total-amount")))
    currency = _currencies(sheet).filter(rows)
    sheet.keep(rows)
    kinds = joined(sheet.text("transaction-type"), sheet.text("amount-type"))
    order = sheet.text("order-id")
    time = sheet.time("posted-date-time")[0]
    if time.null_count == len(time) and sheet.has("posted-date"):
        time = sheet.time("posted-date")[0]
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": sheet.text("marketplace-name"),
            "order_key": _order_key(order),
            "line_key": sheet.text("order-item-code"),
            "payment_id": _payment_id(sheet),
            "refers_to": sheet.text("adjustment-id"),
            "kind": mapped(kinds, lambda pair: move_kind(*pair.split("\t"))),
            "code": sheet.text("amount-description"),
            "state": "done",
            "time": time,
            "currency": currency,
            "amount": amounts.filter(rows),
            "fee": 0,
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        totals=totals,
        window=window,
        sequence=sequence,
    )


def _order_key(order: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Return the orders; FBA shipments stand in the same column."""
    shipped = pc.starts_with(order, "FBA")
    return pc.if_else(shipped, "", order) if pc.any(shipped, min_count=0).as_py() else order


def _payment_id(sheet: Sheet) -> pyarrow.ChunkedArray:
    """Return the shipments, which are paid for one by one; where one is not named, the settlement."""
    shipment = sheet.text("shipment-id")
    named = present(shipment)
    if pc.all(named, min_count=0).as_py():
        return shipment
    return pc.if_else(named, shipment, sheet.text("settlement-id").cast("string"))


def _summary(
    sheet: Sheet, amounts: pyarrow.ChunkedArray
) -> tuple[list[ControlTotal], tuple[int, int] | None, tuple[str, int, int] | None]:
    """Return what the summary rows say: one for each settlement in the file."""
    ids = sheet.text("settlement-id").cast("string")
    settlements = pc.unique(ids).to_pylist()
    stated = sheet.money("total-amount")
    starts, ends = sheet.time(DATES[0])[0], sheet.time(DATES[1])[0]
    is_summary = present(sheet.text("total-amount"))
    totals = [
        ControlTotal(
            say("sum of the amounts of settlement {id}", id=settlement),
            at(stated, mine),
            at(amounts, mine),
        )
        for settlement in settlements
        for mine in [pc.equal(ids, settlement)]
    ]
    totals.append(
        ControlTotal(
            say("a summary row for each settlement"),
            Decimal(len(settlements)),
            count(is_summary),
        )
    )
    bounds = [pc.min(starts).cast("int64").as_py(), pc.max(ends).cast("int64").as_py()]
    if None in bounds:
        return totals, None, None
    return totals, (bounds[0], bounds[1]), (ids[0].as_py(), bounds[0], bounds[1])


def _currencies(sheet: Sheet) -> pyarrow.ChunkedArray:
    """Return each row's currency, which only the summary row of its settlement names."""
    ids, named = sheet.text("settlement-id"), sheet.text("currency").cast("string")
    there = present(named)
    known = dict(
        zip(ids.cast("string").filter(there).to_pylist(), named.filter(there).to_pylist(), strict=True)
    )
    return mapped(ids, lambda settlement: known.get(settlement, ""))


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="amazon_settlement",
    title="Amazon settlement report V2 (flat file)",
    realm="amazon",
    references=("https://developer-docs.amazon.com/sp-api/docs/settlement-report-attributes",),
)
