"""Alipay across borders, settlement file: a row for each payment (P) and refund (R), net of fees."""

from __future__ import annotations

from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.alipay import ENCODINGS
from unransom.catalog.exports.building import SHANGHAI, Column, export, identity, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind

LAYOUT = Layout(
    columns={
        "partner": ("Partner_transaction_id", "partnerTransactionId"),
        "original": ("original_partner_transaction_ID", "Original_partner_transaction_id"),
        "transaction": ("Transaction_id", "transactionId"),
        "amount": ("Amount",),
        "fee": ("Fee",),
        "settlement": ("Settlement", "Settlement_amount"),
        "currency": ("Currency",),
        "paid": ("Payment_time",),
        "type": ("Type",),
    },
    required=("partner", "transaction", "amount", "settlement", "type"),
    delimiters=(",", "|", "\t", ";"),
    encodings=ENCODINGS,
    texts=("partner", "original", "transaction", "paid"),
    orders=("partner", "original"),
)
_KINDS = {"P": MoveKind.PAYMENT, "R": MoveKind.REFUND, "PAYMENT": MoveKind.PAYMENT, "REFUND": MoveKind.REFUND}


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("transaction")))
    sheet.settle(("amount", "fee", "settlement"), ("paid",))
    kind = mapped(sheet.text("type"), lambda word: _KINDS.get(word.upper(), MoveKind.OTHER))
    is_refund = pc.equal(kind.cast("string"), MoveKind.REFUND)
    amount, fee = sheet.money("amount"), pc.fill_null(sheet.money("fee"), 0)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": "",
            "order_key": order_keys(
                sheet.text("partner"), sheet.text("original"), sheet.text("transaction"), kind
            ),
            "payment_id": pc.if_else(is_refund, sheet.text("partner"), sheet.text("transaction")),
            "refers_to": pc.if_else(is_refund, sheet.text("transaction"), ""),
            "line_key": sheet.text("transaction"),
            "kind": kind,
            "code": sheet.text("type"),
            "state": "done",
            "time": sheet.time("paid", SHANGHAI)[0],
            "currency": sheet.text("currency"),
            "amount": amount,
            "fee": pc.negate(fee),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone=SHANGHAI,
        totals=[
            *identity(
                say("amounts less fees are the settled amounts"),
                pc.subtract(amount, fee),
                sheet.money("settlement"),
                sheet.numbers(),
            ),
            _different(sheet),
        ],
    )


def _different(sheet: Sheet) -> ControlTotal:
    """Return the total of rows that stand once: each payment and each refund has an identifier."""
    texts = [sheet.text(name).cast("string") for name in ("partner", "transaction", "type")]
    found = pc.count_distinct(pc.binary_join_element_wise(*texts, "\t")).as_py()
    return ControlTotal(say("rows that stand there once"), Decimal(sheet.rows), Decimal(found))


def order_keys(partner: Column, original: Column, transaction: Column, kind: Column) -> Column:
    """Return the orders: a refund has an identifier of its own, and names its payment in another column.

    Args:
        partner: The identifier that the shop gave, of the payment or of the refund.
        original: Of the payment that a refund belongs to, where the file has the column.
        transaction: Alipay's, which a refund shares with its payment.
        kind: Of the row.
    """
    is_payment = pc.equal(kind.cast("string"), MoveKind.PAYMENT)
    payments = pyarrow.table(
        {"transaction": transaction.filter(is_payment), "order": partner.filter(is_payment)}
    )
    firsts = payments.group_by("transaction").aggregate([("order", "min")])
    places = pc.index_in(transaction, value_set=firsts["transaction"].combine_chunks())
    by_payment = firsts["order_min"].take(places)
    named = pc.if_else(present(original), original, by_payment)
    return pc.if_else(is_payment, partner, pc.coalesce(named, partner))


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="alipay_settlement",
    title="Alipay cross-border settlement file",
    realm="web",
    references=("https://docs.antom.com/ac/reconcile/settlement_details",),
    limitations=(
        "The columns differ by product; it has no totals, only an equation in each row: a row that is missing"
        " shows only where it is joined, and amounts in yuan are not checked.",
    ),
)
