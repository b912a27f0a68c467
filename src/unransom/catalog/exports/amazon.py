"""What Amazon's reports and interfaces have in common: words for states, and for movements of money."""

from __future__ import annotations

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
