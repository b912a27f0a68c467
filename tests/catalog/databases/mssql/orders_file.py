"""The table of orders, that damage and speed are measured on, as a SQL Server data file."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal

from tests.catalog.databases.mssql import mdf_maker as make
from tests.recover.databases import orders_table

COLUMNS = [
    ("id", 56, 4, 10, 0, 4, 1, ("status", 128)),
    ("number", 167, 24, 0, 0, -1, 2),
    ("customer", 56, 4, 10, 0, 8, 3),
    ("placed", 61, 8, 23, 3, 12, 4),
    ("status", 48, 1, 3, 0, 20, 5),
    ("amount", 106, 9, 12, 2, 21, 6),
    ("currency", 175, 3, 0, 0, 30, 7),
    ("email", 231, 160, 0, 0, -2, 8),
    ("note", 231, 400, 0, 0, -3, 9),
    ("changed", 61, 8, 23, 3, 33, 10),
]
ROOM = 8192 - 96  # bytes of a page for records and slots
EPOCH = datetime.date(1900, 1, 1)


def _moment(text: str) -> bytes:
    at = datetime.datetime.fromisoformat(text)
    ticks = (at.hour * 3600 + at.minute * 60 + at.second) * 300
    return struct.pack("<Ii", ticks, (at.date() - EPOCH).days)


def record(row: tuple) -> bytes:
    """Return a row of ``orders_table.rows`` as a record."""
    number, text, customer, placed, status, amount, currency, email, note, changed = row
    cents = int(Decimal(amount) * 100)
    fixed = struct.pack("<ii", number, customer) + _moment(placed)
    fixed += struct.pack("<BBQ", orders_table.STATES.index(status), 1, cents) + currency.encode()
    fixed += _moment(changed)
    nulls = [bit for bit, value in ((8, email), (9, note)) if value is None]
    values = [text.encode(), (email or "").encode("utf-16-le"), (note or "").encode("utf-16-le")]
    return make.record(fixed, 10, nulls, values)


def data_file(count: int = orders_table.ROWS) -> bytes:
    """Return a data file with ``count`` orders in the order of their keys."""
    base = make.Database()
    unit = base.table("orders", COLUMNS, key=("id",))
    page: list[bytes] = []
    left = ROOM
    for row in orders_table.rows(count):
        made = record(row)
        if left < len(made) + 2:
            base.add(unit, page)
            page, left = [], ROOM
        page.append(made)
        left -= len(made) + 2
    base.add(unit, page)
    return base.bytes()
