"""The same evidence in the channels' languages, encodings and spellings comes to the same records."""

import csv
import io
import json
import re
from datetime import datetime, time
from decimal import Decimal

import pytest
import xlsxwriter

from tests.verify.paypal_languages import PAYPAL
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


@pytest.mark.parametrize(("language", "encoding"), [("pl", "cp1250"), ("ru", "cp1251"), ("ja", "cp932")])
def test_paypal_says_it_in_the_encoding_of_a_country(language, encoding):
    head, date, zone, mark, pays, done, *_ = PAYPAL[language]
    amounts = [money(text, mark) for text in ("5.00", "-1.00", "4.00", "4.00")]
    rows = [date, "10:00:00", zone, pays, done, "EUR", *amounts, "A", "", "W", ""]
    export = read(quoted([head.split(","), rows]).encode(encoding))
    assert export.conventions.encoding == encoding
    (payment,) = records(export)
    assert (payment.fee, payment.order_key) == (Decimal("-1.00"), "W")


def test_what_goes_back_to_a_payment_is_a_refund_in_any_language():
    head = PAYPAL["en"][0]
    rows = [
        [
            "13/06/2026",
            "10:00:00",
            "CEST",
            "Xyz",
            "Xyz",
            "EUR",
            "5.00",
            "0.00",
            "5.00",
            "5.00",
            "A",
            "",
            "W",
            "",
        ],
        [
            "13/06/2026",
            "10:00:00",
            "CEST",
            "Zyx",
            "Xyz",
            "EUR",
            "-5.00",
            "0.00",
            "-5.00",
            "0.00",
            "B",
            "A",
            "",
            "",
        ],
    ]
    assert [each.kind for each in records(read(quoted([head.split(","), *rows])))] == ["payment", "refund"]


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_documents_are_the_same_in_every_encoding(encoding):
    page = {"payload": {"Orders": [{**ORDER, "SellerOrderId": "木碗的订单", "SalesChannel": "店铺"}]}}
    export = read(json.dumps(page, ensure_ascii=False).encode(encoding))
    assert export.sales["other_id"].to_pylist() == ["木碗的订单"]
    assert export.sales["shop"].to_pylist() == ["店铺"]


PERSONAL = (
    "导出信息：\r\n姓名：王一\r\n----\r\n"
    "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,\r\n"
    "2026-06-12 10:00:00,日用百货,一家木碗店,w***@x.cn,一一一一只木碗,收入,12.50,余额,交易成功,T1,W1,一,\r\n"
)
FUND = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注\n"
    "9001,T1,W1,木碗,2026-06-12 10:00:00,王,12.50,0.00,112.50,支付宝,在线支付,\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("text", [PERSONAL, FUND], ids=["personal", "fund"])
def test_chinese_headers_are_found_in_every_encoding(text, encoding):
    (record,) = records(read(text.encode(encoding)))
    assert (record.order_key, record.amount) == ("W1", Decimal("12.50"))
    assert record.time.isoformat() == "2026-06-12T02:00:00+00:00"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", PAYPAL)
def test_headers_of_two_bytes_a_character_need_no_mark(language, encoding):
    head, date, zone, mark, pays, done, *_ = PAYPAL[language]
    amounts = [money(each, mark) for each in ("5.00", "0.00", "5.00", "5.00")]
    row = [date, "10:00:00", zone, pays, done, "EUR", *amounts, "A1", "", "WEB-1", ""]
    (record,) = records(read(quoted([head.split(","), row]).encode(encoding)))
    assert (record.order_key, record.amount) == ("WEB-1", Decimal("5.00"))


def as_workbook(rows, write):
    """Return rows as a workbook; ``write`` puts one cell into a sheet."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        formats = [book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "hh:mm:ss")]
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                write(sheet, number, place, cell, formats)
    return packed.getvalue()


def as_text(sheet, number, place, cell, _formats):
    sheet.write_string(number, place, cell)


def as_typed(sheet, number, place, cell, formats):
    """Write what a spreadsheet makes of a text: numbers, dates and times."""
    if re.fullmatch(r"-?[0-9,]+\.[0-9]{2}", cell):
        sheet.write_number(number, place, float(cell.replace(",", "")))
    elif re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        sheet.write_datetime(number, place, datetime.fromisoformat(cell), formats[0])
    elif re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", cell):
        sheet.write_datetime(number, place, time.fromisoformat(cell), formats[1])
    else:
        sheet.write_string(number, place, cell)


@pytest.mark.parametrize("write", [as_text, as_typed])
def test_a_workbook_says_the_same_as_the_table_that_was_saved_so(write):
    lines = [
        "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Invoice Number",
        '2026-06-13,10:00:00,CEST,Payment,Completed,EUR,"1,234.50",-3.10,"1,231.40","1,231.40",T1,W1',
        "2026-06-14,23:59:59,CEST,Payment,Completed,EUR,5.00,0.00,5.00,1236.40,T2,W2",
    ]
    table = read("\n".join(lines) + "\n")
    saved = read(as_workbook(csv.reader(lines), write))
    assert saved.moves.equals(table.moves)
    assert saved.totals == table.totals
    assert all(total.holds for total in saved.totals)


def test_a_workbook_keeps_what_stands_above_and_below_the_table():
    lines = [
        "#账号：[2088]",
        "支付宝交易号,商户订单号,业务类型,创建时间,订单金额(元),商家实收(元),商家优惠(元)",
        "2026061200000000000000000001\t,W1\t,交易,2026-06-12 10:00:00,12.00,10.00,2.00",
        "#交易合计：1笔，商家实收共10.00元，商家优惠共2.00元",
    ]
    footer = lines.pop()
    saved = read(as_workbook([*csv.reader(lines), [footer], []], as_text))
    assert saved.account == "2088"
    assert saved.moves["payment_id"].to_pylist() == ["2026061200000000000000000001"]
    assert len(saved.totals) >= 3
    assert all(total.holds for total in saved.totals)


@pytest.mark.parametrize(
    ("site", "currency", "encoding", "sku"),
    [("Amazon.it", "EUR", "cp1252", "KÄT-1"), ("Amazon.co.jp", "JPY", "cp932", "カット1")],
)
def test_a_settlement_of_japan_and_one_of_europe_are_told_apart(site, currency, encoding, sku):
    columns = (
        "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency"
        " transaction-type order-id shipment-id marketplace-name amount-type amount posted-date-time sku"
    )
    when = "01.06.2026 00:00:00 UTC\t14.06.2026 00:00:00 UTC\t16.06.2026 00:00:00 UTC"
    row = f"Order\t305-1\tS1\t{site}\tItemPrice\t1250\t05.06.2026 10:00:00 UTC\t{sku}"
    lines = [columns.replace(" ", "\t"), f"9\t{when}\t1250\t{currency}" + "\t" * 8, "9" + "\t" * 6 + row]
    export = read("\r\n".join(lines).encode(encoding))
    assert export.conventions.encoding == encoding


def test_orders_of_an_own_shop_are_read_in_chinese():
    rows = "店铺,订单号,下单时间,金额,货币,状态\n茶店,W-1,2026-10-25 04:00:00,654.159,KWD,已发货\n"
    export = read(rows.encode("gb18030"), zone="Asia/Shanghai", decimal="point")
    (sale,) = export.sales.select(["shop", "order_id", "currency", "order_total"]).to_pylist()
    assert sale == {"shop": "茶店", "order_id": "W-1", "currency": "KWD", "order_total": 6_541_590}
    assert export.sales["created"][0].as_py().hour == 20
