"""Alipay, merchant trade bill: what was sold and refunded, with the totals of both below."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow.compute as pc

from unransom.catalog.exports.alipay import ENCODINGS, account, window
from unransom.catalog.exports.building import (
    SHANGHAI,
    Column,
    at,
    count,
    export,
    identity,
    mapped,
    present,
    tabular,
    usual,
)
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind

LAYOUT = Layout(
    columns={
        "trade": ("支付宝交易号",),
        "order": ("商户订单号",),
        "type": ("业务类型",),
        "created": ("创建时间",),
        "finished": ("完成时间",),
        "amount": ("订单金额(元)", "订单金额"),
        "received": ("商家实收(元)", "商家实收"),
        "shop_coupon": ("商家优惠(元)", "商家优惠"),
        "red_packet": ("支付宝红包(元)", "支付宝红包"),
        "points": ("集分宝(元)", "集分宝"),
        "channel_coupon": ("支付宝优惠(元)", "支付宝优惠"),
        "refund": ("退款批次号/请求号", "退款批次号", "退款请求号"),
        "fee": ("服务费(元)", "服务费"),
    },
    required=("trade", "order", "type", "received"),
    encodings=ENCODINGS,
    texts=("trade", "order", "refund", "created", "finished"),
    orders=("order",),
)
AMOUNTS = ("amount", "received", "shop_coupon", "red_packet", "points", "channel_coupon", "fee")
_TOTAL = re.compile(
    r"#?(交易|退款)合计[:：]\s*(\d+)\s*笔[,，]\s*商家实收(?:退款)?共\s*(-?[\d.,]+)\s*元"
    r"(?:[,，]\s*商家优惠(?:退款)?共\s*(-?[\d.,]+)\s*元)?"
)
_KINDS = {"交易": MoveKind.PAYMENT, "退款": MoveKind.REFUND}


def _convert(sheet: Sheet) -> Export:
    sheet.keep(pc.invert(pc.starts_with(sheet.text("trade"), "#")))
    sheet.settle(AMOUNTS, ())
    trade, refund = sheet.text("trade"), sheet.text("refund")
    kind = mapped(sheet.text("type"), lambda word: _KINDS.get(word, MoveKind.OTHER))
    created = sheet.time("created", SHANGHAI)[0]
    is_refund = pc.equal(kind.cast("string"), MoveKind.REFUND)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": account(sheet),
            "order_key": sheet.text("order"),
            "payment_id": pc.if_else(pc.and_(is_refund, present(refund)), refund, trade),
            "refers_to": pc.if_else(is_refund, trade, ""),
            "line_key": "",
            "kind": kind,
            "code": sheet.text("type"),
            "state": "done",
            "time": pc.coalesce(sheet.time("finished", SHANGHAI)[0], created),
            "currency": "CNY",
            "amount": sheet.money("received"),
            "fee": pc.fill_null(sheet.money("fee"), 0),
            "shop_coupon": pc.fill_null(sheet.money("shop_coupon"), 0),
            "channel_coupon": summed(
                [sheet.money(name) for name in ("channel_coupon", "red_packet", "points")]
            ),
        },
        zone=SHANGHAI,
        totals=_totals(sheet, kind),
        account=account(sheet),
        window=window(sheet),
    )


def _totals(sheet: Sheet, kind: Column) -> list[ControlTotal]:
    totals = []
    for line in sheet.below:
        if found := _TOTAL.search(line):
            mine = pc.equal(kind.cast("string"), _KINDS[found[1]])
            what = say("number of rows of {type}", type=found[1])
            totals.append(ControlTotal(what, Decimal(found[2]), count(mine)))
            for field, stated in (("received", found[3]), ("shop_coupon", found[4])):
                if stated:
                    what = say(
                        "sum of {column} over rows of {type}", column=LAYOUT.columns[field][1], type=found[1]
                    )
                    totals.append(
                        ControlTotal(what, Decimal(stated.replace(",", "")), at(sheet.money(field), mine))
                    )
    if sheet.has("amount") and sheet.has("shop_coupon"):
        totals += _amounts(sheet)
    return totals


def _amounts(sheet: Sheet) -> list[ControlTotal]:
    """Return the total of order amounts, where the file shows that this equation is one of its own."""
    parts = summed([sheet.money("received"), sheet.money("shop_coupon")])
    # A refund of a part of the order does not say which part of the coupon it takes back.
    paid = pc.greater(pc.fill_null(sheet.money("received"), 0), 0)
    numbers = sheet.numbers()
    rows = numbers.filter(paid) if numbers is not None else None
    what = say("order amounts are receipts and coupons")
    return usual(identity(what, parts.filter(paid), sheet.money("amount").filter(paid), rows))


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="alipay_trade",
    title="Alipay merchant trade bill (业务明细)",
    realm="web",
    references=("https://opendocs.alipay.com/open/029i7e",),
    limitations=(
        "Its totals are of receipts and of the shop's own coupons: fees and coupons that Alipay pays are not"
        " checked.",
    ),
)
