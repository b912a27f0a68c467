"""eBay, Sell Finances API: pages of getTransactions; amounts there are net of fees."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from unransom.catalog.exports import ebay
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind, MoveState

_STATES = {"FUNDS_ON_HOLD": MoveState.DONE, "FAILED": MoveState.DENIED}
_KINDS = {
    "SALE": MoveKind.PAYMENT,
    "REFUND": MoveKind.REFUND,
    "DISPUTE": MoveKind.REFUND,
    "SHIPPING_LABEL": MoveKind.FEE,
    "NON_SALE_CHARGE": MoveKind.FEE,
    "CREDIT": MoveKind.OTHER,
    "TRANSFER": MoveKind.TRANSFER,
    "WITHDRAWAL": MoveKind.TRANSFER,
    "ADJUSTMENT": MoveKind.OTHER,
}


def _read(source: Source) -> Export:
    document = Document(source)
    found = list(document.find(lambda entry: "transactionType" in entry and "bookingEntry" in entry))
    rows = [row for entry in found for row in _rows(entry)]
    return pages_export(
        source, document, CHANNEL.name, CHANNEL.realm, moves=rows, totals=_totals(document, len(found))
    )


def _rows(entry: Entry) -> Iterator[dict[str, object]]:
    net, currency = amount(entry, "amount")
    fees = abs(amount(entry, "totalFeeAmount")[0] or 0)
    debit = text(entry, "bookingEntry") == "DEBIT"
    sign = -1 if debit else 1
    word = text(entry, "transactionType")
    references = [
        text(each, "referenceId")
        for each in objects(entry, "references")
        if text(each, "referenceType") == "ORDER_ID"
    ]
    yield {
        "account": text(entry, "sellerId"),
        "order_key": text(entry, "orderId") or next(iter(references), ""),
        "payment_id": text(entry, "transactionId"),
        "kind": _KINDS.get(word) or ebay.move_kind(word),
        "code": word,
        "state": _STATES.get(text(entry, "transactionStatus"), MoveState.DONE),
        "time": instant(text(entry, "transactionDate")),
        "currency": currency,
        "amount": None if net is None else sign * (abs(net) + fees),
        "fee": -sign * fees,
    }


def _totals(document: Document, rows: int) -> list[ControlTotal]:
    stated = {
        text(page, "total") for page in document.find(lambda e: "transactions" in e and "total" in e)
    } - {""}
    if len(stated) != 1:
        return []
    return [ControlTotal(say("number of records"), Decimal(stated.pop()), Decimal(rows))]


CHANNEL = Channel(
    name="ebay_finances",
    title="eBay Sell Finances API getTransactions (JSON)",
    realm="ebay",
    recognise=recogniser(
        ("bookingEntry",), ("transactionType", "transactionDate", "payoutId", "orderLineItems")
    ),
    read=_read,
    references=(
        "https://developer.ebay.com/api-docs/sell/finances/resources/transaction/methods/getTransactions",
    ),
    limitations=(
        "It states a number of rows, no sum: an amount that was changed shows only where it is joined.",
    ),
)
