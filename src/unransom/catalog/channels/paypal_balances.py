"""PayPal, balances of an account at a moment: no rows, and what statements before and behind it end with."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow

from unransom.catalog.exports.channel import Channel, Ends, Export, Source, UnreadableExportError
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.catalog.exports.tables import TIME
from unransom.core.messages import say


def _read(source: Source) -> Export:
    document = Document(source)
    pages = list(document.find(lambda entry: "balances" in entry))
    return pages_export(
        source,
        document,
        CHANNEL.name,
        CHANNEL.realm,
        ends=tuple(ends for page in pages for ends in _ends(page)),
        account=next((account for page in pages if (account := text(page, "account_id"))), ""),
    )


def _ends(page: Entry) -> Iterator[Ends]:
    """Yield the balance in each currency; statements may run over the whole or over what is available."""
    time = instant(text(page, "as_of_time") or text(page, "last_refresh_time"))
    if time is None:
        raise UnreadableExportError(say("it does not say of which moment its balances are"))
    at = pyarrow.scalar(time, TIME).value
    for entry in objects(page, "balances"):
        total, currency = amount(entry, "total_balance")
        available, _ = amount(entry, "available_balance")
        if total is not None:
            others = () if available is None else (available,)
            yield Ends(currency or text(entry, "currency"), total, total, at, at, others)


CHANNEL = Channel(
    name="paypal_balances",
    title="PayPal balances at a moment (JSON)",
    realm="web",
    recognise=recogniser(("total_balance",), ("balances", "as_of_time", "available_balance", "account_id")),
    read=_read,
    references=("https://developer.paypal.com/docs/api/transaction-search/v1/#balances_get",),
)
