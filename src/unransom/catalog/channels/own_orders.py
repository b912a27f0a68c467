"""The company's own orders as a table: of a web shop, an order system, or rows recovered from a database."""

from __future__ import annotations

import pyarrow.compute as pc

from unransom.catalog.exports.building import export, mapped, present, tabular, whole_number
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.core.orders import OrderState

LAYOUT = Layout(
    columns={
        "shop": ("shop", "shop_code", "store", "店铺", "店铺名称"),
        "order": ("order_id", "order_no", "order_number", "out_trade_no", "订单号", "订单编号", "商户订单号"),
        "state": ("state", "status", "order_status", "订单状态", "状态"),
        "created": (
            "created",
            "created_at",
            "order_time",
            "placed_at",
            "下单时间",
            "创建时间",
            "订单创建时间",
        ),
        "updated": ("updated", "updated_at", "last_updated", "更新时间", "修改时间"),
        "currency": ("currency", "currency_code", "币种", "货币", "币别"),
        "total": (
            *("total", "total_amount", "order_total", "amount_due"),
            *("订单总额", "订单金额", "应付金额", "总金额", "金额"),
        ),
        "tax": ("tax", "tax_amount", "税额"),
        "sku": ("sku", "商品编码"),
        "quantity": ("quantity", "qty", "数量"),
        "line_total": ("line_total", "line_amount", "行金额"),
        "payment": ("payment_ref", "transaction_id", "支付流水号"),
    },
    required=("shop", "order", "created", "total"),
    encodings=("utf-8", "gb18030"),
    texts=("order", "created", "updated", "payment"),
    orders=("order",),
)
_STATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (OrderState.CANCELLED, ("cancel", "closed", "void", "取消", "关闭")),
    (OrderState.PENDING, ("pending", "unpaid", "awaiting payment", "待付款", "未付款")),
    (OrderState.SHIPPED, ("ship", "sent", "complete", "deliver", "已发货", "完成")),
)


def _state(word: str) -> str:
    word = word.casefold()
    return next((state for state, marks in _STATES if any(mark in word for mark in marks)), OrderState.PLACED)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("order")))
    sheet.settle(("total", "tax", "line_total"), ("created", "updated"))
    created, precision, _ = sheet.time("created")
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        sales={
            "shop": sheet.text("shop"),
            "order_id": sheet.text("order"),
            "payment_ref": sheet.text("payment"),
            "state": mapped(sheet.text("state"), _state),
            "status": sheet.text("state"),
            "created": created,
            "updated": pc.coalesce(sheet.time("updated")[0], created),
            "sku": sheet.text("sku"),
            "quantity": whole_number(sheet.text("quantity")),
            "currency": sheet.text("currency"),
            "line_total": sheet.money("line_total" if sheet.has("line_total") else "total"),
            "order_total": sheet.money("total"),
            "tax": pc.fill_null(sheet.money("tax"), 0),
        },
        zone=sheet.source.reading.zone or "UTC",
        precision=precision,
    )


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="own_orders",
    title="The company's own orders (CSV: shop, order_id, created, total, currency, state)",
    realm="web",
    references=("https://www.rfc-editor.org/rfc/rfc4180",),
    limitations=("Times without a zone are taken as UTC, save with --zone.", "No control total."),
)
