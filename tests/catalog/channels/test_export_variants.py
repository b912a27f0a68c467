"""The same evidence in the channels' languages, encodings and spellings comes to the same records."""

import json
from decimal import Decimal

import pytest

from unransom.catalog.exports.channel import Reading, Source
from unransom.catalog.exports.tables import records
from unransom.core.orders import MoveKind, MoveState
from unransom.core.streams import BytesReader
from unransom.verify.orders.reading import Unread, read_exports


def read(data, **reading):
    data = data.encode() if isinstance(data, str) else data
    (export,) = read_exports([Source("export", BytesReader(data), Reading(**reading))])
    assert not isinstance(export, Unread), f"{export.why} {export.detail}"
    assert all(total.holds for total in export.totals)
    return export


def quoted(rows, delimiter=","):
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


# Of each language: header, zone, then type and status of a payment, a refund and an authorization.
PAYPAL = {
    "en": (
        "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Reference Txn ID,"
        "Invoice Number,Balance Impact",
        *("13/06/2026", "CEST", "point", "Express Checkout Payment", "Completed", "Payment Refund"),
        *("General Authorization", "Pending", "Memo"),
    ),
    "de": (
        "Datum,Uhrzeit,Zeitzone,Typ,Status,Währung,Brutto,Entgelt,Netto,Guthaben,Transaktionscode,"
        "Zugehöriger Transaktionscode,Rechnungsnummer,Auswirkung auf Guthaben",
        *("13.06.2026", "CEST", "comma", "PayPal Express-Zahlung", "Abgeschlossen", "Rückzahlung"),
        *("Allgemeine Autorisierung", "Ausstehend", "Memo"),
    ),
    "fr": (
        "Date,Heure,Fuseau horaire,Type,État,Devise,Avant commission,Commission,Net,Solde,"
        "Numéro de transaction,Numéro de la transaction de référence,Numéro de facture,Impact sur le solde",
        *("13/06/2026", "Europe/Paris", "comma", "Paiement Express Checkout", "Terminé", "Remboursement"),
        *("Autorisation générale", "En attente", "Mémo"),
    ),
    "es": (
        "Fecha,Hora,Zona horaria,Tipo,Estado,Divisa,Bruto,Comisión,Neto,Saldo,Id. de transacción,"
        "Id. de transacción de referencia,Número de factura,Efecto en el saldo",
        *("13/06/2026", "Europe/Madrid", "comma", "Pago con Pago exprés", "Completado", "Reembolso de pago"),
        *("Autorización general", "Pendiente", "Nota"),
    ),
    "it": (
        "Data,Ora,Fuso orario,Tipo,Stato,Valuta,Lordo,Tariffa,Netto,Saldo,Codice transazione,"
        "Codice transazione di riferimento,Numero fattura,Impatto sul saldo",
        *("13/06/2026", "CEST", "comma", "Pagamento Express Checkout", "Completata", "Rimborso pagamento"),
        *("Autorizzazione generica", "In sospeso", "Promemoria"),
    ),
    "pt": (
        "Data,Hora,Fuso horário,Tipo,Status,Moeda,Bruto,Tarifa,Líquido,Saldo,Código da transação,"
        "ID da transação de referência,Número da fatura,Impacto no saldo",
        *("13/06/2026", "GMT+02:00", "comma", "Pagamento do Express Checkout", "Concluído", "Estorno"),
        *("Autorização geral", "Pendente", "Memorando"),
    ),
    "ja": (
        "日付,時間,タイムゾーン,タイプ,ステータス,通貨,合計,手数料,正味,残高,取引ID,参照取引ID,請求書番号,残高への影響",
        *("2026/06/13", "GMT+2", "point", "エクスプレス チェックアウト支払い", "完了", "支払いの返金"),
        *("一般的な承認", "保留中", "メモ"),
    ),
    "zh": (
        "日期,时间,时区,类型,状态,币种,总额,费用,净额,余额,交易号,参考交易号,账单号,余额影响",
        *("2026-06-13", "UTC+02:00", "point", "快速结账付款", "已完成", "付款退款"),
        *("一般授权", "待处理", "备注"),
    ),
    "zh-TW": (
        "日期,時間,時區,類型,狀態,貨幣,總額,費用,淨額,餘額,交易號,參考交易號,帳單號,餘額影響",
        *("2026/6/13", "Europe/Berlin", "point", "快速結帳付款", "已完成", "付款退款"),
        *("一般授權", "待處理", "備註"),
    ),
}


