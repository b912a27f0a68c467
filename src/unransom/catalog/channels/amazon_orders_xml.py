"""Amazon, all orders and order reports as XML: the only reports with an identifier for each line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from unransom.catalog.exports.amazon import order_state
from unransom.catalog.exports.channel import Channel, Export, Source, UnreadableExportError
from unransom.catalog.exports.money import units_of
from unransom.catalog.exports.pages import instant, rows_export
from unransom.core.messages import say
from unransom.core.streams import chunks

ORDERS = frozenset({"Order", "OrderReport"})
DEEPEST = 64
DISCOUNTS = ("ItemPromotionDiscount", "ShipPromotionDiscount")


def _recognise(head: bytes) -> int:
    marks = (b"AmazonEnvelope", b"AmazonOrderID", b"AmazonOrderItemCode", b"OrderReport", b"AllOrdersReport")
    found = sum(mark in head for mark in marks)
    return found if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"AmazonOrderID" in head else 0


def _read(source: Source) -> Export:
    hasher = hashlib.sha256()
    rows = [row for order in _orders(source, hasher) for row in _rows(order)]
    return rows_export(
        source, hasher.hexdigest(), CHANNEL.name, CHANNEL.realm, encoding="as declared", sales=rows
    )


def _orders(source: Source, hasher: hashlib._Hash) -> Iterator[Element]:
    """Yield the orders one by one; what was yielded is forgotten."""
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    depth = 0
    try:
        for piece in chunks(source.reader):
            hasher.update(piece)
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise UnreadableExportError(say("it declares entities, which no export of Amazon does"))
            parser.feed(piece)
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                depth += 1 if event == "start" else -1
                if depth > DEEPEST:
                    raise UnreadableExportError(say("it is nested beyond reason"))
                if event == "end" and _name(element) in ORDERS:
                    yield element
                    element.clear()
        parser.close()
    except ParseError as error:
        raise UnreadableExportError(say("it is no whole XML"), detail=str(error)) from error


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, *names: str) -> str:
    found = next((each.text for each in element.iter() if _name(each) in names and each.text), "")
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
    for item in (each for each in order.iter() if _name(each) in {"OrderItem", "Item"}):
        yield {**about, **_line(item)}


def _line(item: Element) -> dict[str, object]:
    total, tax, currency, priced = 0, 0, "", False
    for component in (each for each in item.iter() if _name(each) == "Component"):
        money = next((each for each in component.iter() if _name(each) == "Amount"), None)
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
