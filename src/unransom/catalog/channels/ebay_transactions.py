"""eBay, transaction report: what was sold, refunded, held and paid out, with a roll-up row for each order."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import ebay
from unransom.catalog.exports.building import (
    Column,
    at,
    export,
    identity,
    mapped,
    present,
    tabular,
    usual,
)
from unransom.catalog.exports.channel import Channel, Export, UnreadableExportError
from unransom.catalog.exports.delimited import Sheet, times_of
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.moments import DAY, OFFSETS, to_moments
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind

LAYOUT = Layout(
    columns={
        "date": (
            "Transaction creation date", "Datum der Transaktionserstellung",
            "Date de création de la transaction",
            "Fecha de creación de la transacción", "Data di creazione della transazione",
        ),
        "type": ("Type", "Typ", "Tipo"),
        "order": ("Order number", "Bestellnummer", "Numéro de commande", "Número de pedido", "Numero ordine"),
        "net": ("Net amount", "Betrag abzügl. Kosten", "Montant net", "Importe neto", "Importo netto"),
        "payout": ("Payout ID", "Auszahlung Nr.", "N° de versement", "Id. de pago", "ID pagamento"),
        "paid_on": ("Payout date", "Auszahlungsdatum", "Date du versement", "Fecha de pago",
            "Data pagamento"),
        "item": ("Item ID", "Artikelnr.", "N° de l'objet", "Número de artículo", "ID oggetto"),
        "transaction": ("Transaction ID", "Transaktionsnummer", "N° de transaction", "Id. de transacción"),
        "gross": (
            "Gross transaction amount", "Transaktionsbetrag (inkl. Kosten)", "Montant brut de la transaction",
            "Importe bruto de la transacción", "Importo lordo transazione",
        ),
        "currency": (
            "Transaction currency", "Transaktionswährung", "Devise de la transaction",
            "Divisa de la transacción",
            "Valuta transazione",
        ),
        "paid_in": ("Payout currency", "Auszahlungswährung", "Devise du versement", "Divisa de pago"),
        "rate": ("Exchange rate", "Wechselkurs", "Taux de change", "Tipo de cambio", "Tasso di cambio"),
        "reference": ("Reference ID", "Referenznummer", "N° de référence", "Id. de referencia"),
        "fixed": ("Final Value Fee - fixed", "Fixer Anteil der Verkaufsprovision"),
        "variable": ("Final Value Fee - variable", "Variabler Anteil der Verkaufsprovision"),
        "regulatory": ("Regulatory operating fee", "Gebühr zur Deckung gesetzlicher Betriebskosten"),
        "inad": ('Very high "item not as described" fee',
            'Gebühr für sehr hohe Quote an "nicht wie beschriebenen Artikeln"'),
        "below": ("Below standard performance fee", "Gebühr für unterdurchschnittlichen Servicestatus"),
        "international": ("International fee", "Gebühr für grenzüberschreitenden Handel",
            "Internationale Gebühr"),
        "charity": ("Charity donation", "Spendenbetrag"),
        "deposit": ("Deposit processing fee",),
        "subtotal": ("Item subtotal", "Zwischensumme Artikel"),
        "shipping": ("Shipping and handling", "Verpackung und Versand"),
        "tax": ("Seller collected tax",),
    },
    required=("date", "type", "order", "net", "gross"),
    texts=("order", "transaction"),
    orders=("order",),
)  # fmt: skip
ITEMS = ("subtotal", "shipping", "tax")  # what a gross amount is made of
FEES = ("fixed", "variable", "regulatory", "inad", "below", "international", "charity", "deposit")


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("type")))
    sheet.settle(("net", "gross", *FEES, *ITEMS), ("date",))
    about = _above(sheet)
    zone = about["zone"]
    time, precision, _ = sheet.time("date", zone)
    kind = mapped(sheet.text("type"), ebay.move_kind)
    fees = summed([sheet.money(name) for name in FEES])
    payouts, shares = _payouts(sheet, kind)
    totals = [*payouts, *_orders(sheet, kind, fees)]
    # Of an order with several items only the roll-up row moves money; its item rows have no net amount.
    moves = pc.is_valid(sheet.money("net"))
    keep = {name: column.filter(moves) for name, column in (("kind", kind), ("time", time))}
    sheet.keep(moves)
    net, gross = sheet.money("net"), pc.coalesce(sheet.money("gross"), sheet.money("net"))
    order, transaction = _said(sheet, "order"), _said(sheet, "transaction")
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": about["seller"],
            "order_key": order,
            "payment_id": pc.if_else(present(transaction), transaction, order),
            "refers_to": "",
            "line_key": "",
            "kind": keep["kind"],
            "code": sheet.text("type"),
            "state": "done",
            "time": keep["time"],
            "currency": sheet.text("currency"),
            "amount": gross,
            "fee": pc.subtract(net, gross),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone=zone,
        precision=precision,
        totals=totals,
        account=about["seller"],
        window=_window(sheet, zone),
        shares=shares,
    )


def _window(sheet: Sheet, zone: str) -> tuple[int, int] | None:
    """Return the first and last microsecond that the lines above the header name, to the end of the day."""
    found: dict[str, str] = {}
    for line in sheet.header.above:
        cells = next(csv.reader([line], delimiter=sheet.header.delimiter), [])
        if len(cells) > 1 and cells[0].strip() in {"Start date", "End date", "Startdatum", "Enddatum"}:
            found[cells[0].strip()[:5]] = cells[1]
    if len(found) != 2:
        return None
    try:
        texts = pyarrow.array([found.popitem()[1], found.popitem()[1]])
        end, start = to_moments(texts, zone=zone).times.cast("int64").to_pylist()
    except UnreadableExportError:
        return None
    return None if start is None or end is None else (start, end + DAY * 1_000_000 - 1)


def _said(sheet: Sheet, field: str) -> Column:
    column = sheet.text(field)
    return pc.if_else(pc.equal(column, "--"), "", column)


def _above(sheet: Sheet) -> dict[str, str]:
    """Return the seller and the zone that the lines above the header name."""
    found = {"seller": "", "zone": "UTC"}
    for line in sheet.header.above:
        cells = next(csv.reader([line], delimiter=sheet.header.delimiter), [])
        if len(cells) > 1 and cells[0].strip().casefold() in {
            "seller",
            "verkäufer",
            "vendeur",
            "vendedor",
            "venditore",
        }:
            found["seller"] = cells[1].strip()
        if zone := re.search(r"\b([A-Z]{3,4})\b\.?\W*$", line):
            found["zone"] = zone[1] if zone[1] in OFFSETS else found["zone"]
    return found


def _payouts(sheet: Sheet, kind: Column) -> tuple[list[ControlTotal], dict[str, Decimal]]:
    """Return the totals of payouts, and what the rows come to of each, also of those paid later.

    Each is the sum of the net amounts that it pays out, some of which stand in the report before.
    """
    is_payout = pc.equal(kind.cast("string"), MoveKind.TRANSFER)
    net = sheet.money("net")
    ids = sheet.text("payout").cast("string")
    assigned = pc.and_(pc.invert(is_payout), pc.and_(present(ids), pc.not_equal(ids, "--")))
    assigned = pc.fill_null(assigned, False)
    if not pc.any(assigned, min_count=0).as_py():
        if not pc.any(is_payout, min_count=0).as_py():
            return [], {}
        what = say("net amounts are what the payouts pay")
        return [ControlTotal(what, -at(net, is_payout), at(net, pc.invert(is_payout)))], {}
    totals, shares = [], {}
    due = set(pc.unique(ids.filter(pc.or_(is_payout, pc.and_(assigned, _reached(sheet))))).to_pylist())
    for payout in pc.unique(ids.filter(pc.or_(is_payout, assigned))).to_pylist():
        mine = pc.equal(ids, payout)
        paid, parts = pc.and_(mine, is_payout), pc.and_(mine, pc.invert(is_payout))
        shares[payout] = at(net, parts)
        if payout in due:
            what = say("net amounts are what payout {id} pays", id=payout)
            totals.append(ControlTotal(what, -at(net, paid), shares[payout], share=payout))
    return totals, shares


def _reached(sheet: Sheet) -> Column:
    """Return for each row whether its payout must stand in the report, too: it is not paid out later."""
    if not sheet.has("paid_on"):
        return pc.is_valid(sheet.text("payout"))
    paid_on = times_of(_said(sheet, "paid_on").cast("string"), sheet.order, "UTC")[0]
    last = pc.max(sheet.time("date", "UTC")[0])
    return pc.fill_null(pc.less_equal(paid_on, last), False)


def _orders(sheet: Sheet, kind: Column, fees: Column) -> list[ControlTotal]:
    """Return the total of gross and fees: a roll-up row's fees stand in the rows of its items."""
    if any(
        text not in {"", "--", "1", "1.0"}
        for text in pc.unique(sheet.text("rate").cast("string")).to_pylist()
    ):
        return []  # another currency: the net amount is converted
    charged = pc.is_in(kind.cast("string"), value_set=pyarrow.array([MoveKind.PAYMENT, MoveKind.REFUND]))
    net, gross = sheet.money("net"), sheet.money("gross")
    parts = pc.add(gross, fees)
    rows = pyarrow.table(
        {
            "key": pc.binary_join_element_wise(sheet.text("order"), sheet.text("type").cast("string"), "\t"),
            "net": pc.fill_null(net, 0),
            "parts": pc.coalesce(parts, fees),
            "gross": gross,
            "items": summed([sheet.money(name) for name in ITEMS]),
        }
    ).filter(charged)
    sums = rows.group_by("key").aggregate([(name, "sum") for name in ("net", "parts", "gross", "items")])
    what = say("gross amounts and fees are the net amounts")
    # What is held, charged or paid out stands in one row.
    others = pc.invert(charged)
    numbers = sheet.numbers()
    alone = identity(
        what, parts.filter(others), net.filter(others), None if numbers is None else numbers.filter(others)
    )
    return [*identity(what, sums["parts_sum"], sums["net_sum"]), *alone, *_items(sheet, sums)]


def _items(sheet: Sheet, sums: pyarrow.Table) -> list[ControlTotal]:
    """Return the total of what was sold: a roll-up row's gross amount stands in the rows of its items."""
    if not sheet.has("subtotal"):
        return []
    sold = sums.filter(pc.and_(pc.greater(sums["gross_sum"], 0), pc.not_equal(sums["items_sum"], 0)))
    what = say("gross amounts are items, shipping and tax")
    return usual(identity(what, sold["items_sum"], sold["gross_sum"]))


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="ebay_transactions",
    title="eBay transaction report",
    realm="ebay",
    references=("https://www.ebay.com/help/selling/selling-tools/financial-reports",),
    limitations=(
        "Dates have no time of day.",
        "No total covers the tax that eBay collects, nor payouts where the other rows name none.",
    ),
)