def money(text, mark):
    return text if mark == "point" else text.translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("language", PAYPAL)
def test_paypal_says_the_same_in_every_language(language):
    head, date, zone, mark, pays, done, refunds, authorizes, waits, memo = PAYPAL[language]
    rows = [
        (pays, done, "1,234.56", "-30.02", "1,204.54", "1,204.54", "A1", "", "WEB-1", ""),
        (refunds, done, "-100.00", "0.00", "-100.00", "1,104.54", "A2", "A1", "", ""),
        (authorizes, waits, "9.00", "0.00", "9.00", "1,104.54", "A3", "", "WEB-2", memo),
    ]
    cells = [
        [date, "10:00:00", zone, row[0], row[1], "EUR", *(money(text, mark) for text in row[2:6]), *row[6:]]
        for row in rows
    ]
    export = read("\ufeff" + quoted([head.split(","), *cells]))
    found = [
        (r.kind, r.state, r.amount, r.order_key, r.refers_to, r.time.isoformat()) for r in records(export)
    ]
    at = "2026-06-13T08:00:00+00:00"
    assert found == [
        (MoveKind.PAYMENT, MoveState.DONE, Decimal("1234.56"), "WEB-1", "", at),
        (MoveKind.REFUND, MoveState.DONE, Decimal("-100.00"), "", "A1", at),
        (MoveKind.HOLD, MoveState.PENDING, Decimal("9.00"), "WEB-2", "", at),
    ]


def test_an_amount_in_yen_has_no_fraction_so_that_nothing_is_left_to_ask():
    head, date, zone, _, pays, done, *_ = PAYPAL["ja"]
    rows = [[date, "10:00:00", zone, pays, done, "JPY", "1,234", "-34", "1,200", "1,200", "A", "", "W", ""]]
    (payment,) = records(read(quoted([head.split(","), *rows])))
    assert payment.amount == 1234


FLAT = [
    *("amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status"),
    *("fulfillment-channel", "sales-channel", "product-name", "sku", "item-status", "quantity"),
    *("currency", "item-price", "item-tax"),
]


def flat(delimiter="\t", quotes=False, head=FLAT, **cells):
    row = dict.fromkeys(FLAT, "") | {
        "amazon-order-id": "111-1234567-1234567",
        "purchase-date": "2026-06-12T08:04:21+00:00",
        "last-updated-date": "2026-06-12T09:04:21+00:00",
        "order-status": "Shipped",
        "sales-channel": "Amazon.com",
        "product-name": "Bowl",
        "sku": "S-1",
        "quantity": "1",
        "currency": "USD",
        "item-price": "1234.50",
    }
    rows = [head, [*(row | {name.replace("_", "-"): text for name, text in cells.items()}).values()]]
    return quoted(rows, delimiter) if quotes else "".join(delimiter.join(each) + "\r\n" for each in rows)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (flat().encode(), "utf-8"),
        (flat().encode("utf-8-sig"), "utf-8"),
        (flat().encode("utf-16"), "utf-16-le"),
        (flat().encode("utf-16-le"), "utf-16-le"),
        (flat().encode("utf-16-be"), "utf-16-be"),
        (flat(product_name="Boîte à thé – été", sales_channel="Amazon.fr").encode("cp1252"), "cp1252"),
        (flat(product_name="木の器 ①", sales_channel="Amazon.co.jp").encode("cp932"), "cp932"),
        (flat(product_name="木の器", sales_channel="Non-Amazon", currency="JPY").encode("cp932"), "cp932"),
        (flat(product_name='12" board'), "utf-8"),
        (flat("\t", quotes=True), "utf-8"),
        (flat(",", quotes=True, product_name="Bowl, large"), "utf-8"),
        (flat(";", quotes=True, item_price="1.234,50"), "utf-8"),
        (flat(item_price="1.234,50"), "utf-8"),
        (flat(head=[name.upper() for name in FLAT]), "utf-8"),
        (flat(purchase_date="2026-06-12 01:04:21 PDT"), "utf-8"),
    ],
)
def test_amazons_orders_are_the_same_in_every_encoding(data, encoding):
    export = read(data)
    assert export.conventions.encoding == encoding
    order = next(iter(records(export)))
    assert (order.order_id, order.total) == ("111-1234567-1234567", Decimal("1234.50"))
    assert order.created.isoformat() == "2026-06-12T08:04:21+00:00"


