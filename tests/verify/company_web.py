"""Writes what pays for the web shops of a made company: PayPal and Alipay, and the shops' own orders."""

import csv
import io
import zipfile
from datetime import timedelta, timezone
from decimal import Decimal

from tests.verify.company_exports import PACIFIC, START, columns, write_rows

CHINA = timezone(timedelta(hours=8))
TRADE = columns(
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,支付宝优惠（元）,商家优惠（元）,退款批次号/请求号,"
    "服务费（元）,备注"
)


def own_orders(path, orders_by_shop, currency):
    head = ["shop", "order_id", "status", "created_at", "currency", "total_amount", "sku", "quantity"]
    rows = [
        [shop, order.id, order.state.lower(), order.at.isoformat(), currency[shop], order.amount, "SKU-1", 1]
        for shop, orders in orders_by_shop.items()
        for order in orders
        if order.state != "absent"
    ]
    write_rows(path, head, rows, delimiter=",")


def paypal_stl(path, orders, currency):
    whole = currency == "JPY"
    minor = lambda amount: int(abs(amount) if whole else abs(amount) * 100)  # noqa: E731
    stamp = lambda at: at.astimezone(PACIFIC).strftime("%Y/%m/%d %H:%M:%S -0700")  # noqa: E731
    lines, sums, count = [], [0, 0, 0, 0], 0
    for number, order in enumerate(orders):
        first = ""
        for part, (kind, amount, key, _, at) in enumerate(order.payments):
            code, side = ("T0006", "CR") if kind == "pay" else ("T1107", "DR")
            name = f"{number:08}{part}PP{order.id[-5:]}"
            fee = 30 if kind == "pay" else 0
            sums = [
                sums[0] + minor(amount) * (side == "CR"),
                sums[1] + minor(amount) * (side == "DR"),
                0,
                sums[3] + fee,
            ]
            cells = [
                "SB",
                name,
                key,
                first if kind != "pay" else "",
                "TXN" if kind != "pay" else "",
                code,
                stamp(at),
                stamp(at),
                side,
                minor(amount),
                currency,
                "DR",
                fee,
                currency,
                *[""] * 8,
            ]
            text = io.StringIO()
            csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(cells)
            lines.append(text.getvalue())
            first = first or name
            count += 1
    head = (
        '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type",'
        '"Transaction Event Code","Transaction Initiation Date","Transaction Completion Date",'
        '"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency",'
        '"Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Consumer ID",'
        '"Payment Tracking ID",'
        '"Store ID","Bank Reference ID","Credit Transactional Fee","Credit Promotional Fee",'
        '"Credit Term"\n'
    )
    end = START + timedelta(days=30)
    text = (
        '"RH",2026/07/11 02:44:19 -0700,"A","ACCT1",009,\n"FH",01\n'
        f'"SH",{stamp(START - timedelta(days=1))},{stamp(end)},"ACCT1",""\n'
        + head
        + "".join(lines)
        + f'"SF","{currency}",{",".join(map(str, sums))},0,0,0\n"SC",{count}\n"RC",{count}\n"FF",{count}\n'
    )
    path.write_text(text)


ENGLISH = columns(
    "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Invoice Number,"
    "Reference Txn ID,Balance Impact"
)
GERMAN = columns(
    "Datum,Uhrzeit,Zeitzone,Typ,Status,Währung,Brutto,Gebühr,Netto,Guthaben,Transaktionscode,Rechnungsnummer,"
    "Zugehöriger Transaktionscode,Auswirkung auf Guthaben"
)
BERLIN = timezone(timedelta(hours=2))


