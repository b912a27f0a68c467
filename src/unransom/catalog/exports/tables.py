"""The canonical tables: every export becomes rows of these two, by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow

from unransom.catalog.exports.channel import Export
from unransom.core.orders import Fee, Line, MoveKind, MoveState, Order, OrderState, Payment, Refund

SCALE = 4  # decimals of money in the tables, which is held as int64
UNIT = 10**SCALE
NAME = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
TEXT = pyarrow.string()
MONEY = pyarrow.int64()
TIME = pyarrow.timestamp("us", "UTC")

SALES = pyarrow.schema(
    [
        ("shop", NAME),
        ("order_id", TEXT),
        ("line_id", TEXT),
        ("other_id", TEXT),
        ("payment_ref", TEXT),
        ("state", NAME),
        ("status", NAME),
        ("created", TIME),
        ("updated", TIME),
        ("sku", NAME),
        ("quantity", pyarrow.int32()),
        ("currency", NAME),
        ("line_total", MONEY),  # null where the row is no line, or has no price yet
        ("order_total", MONEY),  # null where the row does not say
        ("tax", MONEY),
        ("market_tax", MONEY),  # the part of the total that the marketplace keeps as tax
        ("free", pyarrow.bool_()),  # a replacement: nothing is due
        ("row", pyarrow.int32()),
    ]
)
MOVES = pyarrow.schema(
    [
        ("account", NAME),
        ("order_key", TEXT),
        ("line_key", TEXT),
        ("payment_id", TEXT),
        ("refers_to", TEXT),
        ("kind", NAME),
        ("code", NAME),
        ("state", NAME),
        ("time", TIME),
        ("due", TIME),
        ("currency", NAME),
        ("amount", MONEY),
        ("fee", MONEY),
        ("shop_coupon", MONEY),
        ("channel_coupon", MONEY),
        ("row", pyarrow.int32()),
    ]
)
Columns = Mapping[str, pyarrow.Array | pyarrow.ChunkedArray | str | int | bool | None]


def table(schema: pyarrow.Schema, columns: Columns, rows: int) -> pyarrow.Table:
    """Return a table of ``schema``; a column that is not given, or is one value, is that value throughout.

    Args:
        schema: ``SALES`` or ``MOVES``.
        columns: Arrays of ``rows`` entries, or single values.
        rows: How many.
    """
    made = []
    for field in schema:
        value = columns.get(field.name)
        if field.name == "row" and value is None:
            value = numbered(rows)
        made.append(_column(value, field.type, rows))
    return pyarrow.table(made, schema=schema)


def numbered(rows: int) -> pyarrow.Array:
    """Return the numbers 1, 2, 3, … of ``rows`` rows."""
    return pyarrow.array(np.arange(1, rows + 1, dtype=np.int32))


def _column(value: Any, kind: pyarrow.DataType, rows: int) -> Any:
    if isinstance(value, pyarrow.Array | pyarrow.ChunkedArray):
        return value if value.type == kind else value.cast(kind)
    if kind == NAME:
        indices = pyarrow.repeat(pyarrow.scalar(None if value is None else 0, pyarrow.int32()), rows)
        return pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array([value or ""]))
    return pyarrow.repeat(pyarrow.scalar(value, kind), rows)


def from_rows(schema: pyarrow.Schema, rows: Iterable[Mapping[str, object]]) -> pyarrow.Table:
    """Return a table of ``schema`` from rows as document channels make them, money in units, numbered."""
    entries = [{"row": number, **row} for number, row in enumerate(rows, 1)]
    plain = pyarrow.schema([(f.name, TEXT if f.type == NAME else f.type) for f in schema])
    return pyarrow.Table.from_pylist(entries, schema=plain).cast(schema)


def records(export: Export) -> Iterator[Order | Line | Payment]:
    """Yield the records of an export: each order, its lines behind it, then the movements of money."""
    yield from _sales(export)
    for batch in export.moves.to_batches(max_chunksize=4096):
        for row in batch.to_pylist():
            yield _move(export, row)


def _sales(export: Export) -> Iterator[Order | Line]:
    rows = (row for batch in export.sales.to_batches(max_chunksize=4096) for row in batch.to_pylist())
    for order_id, group in groupby(rows, key=itemgetter("order_id")):
        lines = list(group)
        yield _order(export, order_id, lines)
        for row in lines:
            yield Line(
                **_place(export, row),
                shop=row["shop"] or "",
                order_id=order_id or "",
                line_id=row["line_id"] or "",
                sku=row["sku"] or "",
                quantity=row["quantity"],
                currency=row["currency"] or "",
                amount=money(row["line_total"]),
                tax=money(row["tax"]) or Decimal(0),
            )


def _order(export: Export, order_id: str | None, lines: list[dict[str, Any]]) -> Order:
    first = lines[0]
    stated = [row["order_total"] for row in lines if row["order_total"] is not None]
    priced = [row["line_total"] for row in lines if row["line_total"] is not None]
    total = stated[0] if stated else sum(priced) if priced else None
    return Order(
        **_place(export, first),
        shop=first["shop"] or "",
        order_id=order_id or "",
        other_id=first["other_id"] or "",
        state=OrderState(first["state"] or "unknown"),
        status=first["status"] or "",
        created=first["created"],
        updated=first["updated"],
        precision=export.conventions.precision,
        zone=export.conventions.zone,
        currency=first["currency"] or "",
        total=money(total),
        lines=len(lines),
    )


_CLASSES: dict[str, type[Payment]] = {MoveKind.REFUND: Refund, MoveKind.FEE: Fee}


def _move(export: Export, row: dict[str, Any]) -> Payment:
    kind = MoveKind(row["kind"] or "other")
    return _CLASSES.get(kind, Payment)(
        **_place(export, row),
        account=row["account"] or "",
        order_key=row["order_key"] or "",
        payment_id=row["payment_id"] or "",
        refers_to=row["refers_to"] or "",
        code=row["code"] or "",
        kind=kind,
        state=MoveState(row["state"] or "done"),
        time=row["time"],
        precision=export.conventions.precision,
        zone=export.conventions.zone,
        currency=row["currency"] or "",
        amount=money(row["amount"]),
        fee=money(row["fee"]) or Decimal(0),
    )


def _place(export: Export, row: dict[str, Any]) -> dict[str, Any]:
    return {"file": export.name, "row": row["row"], "channel": export.channel}


def money(units: int | None) -> Decimal | None:
    """Return the amount that ``units`` of the tables is, with two decimals at least."""
    if units is None:
        return None
    amount = Decimal(units).scaleb(-SCALE)
    return amount.quantize(Decimal("0.01")) if units % 100 == 0 else amount


def moment(microseconds: int) -> datetime:
    """Return the time that the tables hold as ``microseconds`` since 1970 UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
