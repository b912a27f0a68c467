"""Declarations of checks as TOML: two tables, the key that joins them, the sums that must agree."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from unransom.core.errors import UsageError
from unransom.core.messages import say

PRESENCE = ("both", "left", "right", "any")


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a check.

    Attributes:
        file: CSV, xlsx or Parquet, below the folder of the declarations.
        key: Columns whose texts together name a row; several rows of one name are summed up.
        sheet: Of a workbook, from 1.
        where: For a column, the values that count; rows with others do not.
        dates: Columns that hold dates, which become ``2026-06-12``, with the time behind where there is one:
            ``dmy`` or ``mdy`` for each, "" where all values together show which it is.
    """

    file: str
    key: tuple[str, ...]
    sheet: int = 1
    where: dict[str, tuple[str, ...]] = {}
    dates: dict[str, Literal["", "dmy", "mdy"]] = {}


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sum that must agree.

    Attributes:
        left: Columns of the left table that are added up; a minus in front subtracts one.
        right: Columns of the right table.
        tolerance: How far the sums may be apart.
        percent: How far they may be apart, of the right one; the larger of both counts.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    tolerance: str = "0"
    percent: str = "0"


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check: every key of one table is in the other, and its sums agree.

    Attributes:
        name: For people.
        present: Which keys must be in the other table: ``both`` sides', ``left``, ``right``, or ``any``
            for none.
    """

    name: str
    left: Side
    right: Side
    measures: dict[str, Measure] = {}
    present: str = "both"


class Declarations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of checks."""

    check: tuple[Check, ...]


def load_declarations(text: bytes) -> tuple[Check, ...]:
    """Return the checks that a TOML file declares.

    Raises:
        UsageError: It declares none that can be carried out.
    """
    try:
        checks = msgspec.toml.decode(text, type=Declarations).check
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(say("the declarations cannot be read"), detail=str(error)) from error
    for check in checks:
        if check.present not in PRESENCE:
            raise UsageError(
                say("{value} is none of {choices}", value=check.present, choices=", ".join(PRESENCE))
            )
        if not check.left.key or len(check.left.key) != len(check.right.key):
            raise UsageError(
                say("check {name}: the keys of both tables have as many columns", name=check.name)
            )
        for measure in check.measures.values():
            for number in (measure.tolerance, measure.percent):
                _non_negative(check.name, number)
    return checks


def _non_negative(name: str, number: str) -> None:
    try:
        fits = Decimal(number) >= 0
    except InvalidOperation:
        fits = False
    if not fits:
        raise UsageError(say("check {name}: {value} is no tolerance", name=name, value=number))