def paypal_csv(path, orders, currency):
    """Two statements, the first in German; the balance of the second goes on where that of the first ends.

    Conversions stand between the payments, and in the first, rows that tell of a payment once more: an
    authorisation of the same identifier, and the items of a shopping cart.
    """
    moves = sorted(
        (
            (at, kind, amount, key, f"{order.id[-9:]}{part}")
            for order in orders
            for part, (kind, amount, key, _, at) in enumerate(order.payments)
        ),
        key=lambda each: each[0],
    )
    cut = len(moves) // 3
    balance, rows = _statement(
        moves[:cut], currency, Decimal(1000), BERLIN, "%d.%m.%Y", "Europe/Berlin", again=True
    )
    turned = str.maketrans(",.", ".,")
    rows = [[*row[:6], *(str(cell).translate(turned) for cell in row[6:10]), *row[10:]] for row in rows]
    write_rows(path.with_stem(path.stem + "_de"), GERMAN, rows, delimiter=",", bom=True)
    _, rows = _statement(moves[cut:], currency, balance, PACIFIC, "%d/%m/%Y", "PDT")
    write_rows(path, ENGLISH, rows, delimiter=",", bom=True)


def _statement(moves, currency, balance, zone, form, zone_name, *, again=False):
    rows = []
    for number, (at, kind, amount, key, name) in enumerate(moves):
        local = at.astimezone(zone)
        fee = Decimal("-0.30") if kind == "pay" else Decimal(0)
        balance += amount + fee
        about = [local.strftime(form), local.strftime("%H:%M:%S"), zone_name]
        words = "Express Checkout Payment" if kind == "pay" else "Payment Refund"
        sums = [f"{amount:,}", f"{fee}", f"{amount + fee:,}", f"{balance:,}"]
        told = [*about, words, "Completed", currency, *sums, name, key, "", "Credit"]
        rows.append(told)
        if again and number % 9 == 4:
            sums = [f"{amount:,}", "0.00", f"{amount:,}", f"{balance:,}"]
            rows.append(
                [*about, "General Authorization", "Completed", currency, *sums, name, key, "", "Memo"]
            )
        if again and number % 9 == 5:
            sums = [f"{amount:,}", "", "", ""]
            rows.append([*about, "Shopping Cart Item", "Completed", currency, *sums, name, key, "", ""])
        for sign in (-1, 1) if number % 50 == 7 else ():
            balance += sign * 5
            sums = [f"{sign * 5}.00", "0.00", f"{sign * 5}.00", f"{balance:,}"]
            about_both = [*about, "General Currency Conversion", "Completed", currency]
            rows.append([*about_both, *sums, f"CONV{name}{sign}", "", "", "Credit"])
    return balance, rows


def alipay_trade(path, orders):
    rows, counts, sums, coupons = (
        [],
        {"交易": 0, "退款": 0},
        {"交易": Decimal(0), "退款": Decimal(0)},
        Decimal(0),
    )
    for number, order in enumerate(orders):
        for part, (kind, amount, key, coupon, at) in enumerate(order.payments):
            word = "交易" if kind == "pay" else "退款"
            stamp = at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
            trade = f"2026061022001400{number:08}{part if kind == 'pay' else 0:04}"
            counts[word] += 1
            sums[word] += amount
            coupons += coupon
            rows.append(
                [
                    trade + "\t",
                    key + "\t",
                    word,
                    "木碗",
                    stamp,
                    stamp,
                    "\t",
                    amount + coupon,
                    amount,
                    "0.00",
                    "0.00",
                    coupon,
                    f"RF{number}-{part}" if kind != "pay" else "\t",
                    "-0.10",
                    "",
                ]
            )
    above = (
        "#支付宝业务明细查询\n#账号：[20880000000000010156]\n"
        "#起始日期：[2026年06月09日 00:00:00]   终止日期：[2026年07月10日 00:00:00]\n#---业务明细列表---\n"
    )
    below = (
        f"#---业务明细列表结束---\n#交易合计：{counts['交易']}笔，商家实收共{sums['交易']}元，商家优惠共{coupons}元\n"
        f"#退款合计：{counts['退款']}笔，商家实收退款共{sums['退款']}元，商家优惠退款共0.00元\n"
        "#导出时间：[2026年07月10日 10:00:00]\n"
    )
    inner = path.with_suffix(".tmp")
    write_rows(inner, TRADE, rows, delimiter=",", encoding="gb18030", above=above, below=below)
    data = inner.read_bytes()
    inner.unlink()

    class Chinese(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):  # noqa: N802 zipfile's name
            return self.filename.encode("gbk"), self.flag_bits & ~0x800

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(Chinese("20880000000000010156_业务明细.csv", (2026, 7, 10, 10, 0, 0)), data)
