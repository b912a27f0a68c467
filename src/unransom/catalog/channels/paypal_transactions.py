"""PayPal, Transaction Search: pages of the interface's responses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import paypal
from unransom.catalog.exports.building import chain, ends
from unransom.catalog.exports.channel import Channel, Ends, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.catalog.exports.tables import TIME
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveState


def _read(source: Source) -> Export:
    document = Document(source)
    pages = list(document.find(lambda entry: "transaction_details" in entry or "transaction_info" in entry))
    rows = [row for page in pages for row in _rows(page)]
    totals, balances = _balances(pages)
    return pages_export(
        source,
        document,
        CHANNEL.name,
        CHANNEL.realm,
        moves=rows,
        totals=[*_totals(pages, len(rows)), *totals],
        ends=balances,
        account=next((text(page, "account_number") for page in pages if "account_number" in page), ""),
    )


def _details(page: Entry) -> Iterator[tuple[Entry, Entry]]:
    """Yield the transactions of a page and what is told of each."""
    for detail in objects(page, "transaction_details") if "transaction_details" in page else [page]:
        if isinstance(info := detail.get("transaction_info"), dict):
            yield detail, info


def _rows(page: Entry) -> Iterator[dict[str, object]]:
    for detail, info in _details(page):
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


def _balances(pages: list[Entry]) -> tuple[list[ControlTotal], tuple[Ends, ...]]:
    """Return the chain of balances and its ends, where balances are stated and stand in their order.

    No order of the rows is promised: where most links do not hold, it is another than the balances'.
    """
    infos = [info for page in pages for _, info in _details(page)]
    wanted = [
        info
        for info in infos
        if amount(info, "ending_balance")[0] is not None
        and paypal.state_of(text(info, "transaction_status")) == MoveState.DONE
    ]
    if len(wanted) < 2:
        return [], ()
    gross, fee, levels = (
        pyarrow.chunked_array([[amount(info, name)[0] for info in wanted]], pyarrow.int64())
        for name in ("transaction_amount", "fee_amount", "ending_balance")
    )
    currency = pyarrow.chunked_array([[amount(info, "ending_balance")[1] for info in wanted]], "string")
    times = [instant(text(info, "transaction_initiation_date")) for info in wanted]
    change = pc.add(gross, pc.fill_null(fee, 0))
    totals = chain(currency, change, levels, None)
    links = [total for total in totals if not total.row]
    if 2 * sum(total.found for total in links) <= sum(total.stated for total in links):
        return [], ()
    return totals, ends(currency, change, levels, pyarrow.chunked_array([times], TIME))


CHANNEL = Channel(
    name="paypal_transactions",
    title="PayPal Transaction Search (JSON)",
    realm="web",
    recognise=recogniser(
        ("transaction_info", "transaction_details"), ("transaction_event_code", "payer_info")
    ),
    read=_read,
    references=("https://developer.paypal.com/docs/api/transaction-search/v1/",),
    limitations=(
        "A balance is stated only where no filter was given: elsewhere the number of rows is all that is"
        " checked, and an amount that was changed shows only where it is joined. So does the first row's.",
    ),
)
