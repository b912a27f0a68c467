"""PayPal, settlement (STL) and transaction detail (TRR) reports: minor units, with counts and totals."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import paypal
from unransom.catalog.exports.building import Column, at, export, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export, UnreadableExportError
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.moments import to_moments
from unransom.catalog.exports.tables import SCALE, UNIT
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveState

LAYOUT = Layout(
    columns={
        "mark": ("CH",),
        "id": ("Transaction ID",),
        "invoice": ("Invoice ID",),
        "reference": ("PayPal Reference ID",),
        "event": ("Transaction Event Code",),
        "began": ("Transaction Initiation Date",),
        "ended": ("Transaction Completion Date",),
        "side": ("Transaction Debit or Credit",),
        "gross": ("Gross Transaction Amount",),
        "currency": ("Gross Transaction Currency",),
        "fee_side": ("Fee Debit or Credit",),
        "fee": ("Fee Amount",),
        "custom": ("Custom Field",),
        "status": ("Transactional Status", "Transaction Status"),
    },
    required=("mark", "id", "invoice", "event", "side", "gross", "currency"),
    delimiters=(",", "\t", "|", ";"),
    texts=("id", "invoice", "reference", "began", "ended", "custom"),
    orders=("invoice", "custom"),
)
_SUMS = ("CR gross", "DR gross", "CR fee", "DR fee")


def _convert(sheet: Sheet) -> Export:
    sheet.keep(pc.equal(sheet.text("mark").cast("string"), "SB"))
    gross, fee = (_signed(sheet, field, side) for field, side in (("gross", "side"), ("fee", "fee_side")))
    invoice, custom = sheet.text("invoice"), sheet.text("custom")
    event = sheet.text("event")
    status = sheet.text("status") if sheet.has("status") else None
    above = _marked(sheet)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": _account(above),
            "order_key": pc.if_else(present(invoice), invoice, custom),
            "payment_id": sheet.text("id"),
            "refers_to": sheet.text("reference"),
            "line_key": "",
            "kind": mapped(event, paypal.kind_of_event),
            "code": event,
            "state": mapped(status, paypal.state_of) if status is not None else MoveState.DONE,
            "time": pc.coalesce(sheet.time("ended")[0], sheet.time("began")[0]),
            "currency": sheet.text("currency"),
            "amount": gross,
            "fee": pc.fill_null(fee, 0),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone="offset of each row",
        totals=_totals(sheet, above),
        account=_account(above),
        window=_window(above),
    )


def _signed(sheet: Sheet, field: str, side: str) -> Column:
    """Return amounts in units; they stand as minor units without a sign, and 5000 yen as 5000."""
    texts = sheet.text(field).cast("string")
    there = pc.match_substring_regex(texts, "^[0-9]{1,15}$")
    odd = pc.and_(pc.invert(there), pc.not_equal(texts, ""))
    if pc.any(odd, min_count=0).as_py():
        raise UnreadableExportError(
            say("an amount is no number of money"), detail=repr(texts.filter(odd)[0].as_py())[:80]
        )
    minor = pc.if_else(there, texts, None).cast("int64")
    factors = mapped(sheet.text("currency"), lambda code: str(UNIT // 10 ** paypal.places(code)))
    amount = pc.multiply(minor, factors.cast("string").cast("int64"))
    return pc.if_else(pc.equal(sheet.text(side).cast("string"), "DR"), pc.negate(amount), amount)


def _marked(sheet: Sheet) -> dict[str, list[list[str]]]:
    """Return the rows that are no transactions, by their mark."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for line in (*sheet.header.above, *sheet.below):
        cells = next(csv.reader([line], delimiter=sheet.header.delimiter), [])
        if cells:
            found[cells[0].strip()].append([cell.strip() for cell in cells[1:]])
    return found


def _account(above: dict[str, list[list[str]]]) -> str:
    return next((row[2] for row in above["SH"] if len(row) > 2), "")


def _window(above: dict[str, list[list[str]]]) -> tuple[int, int] | None:
    """Return the first and last microsecond of the sections."""
    texts = [text for row in above["SH"] for text in row[:2]]
    try:
        moments = (
            to_moments(pyarrow.array(texts, pyarrow.string())).times.cast("int64").drop_null().to_pylist()
        )
    except UnreadableExportError:
        return None
    return (min(moments), max(moments) + 999_999) if moments else None


def _totals(sheet: Sheet, above: dict[str, list[list[str]]]) -> list[ControlTotal]:
    rows, totals = Decimal(sheet.rows), []
    for mark in ("SC", "RC"):
        if above[mark]:
            stated = sum((_decimal(row[0]) for row in above[mark] if row), Decimal(0))
            totals.append(ControlTotal(say("number of rows, by the lines {mark}", mark=mark), stated, rows))
    # Each section closes with the sums of every currency in it: one without them counts as none stated.
    named = pc.unique(sheet.text("currency").cast("string")).to_pylist() if above["SH"] else []
    for mark in ("SF", "RF"):
        sums = {name: [Decimal(0)] * len(_SUMS) for name in named if mark == "SF"}
        for row in above[mark]:
            if len(row) > len(_SUMS):
                more = map(_decimal, row[1 : len(_SUMS) + 1])
                known = sums.get(row[0], [Decimal(0)] * len(_SUMS))
                sums[row[0]] = [total + each for total, each in zip(known, more, strict=True)]
        for currency, each in sums.items():
            totals += _sums(sheet, mark, currency, each)
    return totals


def _sums(sheet: Sheet, mark: str, currency: str, stated: list[Decimal]) -> list[ControlTotal]:
    mine = pc.equal(sheet.text("currency").cast("string"), currency)
    factor = Decimal(1).scaleb(-paypal.places(currency))
    totals = []
    for name, total in zip(_SUMS, stated, strict=True):
        side, field = name.split(" ")
        column = _signed(sheet, field, "side" if field == "gross" else "fee_side")
        there = pc.and_(mine, pc.greater(column, 0) if side == "CR" else pc.less(column, 0))
        found = abs(at(column, pc.fill_null(there, False)))
        what = say("{mark}: total of {name} in {currency}", mark=mark, name=name, currency=currency)
        totals.append(ControlTotal(what, total * factor, found))
    return totals


def _decimal(text: str) -> Decimal:
    return Decimal(text) if text.isdigit() and len(text) <= 18 + SCALE else Decimal(0)


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="paypal_settlement",
    title="PayPal settlement report (STL) or transaction detail report (TRR)",
    realm="web",
    references=(
        "https://developer.paypal.com/docs/reports/sftp-reports/settlement-report/",
        "https://developer.paypal.com/docs/reports/sftp-reports/transaction-detail/",
    ),
)
