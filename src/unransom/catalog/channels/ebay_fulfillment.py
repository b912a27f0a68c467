"""eBay, Sell Fulfillment API: pages of getOrders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, OrderState

_PAID = {"PENDING": OrderState.PENDING, "FAILED": OrderState.PENDING}


def _read(source: Source) -> Export:
    document = Document(source)
    orders = list(document.find(lambda entry: "orderId" in entry and "pricingSummary" in entry))
    rows = [row for order in orders for row in _rows(order)]
    sellers = {text(order, "sellerId") for order in orders} - {""}
    return pages_export(
        source,
        document,
        CHANNEL.name,
        CHANNEL.realm,
        sales=rows,
        totals=_totals(document, orders),
        account=sellers.pop() if len(sellers) == 1 else "",
    )


def _rows(order: Entry) -> Iterator[dict[str, object]]:
    total, currency = amount(order, "pricingSummary", "total")
    status = text(order, "orderPaymentStatus")
    cancelled = text(order, "cancelStatus", "cancelState") == "CANCELED"
    shipped = text(order, "orderFulfillmentStatus") == "FULFILLED"
    state = OrderState.SHIPPED if shipped else OrderState.PLACED
    items = objects(order, "lineItems")
    for item in items or [{}]:
        line, code = amount(item, "total")
        collected = objects(item, "ebayCollectAndRemitTaxes")
        yield {
            "shop": text(order, "sellerId"),
            "order_id": text(order, "orderId"),
            "line_id": text(item, "lineItemId"),
            "other_id": text(order, "legacyOrderId"),
            "state": OrderState.CANCELLED if cancelled else _PAID.get(status, state),
            "status": status,
            "created": instant(text(order, "creationDate")),
            "updated": instant(text(order, "lastModifiedDate")),
            "sku": text(item, "sku"),
            "quantity": item.get("quantity"),
            "currency": currency or code,
            "line_total": line if items else None,
            "order_total": total,
            "tax": sum(amount(each, "amount")[0] or 0 for each in objects(item, "taxes")),
            "market_tax": sum(amount(each, "amount")[0] or 0 for each in collected),
        }


def _totals(document: Document, orders: list[Entry]) -> list[ControlTotal]:
    """Return the total of orders, which each page of one query states; a changing list may skip one."""
    pages = list(document.find(lambda entry: "total" in entry and "orders" in entry))
    stated = {text(page, "total") for page in pages} - {""}
    if len(stated) != 1:
        return []
    found = len({text(order, "orderId") for order in orders})
    doubled = ControlTotal(say("orders that come once"), Decimal(len(orders)), Decimal(found))
    return [ControlTotal(say("number of orders"), Decimal(stated.pop()), Decimal(found)), doubled]


CHANNEL = Channel(
    name="ebay_fulfillment",
    title="eBay Sell Fulfillment API getOrders (JSON)",
    realm="ebay",
    recognise=recogniser(
        ("pricingSummary", "orderPaymentStatus"), ("orderId", "lineItems", "paymentSummary")
    ),
    read=_read,
    references=("https://developer.ebay.com/api-docs/sell/fulfillment/resources/order/methods/getOrders",),
    limitations=(
        "It states a number of orders, no sum: an amount that was changed shows only where it is joined.",
    ),
)
