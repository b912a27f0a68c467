"""Amazon, Orders API v0: responses of getOrders, getOrder and getOrderItems."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.exports.amazon import order_state
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export

ADDED = ("ItemPrice", "ItemTax", "ShippingPrice", "ShippingTax", "CODFee")
TAKEN = (
    "ShippingDiscount",
    "ShippingDiscountTax",
    "PromotionDiscount",
    "PromotionDiscountTax",
    "CODFeeDiscount",
)
GIFT = ("GiftWrapPrice", "GiftWrapTax")


def _read(source: Source) -> Export:
    document = Document(source)
    orders = document.find(lambda entry: "AmazonOrderId" in entry)
    rows = [row for entry in orders for row in _rows(entry)]
    return pages_export(source, document, CHANNEL.name, CHANNEL.realm, sales=rows)


def _rows(entry: Entry) -> Iterator[dict[str, object]]:
    order_id = text(entry, "AmazonOrderId")
    if "PurchaseDate" in entry:
        total, currency = amount(entry, "OrderTotal")
        yield {
            "shop": text(entry, "SalesChannel") or text(entry, "MarketplaceId"),
            "order_id": order_id,
            "other_id": text(entry, "SellerOrderId"),
            "state": order_state(text(entry, "OrderStatus")),
            "status": text(entry, "OrderStatus"),
            "created": instant(text(entry, "PurchaseDate")),
            "updated": instant(text(entry, "LastUpdateDate")),
            "currency": currency,
            "order_total": total,
            "free": entry.get("IsReplacementOrder") in {True, "true"},
        }
    for item in objects(entry, "OrderItems"):
        price, currency = amount(item, "ItemPrice")  # of all units together
        gift = [amount(item, "BuyerInfo", name)[0] or amount(item, name)[0] or 0 for name in GIFT]
        added = sum(amount(item, name)[0] or 0 for name in ADDED) + sum(gift)
        yield {
            "order_id": order_id,
            "line_id": text(item, "OrderItemId"),
            "state": "unknown",
            "sku": text(item, "SellerSKU"),
            "quantity": item.get("QuantityOrdered"),
            "currency": currency,
            "line_total": None
            if price is None
            else added - sum(amount(item, name)[0] or 0 for name in TAKEN),
            "tax": sum(amount(item, name)[0] or 0 for name in ("ItemTax", "ShippingTax")),
        }


CHANNEL = Channel(
    name="amazon_orders_v0",
    title="Amazon Orders API v0 (JSON)",
    realm="amazon",
    recognise=recogniser(
        ("AmazonOrderId",), ("OrderStatus", "PurchaseDate", "OrderItems", "ShippingAddress")
    ),
    read=_read,
    references=("https://developer-docs.amazon.com/sp-api/docs/orders-api-v0-reference",),
    limitations=("No control total: the pages must all be there, up to the one without NextToken.",),
)
