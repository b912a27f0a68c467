"""Exports that a spreadsheet program has saved again say the same, or are refused, or tell what is lost."""

import csv
import io
from datetime import date, datetime, time

import pytest
import xlsxwriter

from tests.verify.company import make
from unransom.catalog.exports.channel import AmbiguousExportError, Reading, Source
from unransom.catalog.exports.containers import unwrap
from unransom.core.streams import BytesReader
from unransom.verify.orders.keys import damaged
from unransom.verify.orders.match import Match
from unransom.verify.orders.reading import Unread, read_exports


def read(data, **reading):
    (export,) = read_exports([Source("export", BytesReader(data), Reading(**reading))])
    return export


def one(data, **reading):
    export = read(data, **reading)
    assert not isinstance(export, Unread), f"{export.why} {export.detail}"
    return export


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    make(folder, shops=32, per_day=3, days=1)
    (packed,) = [path for path in folder.iterdir() if path.suffix == ".zip"]
    bill, _ = unwrap(Source("bill", BytesReader(packed.read_bytes())))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {
        "settlement": (files["settlement1.tsv"], "\t"),
        "ebay orders": (files["ebay0.csv"], ","),
        "ebay transactions": (files["ebay_moves0.csv"], ","),
        "paypal report": (files["money_of_web1_TRR.csv"], ","),
        "paypal statement": (files["money_of_web4_ja.csv"], ","),
        "alipay across borders": (files["money_of_web6_moved.csv"], ","),
        "alipay fund": (files["money_of_web7_fund.csv"], ","),
        "alipay trade": (bill.reader.read_at(0, bill.reader.size), ","),
        "alipay personal": (files["money_of_web7_personal.csv"], ","),
        "own orders": (files["own_orders.csv"], ","),
    }


def text_of(data):
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252")


def saved_again(data, before, delimiter, encoding, end):
    """Return a table as a spreadsheet saves it: of one width, with another delimiter and encoding."""
    rows = list(csv.reader(io.StringIO(text_of(data)), delimiter=before))
    width = max(map(len, rows))
    out = io.StringIO()
    lines = csv.writer(out, delimiter=delimiter, lineterminator=end)
    lines.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return out.getvalue().encode(encoding)


NAMES = ("settlement", "ebay orders", "ebay transactions", "paypal report", "paypal statement",
         "alipay across borders", "alipay fund", "alipay trade", "alipay personal", "own orders")  # fmt: skip
FORMS = [(",", "utf-8-sig", "\r\n"), (";", "utf-8", "\n"), ("\t", "utf-16", "\r\n"), (",", "utf-8", "\r")]


