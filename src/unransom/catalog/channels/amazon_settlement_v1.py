"""Amazon, settlement report of the first form, which old backups hold: several amounts side by side."""

from __future__ import annotations

import pyarrow.compute as pc

from unransom.catalog.exports.amazon import move_kind
from unransom.catalog.exports.building import at, export, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import summed, total
from unransom.core.messages import say
from unransom.core.orders import ControlTotal

BUYER = ("price-amount", "promotion-amount", "direct-payment-amount")
FEES = ("shipment-fee-amount", "order-fee-amount", "item-related-fee-amount", "misc-fee-amount")
OTHER = ("other-fee-amount", "other-amount")
DATES = ("settlement-start-date", "settlement-end-date", "posted-date")
TEXTS = ("order-id", "order-item-code", "shipment-id")
LAYOUT = Layout(
    columns={
        name: (name,)
        for name in (
            *(
                "settlement-id",
                "total-amount",
                "currency",
                "transaction-type",
                "marketplace-name",
                "price-type",
            ),
            *(*BUYER, *FEES, *OTHER, *DATES, *TEXTS),
        )
    },
    required=("settlement-id", "total-amount", "transaction-type", "order-id", "price-amount"),
    delimiters=("\t", ",", ";"),
    quoted=False,
    encodings=("utf-8", "cp932", "cp1252"),
    texts=TEXTS,
)


def _convert(sheet: Sheet) -> Export:
    amounts = (*BUYER, *FEES, *OTHER)
    marks = sheet.settle((*amounts, "total-amount"), DATES, total_decides=True)
    if len(marks) == 2:
        first, second = (
            total(summed([sheet.money(name, mark) for name in amounts]))
            == total(sheet.money("total-amount", mark))
            for mark in marks
        )
        sheet.decide(first, second)
    is_summary = present(sheet.text("total-amount"))
    everything = summed([sheet.money(name) for name in amounts])
    totals = [
        ControlTotal(
            say("sum of the amounts of settlement {id}", id=settlement),
            at(sheet.money("total-amount"), mine),
            at(everything, mine),
        )
        for settlement in pc.unique(sheet.text("settlement-id").cast("string")).to_pylist()
        for mine in [pc.equal(sheet.text("settlement-id").cast("string"), settlement)]
    ]
    currencies = pc.unique(sheet.text("currency").cast("string")).to_pylist()
    bounds = (pc.min(sheet.time(DATES[0])[0]).cast("int64"), pc.max(sheet.time(DATES[1])[0]).cast("int64"))
    window = (bounds[0].as_py(), bounds[1].as_py()) if all(each.is_valid for each in bounds) else None
    sheet.keep(pc.invert(is_summary))
    order = sheet.text("order-id")
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": sheet.text("marketplace-name"),
            "order_key": pc.if_else(pc.starts_with(order, "FBA"), "", order),
            "line_key": sheet.text("order-item-code"),
            "payment_id": sheet.text("shipment-id"),
            "refers_to": "",
            "kind": mapped(sheet.text("transaction-type"), lambda word: move_kind(word, "ItemPrice")),
            "code": sheet.text("price-type"),
            "state": "done",
            "time": sheet.time("posted-date")[0],
            "currency": next((name for name in currencies if name), ""),
            "amount": summed([sheet.money(name) for name in (*BUYER, *OTHER)]),
            "fee": summed([sheet.money(name) for name in FEES]),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        totals=totals,
        window=window,
    )


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="amazon_settlement_v1",
    title="Amazon settlement report, first form (flat file)",
    realm="amazon",
    references=("https://developer-docs.amazon.com/sp-api/docs/settlement-report-attributes",),
    limitations=("Amazon stopped making it on 25 March 2026.",),
)
