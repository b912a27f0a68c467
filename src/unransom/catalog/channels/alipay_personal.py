"""Alipay, personal bill: unsigned amounts with a direction and a state beside them."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.alipay import ENCODINGS, account, window
from unransom.catalog.exports.building import SHANGHAI, at, count, export, joined, mapped, tabular
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind, MoveState

LAYOUT = Layout(
    columns={
        "time": ("交易时间", "交易创建时间"),
        "category": ("交易分类", "类型"),
        "direction": ("收/支",),
        "amount": ("金额", "金额(元)"),
        "state": ("交易状态",),
        "trade": ("交易订单号", "交易号"),
        "order": ("商家订单号",),
    },
    required=("time", "direction", "amount", "state", "trade", "order"),
    encodings=ENCODINGS,
    texts=("time", "trade", "order"),
    orders=("order",),
)
_STATES = {"交易关闭": MoveState.DENIED, "等待付款": MoveState.PENDING, "等待确认收货": MoveState.PENDING}
_TOTALS = re.compile(r"(收入|支出|不计收支)[:：]\s*(\d+)\s*笔[,，]?\s*([\d.,]+)\s*元")
_ROWS = re.compile(r"共\s*(\d+)\s*笔记录")


def _kind(word: str) -> str:
    category, direction, state = word.split("\t")
    if "退款" in category or "退款" in state:
        return MoveKind.REFUND
    return {"收入": MoveKind.PAYMENT, "不计收支": MoveKind.TRANSFER}.get(direction, MoveKind.OTHER)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(pc.match_substring_regex(sheet.text("time"), "^[0-9]{4}[-/]"))
    sheet.settle(("amount",), ("time",))
    direction, state = sheet.text("direction"), sheet.text("state")
    amount = sheet.money("amount")
    spent = pc.equal(direction.cast("string"), "支出")
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": account(sheet),
            "order_key": sheet.text("order"),
            "payment_id": sheet.text("trade"),
            "refers_to": "",
            "line_key": "",
            "kind": mapped(joined(sheet.text("category"), direction, state), _kind),
            "code": sheet.text("category"),
            "state": mapped(state, lambda word: _STATES.get(word, MoveState.DONE)),
            "time": sheet.time("time", SHANGHAI)[0],
            "currency": "CNY",
            "amount": pc.if_else(spent, pc.negate(amount), amount),
            "fee": 0,
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone=SHANGHAI,
        totals=_totals(sheet, direction.cast("string"), amount),
        account=account(sheet),
        window=window(sheet),
    )


def _totals(
    sheet: Sheet, direction: pyarrow.ChunkedArray, amount: pyarrow.ChunkedArray
) -> list[ControlTotal]:
    totals = []
    for line in (*sheet.header.above, *sheet.below):
        if found := _ROWS.search(line):
            totals.append(ControlTotal(say("number of records"), Decimal(found[1]), Decimal(sheet.rows)))
        for word, rows, money in _TOTALS.findall(line):
            mine = pc.equal(direction, word)
            totals.append(
                ControlTotal(say("number of rows of {type}", type=word), Decimal(rows), count(mine))
            )
            stated = Decimal(money.replace(",", ""))
            totals.append(ControlTotal(say("sum of {column}", column=word), stated, at(amount, mine)))
    return totals


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="alipay_personal",
    title="Alipay personal bill",
    realm="web",
    references=("https://render.alipay.com/p/s/download",),
    limitations=("The bill says itself that its sums may differ from its rows.",),
)
