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
from unransom.catalog.exports.delimited import Sheet, times_of
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.moments import DAY
from unransom.catalog.exports.money import summed
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveState

# Rows that say again what the payment of their cart has in all, by their type.
CART_ITEM = r"shopping cart item|warenkorb|panier|carrito|carrello|carrinho|ショッピングカート|购物车|購物車"
# What stands in the column of the balance's impact where a row has none.
MEMO = pyarrow.array(
    ["memo", "mémo", "nota", "memorando", "promemoria", "メモ", "备忘录", "备注", "備註", "備忘錄"]
)
LAYOUT = Layout(
    columns={
        "date": ("Date", "Datum", "Fecha", "Data", "日付", "日期"),
        "clock": ("Time", "Uhrzeit", "Heure", "Hora", "Ora", "Tijd", "時間", "时间", "時刻"),
        "zone": (
            "TimeZone", "Time Zone", "Zeitzone", "Fuseau horaire", "Zona horaria", "Fuso orario",
            "Fuso horário", "Tijdzone", "タイムゾーン", "时区", "時區",
        ),
        "type": (
            "Type", "Description", "Typ", "Beschreibung", "Tipo", "Descripción", "Descrizione", "Descrição",
            "Omschrijving", "タイプ", "種類", "取引タイプ", "説明", "类型", "说明", "類型", "說明",
        ),
        "status": ("Status", "État", "Etat", "Estado", "Stato", "ステータス", "状態", "状态", "狀態"),
        "currency": (
            "Currency", "Währung", "Devise", "Divisa", "Moneda", "Valuta", "Moeda", "通貨", "币种", "貨幣",
            "幣別",
        ),
        "gross": (
            "Gross", "Brutto", "Avant commission", "Brut", "Bruto", "Lordo", "合計", "総額", "グロス", "金額",
            "总额", "總額",
        ),
        "fee": (
            "Fee", "Fees", "Gebühr", "Entgelt", "Commission", "Frais", "Comisión", "Tarifa", "Tariffa",
            "Kosten", "手数料", "费用", "手续费", "費用", "手續費",
        ),
        "net": (
            "Net", "Netto", "Net (après commission)", "Neto", "Líquido", "正味", "純額", "ネット", "差引額",
            "净额", "淨額",
        ),
        "balance": (
            "Balance", "Guthaben", "Kontostand", "Solde", "Saldo", "Tegoed", "残高", "余额", "餘額",
        ),
        "id": (
            "Transaction ID", "Transaktionscode", "Numéro de transaction", "Id. de transacción",
            "Id. transacción", "Identificador de transacción", "Código da transação", "ID da transação",
            "Codice transazione", "Transactiereferentie", "取引ID", "取引 ID", "トランザクションID", "交易号",
            "交易ID", "交易號",
        ),
        "invoice": (
            "Invoice Number", "Invoice ID", "Rechnungsnummer", "Numéro de facture", "Número de factura",
            "Número da fatura", "Numero fattura", "Factuurnummer", "請求書番号", "インボイス番号", "账单号",
            "发票号", "帳單號", "帳單號碼",
        ),
        "custom": (
            "Custom Number", "Custom", "Benutzerdefinierte Nummer", "Numéro client", "Número personalizado",
            "Numero personalizzato", "カスタム番号", "自定义号码", "自訂號碼",
        ),
        "reference": (
            "Reference Txn ID", "Zugehöriger Transaktionscode", "Numéro de la transaction de référence",
            "Numéro de transaction de référence", "Id. de transacción de referencia",
            "Id. transacción de referencia", "ID da transação de referência",
            "Codice transazione di riferimento", "Codice transazione riferimento", "参照取引ID",
            "参照取引 ID", "参考交易号", "參考交易號",
        ),
        "impact": (
            "Balance Impact", "Auswirkung auf Guthaben", "Impact sur le solde", "Efecto en el saldo",
            "Impatto sul saldo", "Impacto no saldo", "残高への影響", "余额影响", "餘額影響",
        ),
    },
    required=("date", "currency", "gross", "net", "id"),
    texts=("clock", "id", "invoice", "custom", "reference"),
    orders=("invoice", "custom"),
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
        pc.is_in(pc.utf8_lower(sheet.text("impact").cast("string")), value_set=MEMO),
        pc.match_substring_regex(pc.utf8_lower(words.cast("string")), CART_ITEM),
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
