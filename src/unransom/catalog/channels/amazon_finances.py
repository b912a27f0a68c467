"""Amazon, Finances API: version 2024-06-19 (transactions) and version 0 (events by their kind)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow

from unransom.catalog.exports.amazon import order_key
from unransom.catalog.exports.building import identity
from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, Entry, amount, objects, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind, MoveState

CHARGES = ("ItemChargeList", "ItemChargeAdjustmentList", "OrderChargeList", "OrderChargeAdjustmentList")
FEES = (
    *("ItemFeeList", "ItemFeeAdjustmentList", "OrderFeeList", "OrderFeeAdjustmentList"),
    *("ShipmentFeeList", "ShipmentFeeAdjustmentList", "FeeList"),
)
DEEPEST = 8  # breakdowns within each other; Amazon has three
PROMOTIONS = ("PromotionList", "PromotionAdjustmentList")
EVENTS = {
    "ShipmentEventList": MoveKind.PAYMENT,
    "ShipmentSettleEventList": MoveKind.PAYMENT,
    "RefundEventList": MoveKind.REFUND,
    "GuaranteeClaimEventList": MoveKind.REFUND,
    "ChargebackEventList": MoveKind.REFUND,
    "ServiceFeeEventList": MoveKind.FEE,
}
_TYPES = {"shipment": MoveKind.PAYMENT, "refund": MoveKind.REFUND, "chargeback": MoveKind.REFUND}
_STATES = {"DEFERRED": MoveState.DEFERRED}


def _read(source: Source) -> Export:
    document = Document(source)
    found = list(document.find(lambda entry: "transactionType" in entry and "totalAmount" in entry))
    moves = [row for entry in found for row in _transaction(entry)]
    totals, passed = _totals(found), 0
    for events in document.find(lambda entry: any(name.endswith("EventList") for name in entry)):
        for name in events:
            listed = objects(events, name)
            if name in EVENTS:
                moves += [row for event in listed for row in _event(event, EVENTS[name])]
            else:
                passed += len(listed)
    notes = (say("{count} events of it are about no order", count=passed),) if passed else ()
    return pages_export(
        source, document, CHANNEL.name, CHANNEL.realm, moves=moves, totals=totals, notes=notes
    )


def _totals(transactions: list[Entry]) -> list[ControlTotal]:
    """Return the equation that each transaction and each breakdown keeps: its parts add up to it."""
    sums = [pair for entry in transactions for pair in _sums(entry, "totalAmount")]
    wholes, parts = (
        pyarrow.chunked_array([[pair[side] for pair in sums]], pyarrow.int64()) for side in (0, 1)
    )
    return identity(say("breakdowns add up"), parts, wholes)


def _sums(entry: Entry, field: str, depth: int = 0) -> Iterator[tuple[int | None, int]]:
    """Yield an amount and what its breakdowns come to, then those of the breakdowns."""
    parts = objects(entry, "breakdowns") if depth <= DEEPEST else []
    if parts:
        yield amount(entry, field)[0], sum(amount(part, "breakdownAmount")[0] or 0 for part in parts)
    for part in parts:
        yield from _sums(part, "breakdownAmount", depth + 1)


def _transaction(entry: Entry) -> Iterator[dict[str, object]]:
    """Yield the movements of a transaction of 2024-06-19: what the buyer paid, and tax that was withheld."""
    related = {
        text(each, "relatedIdentifierName"): text(each, "relatedIdentifierValue")
        for each in objects(entry, "relatedIdentifiers")
    }
    net, currency = amount(entry, "totalAmount")
    taken = [(kind, units) for part in objects(entry, "breakdowns") for kind, units in _taken(part)]
    fee, withheld = (
        sum(units for kind, units in taken if kind == wanted) for wanted in (MoveKind.FEE, MoveKind.WITHHELD)
    )
    word = text(entry, "transactionType")
    contexts = objects(entry, "contexts")
    row: dict[str, object] = {
        "account": text(entry, "marketplaceDetails", "marketplaceName")
        or text(entry, "sellingPartnerMetadata", "marketplaceId"),
        "order_key": order_key(related.get("ORDER_ID", "")),
        "payment_id": text(entry, "transactionId") or related.get("SHIPMENT_ID", ""),
        "refers_to": related.get("DEFERRED_TRANSACTION_ID", "") or related.get("REFUND_ID", ""),
        "kind": _TYPES.get(word.casefold(), MoveKind.FEE if "fee" in word.casefold() else MoveKind.OTHER),
        "code": word,
        "state": _STATES.get(text(entry, "transactionStatus"), MoveState.DONE),
        "time": instant(text(entry, "postedDate")),
        "due": next((instant(when) for each in contexts if (when := text(each, "maturityDate"))), None),
        "currency": currency,
        "amount": None if net is None else net - fee - withheld,
        "fee": fee,
    }
    yield row
    if withheld:
        yield {**row, "kind": MoveKind.WITHHELD, "amount": withheld, "fee": 0}


def _taken(part: Entry, depth: int = 0, *, spent: bool = False) -> Iterator[tuple[MoveKind, int]]:
    """Yield the fees and the withheld taxes in a breakdown, and in those that it consists of.

    Args:
        part: The breakdown; promotions stand among the expenses and are neither.
        depth: How many breakdowns it lies in.
        spent: One of those is called expenses.
    """
    name, units = text(part, "breakdownType").casefold(), amount(part, "breakdownAmount")[0] or 0
    parts = objects(part, "breakdowns") if depth < DEEPEST else []
    spent = spent or "expense" in name
    if "withheld" in name or "facilitator" in name:
        yield MoveKind.WITHHELD, units
    elif parts and "fee" not in name:
        for each in parts:
            yield from _taken(each, depth + 1, spent=spent)
    elif "fee" in name or (spent and not any(mark in name for mark in ("promo", "discount", "rebate"))):
        yield MoveKind.FEE, units


def _event(event: Entry, kind: MoveKind) -> Iterator[dict[str, object]]:
    """Yield the movements of an event of version 0, for each currency in it one of each kind."""
    sums: dict[tuple[MoveKind, str], int] = defaultdict(int)
    for part in (event, *objects(event, "ShipmentItemList"), *objects(event, "ShipmentItemAdjustmentList")):
        for what, units, currency in _components(part, kind):
            sums[what, currency] += units
    for (what, currency), units in sums.items():
        yield {
            "account": text(event, "MarketplaceName"),
            "order_key": order_key(text(event, "AmazonOrderId")),
            "kind": what,
            "code": text(event, "FeeReason"),
            "time": instant(text(event, "PostedDate")),
            "currency": currency,
            "amount": units,
        }


def _components(part: Entry, kind: MoveKind) -> Iterator[tuple[MoveKind, int, str]]:
    """Yield what the charges, promotions, fees and withheld taxes of an event or an item of it come to."""
    taxes = [
        tax for withheld in objects(part, "ItemTaxWithheldList") for tax in objects(withheld, "TaxesWithheld")
    ]
    groups = (
        (kind, "ChargeAmount", [each for name in CHARGES for each in objects(part, name)]),
        (kind, "PromotionAmount", [each for name in PROMOTIONS for each in objects(part, name)]),
        (MoveKind.FEE, "FeeAmount", [each for name in FEES for each in objects(part, name)]),
        (MoveKind.WITHHELD, "ChargeAmount", taxes),
    )
    for what, field, entries in groups:
        for entry in entries:
            units, currency = amount(entry, field)
            if units:
                yield what, units, currency


CHANNEL = Channel(
    name="amazon_finances",
    title="Amazon Finances API 2024-06-19 and v0 (JSON)",
    realm="amazon",
    recognise=recogniser(
        ("FinancialEvents", "FinancialEventGroupList", "transactionType", "balanceType", "netProceeds"),
        (
            "totalAmount",
            "relatedIdentifiers",
            "AmazonOrderId",
            "PostedDate",
            "CurrencyAmount",
            "currencyAmount",
        ),
    ),
    read=_read,
    references=("https://developer-docs.amazon.com/sp-api/docs/finances-api",),
    limitations=(
        "Orders of the last 48 hours may not be included, and deferred money appears when it is released.",
        "Balances and summaries have no rows.",
        "The parts of a transaction add up, but nothing says how many transactions there are; version 0 has"
        " no totals at all.",
    ),
)
