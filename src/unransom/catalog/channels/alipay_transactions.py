"""Alipay across borders, transaction file: gross amounts, with the number of rows in a line above."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow.compute as pc

from unransom.catalog.exports.alipay import ENCODINGS
from unransom.catalog.exports.building import SHANGHAI, export, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind

LAYOUT = Layout(
    columns={
        "partner": ("Partner_transaction_id",),
        "original": ("original_partner_transaction_ID", "Original_partner_transaction_id"),
        "transaction": ("Transaction_id",),
        "amount": ("Transaction_amount",),
        "charge": ("Charge_amount",),
        "currency": ("Currency",),
        "paid": ("Payment_time",),
        "type": ("Transaction_type",),
    },
    required=("partner", "transaction", "amount", "type"),
    delimiters=(",", "|", "\t", ";"),
    encodings=ENCODINGS,
    texts=("partner", "original", "transaction", "paid"),
    orders=("partner", "original"),
)
_KINDS = {
    "PAYMENT": MoveKind.PAYMENT,
    "REFUND": MoveKind.REFUND,
    "REVERSAL": MoveKind.REFUND,
    "CANCEL": MoveKind.REFUND,
}
_COUNT = re.compile(r"Total_count\W+(\d+)", re.I)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("transaction")))
    sheet.settle(("amount", "charge"), ("paid",))
    kind = mapped(sheet.text("type"), lambda word: _KINDS.get(word.upper(), MoveKind.OTHER))
    amount, original = sheet.money("amount"), sheet.text("original")
    is_payment = pc.equal(kind.cast("string"), MoveKind.PAYMENT)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": "",
            "order_key": pc.if_else(present(original), original, sheet.text("partner")),
            "payment_id": sheet.text("transaction"),
            "refers_to": "",
            "line_key": "",
            "kind": kind,
            "code": sheet.text("type"),
            "state": "done",
            "time": sheet.time("paid", SHANGHAI)[0],
            "currency": sheet.text("currency"),
            # Some products write refunds with a minus and some without.
            "amount": pc.if_else(is_payment, amount, pc.negate(pc.abs(amount))),
            "fee": 0,
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone=SHANGHAI,
        totals=[
            ControlTotal(say("number of records"), Decimal(found[1]), Decimal(sheet.rows))
            for line in (*sheet.header.above, *sheet.below)
            if (found := _COUNT.search(line))
        ],
    )


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="alipay_transactions",
    title="Alipay cross-border transaction file",
    realm="web",
    references=("https://docs.antom.com/ac/reconcile/transaction_details",),
    limitations=(
        "It states a number of rows, no sum: an amount that was changed shows only where it is joined.",
    ),
)