@pytest.mark.parametrize(("delimiter", "encoding", "end"), FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_one_width_is_the_table_that_was_saved_so(originals, name, delimiter, encoding, end):
    data, before = originals[name]
    native = one(data)
    again = one(saved_again(data, before, delimiter, encoding, end))
    assert again.sales.equals(native.sales)
    assert again.moves.equals(native.moves)
    assert again.totals == native.totals
    assert (again.account, again.window) == (native.account, native.window)


HEAD = (
    *("Date", "Time", "TimeZone", "Type", "Status", "Currency", "Gross", "Fee", "Net", "Balance"),
    *("Transaction ID", "Invoice Number"),
)


def workbook(rows, *, form="yyyy-mm-dd"):
    """Return rows as a workbook: numbers as numbers, dates as dates of a format."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet, shown = book.add_worksheet(), book.add_format({"num_format": form})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                match cell:
                    case date():
                        sheet.write_datetime(number, place, datetime.combine(cell, time.min), shown)
                    case int() | float():
                        sheet.write_number(number, place, cell, shown)
                    case _:
                        sheet.write_string(number, place, cell)
    return packed.getvalue()


def statement(*dates):
    rows = [
        [day, "10:00:00", "CEST", "Payment", "Completed", "EUR", "5.00", "0.00", "5.00", "", f"T{n}", f"W{n}"]
        for n, day in enumerate(dates)
    ]
    return workbook([HEAD, *rows])


def days(export):
    return [f"{moment:%m-%d}" for moment in export.moves["time"].to_pylist()]


def test_dates_in_which_a_spreadsheet_took_the_day_for_the_month_are_asked_about():
    data = statement(date(2026, 10, 6), date(2026, 11, 6))  # 10/06 and 11/06 of the original
    with pytest.raises(AmbiguousExportError) as error:
        read(data)
    assert "--dates ydm" in str(error.value.hint)
    assert days(one(data, dates="ydm")) == ["06-10", "06-11"]
    assert days(one(data, dates="ymd")) == ["10-06", "11-06"]


@pytest.mark.parametrize("second", [date(2026, 6, 11), date(2026, 6, 13), date(2026, 6, 10)])
def test_dates_that_are_closest_as_they_stand_are_not(second):
    assert days(one(statement(date(2026, 6, 10), second))) == ["06-10", f"06-{second.day}"]


ANTOM = ["Partner_transaction_id", "Transaction_id", "Amount", "Fee", "Settlement", "Currency",
         "Payment_time", "Type"]  # fmt: skip
LONG = 2026061022001400000000020000


@pytest.mark.parametrize(
    "data",
    [
        workbook([ANTOM, *[[f"W{n}", float(LONG + n), "5.00", "0.00", "5.00", "EUR",
                            f"2026-06-10 10:00:0{n}", "P"] for n in range(3)]], form="0"),
        "\n".join([",".join(ANTOM), *[f"W{n},2.02606E+27,5.00,0.00,5.00,EUR,2026-06-10 10:00:0{n},P"
                                      for n in range(3)]]).encode(),
        "\n".join([",".join(ANTOM), *[f"W{n},2026061022001400000000000000,5.00,0.00,5.00,EUR,"
                                      f"2026-06-10 10:00:0{n},P" for n in range(3)]]).encode(),
    ],
)  # fmt: skip
def test_identifiers_that_were_rounded_join_nothing_and_are_told(data):
    export = one(data)
    assert export.moves["order_key"].to_pylist() == ["W0", "W1", "W2"]
    assert len(set(export.moves["payment_id"].to_pylist())) == 3
    assert "rounded 3 identifiers in Transaction_id" in str(export.notes[0])


def own(*orders):
    lines = ["shop,order_id,created,total,currency,state"]
    lines += [f"tea,{order},2026-06-10T09:00:00Z,5.00,EUR,shipped" for order in orders]
    return "\n".join(lines).encode()


def test_orders_whose_identifiers_were_rounded_are_refused():
    unread = read(own("2.02606E+27", "2.02606E+27"))
    assert isinstance(unread, Unread)
    assert "rounded 2 identifiers of orders" in str(unread.why)


def test_long_identifiers_that_end_with_zeros_by_chance_are_not_rounded():
    orders = ["26061022001400100000", "26061022001400100001", "26061022001400200000"]
    assert one(own(*orders)).sales["order_id"].to_pylist() == orders
    assert one(own("20260610220014000", "20260610220014000")).sales.num_rows == 2


def test_identifiers_that_lost_their_zeros_name_candidates():
    payments = (
        ",".join(HEAD) + "\n10/06/2026,10:00:00,CEST,Payment,Completed,EUR,5.00,0.00,5.00,,T1,815\n"
    ).encode()
    proof = Match([one(own("000815", "000816")), one(payments, dates="dmy")])
    assert proof.damaged == {"815": ["000815"]}
    assert proof.classes()["damaged-key"] == 1
    assert damaged(["42", "A1", "7"], ["00042", "042", "1007"]) == {"42": ["00042", "042"]}


def test_payments_with_the_same_rounded_key_stay_apart():
    row = "10/06/2026,10:00:00,CEST,Payment,Completed,EUR,{0}.00,0.00,{0}.00,,T{0},2.02606E+27\n"
    data = (",".join(HEAD) + "\n" + "".join(map(row.format, (5, 6, 7)))).encode()
    proof = Match([one(own("2026061022001400000000020000")), one(data, dates="dmy")])
    assert proof.damaged == {"2.02606E+27": ["2026061022001400000000020000"]}
    assert proof.classes()["damaged-key"] == 3


@pytest.mark.parametrize(
    ("form", "currency"),
    [
        ("[$$-409]#,##0.00", "USD"),
        ("[$EUR] 0.00", "EUR"),
        ('"£"#,##0.00', "GBP"),
        ("#,##0.00\\ [$€-407]", "EUR"),
    ],
)
def test_the_sign_of_a_currency_that_only_the_format_has_is_read(form, currency):
    head = ["Sales Record Number", "Order Number", "Item Number", "Quantity", "Sold For", "Total Price"]
    row = ["1", "01-00001-00001", "400000000000", "1", 1234.5, 1234.5, "Jun-10-26"]
    export = one(workbook([[*head, "Sale Date"], row], form=form))
    assert export.sales["currency"].to_pylist() == [currency]
    assert export.sales["order_total"].to_pylist() == [12_345_000]


def test_an_answer_counts_only_where_the_file_leaves_it_open():
    rows = "{},10:00:00,CEST,Payment,Completed,EUR,{},0,{},,T,W\n"
    data = (",".join(HEAD) + "\n" + rows.format("6/23/2026", '"1,234.50"', '"1,234.50"')).encode()
    export = one(data, dates="dmy", decimal="comma")
    assert days(export) == ["06-23"]
    assert export.moves["amount"].to_pylist() == [12_345_000]
