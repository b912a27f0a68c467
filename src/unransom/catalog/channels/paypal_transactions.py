"""PayPal, Transaction Search: pages of the interface's responses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from unransom.catalog.exports import paypal
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.core.messages import say
from unransom.core.orders import ControlTotal


def _read(source: Source) -> Export:
    document = Document(source)
    pages = list(document.find(lambda entry: "transaction_details" in entry or "transaction_info" in entry))
    rows = [row for page in pages for row in _rows(page)]
    return pages_export(
        source,
        document,
        CHANNEL.name,
        CHANNEL.realm,
        moves=rows,
        totals=_totals(pages, len(rows)),
        account=next((text(page, "account_number") for page in pages if "account_number" in page), ""),
    )


def _rows(page: Entry) -> Iterator[dict[str, object]]:
    details = objects(page, "transaction_details") if "transaction_details" in page else [page]
    for detail in details:
        info = detail.get("transaction_info")
        if not isinstance(info, dict):
            continue
        code = text(info, "transaction_event_code")
        invoices = [text(item, "invoice_number") for item in objects(detail, "cart_info", "item_details")]
        named = [text(info, "invoice_id"), text(info, "custom_field"), *invoices]
        yield {
            "account": text(page, "account_number"),
            "order_key": next((name for name in named if name), ""),
            "payment_id": text(info, "transaction_id"),
            "refers_to": text(info, "paypal_reference_id"),
            "kind": paypal.kind_of_event(code),
            "code": code,
            "state": paypal.state_of(text(info, "transaction_status")),
            "time": instant(text(info, "transaction_initiation_date")),
            "currency": amount(info, "transaction_amount")[1],
            "amount": amount(info, "transaction_amount")[0],
            "fee": amount(info, "fee_amount")[0] or 0,
        }


def _totals(pages: list[Entry], rows: int) -> list[ControlTotal]:
    """Return the total of items; each page of one query states the same."""
    stated = {text(page, "total_items") for page in pages} - {""}
    numbers = {text(page, "page") for page in pages}
    if len(stated) != 1 or len(numbers) != len(pages):
        return []
    return [ControlTotal(say("number of records"), Decimal(stated.pop()), Decimal(rows))]


CHANNEL = Channel(
    name="paypal_transactions",
    title="PayPal Transaction Search (JSON)",
    realm="web",
    recognise=recogniser(
        ("transaction_info", "transaction_details"), ("transaction_event_code", "payer_info")
    ),
    read=_read,
    references=("https://developer.paypal.com/docs/api/transaction-search/v1/",),
    limitations=("A balance is stated only where no filter was given, so there is no chain.",),
)
