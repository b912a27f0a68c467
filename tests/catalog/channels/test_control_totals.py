"""Every row deleted, doubled or changed by a cent breaks a control total, wherever an export has one."""

import json
import re
from decimal import Decimal

import pytest

from tests.verify.company import make
from unransom.catalog.channels import recognise
from unransom.catalog.exports.channel import HEAD, Reading, Source
from unransom.catalog.exports.containers import unwrap
from unransom.core.records import Grade
from unransom.core.streams import BytesReader
from unransom.verify.orders.control import verdicts

FUND = """#支付宝账务明细查询
#账号：[20880000000000010156]
#---
账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注
"""


def fund():
    balance, rows, incomes, expenses = Decimal(1000), [], [], []
    for number in range(20):
        amount = Decimal(number * 137 + 11).scaleb(-2)
        income, expense = (amount, Decimal("0.00")) if number % 3 else (Decimal("0.00"), -amount)
        balance += income + expense
        (incomes if income else expenses).append(income + expense)
        about = f"9{number:04}\t,T{number}\t,W{number}\t,x,2026-06-12 00:03:{number:02},y"
        rows.append(f"{about},{income},{expense},{balance},支付宝,在线支付,\n")
    footer = f"#---结束\n#支出合计：{len(expenses)}笔，共{sum(expenses)}元\n"
    footer += f"#收入合计：{len(incomes)}笔，共{sum(incomes)}元\n"
    return (FUND + "".join(rows) + footer).encode("gb18030")


PAYOUTS = """Transaction report

Start date,Jun 9 2026
Seller,s
Transaction creation date,Type,Order number,Net amount,Payout date,Payout ID,Item ID,Transaction ID,\
Final Value Fee - variable,Gross transaction amount,Transaction currency
"""


