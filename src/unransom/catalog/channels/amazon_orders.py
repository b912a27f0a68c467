"""Amazon, all orders, flat file: tab separated, a row for each line of an order, which has no identifier."""

from __future__ import annotations

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.amazon import check_encoding, order_state
from unransom.catalog.exports.building import export, mapped, present, tabular, whole_number
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import summed

PRICES = ("item-price", "shipping-price", "gift-wrap-price")
TAXES = ("item-tax", "shipping-tax", "gift-wrap-tax")
DISCOUNTS = ("item-promotion-discount", "ship-promotion-discount")
DATES = ("purchase-date", "last-updated-date")
LAYOUT = Layout(
    columns={
        name: (name,)
        for name in (
            *("amazon-order-id", "merchant-order-id", "order-status", "sales-channel", "sku", "quantity"),
            *("currency", "is-replacement-order", *PRICES, *TAXES, *DISCOUNTS, *DATES),
        )
    },
    required=("amazon-order-id", "purchase-date", "order-status", "sku", "quantity", "item-price"),
    delimiters=("\t", ",", ";"),
    quoted=False,
    encodings=("utf-8", "cp932", "cp1252"),
    texts=("amazon-order-id", "merchant-order-id", *DATES),
)


def _convert(sheet: Sheet) -> Export:
    # The report that holds no orders may repeat its header as a row; so may files joined end to end.
    sheet.keep(pc.not_equal(sheet.text("amazon-order-id"), "amazon-order-id"))
    sheet.keep(present(sheet.text("amazon-order-id")))
    check_encoding(sheet, "sales-channel")
    sheet.settle((*PRICES, *TAXES, *DISCOUNTS), DATES)
    tax = summed([sheet.money(name) for name in TAXES])
    discount = summed([sheet.money(name) for name in DISCOUNTS])
    prices = [sheet.money(name) for name in PRICES]
    priced = summed([*prices, tax])
    status = sheet.text("order-status")
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        sales={
            "shop": sheet.text("sales-channel"),
            "order_id": sheet.text("amazon-order-id"),
            "other_id": sheet.text("merchant-order-id"),
            "state": mapped(status, order_state),
            "status": status,
            "created": sheet.time("purchase-date")[0],
            "updated": sheet.time("last-updated-date")[0],
            "sku": sheet.text("sku"),
            "quantity": whole_number(sheet.text("quantity")),
            "currency": sheet.text("currency"),
            # An empty price is not yet known, which is not the same as nothing. Discounts have no sign in
            # most reports and a minus in some.
            "line_total": pc.if_else(
                pc.is_null(prices[0]),
                pyarrow.scalar(None, pyarrow.int64()),
                pc.subtract(priced, pc.abs(discount)),
            ),
            "tax": tax,
            "free": pc.equal(pc.utf8_lower(sheet.text("is-replacement-order").cast("string")), "true"),
        },
    )


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="amazon_orders",
    title="Amazon all-orders report (flat file)",
    realm="amazon",
    references=("https://developer-docs.amazon.com/sp-api/docs/order-reports-attributes",),
    limitations=("It has no identifier of a line and no control total: identical lines are all counted.",),
)
