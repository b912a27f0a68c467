"""Which shops a company has, and when they are open: declared, so that one that is missing is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import pyarrow

from unransom.core.errors import UsageError
from unransom.core.messages import Message, say

HOUR = timedelta(hours=1)
MOST_DAYS = 400  # between the first and the last hour
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SCHEMA = pyarrow.schema(
    [("realm", pyarrow.string()), ("shop", pyarrow.string()), ("hour", pyarrow.timestamp("us"))]
)


class Shop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shop.

    Attributes:
        name: As its exports write it: the site of Amazon, the seller of eBay, the shop of an own table.
        marketplace: ``amazon``, ``ebay`` or ``web`` for a shop of its own.
        zone: Of the opening hours.
        currency: Of its orders, "" for any.
        open: From when to when it takes orders, e.g. ``08:00-20:00``; "" for round the clock.
        days: On which days of the week, ``mon`` to ``sun``.
    """

    name: str
    marketplace: Literal["amazon", "ebay", "web"]
    zone: str = "UTC"
    currency: str = ""
    open: str = ""
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = WEEK  # type: ignore[assignment]

    def takes_orders(self, hour: datetime) -> bool:
        """Return whether it is open in a part of the hour that begins at ``hour``."""
        local = hour.astimezone(ZoneInfo(self.zone))
        if WEEK[local.weekday()] not in self.days:
            return False
        if not self.open:
            return True
        opens, closes = self.hours()
        first, last = local.time(), (local + HOUR - timedelta(seconds=1)).time()
        if opens < closes:
            return last >= opens and first < closes
        return last >= opens or first < closes  # past midnight

    def hours(self) -> tuple[time, time]:
        """Return when it opens and closes.

        Raises:
            ValueError: They are not written as two times.
        """
        opens, _, closes = self.open.partition("-")
        return time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip().replace("24:00", "23:59"))


class Shops(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """The shops, and the stretch of time in which each of their hours must be proven."""

    shop: tuple[Shop, ...]
    start: datetime | None = None
    until: datetime | None = None


def load_shops(text: bytes) -> Shops:
    """Return the shops that a TOML file declares.

    Raises:
        UsageError: It does not.
    """
    try:
        shops = msgspec.toml.decode(text, type=Shops)
        for shop in shops.shop:
            ZoneInfo(shop.zone)
            if shop.open:
                shop.hours()
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, KeyError, OSError) as error:
        raise UsageError(
            say("the shops cannot be read"),
            detail=str(error),
            hint=say("see docs/guides/orders.md for an example"),
        ) from error
    return shops


def expected(shops: Shops, first: datetime | None, last: datetime | None) -> pyarrow.Table:
    """Return the hours in which each shop is open: realm, shop, hour in UTC.

    Args:
        shops: What is declared; where it does not say from when to when, the orders do.
        first: Of the orders, UTC without a zone, None where there are none.
        last: Of the orders.

    Raises:
        UsageError: It is more than ``MOST_DAYS``.
    """
    start, until = _utc(shops.start or first), _utc(shops.until or (last and last + HOUR))
    if start is None or until is None:
        return SCHEMA.empty_table()
    if until - start > timedelta(days=MOST_DAYS):
        raise UsageError(
            say("the shops are to be proven for more than {days} days", days=MOST_DAYS),
            hint=say("name a shorter stretch with from and until in the shops file"),
        )
    rows = [
        {"realm": shop.marketplace, "shop": shop.name, "hour": hour.replace(tzinfo=None)}
        for shop in shops.shop
        for hour in _hours(start, until)
        if shop.takes_orders(hour)
    ]
    return pyarrow.Table.from_pylist(rows, schema=SCHEMA)


def odds(connection: duckdb.DuckDBPyConnection, shops: Shops) -> Iterator[Message]:
    """Yield what the exports have and the declaration does not: further shops, other currencies."""
    declared = {(shop.marketplace, shop.name): shop.currency for shop in shops.shop}
    found = connection.execute(
        "SELECT DISTINCT realm, shop, currency FROM classified WHERE has_order ORDER BY ALL"
    )
    for realm, shop, currency in found.fetchall():
        if (realm, shop) not in declared:
            yield say(
                "{shop} ({realm}) has orders, and the shops file has no such shop", shop=shop, realm=realm
            )
        elif declared[realm, shop] not in {"", currency}:
            wanted = declared[realm, shop]
            yield say(
                "{shop} has orders in {currency}, and the shops file says {wanted}",
                shop=shop,
                currency=currency,
                wanted=wanted,
            )


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hours(start: datetime, until: datetime) -> Iterator[datetime]:
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += HOUR