def payouts():
    """Return an eBay report in which each row names its payout; the last payout is still to come."""
    rows = []
    for day in (9, 10, 11):
        about = f'"Jun {day}, 2026",70{day}'
        sales = [1000 + 137 * day + 11 * number for number in range(3)]
        for number, gross in enumerate(sales):
            money = f"{Decimal(gross - 35).scaleb(-2)},{about},40{number},8{day}{number},-0.35"
            rows.append(
                f'"Jun {day}, 2026",Order,{day:02}-{number:05},{money},{Decimal(gross).scaleb(-2)},USD'
            )
        rows.append(f'"Jun {day}, 2026",Other fee,--,-0.50,{about},--,--,--,-0.50,USD')
        paid = Decimal(sum(sales) - 3 * 35 - 50).scaleb(-2)
        rows.append(f'"Jun {day}, 2026",Payout,--,-{paid},{about},--,--,--,-{paid},USD')
    rows.append('"Jun 11, 2026",Order,11-00009,9.65,"Jun 12, 2026",7012,409,899,-0.35,10.00,USD')
    return (PAYOUTS + "\n".join(rows) + "\n").encode()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Exports with control totals: bytes, codec, a pattern of their rows, and of an amount in a row."""
    folder = tmp_path_factory.mktemp("exports")
    make(folder, shops=16, per_day=6, days=2)
    zipped = (folder / "money_of_web3.zip").read_bytes()
    trade, _ = unwrap(Source("trade", BytesReader(zipped)))
    bill = trade.reader.read_at(0, trade.reader.size)
    plain = r"-?\d+\.\d\d(?=[\t,])"
    return {
        "settlement": ((folder / "settlement0.tsv").read_bytes(), "utf-8", r"Order|Refund", plain),
        "settlement in comma": (
            (folder / "settlement1.tsv").read_bytes(),
            "utf-8",
            r"Order|Refund",
            r"-?\d+,\d\d(?=\t)",
        ),
        "ebay orders": (
            (folder / "ebay0.csv").read_bytes(),
            "utf-8",
            r"buyer_.*,\$",
            r"\d+\.\d\d(?=[\",])",
        ),
        "ebay transactions": (
            (folder / "ebay_moves0.csv").read_bytes(),
            "utf-8",
            r",(Order|Refund|Hold|Other fee),",
            plain,
        ),
        "ebay payouts": (payouts(), "utf-8", r",70(09|9|10|11),", plain),
        "paypal report": (
            (folder / "money_of_web0_STL.csv").read_bytes(),
            "utf-8",
            r'^"(SB|SF)"',
            r'(?<=R",)\d+(?=,"USD","DR)',
        ),
        "paypal statement": ((folder / "money_of_web2.csv").read_bytes(), "utf-8", r"^\d\d/\d\d/", plain),
        "alipay trade": (bill, "gb18030", r"^2026061022", r"-?\d+\.\d\d(?=,0\.00,0\.00,)"),
        "alipay fund": (fund(), "gb18030", r"^9\d{4}\t", r"-?\d+\.\d\d"),
    }


NAMES = ("settlement", "settlement in comma", "ebay orders", "ebay transactions", "ebay payouts",
         "paypal report", "paypal statement", "alipay trade", "alipay fund")  # fmt: skip


def broken(data):
    """Return whether a control total of the export does not hold."""
    channel = recognise(data[:HEAD])
    return not all(
        total.holds for total in channel.read(Source("x", BytesReader(data), Reading(dates="dmy"))).totals
    )


def by_a_cent(line, amount, which):
    """Return ``line`` with one of its amounts a hundredth, or a minor unit, higher."""
    found = list(re.finditer(amount, line))
    if not found:
        return None
    place = found[which % len(found)]
    text = place[0]
    digits = str(int(re.sub(r"[.,]", "", text)) + 1)
    if "." in text or "," in text:
        mark = "." if "." in text else ","
        sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        digits = digits.rjust(3, "0")
        digits = f"{sign}{digits[:-2]}{mark}{digits[-2:]}"
    return line[: place.start()] + digits + line[place.end() :]


def rows_of(exports, name):
    data, codec, pattern, amount = exports[name]
    lines = data.decode(codec).splitlines(keepends=True)
    rows = [number for number, line in enumerate(lines) if re.search(pattern, line)]
    # Of a chain without a total, the first and the last row can be missing without a trace.
    return lines, rows[1:-1] if name == "paypal statement" else rows, codec, amount


@pytest.mark.parametrize("name", NAMES)
def test_the_untouched_export_holds(exports, name):
    assert not broken(exports[name][0])
    assert len(rows_of(exports, name)[1]) > 5


def changes(exports, name):
    """Yield every row of an export deleted, doubled, and with each of its amounts a cent higher."""
    lines, rows, codec, amount = rows_of(exports, name)
    for number in rows:
        amounts = len(re.findall(amount, lines[number]))
        cents = [[by_a_cent(lines[number], amount, which)] for which in range(amounts)]
        for new in ([], [lines[number]] * 2, *cents):
            changed = [*lines[:number], *new, *lines[number + 1 :]]
            yield f"row {number + 1}: {new}", "".join(changed).encode(codec)


@pytest.mark.parametrize("name", NAMES)
def test_every_single_changed_row_breaks_a_total(exports, name):
    checked, unnoticed = 0, []
    for what, data in changes(exports, name):
        checked += 1
        if not broken(data):
            unnoticed.append(what)
    assert not unnoticed
    assert checked > 20


@pytest.mark.parametrize("left", [1, 12, 20])
@pytest.mark.parametrize("name", ["paypal statement", "settlement", "ebay transactions"])
def test_a_row_that_was_cut_breaks_a_total(exports, name, left):
    codec = exports[name][1]
    lines, rows, *_ = rows_of(exports, name)
    cut = "".join(lines[: rows[-1]]) + re.match(r"(?:[^,\t]*[,\t]){4}", lines[rows[-1]])[0] + "x" * left
    assert broken(cut.encode(codec))


def test_a_cut_row_is_told_where_nothing_else_shows_it():
    head = "shop,order_id,created,total,currency,state\n"
    row = "tea,W{},2026-06-10T09:00:00Z,5.00,EUR,shipped\n"
    whole = (head + "".join(map(row.format, range(9)))).encode()
    assert not broken(whole)
    assert broken(whole[:-15])


def usd(units):
    return {"currency_code": "USD", "value": f"{Decimal(units).scaleb(-2):.2f}"}


def search(rows):
    details, balance = [], 100_000
    for number in range(rows):
        gross = number * 1370 + 1100 if number % 3 else -900
        balance += gross - 35
        info = {"transaction_id": f"T{number}", "transaction_event_code": "T0006", "transaction_status": "S"}
        info |= {"transaction_initiation_date": f"2026-06-12T10:{number:02}:00+0000"}
        info |= {"transaction_amount": usd(gross), "fee_amount": usd(-35), "ending_balance": usd(balance)}
        details.append({"transaction_info": info})
    return {"transaction_details": details, "total_items": rows, "page": 1, "total_pages": 1}


def breakdown(name, units, *parts):
    money = {"currencyAmount": units / 100, "currencyCode": "USD"}
    return {"breakdownType": name, "breakdownAmount": money, "breakdowns": list(parts)}


def finances(rows):
    return {
        "transactions": [
            {
                "transactionType": "Shipment",
                "postedDate": "2026-06-12T10:00:00Z",
                "relatedIdentifiers": [],
                "totalAmount": {"currencyAmount": 8.37 + number, "currencyCode": "USD"},
                "breakdowns": [
                    breakdown("Sales", 1000 + 100 * number, breakdown("Principal", 1000 + 100 * number)),
                    breakdown("Expenses", -163, breakdown("FBA fees", -100), breakdown("Promo", -63)),
                ],
            }
            for number in range(rows)
        ]
    }


def amounts_of(entry):
    """Yield each object in a document that holds an amount, and the amount's name."""
    for name, value in entry.items() if isinstance(entry, dict) else enumerate(entry):
        if name in {"value", "currencyAmount"}:
            yield entry, name
        elif isinstance(value, dict | list):
            yield from amounts_of(value)


