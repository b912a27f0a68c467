"""eBay, transaction report: what was sold, refunded, held and paid out, with a roll-up row for each order."""

from __future__ import annotations

import csv
import re

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import ebay
from unransom.catalog.exports.building import Column, at, export, identity, mapped, present, tabular
from unransom.catalog.exports.channel import Channel, Export, UnreadableExportError
from unransom.catalog.exports.delimited import Sheet
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
    },
    required=("date", "type", "order", "net", "gross"),
    texts=("order", "transaction"),
    orders=("order",),
)  # fmt: skip
FEES = ("fixed", "variable", "regulatory", "inad", "below", "international", "charity", "deposit")


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("type")))
    sheet.settle(("net", "gross", *FEES), ("date",))
    about = _above(sheet)
    zone = about["zone"]
    time, precision, _ = sheet.time("date", zone)
    kind = mapped(sheet.text("type"), ebay.move_kind)
    fees = summed([sheet.money(name) for name in FEES])
    totals = [*_payouts(sheet, kind), *_orders(sheet, kind, fees)]
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


def _payouts(sheet: Sheet, kind: Column) -> list[ControlTotal]:
    """Return the totals of payouts: each is the sum of the net amounts that it pays out."""
    is_payout = pc.equal(kind.cast("string"), MoveKind.TRANSFER)
    if not pc.any(is_payout, min_count=0).as_py():
        return []
    net = sheet.money("net")
    ids = sheet.text("payout").cast("string")
    assigned = pc.and_(pc.invert(is_payout), pc.and_(present(ids), pc.not_equal(ids, "--")))
    if not pc.any(pc.fill_null(assigned, False), min_count=0).as_py():
        what = say("net amounts are what the payouts pay")
        return [ControlTotal(what, -at(net, is_payout), at(net, pc.invert(is_payout)))]
    totals = []
    for payout in pc.unique(ids.filter(is_payout)).to_pylist():
        mine = pc.equal(ids, payout)
        what = say("net amounts are what payout {id} pays", id=payout)
        paid, parts = pc.and_(mine, is_payout), pc.and_(mine, pc.invert(is_payout))
        totals.append(ControlTotal(what, -at(net, paid), at(net, parts)))
    return totals


def _orders(sheet: Sheet, kind: Column, fees: Column) -> list[ControlTotal]:
    """Return the total of gross and fees: a roll-up row's fees stand in the rows of its items."""
    if any(
        text not in {"", "--", "1", "1.0"}
        for text in pc.unique(sheet.text("rate").cast("string")).to_pylist()
    ):
        return []  # another currency: the net amount is converted
    charged = pc.is_in(kind.cast("string"), value_set=pyarrow.array([MoveKind.PAYMENT, MoveKind.REFUND]))
    rows = pyarrow.table(
        {
            "key": pc.binary_join_element_wise(sheet.text("order"), sheet.text("type").cast("string"), "\t"),
            "net": pc.fill_null(sheet.money("net"), 0),
            "parts": pc.add(pc.fill_null(sheet.money("gross"), 0), fees),
        }
    ).filter(charged)
    sums = rows.group_by("key").aggregate([("net", "sum"), ("parts", "sum")])
    return identity(say("gross amounts and fees are the net amounts"), sums["parts_sum"], sums["net_sum"])


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="ebay_transactions",
    title="eBay transaction report",
    realm="ebay",
    references=("https://www.ebay.com/help/selling/selling-tools/financial-reports",),
    limitations=("Dates have no time of day.",),
)
