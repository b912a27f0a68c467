"""Writes PayPal's files about the web shops of a made company, and the shops' own orders."""

import csv
import io
from datetime import timedelta, timezone
from decimal import Decimal

from tests.verify.company_exports import PACIFIC, START, columns, write_rows
from tests.verify.paypal_languages import PAYPAL


def own_orders(path, orders_by_shop, currency):
    head = ["shop", "order_id", "status", "created_at", "currency", "total_amount", "sku", "quantity"]
    rows = [
        [shop, order.id, order.state.lower(), order.at.isoformat(), currency[shop], order.amount, "SKU-1", 1]
        for shop, orders in orders_by_shop.items()
        for order in orders
        if order.state != "absent"
    ]
    write_rows(path, head, rows, delimiter=",")


HEAD = (
    '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type",'
    '"Transaction Event Code","Transaction Initiation Date","Transaction Completion Date",'
    '"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency",'
    '"Fee Debit or Credit","Fee Amount","Fee Currency",'
)
STL_HEAD = (
    '"Custom Field","Consumer ID","Payment Tracking ID","Store ID","Bank Reference ID",'
    '"Credit Transactional Fee","Credit Promotional Fee","Credit Term"\n'
)
TRR_HEAD = '"Transactional Status","Insurance Amount","Sales Tax Amount","Consumer ID","Custom Field"\n'


def paypal_stl(path, orders, currency):
    """The settlement report: minor units, a direction beside them, counts and totals below."""
    _report(path, orders, currency, HEAD + STL_HEAD, lambda key: (key, [""] * 8))


def paypal_trr(path, orders, currency):
    """The transaction detail report: with a state, and the order in the field for it or in the free one."""

    def named(key):
        return (key, ["S", 0, 0, "C1", ""]) if hash_of(key) % 2 else ("", ["S", 0, 0, "C1", key])

    _report(path, orders, currency, HEAD + TRR_HEAD, named)


def hash_of(text):
    return sum(text.encode())


def _report(path, orders, currency, head, named):
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
            sums[0 if side == "CR" else 1] += minor(amount)
            sums[3] += fee
            invoice, rest = named(key)
            refund = [first, "TXN"] if kind != "pay" else ["", ""]
            cells = ["SB", name, invoice, *refund, code, stamp(at), stamp(at), side, minor(amount), currency]
            text = io.StringIO()
            csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(
                [*cells, "DR", fee, currency, *rest]
            )
            lines.append(text.getvalue())
            first = first or name
            count += 1
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
TURNED = str.maketrans(",.", ".,")


BERLIN_FORMS = {"13/06/2026": "%d/%m/%Y", "13.06.2026": "%d.%m.%Y", "2026-06-13": "%Y-%m-%d"}
BERLIN_FORMS |= {"2026/06/13": "%Y/%m/%d", "2026/6/13": "%Y/%-m/%-d", "13-6-2026": "%-d-%-m-%Y"}
SAFE = ("ja", "zh", "zh-TW", "de")  # whose dates mean one day, whatever the other dates are


def paypal_csv(path, orders, currency):
    """Two statements, the first in German; the balance of the second goes on where that of the first ends.

    Conversions stand between the payments, and in the first, rows that tell of a payment once more: an
    authorisation of the same identifier, and the items of a shopping cart.
    """
    moves = _moves(orders)
    cut = len(moves) // 3
    balance, rows = _statement(
        moves[:cut], currency, Decimal(1000), BERLIN, "%d.%m.%Y", "Europe/Berlin", again=True
    )
    rows = [[*row[:6], *(str(cell).translate(TURNED) for cell in row[6:10]), *row[10:]] for row in rows]
    write_rows(path.with_stem(path.stem + "_de"), GERMAN, rows, delimiter=",", bom=True)
    _, rows = _statement(moves[cut:], currency, balance, PACIFIC, "%d/%m/%Y", "PDT")
    write_rows(path, ENGLISH, rows, delimiter=",", bom=True)


def paypal_languages(path, orders, currency):
    """One statement in each language, one behind the other; balances go on from each to the next."""
    moves, balance = _moves(orders), Decimal(1000)
    cut = next((n for n, (at, *_) in enumerate(moves) if at >= START + timedelta(days=3)), len(moves))
    for name, some in (
        *zip(SAFE, _shares(moves[:cut], len(SAFE)), strict=True),
        *zip((rest := [n for n in PAYPAL if n not in SAFE]), _shares(moves[cut:], len(rest)), strict=True),
    ):
        head, date, zone, mark, pays, done, refunds, *_ = PAYPAL[name]
        rows = []
        for at, kind, amount, key, number in some:
            fee = Decimal("-0.30") if kind == "pay" else Decimal(0)
            balance += amount + fee
            local = at.astimezone(BERLIN)
            sums = [f"{value:,}" for value in (amount, fee, amount + fee, balance)]
            sums = sums if mark == "point" else [text.translate(TURNED) for text in sums]
            about = [local.strftime(BERLIN_FORMS[date]), local.strftime("%H:%M:%S"), zone]
            about += [pays if kind == "pay" else refunds, done, currency]
            rows.append([*about, *sums, number, "", key, ""])
        if rows:
            file = path.with_stem(f"{path.stem}_{name}")
            write_rows(file, head.split(","), rows, delimiter=",", bom=True)


def _shares(moves, count):
    """Return ``count`` stretches of the moves, about as long."""
    size = -(-len(moves) // count)
    return [moves[at * size : (at + 1) * size] for at in range(count)]


def _moves(orders):
    return sorted(
        (
            (at, kind, amount, key, f"{order.id[-9:]}{part}")
            for order in orders
            for part, (kind, amount, key, _, at) in enumerate(order.payments)
        ),
        key=lambda each: each[0],
    )


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
        pairs = {7: ("General Currency Conversion",) * 2, 9: ("Payment Hold", "Payment Release")}
        for sign, word in zip((-1, 1), pairs.get(number % 50, ()), strict=False):
            balance += sign * 5
            sums = [f"{sign * 5}.00", "0.00", f"{sign * 5}.00", f"{balance:,}"]
            about_both = [*about, word, "Completed", currency]
            rows.append([*about_both, *sums, f"PAIR{name}{sign}", "", "", "Credit"])
    return balance, rows
