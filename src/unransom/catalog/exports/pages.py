"""From the objects of a document to an export: what every JSON and XML channel does in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow

from unransom.catalog.exports.channel import Conventions, Export, Source, UnreadableExportError
from unransom.catalog.exports.documents import Document
from unransom.catalog.exports.moments import to_moments
from unransom.catalog.exports.tables import MOVES, SALES, from_rows
from unransom.core.messages import say

Rows = Iterable[Mapping[str, object]]
_DEFAULTS = {
    "order_key": "",
    "line_key": "",
    "payment_id": "",
    "refers_to": "",
    "state": "done",
    "fee": 0,
    "shop_coupon": 0,
    "channel_coupon": 0,
}
_SALE_DEFAULTS = {"line_id": "", "other_id": "", "payment_ref": "", "tax": 0, "market_tax": 0, "free": False}


def pages_export(
    source: Source,
    document: Document,
    channel: str,
    realm: str,
    **content: Any,
) -> Export:
    """Return the export that a document's rows make; ``content`` is what ``rows_export`` takes."""
    return rows_export(source, document.sha256, channel, realm, encoding=document.encoding, **content)


def rows_export(
    source: Source,
    sha256: str,
    channel: str,
    realm: str,
    *,
    encoding: str = "utf-8",
    sales: Rows = (),
    moves: Rows = (),
    **about: Any,
) -> Export:
    """Return the export that rows make; the name of the user's shop wins over the file's.

    Args:
        source: What was read.
        sha256: Of its bytes.
        channel: Name of the channel.
        realm: Of the channel.
        encoding: Of its text.
        sales: Rows of ``SALES``.
        moves: Rows of ``MOVES``.
        about: The other fields of ``Export``, as far as the file tells them.

    Raises:
        UnreadableExportError: A value is of a kind that it cannot be.
    """
    shop = source.reading.shop
    about.update((name, tuple(about.get(name, ()))) for name in ("totals", "notes"))
    if shop:
        about["account"] = shop
    sold = [{**_SALE_DEFAULTS, **row, **({"shop": shop} if shop else {})} for row in sales]
    moved = [{**_DEFAULTS, **row, **({"account": shop} if shop else {})} for row in moves]
    try:
        tables = from_rows(SALES, sold), from_rows(MOVES, moved)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError) as error:
        raise UnreadableExportError(
            say("a value is of a kind that it cannot be"), detail=str(error)[:200]
        ) from error
    return Export(
        name=source.name,
        channel=channel,
        realm=realm,
        conventions=Conventions(encoding=encoding, zone="offset of each value"),
        sales=tables[0],
        moves=tables[1],
        sha256=sha256,
        **about,
    )


@lru_cache(maxsize=65536)
def instant(text: str) -> datetime | None:
    """Return a time as interfaces write it, with or without a colon in the offset; None for an empty one.

    Raises:
        UnreadableExportError: It is no time.
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        moment: datetime | None = to_moments(pyarrow.array([text])).times[0].as_py()
        return moment
