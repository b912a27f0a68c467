"""What Amazon's reports and interfaces have in common: words for states, and for movements of money."""

from __future__ import annotations

import pyarrow.compute as pc

from unransom.catalog.exports.channel import UnreadableExportError
from unransom.catalog.exports.delimited import Sheet
from unransom.core.messages import say
from unransom.core.orders import MoveKind, OrderState

_STATES = {
    "pending": OrderState.PENDING,
    "pendingavailability": OrderState.PENDING,
    "invoiceunconfirmed": OrderState.PENDING,
    "unshipped": OrderState.PLACED,
    "partiallyshipped": OrderState.SHIPPED,
    "shipped": OrderState.SHIPPED,
    "shipping": OrderState.PLACED,
    "complete": OrderState.SHIPPED,
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "unfulfillable": OrderState.CANCELLED,
}


def order_state(status: str) -> str:
    """Return the state that a status means, whichever report or version of the interface writes it."""
    word = "".join(character for character in status.casefold() if character.isalpha())
    if word.startswith("shipped"):  # "Shipped - Delivered to Buyer" and its like
        return OrderState.SHIPPED
    return _STATES.get(word, OrderState.UNKNOWN)


def move_kind(transaction: str, amount: str) -> str:
    """Return the kind of a settlement's row.

    Args:
        transaction: ``transaction-type``, e.g. ``Order``.
        amount: ``amount-type``, e.g. ``ItemPrice``.
    """
    if amount.casefold() in {"itemwithheldtax", "tax withheld"}:
        return MoveKind.WITHHELD
    word = transaction.casefold()
    if amount in {"ItemPrice", "Promotion", "Cost of Points", "DirectPayment", "Price"}:
        if word.startswith("order"):
            return MoveKind.PAYMENT
        if any(mark in word for mark in ("refund", "chargeback", "guarantee")):
            return MoveKind.REFUND
    if "fee" in amount.casefold() or "fee" in word or amount.startswith("Cost of"):
        return MoveKind.FEE
    if word in {"transfer", "debt payment", "reserve"}:
        return MoveKind.TRANSFER
    return MoveKind.OTHER


def order_key(order_id: str) -> str:
    """Return the order that an identifier in a settlement names; FBA shipments stand in the same column."""
    return "" if order_id.startswith("FBA") else order_id


def check_encoding(sheet: Sheet, shop: str) -> None:
    """Take Japan's encoding only where the shop is Japan's: both it and the western one may fit.

    Args:
        sheet: Of one of Amazon's reports.
        shop: Field that names the site.

    Raises:
        UnreadableExportError: Only the encoding of the other part of the world fits.
    """
    if sheet.encoded.encoding not in {"cp932", "cp1252"} or sheet.source.reading.encoding:
        return
    site, currency = (sheet.text(name).cast("string") for name in (shop, "currency"))
    japan = pc.any(pc.or_(pc.ends_with(site, ".co.jp"), pc.equal(currency, "JPY"))).as_py()
    if (sheet.encoded.encoding == "cp932") == bool(japan):
        return
    if "cp1252" in sheet.encoded.alternatives and not japan:
        sheet.assume("cp1252")
        return
    raise UnreadableExportError(
        say("its text is in no single encoding of {names}", names="utf-8, cp932, cp1252"),
        hint=say("say which with --encoding, or export the file again"),
    )