def test_reports_that_were_joined_end_to_end_are_read_as_one():
    first, second = flat(), flat(amazon_order_id="112-7654321-7654321", item_price="1.00")
    export = read(first + second)
    assert export.sales["order_id"].to_pylist() == ["111-1234567-1234567", "112-7654321-7654321"]
    assert export.sales["row"].to_pylist() == [1, 3]


SETTLED = [
    *("settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount"),
    *("currency", "transaction-type", "order-id", "shipment-id", "marketplace-name", "amount-type"),
    *("amount-description", "amount", "posted-date", "posted-date-time", "sku"),
]


@pytest.mark.parametrize(
    ("total", "price", "fee", "form", "mark"),
    [
        ("1184.56", "1234.56", "-50.00", "2026-06-{} {} UTC", "point"),
        ("1.184,56", "1.234,56", "-50,00", "{}.06.2026 {} UTC", "comma"),
        ("1\xa0184,56", "1\xa0234,56", "-50,00", "{}.06.2026 {} UTC", "comma"),
        ("1184,56", "1234,56", "\u221250,00", "2026-06-{} {} UTC", "comma"),
        ("1184.56", "1234.56", "-50.00", "{}/06/2026 {} UTC", "point"),
        ("1184.56", "1234.56", "-50.00", "2026-06-{}T{}+00:00", "point"),
        ("1.184", "1.234", "-50", "{}.06.2026 {} UTC", "comma"),  # the total tells
    ],
)
def test_a_settlement_is_the_same_in_every_spelling(total, price, fee, form, mark):
    def row(**cells):
        named = {name.replace("_", "-"): text for name, text in cells.items()}
        return "\t".join((dict.fromkeys(SETTLED, "") | {"settlement-id": "1"} | named).values())

    start, end, posted = (form.format(day, "10:00:00") for day in ("01", "15", "13"))
    dates = {"settlement_start_date": start, "settlement_end_date": end, "deposit_date": end}
    about = {"transaction_type": "Order", "order_id": "302-1", "shipment_id": "D", "posted_date_time": posted}
    lines = [
        "\t".join(SETTLED),
        row(**dates, total_amount=total, currency="EUR"),
        row(**about, amount_type="ItemPrice", amount_description="Principal", amount=price),
        row(**about, amount_type="ItemFees", amount_description="Commission", amount=fee),
    ]
    export = read("\n".join(lines) + "\n")
    assert export.conventions.decimal in {mark, ""}
    payment, charge = records(export)
    assert payment.amount - Decimal(1234) in {Decimal("0.56"), Decimal(0)}
    assert charge.amount == -50
    assert payment.time.isoformat() == "2026-06-13T10:00:00+00:00"


ORDER = {
    "AmazonOrderId": "111-1",
    "PurchaseDate": "2026-06-12T10:00:00Z",
    "LastUpdateDate": "2026-06-12T10:00:00Z",
    "OrderStatus": "Shipped",
    "OrderTotal": {"CurrencyCode": "USD", "Amount": "10.00"},
    "MarketplaceId": "ATVPDKIKX0DER",
}


def test_pages_come_one_by_one_in_lines_in_lists_and_bare():
    other = {**ORDER, "AmazonOrderId": "111-2"}
    pages = [{"payload": {"Orders": [each]}} for each in (ORDER, other)]
    for text in (
        "\n".join(map(json.dumps, pages)),
        "\n".join(json.dumps(page, indent=1) for page in pages),
        json.dumps(pages),
        json.dumps({"payload": {"Orders": [ORDER, other]}}),
        "\n".join(map(json.dumps, (ORDER, other))),
        "\ufeff" + json.dumps(pages),
    ):
        assert sorted(read(text).sales["order_id"].to_pylist()) == ["111-1", "111-2"]
