"""Amazon, Orders API 2026-01-01: responses of searchOrders and getOrder."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.exports.amazon import order_state
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export


def _read(source: Source) -> Export:
    document = Document(source)
    orders = document.find(
        lambda entry: "orderId" in entry and ("salesChannel" in entry or "orderItems" in entry)
    )
    rows = [row for entry in orders for row in _rows(entry)]
    return pages_export(source, document, CHANNEL.name, CHANNEL.realm, sales=rows)


def _rows(entry: Entry) -> Iterator[dict[str, object]]:
    total, currency = amount(entry, "proceeds", "grandTotal")
    status = text(entry, "fulfillment", "fulfillmentStatus")
    aliases = [text(alias, "aliasId") for alias in objects(entry, "orderAliases")]
    kinds = {text(other, "associationType") for other in objects(entry, "associatedOrders")}
    about = {
        "shop": text(entry, "salesChannel", "marketplaceName")
        or text(entry, "salesChannel", "marketplaceId"),
        "order_id": text(entry, "orderId"),
        "other_id": next(iter(aliases), ""),
        "state": order_state(status),
        "status": status,
        "created": instant(text(entry, "createdTime")),
        "updated": instant(text(entry, "lastUpdatedTime")),
        "order_total": total,
        # A replacement costs nothing; an order that says both is priced after all.
        "free": "REPLACEMENT_ORIGINAL_ID" in kinds and not total,
    }
    items = objects(entry, "orderItems")
    if not items:
        yield {**about, "currency": currency}
    for item in items:
        line, code = amount(item, "proceeds", "proceedsTotal")
        taxes = [each for each in objects(item, "proceeds", "breakdowns") if text(each, "type") == "TAX"]
        yield {
            **about,
            "line_id": text(item, "orderItemId"),
            "sku": text(item, "product", "sellerSku"),
            "quantity": item.get("quantityOrdered"),
            "currency": currency or code,
            "line_total": line,
            "tax": sum(amount(each, "subtotal")[0] or 0 for each in taxes),
        }


CHANNEL = Channel(
    name="amazon_orders_2026",
    title="Amazon Orders API 2026-01-01 (JSON)",
    realm="amazon",
    recognise=recogniser(("salesChannel", "orderItems"), ("orderId", "createdTime", "lastUpdatedTime")),
    read=_read,
    references=("https://developer-docs.amazon.com/sp-api/docs/orders-api-v2026-01-01-reference",),
    limitations=("No control total: the pages must all be there, up to the one without nextToken.",),
)
