"""Writes the exports of a made company in the channels' own shapes."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal


def columns(text):
    return text.split(",")


START = datetime(2026, 6, 10, tzinfo=UTC)
PACIFIC = timezone(timedelta(hours=-7))
JAPAN = timezone(timedelta(hours=9))
FLAT = columns(
    "amazon-order-id,merchant-order-id,purchase-date,last-updated-date,order-status,"
    "fulfillment-channel,sales-channel,product-name,sku,item-status,quantity,currency,item-price,"
    "item-tax,shipping-price,item-promotion-discount,ship-promotion-discount,is-replacement-order"
)
SETTLED = columns(
    "settlement-id,settlement-start-date,settlement-end-date,deposit-date,total-amount,currency,"
    "transaction-type,order-id,merchant-order-id,adjustment-id,shipment-id,marketplace-name,"
    "amount-type,amount-description,amount,fulfillment-id,posted-date,posted-date-time,"
    "order-item-code,sku,quantity-purchased"
)


def write_rows(path, head, rows, *, delimiter="\t", encoding="utf-8", bom=False, above="", below=""):
    text = io.StringIO()
    text.write(above)
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    text.write(below)
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode(encoding))


def version(orders, updated):
    """Yield the orders that an export of Amazon has, each with the state and the amount that it has there.

    Args:
        orders: All of a shop.
        updated: Whether it is the newer of two exports.
    """
    for order in orders:
        if order.state != "absent":
            state, amount = (None if updated else order.earlier) or (order.state, order.amount)
            yield order, state, amount


def amazon_flat(path, orders, site, currency, updated=False):
    rows = []
    encoding = {"Amazon.co.jp": "cp932", "Amazon.fr": "cp1252"}.get(site, "utf-8")
    product = {"cp932": "木の器", "cp1252": "Boîte à thé"}.get(encoding, "Bowl")
    zone = JAPAN if encoding == "cp932" else UTC  # Japan's reports are in its own time
    for order, state, amount in version(orders, updated):
        priced = state not in {"Pending", "Cancelled"}
        for _ in range(order.lines):
            row = dict.fromkeys(FLAT, "")
            row |= {
                "amazon-order-id": order.id,
                "purchase-date": order.at.astimezone(zone).isoformat(),
                "last-updated-date": order.touched(updated).isoformat(),
                "order-status": state,
                "sales-channel": site,
                "product-name": product,
                "sku": f"SKU-{order.quantity}",
                "item-status": state,
                "quantity": order.quantity if priced else 0,
                "currency": currency,
                "item-price": amount / order.lines if priced else "",
                "item-tax": order.tax if priced and order.tax else "",
                "is-replacement-order": "true" if order.replacement else "false",
            }
            rows.append([row[name] for name in FLAT])
    write_rows(path, FLAT, rows, encoding=encoding)


def settlement(path, orders, site, currency, decimal, number, company):
    european = decimal == ","
    form = "%d.%m.%Y %H:%M:%S UTC" if european else "%Y-%m-%d %H:%M:%S UTC"
    day = "%d.%m.%Y" if european else "%m/%d/%y"
    rows, total = [], Decimal(0)

    def row(**cells):
        filled = dict.fromkeys(SETTLED, "") | {"settlement-id": number}
        filled |= {name.replace("_", "-"): value for name, value in cells.items()}
        return [filled[name] for name in SETTLED]

    for order in orders:
        for count, (kind, amount, key, _, at) in enumerate(order.payments):
            fee = -(abs(amount) // 10 + 1) if kind == "pay" else Decimal(1)
            what = "Order" if kind == "pay" else "Refund"
            about = {
                "transaction_type": what,
                "order_id": key,
                "marketplace_name": site,
                "posted_date": at.strftime(day),
            }
            about |= {
                "posted_date_time": at.strftime(form),
                "shipment_id": f"{order.id}-{count}",
                "sku": "SKU-1",
            }
            parts = [("ItemPrice", "Principal", amount), ("ItemFees", "Commission", fee)]
            if order.tax:  # what the marketplace collects comes and goes in two rows
                parts += [
                    ("ItemPrice", "Tax", order.tax),
                    ("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", -order.tax),
                ]
            for kind_of, description, value in parts:
                total += value
                text = str(value).replace(".", decimal)
                rows.append(row(**about, amount_type=kind_of, amount_description=description, amount=text))
    rows.append(
        row(
            transaction_type="FBAFees",
            order_id="FBA00TEST001",
            amount_type="Inbound Defect Fee",
            amount_description="Base fee",
            amount="-1",
        )
    )
    total -= 1
    rows.append(  # of no order
        row(transaction_type="other-transaction", amount_type="Currency Converter fee", amount="-2")
    )
    total -= 2
    first = START - timedelta(days=1)
    last = START + timedelta(days=company.days + 1)
    summary = row(
        settlement_start_date=first.strftime(form),
        settlement_end_date=last.strftime(form),
        deposit_date=last.strftime(form),
        total_amount=str(total).replace(".", decimal),
        currency=currency,
    )
    write_rows(path, SETTLED, [summary, *rows])


SETTLED_V1 = columns(
    "settlement-id,settlement-start-date,settlement-end-date,deposit-date,total-amount,currency,"
    "transaction-type,order-id,shipment-id,marketplace-name,posted-date,sku,price-type,price-amount,"
    "item-related-fee-type,item-related-fee-amount,promotion-amount,other-amount"
)


def settlement_v1(path, orders, site, currency):
    """The first form: prices, fees and promotions side by side, the tax that is withheld a row of its own."""
    rows, total = [], Decimal(0)
    form = "%Y-%m-%d %H:%M:%S UTC"
    for number, order in enumerate(orders):
        for count, (kind, amount, key, _, at) in enumerate(order.payments):
            fee = -(abs(amount) // 10 + 1) if kind == "pay" else Decimal(1)
            promotion = Decimal(-2) if kind == "pay" and number % 4 == 0 else Decimal(0)
            about = ["70001", "", "", "", "", ""]
            about += [
                "Order" if kind == "pay" else "Refund",
                key,
                f"{order.id}-{count}",
                site,
                at.strftime(form),
            ]
            parts = [("Principal", amount - promotion, "Commission", fee, promotion)]
            if order.tax:
                parts += [("Tax", order.tax, "MarketplaceFacilitatorTax", -order.tax, "")]
            for price, value, what, charged, less in parts:
                rows.append([*about, "SKU-1", price, value, what, charged, less, ""])
                total += value + charged + (less or 0)
    first, last = START - timedelta(days=1), START + timedelta(days=7)
    dates = [day.strftime(form) for day in (first, last, last)]
    summary = ["70001", *dates, total, currency, *[""] * (len(SETTLED_V1) - 6)]
    write_rows(path, SETTLED_V1, [summary, *rows])


EBAY = columns(
    "Sales Record Number,Order Number,Buyer Username,Item Number,Item Title,Custom Label,Quantity,"
    "Sold For,Shipping And Handling,eBay Collected Tax,Total Price,Sale Date,Paid On Date,"
    "PayPal Transaction ID,Transaction ID"
)


def ebay_orders(path, orders, seller):
    """A trap is always there: every third order has tax that eBay collects, in the total and nowhere else."""
    rows, count = [], 0
    for number, order in enumerate(orders):
        if order.state in {"absent", "Cancelled"}:
            continue
        day = order.at.astimezone(PACIFIC).strftime("%b-%d-%y")
        tax = Decimal("1.25") if number % 3 == 0 and order.lines == 1 else Decimal(0)
        paid = "" if order.state == "Pending" else day
        about = [number, order.id, f"buyer_{number}"]
        if order.lines > 1:
            rows.append(
                [
                    *about,
                    "",
                    "",
                    "",
                    order.lines,
                    "",
                    "$0.00",
                    "$0.00",
                    f"${order.amount:,.2f}",
                    day,
                    paid,
                    "",
                    "",
                ]
            )
        for line in range(order.lines):
            price = order.amount / order.lines
            total = f"${order.amount + tax:,.2f}" if order.lines == 1 else ""
            rows.append(
                [
                    *about,
                    400000000000 + line,
                    "Mug",
                    "MUG",
                    order.quantity,
                    f"${price:,.2f}",
                    "",
                    f"${tax}",
                    total,
                    day,
                    paid,
                    "",
                    f"9{number:09}{line}",
                ]
            )
            count += 1
    footer = f'"{count}","record(s) downloaded"\n"Seller ID : {seller}"\n'
    write_rows(
        path, EBAY, rows, delimiter=",", bom=True, above="\n", below="," * (len(EBAY) - 1) + "\n" + footer
    )


EBAY_MOVES = columns(
    "Transaction creation date,Type,Order number,Net amount,Payout currency,Payout ID,Item ID,"
    "Transaction ID,Final Value Fee - variable,Gross transaction amount,Transaction currency,"
    "Exchange rate,Reference ID"
)


def ebay_transactions(path, orders, seller):
    """A roll-up row stands above the items of an order; holds repeat its identifiers and come to nothing."""
    rows, net = [], Decimal(0)
    for number, order in enumerate(orders):
        for count, (kind, amount, key, _, at) in enumerate(order.payments):
            fee = Decimal("-0.35") if kind == "pay" else Decimal("0.10")
            net += amount + fee
            word = "Order" if kind == "pay" else "Refund"
            about = [at.astimezone(PACIFIC).strftime("%b %d, %Y"), word, key]
            paid = [amount + fee, "USD", "--", "--", f"8{number:09}{count}"]
            end = ["USD", "--", "--"]
            items = 2 if order.lines > 1 and kind == "pay" else 0
            rows.append([*about, *paid, "--" if items else fee, f"{amount:,}", *end])
            for item in range(items):
                part = [*about, "--", "USD", "--", f"40000000000{item}", f"9{number:09}{item}"]
                rows.append([*part, fee + Decimal("0.20") if item else "-0.20", "--", *end])
            for sign in (-1, 1) if number % 11 == 3 and kind == "pay" else ():
                held = [about[0], "Hold", key, sign * amount, *paid[1:], "--", sign * amount]
                rows.append([*held, *end])
    rows.append(
        [
            (START + timedelta(days=9)).strftime("%b %d, %Y"),
            "Payout",
            "--",
            -net,
            "USD",
            "700001",
            "--",
            "--",
            "--",
            -net,
            "USD",
            "--",
            "--",
        ]
    )
    above = (
        "Transaction report\n\nStart date,Jun 9 2026\nEnd date,Jun 19 2026\nAll dates and times are in PDT\n"
    )
    above += f"\nSeller,{seller}\n"
    write_rows(path, EBAY_MOVES, rows, delimiter=",", bom=True, above=above)
