"""eBay, orders report of the Seller Hub: a row for each item, and one above them for a combined order."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.building import (
    Column,
    count,
    export,
    identity,
    joined,
    mapped,
    present,
    tabular,
    whole_number,
)
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, OrderState

LAYOUT = Layout(
    columns={
        "record": (
            "Sales Record Number", "Verkaufsprotokollnummer", "Numéro d'enregistrement",
            "Numéro de l'enregistrement des ventes",
            "Número de registro de ventas", "Numero del record di vendita",
        ),
        "order": ("Order Number", "Bestellnummer", "Numéro de commande", "Número de pedido", "Numero ordine"),
        "item": (
            "Item Number", "Artikelnummer", "Numéro de l'objet", "Número de artículo", "Numero oggetto",
        ),
        "label": (
            "Custom Label", "Bestandseinheit", "Libellé personnalisé", "Numéro de stock",
            "Etiqueta personalizada",
            "Etichetta personalizzata", "Custom label (SKU)",
        ),
        "quantity": ("Quantity", "Anzahl", "Quantité", "Cantidad", "Quantità"),
        "sold": ("Sold For", "Verkauft für", "Prix de vente", "Vendu pour", "Vendido por", "Venduto a",
            "Sale price"),
        "shipping": (
            "Shipping And Handling", "Postage And Handling", "Postage and Packaging", "P & P",
            "Verpackung und Versand",
            "Frais de livraison", "Expédition et manutention", "Gastos de envío", "Spedizione e imballaggio",
        ),
        "tax": (
            "Seller Collected Tax", "Vom Verkäufer eingezogene Steuer", "Taxe collectée par le vendeur",
            "Included VAT Rate Amount",
        ),
        "market_tax": (
            "eBay Collected Tax", "Von eBay eingezogene Steuer", "Taxe collectée par eBay",
            "eBay collected tax and fees included in total",
        ),
        "total": ("Total Price", "Gesamtpreis", "Prix total", "Precio total", "Prezzo totale"),
        "sale_date": (
            "Sale Date", "Verkauft am", "Verkaufsdatum", "Date de la vente", "Date de vente",
            "Fecha de venta", "Data di vendita",
        ),
        "paid_date": (
            "Paid On Date", "Datum der Bezahlung", "Bezahlt am", "Date de paiement", "Payé le",
            "Fecha de pago", "Data pagamento",
        ),
        "paypal": ("PayPal Transaction ID", "PayPal-Transaktionscode", "Numéro de transaction PayPal"),
        "transaction": ("Transaction ID", "Transaktionsnummer", "N° de transaction", "Numéro de transaction"),
    },
    required=("record", "order", "item", "quantity", "total"),
    texts=("order", "transaction"),
    orders=("order",),
)  # fmt: skip
AMOUNTS = ("sold", "shipping", "tax", "market_tax", "total")
_COUNT = re.compile(r'^"?(\d+)"?[,;\t]\s*"?\D*(?:record|Datens|enregistrement|registro|record)', re.I)
_SELLER = re.compile(
    r'^"?(?:Seller ID|Verkäufer-ID|Mitgliedsname[^:]*|ID du vendeur|ID del vendedor|ID venditore)'
    r'\s*:\s*([^",;\t]+)',
    re.I,
)
_CODES = (
    ("AU $", "AUD"),
    ("C $", "CAD"),
    ("US $", "USD"),
    ("£", "GBP"),
    ("€", "EUR"),
    ("¥", "JPY"),
    ("$", "USD"),
)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(joined(sheet.text("record"), sheet.text("order"), separator="")))
    sheet.settle(AMOUNTS, ("sale_date", "paid_date"))
    zone = "UTC"
    created, precision, _ = sheet.time("sale_date", zone)
    total, is_item = sheet.money("total"), present(sheet.text("item"))
    paid = present(sheet.text("paid_date"))
    state = pc.if_else(paid, OrderState.PLACED, OrderState.PENDING)
    seller = next((found[1].strip() for line in sheet.below if (found := _SELLER.search(line))), "")
    per_unit = _per_unit(sheet)
    amount = _amounts(sheet, per_unit=per_unit)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        sales={
            "shop": seller,
            "order_id": sheet.text("order"),
            "line_id": sheet.text("transaction"),
            "other_id": sheet.text("record").cast("string"),
            "payment_ref": sheet.text("paypal").cast("string"),
            "state": state,
            "created": created,
            "updated": pc.coalesce(sheet.time("paid_date", zone)[0], created),
            "sku": sheet.text("label"),
            "quantity": pc.if_else(
                is_item, whole_number(sheet.text("quantity"), 1), pyarrow.scalar(None, pyarrow.int32())
            ),
            "currency": _currency(sheet),
            "line_total": pc.if_else(is_item, amount, pyarrow.scalar(None, pyarrow.int64())),
            "order_total": total,
            "tax": pc.fill_null(sheet.money("tax"), 0),
            "market_tax": pc.fill_null(sheet.money("market_tax"), 0),
        },
        zone=zone,
        precision=precision,
        totals=[*_counted(sheet, is_item), *_sums(sheet, amount)],
        account=seller,
    )


def _amounts(sheet: Sheet, *, per_unit: bool) -> Column:
    """Return what each row comes to, with shipping and tax."""
    sold = pc.fill_null(sheet.money("sold"), 0)
    if per_unit:
        sold = pc.multiply(sold, whole_number(sheet.text("quantity"), 1).cast("int64"))
    return summed([sold, *(sheet.money(name) for name in AMOUNTS[1:-1])])


def _per_unit(sheet: Sheet) -> bool:
    """Return whether "Sold For" is the price of one piece: it depends on the file, the totals tell."""
    agreeing = []
    for per_unit in (False, True):
        equal = pc.equal(_amounts(sheet, per_unit=per_unit), sheet.money("total"))
        agreeing.append(pc.sum(pc.fill_null(equal, False), min_count=0).as_py())
    return bool(agreeing[1] > agreeing[0])


def _counted(sheet: Sheet, is_item: Column) -> list[ControlTotal]:
    stated = next((Decimal(found[1]) for line in sheet.below if (found := _COUNT.search(line))), None)
    return [] if stated is None else [ControlTotal(say("number of records"), stated, count(is_item))]


def _sums(sheet: Sheet, amount: Column) -> list[ControlTotal]:
    """Return the total of prices: an order's is its items' and the shipping of its own row."""
    item, total = present(sheet.text("item")), sheet.money("total")
    shared = pc.fill_null(pc.add(sheet.money("shipping"), pc.fill_null(sheet.money("market_tax"), 0)), 0)
    rows = pyarrow.table(
        {
            "order": sheet.text("order"),
            "total": pc.fill_null(total, 0),
            "parts": pc.if_else(item, amount, shared),
        }
    )
    sums = rows.group_by("order").aggregate([("total", "sum"), ("parts", "sum")])
    return identity(
        say("prices, shipping and tax are the total prices"), sums["parts_sum"], sums["total_sum"]
    )


def _currency(sheet: Sheet) -> Column:
    """Return the currency of each row, by the symbol or code in its amounts; else that of the file."""

    def code(text: str) -> str:
        found = re.search(r"\b[A-Z]{3}\b", text)
        return found[0] if found else next((code for mark, code in _CODES if mark in text), "")

    own = mapped(joined(sheet.text("total"), sheet.text("sold"), separator=" "), code).cast("string")
    named = [name for name in pc.unique(own).to_pylist() if name]
    return pc.if_else(pc.equal(own, ""), named[0] if len(named) == 1 else "", own)


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="ebay_orders",
    title="eBay Seller Hub orders report",
    realm="ebay",
    references=("https://www.ebay.com/help/selling/selling-tools/seller-hub",),
    limitations=("Dates have no time of day.", "Column names of sites in other languages may be missing."),
)
