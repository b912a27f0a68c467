"""What eBay's reports and interfaces have in common: words for kinds of movements, in several languages."""

from __future__ import annotations

from unransom.core.orders import MoveKind

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (MoveKind.HOLD, ("hold", "einbehaltung", "retenue", "retención", "trattenuta", "release")),
    (
        MoveKind.REFUND,
        (
            "refund",
            "rückerstattung",
            "remboursement",
            "reembolso",
            "rimborso",
            "claim",
            "dispute",
            "fall",
            "chargeback",
        ),
    ),
    (
        MoveKind.TRANSFER,
        ("payout", "auszahlung", "versement", "pago", "transfer", "withdrawal", "loan", "überweisung"),
    ),
    (
        MoveKind.FEE,
        (
            "fee",
            "gebühr",
            "frais",
            "tarifa",
            "tariffa",
            "charge",
            "label",
            "versandetikett",
            "purchase",
            "credit",
        ),
    ),
    (MoveKind.PAYMENT, ("order", "bestellung", "commande", "pedido", "ordine", "sale")),
)


def move_kind(word: str) -> str:
    """Return the kind of a row by its ``Type``, or of a transaction by its ``transactionType``."""
    word = word.casefold()
    return next((kind for kind, marks in _KINDS if any(mark in word for mark in marks)), MoveKind.OTHER)
