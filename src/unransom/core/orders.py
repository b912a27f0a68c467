"""The records of commerce: what an export of a sales or payment channel says, row by row.

Money is a ``Decimal`` in the currency named beside it and never converted. Identifiers are text. Times are
UTC; ``precision`` says how coarse they are (86400 for a date without a time) and ``zone`` how the file's
own notation was read.
"""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal

import msgspec

from unransom.core.messages import Message
from unransom.core.records import Grade, Record


class OrderState(enum.StrEnum):
    """Where an order stands, as far as its payment depends on it."""

    PENDING = "pending"  # placed, not yet paid: no payment is due
    PLACED = "placed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class MoveKind(enum.StrEnum):
    """What a movement of money is."""

    PAYMENT = "payment"
    REFUND = "refund"
    FEE = "fee"
    WITHHELD = "withheld"  # tax that the marketplace keeps and hands on itself
    TRANSFER = "transfer"  # to or from the company's own bank
    CONVERSION = "conversion"
    HOLD = "hold"  # held back or released: no money of its own
    OTHER = "other"


class MoveState(enum.StrEnum):
    """Whether a movement has happened."""

    DONE = "done"
    PENDING = "pending"
    DEFERRED = "deferred"
    DENIED = "denied"


class OrderClass(enum.StrEnum):
    """What the evidence says about one order or one payment."""

    PAID = "paid"
    SPLIT = "paid-split"  # several payments that sum up
    REPLACEMENT = "replacement"  # nothing to pay, and nothing was paid
    RENAMED = "renamed"  # the same order has another identifier since
    CANCELLED = "cancelled"  # without a payment, as it should be
    CANCELLED_PAID = "cancelled-paid"  # a refund is due
    NOT_DUE = "not-due"
    DIFFERS = "amount-differs"
    PAID_TWICE = "paid-twice"
    NO_ORDER = "payment-without-order"
    NO_PAYMENT = "order-without-payment"
    NO_EVIDENCE = "no-evidence"  # no export of payments covers the shop and the time
    DAMAGED_KEY = "damaged-key"


class Row(Record, frozen=True, kw_only=True):
    """What every record of an export has.

    Attributes:
        file: Name of the export.
        row: Number of the row below its header, from 1; of the entry in a JSON or XML export.
        channel: Name of the channel.
    """

    file: str
    row: int
    channel: str


class Order(Row, frozen=True, kw_only=True):
    """An order.

    Attributes:
        shop: Marketplace site, seller account, or the name that the user gave.
        order_id: The channel's identifier.
        other_id: A second identifier: the seller's own, or an older form.
        state, status: Normalised, and as the file writes it.
        total: What the buyer pays, None where the file does not say yet.
    """

    shop: str
    order_id: str
    other_id: str = ""
    state: OrderState
    status: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    precision: int = 1
    zone: str = ""
    currency: str = ""
    total: Decimal | None = None
    lines: int = 0


class Line(Row, frozen=True, kw_only=True):
    """A line of an order; ``amount`` is for the whole quantity, with tax and shipping, less discounts."""

    shop: str
    order_id: str
    line_id: str = ""
    sku: str = ""
    quantity: int | None = None
    currency: str = ""
    amount: Decimal | None = None
    tax: Decimal = Decimal(0)


class Payment(Row, frozen=True, kw_only=True):
    """A movement of money that belongs to an order, or to the account; positive is to the seller.

    Attributes:
        account: The account or marketplace that it was booked on.
        order_key: The order that it names, "" where none.
        payment_id: The channel's identifier of the movement.
        refers_to: The payment that it refunds or reverses.
        kind, code: Normalised, and as the file writes it.
        fee: What the channel took out of it, negative.
    """

    account: str
    order_key: str = ""
    payment_id: str = ""
    refers_to: str = ""
    kind: MoveKind
    code: str = ""
    state: MoveState = MoveState.DONE
    time: datetime | None = None
    precision: int = 1
    zone: str = ""
    currency: str = ""
    amount: Decimal | None = None
    fee: Decimal = Decimal(0)


class Refund(Payment, frozen=True, kw_only=True):
    """Money that went back to the buyer."""


class Fee(Payment, frozen=True, kw_only=True):
    """What the channel charges."""


class ControlTotal(msgspec.Struct, frozen=True):
    """Something that an export says about itself, beside what was found in it.

    Attributes:
        what: The check, for people.
        stated: What the export says.
        found: What its rows come to.
        row: Where, 0 for the whole file.
        share: What other exports of the account may have further parts of, "" where none can.
    """

    what: Message
    stated: Decimal
    found: Decimal
    row: int = 0
    share: str = ""

    @property
    def holds(self) -> bool:
        """Whether the export is what it says it is."""
        return self.stated == self.found


class ExportVerdict(Record, frozen=True, kw_only=True):
    """Whether an export is whole, and how that is known."""

    file: str
    channel: str
    grade: Grade
    why: Message
