"""Values as a column's type wants them; what it cannot hold without loss is told beforehand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

SMALL, USUAL, BIG = 15, 31, 63  # bits of whole numbers, besides the sign


class Misfit(Exception):  # noqa: N818 an answer, not a fault
    """A value that a column cannot hold as it is."""


def fitted(column: sa.Column[Any], value: Any, zone: str = "UTC") -> Any:
    """Return a value as a column's type wants it.

    Args:
        column: Of the target, as it is there.
        value: Text, number, date, or None for nothing.
        zone: Of times in columns that hold no zone.

    Raises:
        Misfit: It does not fit without loss.
    """
    if value is None:
        if not column.nullable:
            raise Misfit(f"{column.name}: it needs a value, and there is none")
        return None
    try:
        for kind, convert in _CONVERT.items():
            if isinstance(column.type, kind):
                return convert(column, value)
        if isinstance(column.type, sa.DateTime):
            return _moment(column, value, zone)
    except (InvalidOperation, ValueError) as error:
        raise Misfit(f"{column.name}: {str(value)[:60]!r} is no {column.type}") from error
    return _text(column, value)


def _decimal(column: sa.Column[Any], value: Any) -> Any:
    amount = Decimal(str(value))
    digits, places = getattr(column.type, "precision", None), getattr(column.type, "scale", None)
    if isinstance(column.type, sa.Float):
        return float(amount)
    if places is not None and amount != round(amount, places):
        raise Misfit(f"{column.name}: {amount} has more decimals than {places}")
    if digits is not None and places is not None and amount.adjusted() >= digits - places and amount:
        raise Misfit(f"{column.name}: {amount} has more digits than {digits}")
    return amount


def _integer(column: sa.Column[Any], value: Any) -> int:
    amount = Decimal(str(value))
    if amount != amount.to_integral_value():
        raise Misfit(f"{column.name}: {amount} is no whole number")
    bits = BIG if isinstance(column.type, sa.BigInteger) else USUAL
    bits = SMALL if isinstance(column.type, sa.SmallInteger) else bits
    unsigned = bool(getattr(column.type, "unsigned", False))
    if not (0 if unsigned else -(1 << bits)) <= amount < 1 << (bits + unsigned):
        raise Misfit(f"{column.name}: {amount} is beyond what it holds")
    return int(amount)


def _moment(column: sa.Column[Any], value: Any, zone: str) -> datetime:
    moment = datetime.fromisoformat(str(value))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if getattr(column.type, "timezone", False):
        return aware
    return aware.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _date(_: sa.Column[Any], value: Any) -> date:
    return date.fromisoformat(str(value)[:10])


def _uuid(_: sa.Column[Any], value: Any) -> UUID:
    return UUID(str(value))


def _text(column: sa.Column[Any], value: Any) -> str:
    text, kind = str(value), column.type
    length = getattr(kind, "length", None)
    if isinstance(kind, sa.Enum) and text not in kind.enums:
        raise Misfit(f"{column.name}: {text[:60]!r} is none of {', '.join(kind.enums)}")
    if isinstance(kind, sa.String) and length and len(text) > length:
        raise Misfit(f"{column.name}: {len(text)} characters, it takes {length}")
    return text


_CONVERT: dict[type[sa.types.TypeEngine[Any]], Callable[[sa.Column[Any], Any], Any]] = {
    sa.Numeric: _decimal,
    sa.Integer: _integer,
    sa.Date: _date,
    sa.Uuid: _uuid,
}
