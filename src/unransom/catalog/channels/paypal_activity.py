"""PayPal, activity download and statement as CSV, in several languages, with a balance in each row."""

from __future__ import annotations

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import paypal
from unransom.catalog.exports.building import (
    Column,
    chain,
    ends,
    export,
    identity,
    joined,
    mapped,
    present,
    tabular,
)
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Layout, Sheet, times_of
from unransom.catalog.exports.moments import DAY
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveState

CART_ITEM = "shopping cart item"  # a row that says again what the payment of its cart has in all
LAYOUT = Layout(
    columns={
        "date": ("Date", "Datum", "Fecha", "Data", "日期"),
        "clock": ("Time", "Uhrzeit", "Heure", "Hora", "Ora", "Tijd", "时间"),
        "zone": ("TimeZone", "Time Zone", "Zeitzone", "Fuseau horaire", "Zona horaria", "Fuso orario",
            "Tijdzone", "时区"),
        "type": (
            "Type", "Description", "Typ", "Beschreibung", "Tipo", "Descripción", "Descrizione",
            "Omschrijving", "类型", "说明",
        ),
        "status": ("Status", "État", "Estado", "Stato", "状态"),
        "currency": ("Currency", "Währung", "Devise", "Divisa", "Moneda", "Valuta", "币种"),
        "gross": ("Gross", "Brutto", "Avant commission", "Brut", "Bruto", "Lordo", "总额"),
        "fee": ("Fee", "Gebühr", "Entgelt", "Commission", "Frais", "Comisión", "Tarifa", "Tariffa",
            "Kosten", "费用"),
        "net": ("Net", "Netto", "Net (après commission)", "Neto", "净额"),
        "balance": ("Balance", "Guthaben", "Kontostand", "Solde", "Saldo", "Tegoed", "余额"),
        "id": (
            "Transaction ID", "Transaktionscode", "Numéro de transaction", "Id. de transacción",
            "Id. transacción",
            "Codice transazione", "Transactiereferentie", "交易号",
        ),
        "invoice": (
            "Invoice Number", "Invoice ID", "Rechnungsnummer", "Numéro de facture", "Número de factura",
            "Numero fattura", "Factuurnummer", "账单号",
        ),
        "custom": ("Custom Number", "Benutzerdefinierte Nummer", "Numéro client", "Número personalizado",
            "Numero personalizzato"),
        "reference": (
            "Reference Txn ID", "Zugehöriger Transaktionscode", "Numéro de la transaction de référence",
            "Numéro de transaction de référence", "Id. de transacción de referencia",
            "Codice transazione di riferimento",
        ),
        "impact": ("Balance Impact", "Auswirkung auf Guthaben", "Impact sur le solde",
            "Efecto en el saldo", "Impatto sul saldo"),
    },
    required=("date", "currency", "gross", "net", "id"),
    texts=("clock", "id", "invoice", "custom", "reference"),
)  # fmt: skip


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("id")))
    marks = sheet.settle(("gross", "fee", "net", "balance"), ("date",), total_decides=True)
    if len(marks) == 2:
        sheet.decide(*(_chained(sheet, mark) for mark in marks))
    gross, fee, net = (sheet.money(name) for name in ("gross", "fee", "net"))
    words = sheet.text("type")
    state = mapped(sheet.text("status"), paypal.state_of)
    memo = pc.or_(
        pc.equal(pc.utf8_lower(sheet.text("impact").cast("string")), "memo"),
        pc.equal(pc.utf8_lower(words.cast("string")), CART_ITEM),
    )
    affects = pc.and_(pc.equal(state.cast("string"), MoveState.DONE), pc.invert(memo))
    time, precision, zoned = _times(sheet)
    invoice, custom = sheet.text("invoice"), sheet.text("custom")
    change = pc.if_else(affects, net, pyarrow.scalar(None, pyarrow.int64()))
    totals = identity(say("gross and fee are net"), summed([gross, fee]), net, sheet.numbers())
    totals += _chain(sheet, change)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": "",
            "order_key": pc.if_else(present(invoice), invoice, custom),
            "payment_id": sheet.text("id"),
            "refers_to": sheet.text("reference"),
            "line_key": "",
            "kind": mapped(words, paypal.kind_of_words),
            "code": words,
            # A memo row tells of a movement that another row carries out.
            "state": pc.if_else(memo, MoveState.PENDING, state.cast("string")),
            "time": time,
            "currency": sheet.text("currency"),
            "amount": gross,
            "fee": pc.fill_null(fee, 0),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone="zone of each row" if zoned else sheet.source.reading.zone or "UTC",
        precision=precision,
        totals=totals,
        ends=ends(sheet.text("currency"), change, sheet.money("balance"), time),
    )


def _times(sheet: Sheet) -> tuple[Column, int, bool]:
    """Return the rows' times, put together from up to three columns."""
    if not sheet.has("clock"):
        return sheet.time("date")
    date, clock, zone = (sheet.text(name).cast("string") for name in ("date", "clock", "zone"))
    texts = joined(date, clock, zone, separator=" ")
    times, precision, zoned = times_of(texts, sheet.order, sheet.source.reading.zone or "UTC")
    return times, min(precision, DAY), zoned


def _chain(sheet: Sheet, change: Column, mark: str = "") -> list[ControlTotal]:
    return chain(sheet.text("currency"), change, sheet.money("balance", mark), sheet.numbers())


def _chained(sheet: Sheet, mark: str) -> bool:
    """Return whether the balances hold when amounts are read with the decimal mark ``mark``."""
    totals = _chain(sheet, sheet.money("net", mark), mark)
    return bool(totals) and all(total.holds for total in totals)


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="paypal_activity",
    title="PayPal activity download or statement (CSV)",
    realm="web",
    references=(
        "https://www.paypal.com/us/cshelp/article/how-do-i-view-and-download-statements-and-reports-help145",
    ),
    limitations=(
        "The first and the last row of each currency can be missing without a trace, save where the"
        " neighbouring file is given too.",
    ),
)
