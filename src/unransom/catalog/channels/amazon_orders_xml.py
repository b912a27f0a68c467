"""Amazon, all orders and order reports as XML: the only reports with an identifier for each line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from unransom.catalog.exports.amazon import order_state
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.money import units_of
from unransom.catalog.exports.pages import instant, rows_export
from unransom.catalog.exports.trees import elements
from unransom.core.streams import chunks

ORDERS = frozenset({"Order", "OrderReport"})
DISCOUNTS = ("ItemPromotionDiscount", "ShipPromotionDiscount")


def _recognise(head: bytes) -> int:
    marks = (b"AmazonEnvelope", b"AmazonOrderID", b"AmazonOrderItemCode", b"OrderReport", b"AllOrdersReport")
    found = sum(mark in head for mark in marks)
    return found if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"AmazonOrderID" in head else 0


def _read(source: Source) -> Export:
    hasher = hashlib.sha256()
    pieces = map(_hashed(hasher), chunks(source.reader))
    rows = [row for order in elements(pieces, ORDERS) for row in _rows(order)]
    return rows_export(
        source, hasher.hexdigest(), CHANNEL.name, CHANNEL.realm, encoding="as declared", sales=rows
    )


def _hashed(hasher: hashlib._Hash) -> Callable[[bytes], bytes]:
    """Return what passes bytes on and counts them into a digest."""

    def passed(piece: bytes) -> bytes:
        hasher.update(piece)
        return piece

    return passed


def _text(element: Element, *names: str) -> str:
    found = next((each.text for each in element.iter() if each.tag in names and each.text), "")
    return (found or "").strip()


def _rows(order: Element) -> Iterator[dict[str, object]]:
    status = _text(order, "OrderStatus")
    about = {
        "shop": _text(order, "SalesChannel"),
        "order_id": _text(order, "AmazonOrderID"),
        "other_id": _text(order, "MerchantOrderID"),
        # A report of orders to ship has none but such.
        "state": order_state(status) if status else "placed",
        "status": status,
        "created": instant(_text(order, "PurchaseDate", "OrderDate")),
        "updated": instant(_text(order, "LastUpdatedDate", "OrderPostedDate")),
        "free": _text(order, "IsReplacementOrder").lower() == "true",
    }
    for item in (each for each in order.iter() if each.tag in {"OrderItem", "Item"}):
        yield {**about, **_line(item)}


def _line(item: Element) -> dict[str, object]:
    total, tax, currency, priced = 0, 0, "", False
    for component in (each for each in item.iter() if each.tag == "Component"):
        money = next((each for each in component.iter() if each.tag == "Amount"), None)
        if money is None:
            continue
        units = units_of((money.text or "").strip()) or 0
        total, priced = total + units, True
        tax += units if "tax" in _text(component, "Type").casefold() else 0
        currency = money.get("currency") or currency
    for name in DISCOUNTS:
        total -= abs(units_of(_text(item, name)) or 0)
    quantity = _text(item, "Quantity", "QuantityOrdered")
    return {
        "line_id": _text(item, "AmazonOrderItemCode"),
        "sku": _text(item, "SKU"),
        "quantity": int(quantity) if quantity.isdigit() and len(quantity) < 10 else None,
        "currency": currency,
        "line_total": total if priced else None,
        "tax": tax,
    }


CHANNEL = Channel(
    name="amazon_orders_xml",
    title="Amazon all-orders report or order report (XML)",
    realm="amazon",
    recognise=_recognise,
    read=_read,
    references=("https://developer-docs.amazon.com/sp-api/docs/order-reports-attributes",),
    limitations=("Amazon publishes no schema of it.", "No control total."),
)