@pytest.mark.parametrize(("pages", "unproven"), [(search(12), 2), (finances(4), 0)], ids=["paypal", "amazon"])
def test_every_amount_of_a_document_that_changed_by_a_cent_breaks_a_total(pages, unproven):
    """Of PayPal's first row only the balance is proven, not the amount and the fee that led to it."""
    assert not broken(json.dumps(pages).encode())
    unnoticed = 0
    for entry, name in amounts_of(pages):
        kept = entry[name]
        entry[name] = f"{Decimal(kept) + Decimal('0.01')}" if isinstance(kept, str) else round(kept + 0.01, 2)
        unnoticed += not broken(json.dumps(pages).encode())
        entry[name] = kept
    assert unnoticed == unproven


@pytest.mark.parametrize("change", [lambda row: [], lambda row: [row, row]], ids=["deleted", "doubled"])
def test_every_transaction_of_a_document_that_is_missing_or_doubled_breaks_a_total(change):
    for number in range(12):
        pages = search(12)
        rows = pages["transaction_details"]
        rows[number : number + 1] = change(rows[number])
        assert broken(json.dumps(pages).encode())
        del pages["total_items"]  # then the chain alone shows it, save at its ends
        assert broken(json.dumps(pages).encode()) or (not change(0) and number in {0, 11})


def test_balances_in_another_order_than_the_rows_prove_nothing():
    pages = search(12)
    pages["transaction_details"] = [pages["transaction_details"][number * 5 % 12] for number in range(12)]
    assert not broken(json.dumps(pages).encode())


def test_a_doubled_row_of_a_settlement_across_borders_is_found():
    """It has no count: that a row is missing shows where it is joined."""
    head = "Partner_transaction_id,Transaction_id,Amount,Fee,Settlement,Currency,Payment_time,Type\n"
    row = "{kind}{number},T{number},{number}9.30,0.59,{number}8.71,EUR,2026-06-12 23:59:58,{kind}\n"
    rows = [row.format(kind=kind, number=number) for number in range(1, 5) for kind in "PR"]
    assert not broken((head + "".join(rows)).encode())
    for number, line in enumerate(rows):
        assert broken((head + "".join([*rows[:number], line, *rows[number:]])).encode())


ITEMS = """Transaction report

Transaction creation date,Type,Order number,Net amount,Item ID,Transaction ID,Item subtotal,\
Shipping and handling,Final Value Fee - variable,Gross transaction amount,Transaction currency
"""


def test_what_was_sold_makes_up_the_gross_amount_of_an_order():
    """In an order of several items each has a row of its own, and the gross amount stands in another."""
    rows = []
    for number in range(3):
        about = f'"Jun 9, 2026",Order,09-{number:05}'
        rows.append(f"{about},24.00,40{number},8{number},20.00,5.00,-1.00,25.00,USD")
        rows.append(f"{about}-2,42.10,--,--,--,--,--,44.10,USD")
        rows.append(f"{about}-2,--,41{number},9{number},10.25,0.00,-1.00,--,USD")
        rows.append(f"{about}-2,--,42{number},7{number},33.35,0.50,-1.00,--,USD")
    assert not broken((ITEMS + "\n".join(rows) + "\n").encode())
    for at, row in enumerate(rows):
        for which in range(len(re.findall(r"-?\d+\.\d\d", row))):
            changed = by_a_cent(row, r"-?\d+\.\d\d", which)
            text = ITEMS + "\n".join([*rows[:at], changed, *rows[at + 1 :]]) + "\n"
            assert broken(text.encode()), changed


def read_all(*texts):
    """Return the grades of eBay reports that are given together, and why, one after the other."""
    channel = recognise(texts[0].encode())
    exports = [channel.read(Source(str(n), BytesReader(text.encode()))) for n, text in enumerate(texts)]
    return [(verdict.grade, str(verdict.why)) for verdict in verdicts(exports)]


def test_a_payout_is_made_up_by_two_reports():
    """What was sold before the first of them ends may be paid out in the second."""
    before, after = [], []
    for line in payouts().decode().removeprefix(PAYOUTS).splitlines(keepends=True):
        day, number = line[5:7].strip(" ,"), line.partition("Order,")[2][:8]
        early = day == "9" or number in {"10-00000", "10-00001"}
        (before if early else after).append(line.replace('"Jun 10,', '"Jun 9,', 1) if early else line)
    first = PAYOUTS + "".join(before)

    assert [grade for grade, _ in read_all(first, PAYOUTS + "".join(after))] == [Grade.GOOD, Grade.GOOD]
    (alone, why), *_ = read_all(PAYOUTS + "".join(after))
    assert alone is Grade.BAD
    assert "before it" in why
    for number in range(len(after) - 1):  # the last row is paid out later
        rows = PAYOUTS + "".join(after[:number] + after[number + 1 :])
        assert Grade.BAD in [grade for grade, _ in read_all(first, rows)], after[number]
    for number in range(len(before)):
        rows = PAYOUTS + "".join(before[:number] + before[number + 1 :])
        assert Grade.BAD in [grade for grade, _ in read_all(rows, PAYOUTS + "".join(after))], before[number]
