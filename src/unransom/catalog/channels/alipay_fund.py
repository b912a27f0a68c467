"""Alipay, merchant fund bill: every movement of the account with the balance behind it, and totals below."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.alipay import ENCODINGS, account, window
from unransom.catalog.exports.building import SHANGHAI, at, chain, count, ends, export, mapped, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind

LAYOUT = Layout(
    columns={
        "flow": ("账务流水号",),
        "trade": ("业务流水号",),
        "order": ("商户订单号", "业务基础订单号"),
        "time": ("发生时间", "入账时间"),
        "income": ("收入金额(+元)", "收入金额(元)", "收入金额", "收入(+元)", "收入(元)"),
        "expense": ("支出金额(-元)", "支出金额(元)", "支出金额", "支出(-元)", "支出(元)"),
        "balance": ("账户余额(元)", "账户余额"),
        "type": ("业务类型", "账务类型"),
    },
    required=("flow", "trade", "income", "expense", "balance"),
    encodings=ENCODINGS,
    texts=("flow", "trade", "order", "time"),
    orders=("order",),
)
_TOTAL = re.compile(r"#?(收入|支出)合计[:：]\s*(\d+)\s*笔[,，]\s*共?\s*([-+]?[\d.,]+)\s*元")
_KINDS = (
    ("退款", MoveKind.REFUND),
    ("收费", MoveKind.FEE),
    ("服务费", MoveKind.FEE),
    ("佣金", MoveKind.FEE),
    ("提现", MoveKind.TRANSFER),
    ("转账", MoveKind.TRANSFER),
    ("充值", MoveKind.TRANSFER),
    ("在线支付", MoveKind.PAYMENT),
    ("交易", MoveKind.PAYMENT),
)


def _kind(word: str) -> str:
    return next((kind for mark, kind in _KINDS if mark in word), MoveKind.OTHER)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(pc.invert(pc.starts_with(sheet.text("flow"), "#")))
    sheet.settle(("income", "expense", "balance"), ())
    kind = mapped(sheet.text("type"), _kind)
    # Some bills write expenses with a minus and some without.
    income, expense = (pc.fill_null(sheet.money(name), 0) for name in ("income", "expense"))
    change = summed([income, pc.negate(pc.abs(expense))])
    currency = pyarrow.chunked_array([pyarrow.repeat("CNY", sheet.rows)])
    balance, time = sheet.money("balance"), sheet.time("time", SHANGHAI)[0]
    chained = chain(currency, change, balance, sheet.numbers())
    is_refund = pc.equal(kind.cast("string"), MoveKind.REFUND)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": account(sheet),
            "order_key": _order(sheet.text("order")),
            "payment_id": sheet.text("flow"),
            "refers_to": pc.if_else(is_refund, sheet.text("trade"), ""),
            "line_key": sheet.text("trade"),
            "kind": kind,
            "code": sheet.text("type"),
            "state": "done",
            "time": time,
            "currency": "CNY",
            "amount": change,
            "fee": 0,
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone=SHANGHAI,
        totals=[*_totals(sheet, income, expense), *chained],
        account=account(sheet),
        window=window(sheet),
        ends=ends(currency, change, balance, time),
    )


def _order(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Return the orders' numbers; Taobao's bills put ``T200P`` in front of them."""
    return pc.replace_substring_regex(column, "^T[0-9]{1,3}P", "", max_replacements=1)


def _totals(sheet: Sheet, income: pyarrow.ChunkedArray, expense: pyarrow.ChunkedArray) -> list[ControlTotal]:
    columns = {"收入": income, "支出": expense}
    totals = []
    for line in sheet.below:
        if found := _TOTAL.search(line):
            column = columns[found[1]]
            there = pc.not_equal(column, 0)
            stated = Decimal(found[3].replace(",", ""))
            what = say("number of rows of {type}", type=found[1])
            totals.append(ControlTotal(what, Decimal(found[2]), count(there)))
            what = say("sum of {column}", column=found[1])
            totals.append(ControlTotal(what, stated, at(column, there)))
    return totals


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="alipay_fund",
    title="Alipay merchant fund bill (账务明细)",
    realm="web",
    references=("https://opendocs.alipay.com/open/029i7e",),
)
