"""What a channel is to unransom: how to recognise its export, and how to turn it into canonical tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import Message
from unransom.core.orders import ControlTotal
from unransom.core.streams import Reader

if TYPE_CHECKING:
    import pyarrow

HEAD = 65536  # bytes of an export that `recognise` is given


class UnreadableExportError(UnransomError):
    """An export that is not what it looks like: cut off, mixed encodings, impossible values."""


class OddTextError(UnreadableExportError):
    """A cell of an export that cannot be what its column says; ``text`` is what stands in it."""

    def __init__(self, what: Message, text: str, *, detail: str = "", hint: Message | None = None) -> None:
        super().__init__(what, detail=detail or repr(text[:60]), hint=hint)
        self.text = text


class AmbiguousExportError(UsageError):
    """Two readings of an export fit all of its values; the person has to say which is meant."""


class Reading(msgspec.Struct, frozen=True):
    """What the user says about an export; "" leaves it to the file's own values.

    Attributes:
        encoding: Name of a codec.
        decimal: ``point`` or ``comma``.
        dates: ``dmy`` or ``mdy``; of a workbook's dates ``ymd`` or, if day and month are exchanged, ``ydm``.
        zone: Name of a time zone for times that are written without one.
        shop: Name of the shop that the export belongs to.
        password: Of a locked zip; never printed.
    """

    encoding: str = ""
    decimal: str = ""
    dates: str = ""
    zone: str = ""
    shop: str = ""
    password: str = ""


class Source(msgspec.Struct, frozen=True):
    """An export to read: its name for people, its bytes, and what the user says about it."""

    name: str
    reader: Reader
    reading: Reading = Reading()


class Conventions(msgspec.Struct, frozen=True):
    """How a file writes things, as its values prove; "" where nothing in it depends on that."""

    encoding: str = ""
    delimiter: str = ""
    decimal: str = ""
    dates: str = ""
    zone: str = ""
    precision: int = 1  # seconds


class Ends(msgspec.Struct, frozen=True):
    """Where a running balance begins and ends.

    Attributes:
        currency: Of the balance.
        opening, closing: Units, before the first movement and behind the last.
        start, end: Microseconds since 1970 UTC of both movements; one moment where only a balance is told.
        others: Balances that a statement may run over instead of ``opening``, where only those are told.
    """

    currency: str
    opening: int
    closing: int
    start: int
    end: int
    others: tuple[int, ...] = ()


class Export(msgspec.Struct, frozen=True):
    """An export that was read.

    Attributes:
        name: Of the file.
        channel: Of the channel.
        realm: ``amazon``, ``ebay`` or ``web``: whose order identifiers it speaks of.
        sales: One row per order line (``tables.SALES``).
        moves: One row per movement of money (``tables.MOVES``).
        totals: What the export says about itself, beside what was found.
        account: Whose it is, as far as the file says.
        window: The first and last microsecond (since 1970 UTC) that it covers by its own words.
        notes: What a person should know: rows left out and why, gaps in what it says.
        sequence: Identifier, first and last moment of a numbered series that must have no hole.
        ends: Of its running balances, one for each currency.
        shares: What its rows come to of each sum that several exports may make up together.
    """

    name: str
    channel: str
    realm: str
    conventions: Conventions
    sales: pyarrow.Table
    moves: pyarrow.Table
    totals: tuple[ControlTotal, ...] = ()
    account: str = ""
    window: tuple[int, int] | None = None
    notes: tuple[Message, ...] = ()
    sequence: tuple[str, int, int] | None = None
    ends: tuple[Ends, ...] = ()
    shares: Mapping[str, Decimal] = {}
    sha256: str = ""


class Channel(msgspec.Struct, frozen=True):
    """A sales or payment channel's export.

    Attributes:
        name: Lower-case short name, the same as its module's.
        title: What people call it.
        realm: ``amazon``, ``ebay`` or ``web``.
        recognise: Takes the first ``HEAD`` bytes; returns how many of its marks are there, 0 where it is
            not this channel's.
        read: Takes the export; raises ``UnreadableExportError`` or ``AmbiguousExportError``.
        references: Where the layout is written down.
        limitations: What is not checked or not supported.
    """

    name: str
    title: str
    realm: str
    recognise: Callable[[bytes], int]
    read: Callable[[Source], Export]
    references: tuple[str, ...]
    limitations: tuple[str, ...] = ()
