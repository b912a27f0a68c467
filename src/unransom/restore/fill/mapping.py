"""The company's schema: which table and column takes which field of an order, a line or a payment."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from unransom.core.errors import UsageError
from unransom.core.messages import say

PROVENANCE = ("source_file", "source_row", "source_sha256")
FIELDS = {
    "orders": (
        *("realm", "shop", "order_id", "other_id", "state", "status", "currency", "total", "tax", "created"),
        *("updated", "lines", "paid", "refunded", "class", "payment_id", *PROVENANCE),
    ),
    "lines": (
        *("realm", "shop", "order_id", "line_no", "line_id", "sku", "quantity", "amount", "tax", "currency"),
        *PROVENANCE,
    ),
    "payments": (
        *("realm", "account", "order_id", "payment_id", "kind", "code", "amount", "fee", "currency", "time"),
        *PROVENANCE,
    ),
}


class TableMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the company's database.

    Attributes:
        table: Its name, with the schema in front where it needs one.
        key: Columns that identify a row.
        columns: The field that each column takes.
        constants: Columns that take one value in all filled rows.
        values: For a column, what it says in place of a field's value, e.g. ``{"shipped": "S"}``.
        ignore: Columns whose difference on rows that are there already does not matter.
        zone: Of times in columns that hold none; UTC without it.
    """

    table: str
    key: tuple[str, ...]
    columns: dict[str, str]
    constants: dict[str, str | int] = {}
    values: dict[str, dict[str, str | int]] = {}
    ignore: tuple[str, ...] = ()
    zone: str = "UTC"


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables, in the order in which rows must be there."""

    orders: TableMapping | None = None
    lines: TableMapping | None = None
    payments: TableMapping | None = None

    def tables(self) -> dict[str, TableMapping]:
        """Return the tables that are mapped, by what they take; what others refer to comes first."""
        found = {"orders": self.orders, "lines": self.lines, "payments": self.payments}
        return {name: table for name, table in found.items() if table}


def load_mapping(text: bytes) -> tuple[Mapping, str]:
    """Return the mapping in a TOML file, and the digest that a plan names it by.

    Raises:
        UsageError: It is no mapping.
    """
    try:
        mapping = msgspec.toml.decode(text, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(say("the mapping cannot be read"), detail=str(error)) from error
    if not mapping.tables():
        raise UsageError(
            say("the mapping maps no table"), hint=say("see docs/guides/orders.md for an example")
        )
    for name, table in mapping.tables().items():
        unknown = set(table.columns.values()) - set(FIELDS[name])
        if unknown:
            raise UsageError(
                say("the mapping names fields that there are not"),
                detail=f"[{name}] {', '.join(sorted(unknown))}; " + ", ".join(FIELDS[name]),
            )
        if not _is_zone(table.zone):
            raise UsageError(
                say("{zone} is no time zone that is known", zone=table.zone),
                hint=say('name one of the time zone database, as in zone = "Europe/Berlin"'),
            )
        if not table.key or not set(table.key) <= {*table.columns, *table.constants}:
            raise UsageError(say("the key of table {table} is not among its columns", table=table.table))
    return mapping, hashlib.sha256(text).hexdigest()


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
