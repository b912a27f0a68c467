"""Makes a company: shops on Amazon, eBay and the web, their exports in many shapes, and every trap planted.

``make(folder, ...)`` writes the exports and returns what the proof must say of each planted order. All
values are invented; the same arguments give the same bytes.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.verify.company_exports import START, amazon_flat, ebay_orders, ebay_transactions, settlement
from tests.verify.company_web import alipay_trade, own_orders, paypal_csv, paypal_stl

SITES = (
    ("Amazon.com", "USD", "."),
    ("Amazon.de", "EUR", ","),
    ("Amazon.co.jp", "JPY", "."),
    ("Amazon.fr", "EUR", ","),
)


@dataclass
class Order:
    id: str
    at: datetime
    amount: Decimal
    state: str = "Shipped"
    quantity: int = 1
    lines: int = 1
    tax: Decimal = Decimal(0)
    replacement: bool = False
    updated: datetime | None = None
    earlier: tuple | None = None  # state and amount that an older export has
    payments: list = field(default_factory=list)  # (kind, amount, key, coupon, at)


class Company:
    """Collects orders and what must become of them."""

    def __init__(self, seed: int, days: int) -> None:
        self.random = random.Random(seed)
        self.days = days
        self.truth: dict[str, tuple[str, str]] = {}
        self.candidates: dict[str, str] = {}

    def orders(self, shop: int, per_day: int, name: str, decimals: int = 2, kinds=("trap",)) -> list[Order]:
        made = []
        for number in range(per_day * self.days):
            at = START + timedelta(seconds=self.random.randrange(self.days * 86400 - 4 * 3600))
            amount = Decimal(self.random.randrange(500, 90000)).scaleb(-decimals)
            order = Order(name.format(shop=shop, number=number), at, amount)
            order.payments = [("pay", amount, order.id, Decimal(0), at + timedelta(minutes=2))]
            made.append(order)
            self.truth[order.id] = ("paid", "none")
        self.plant(made, kinds)
        return made

    def plant(self, made: list[Order], kinds: tuple[str, ...]) -> None:
        """Turn the first orders into traps of these kinds; their order is the same in each shop."""
        traps = [trap for trap in TRAPS if trap.__name__.startswith(kinds)]
        for trap, order in zip(traps, made, strict=False):
            outcome = trap(self, order)  # which may give it another identifier
            self.truth[order.id] = outcome
        for order in [order for order in made if self.truth[order.id][0] == "payment-without-order"]:
            made.remove(order)
            made.append(order)  # exporters skip its order rows


def trap_two_units(_, order):
    order.quantity = 2
    return "paid", "none"


def trap_identical_lines(_, order):
    order.lines = 2
    order.amount = order.amount // 2 * 2
    order.payments[0] = ("pay", order.amount, *order.payments[0][2:])
    return "paid", "none"


def trap_partly_refunded(_, order):
    order.payments.append(
        ("refund", -(order.amount // 4 + 1), order.id, Decimal(0), order.at + timedelta(hours=1))
    )
    return "paid", "partly"


def trap_fully_refunded(_, order):
    order.payments.append(("refund", -order.amount, order.id, Decimal(0), order.at + timedelta(hours=1)))
    return "paid", "full"


def trap_cancelled(_, order):
    order.state, order.payments = "Cancelled", []
    return "cancelled", "none"


def trap_cancelled_paid(_, order):
    order.state = "Cancelled"
    return "cancelled-paid", "none"


def trap_no_payment(_, order):
    order.payments = []
    return "order-without-payment", "none"


def trap_no_order(_, order):
    order.state = "absent"
    return "payment-without-order", "none"


def trap_paid_twice(_, order):
    order.payments.append(("pay", order.amount, order.id, Decimal(0), order.at + timedelta(minutes=9)))
    return "paid-twice", "none"


def trap_one_cent(_, order):
    step = Decimal(1).scaleb(order.amount.as_tuple().exponent)
    order.payments[0] = ("pay", order.amount + step, *order.payments[0][2:])
    return "amount-differs", "none"


def trap_pending(_, order):
    order.state, order.payments = "Pending", []
    return "not-due", "none"


def amazon_repriced(_, order):
    """The older export has another price: the newest word on an order counts."""
    order.earlier = ("Unshipped", order.amount * 2)
    return "paid", "none"


def amazon_shipped_since(_, order):
    order.earlier = ("Pending", order.amount)
    return "paid", "none"


def amazon_replacement(_, order):
    order.replacement, order.amount, order.payments = True, Decimal(0), []
    return "replacement", "none"


def amazon_tax_of_the_market(_, order):
    order.tax = Decimal(7)
    return "paid", "none"


def web_split(_, order):
    part = Decimal(10).scaleb(order.amount.as_tuple().exponent)
    kind, amount, key, coupon, at = order.payments[0]
    order.payments = [
        (kind, amount - part, key, coupon, at),
        (kind, part, key, coupon, at + timedelta(minutes=1)),
    ]
    return "paid-split", "none"


def web_dressed_key(_, order):
    kind, amount, key, coupon, at = order.payments[0]
    order.payments[0] = (kind, amount, f'{{"order": "{key}"}}', coupon, at)
    return "paid", "none"


def coupon_of_the_shop(_, order):
    coupon = Decimal("1.00")
    kind, amount, key, _, at = order.payments[0]
    order.payments[0] = (kind, amount - coupon, key, coupon, at)
    return "paid", "none"


def alipay_spreadsheet(company, order):
    """A spreadsheet has rounded the key of the payment; what is left of it names the order."""
    del company.truth[order.id]
    digits = "".join(filter(str.isdigit, order.id))
    order.id = f"20260610{digits:0>8}001419931441"
    damaged = f"{int(order.id):.14E}"
    kind, amount, _, coupon, at = order.payments[0]
    order.payments[0] = (kind, amount, damaged, coupon, at)
    company.truth[damaged] = ("damaged-key", "none")
    company.candidates[damaged] = order.id
    return "order-without-payment", "none"


TRAPS = (
    *(trap_two_units, trap_identical_lines, trap_partly_refunded, trap_fully_refunded, trap_cancelled),
    *(trap_cancelled_paid, trap_no_payment, trap_no_order, trap_paid_twice, trap_one_cent, trap_pending),
    *(amazon_repriced, amazon_shipped_since, amazon_replacement, amazon_tax_of_the_market),
    *(web_split, web_dressed_key, coupon_of_the_shop, alipay_spreadsheet),
)


def make_ebay(folder, company, shop, per_day):
    orders = company.orders(shop, per_day, "{shop:02}-{number:05}-00001")
    for order in orders:
        if company.truth[order.id][0] == "cancelled":
            del company.truth[order.id]  # the Seller Hub's report leaves them out
        elif company.truth[order.id][0] == "cancelled-paid":
            company.truth[order.id] = ("payment-without-order", "none")
    ebay_orders(folder / f"ebay{shop}.csv", orders, f"seller{shop}")
    ebay_transactions(folder / f"ebay_moves{shop}.csv", orders, f"seller{shop}")


def make(folder: Path, *, shops: int = 8, per_day: int = 20, days: int = 5, seed: int = 1) -> Company:
    """Write the exports of a company: half of its shops on Amazon, a quarter each on eBay and the web.

    Args:
        folder: Where the exports go.
        shops: How many, at least 8.
        per_day: Orders of each shop on each day, at least 3.
        days: How many.
        seed: Of what is random.
    """
    company = Company(seed, days)
    folder.mkdir(parents=True, exist_ok=True)
    for shop in range(shops // 2):
        site, currency, decimal = SITES[shop % len(SITES)]
        decimals = 0 if currency == "JPY" else 2
        name = "{shop:03}-{number:07}-0000001"
        orders = company.orders(shop, per_day, name, decimals, ("trap", "amazon"))
        encoding = {"Amazon.co.jp": "cp932", "Amazon.fr": "cp1252"}.get(site, "utf-8")
        amazon_flat(folder / f"amazon{shop}.tsv", orders, site, currency, encoding)
        # An overlapping export, newer: the same orders come again, and count once.
        again = START + timedelta(days=days, hours=-1)
        some = orders[: max(len(orders) // 3, len(TRAPS))]
        amazon_flat(folder / f"amazon{shop}_overlap.tsv", some, site, currency, encoding, again)
        settlement(folder / f"settlement{shop}.tsv", orders, site, currency, decimal, 10_000 + shop, company)
    for shop in range(shops // 4):
        make_ebay(folder, company, shop, per_day)
    own, currencies = {}, {}
    for shop in range(shops - shops // 2 - shops // 4):
        currency = ("USD", "JPY", "EUR", "CNY")[shop % 4]
        kinds = ("trap", "web", "coupon", "alipay") if currency == "CNY" else ("trap", "web")
        orders = company.orders(
            shop, per_day, "WEB{shop:02}-{number:06}", 0 if currency == "JPY" else 2, kinds
        )
        own[f"web{shop}"], currencies[f"web{shop}"] = orders, currency
        if currency == "CNY":
            alipay_trade(folder / f"alipay{shop}.csv.zip", orders)
        elif currency == "EUR":
            paypal_csv(folder / f"paypal{shop}.csv", orders, currency)
        else:
            paypal_stl(folder / f"paypal{shop}_STL.csv", orders, currency)
    own_orders(folder / "own_orders.csv", own, currencies)
    return company
