"""Makes a company: shops on Amazon, eBay and the web, their exports in many shapes, and every trap planted.

``make(folder, ...)`` writes the exports and returns what the proof must say of each planted order. All
values are invented; the same arguments give the same bytes.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.verify import company_alipay as alipay
from tests.verify import company_exports as exports
from tests.verify import company_pages as pages
from tests.verify import company_web as web
from tests.verify.company_exports import START

SITES = (
    ("Amazon.com", "USD", "."),
    ("Amazon.de", "EUR", ","),
    ("Amazon.co.jp", "JPY", "."),
    ("Amazon.fr", "EUR", ","),
    ("Amazon.co.uk", "GBP", "."),
    ("Amazon.it", "EUR", ","),
    ("Amazon.com.be", "EUR", ","),
    ("Amazon.sg", "SGD", "."),
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
    earlier: tuple | None = None  # state and amount that an older export has
    deferred: bool = False
    renamed: str = ""  # its identifier before it was paid
    payments: list = field(default_factory=list)  # (kind, amount, key, coupon, at)

    def touched(self, newer):
        """Return when it was last updated, by the older or the newer of two exports."""
        return self.at + timedelta(hours=2 if newer else 1)


class Company:
    """Collects orders and what must become of them."""

    def __init__(self, seed: int, days: int) -> None:
        self.random = random.Random(seed)
        self.days = days
        self.truth: dict[str, tuple[str, str]] = {}
        self.candidates: dict[str, str] = {}
        self.planted: list[str] = []

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
            self.planted.append(trap.__name__)
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


def trap_no_payment(company, order):
    order.payments = []
    order.at = START + timedelta(days=company.days * 0.45)  # long before the last payment that is told of
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


def late_payment(company, order):
    """Amazon's interface is up to two days late: what was just ordered need not be in it."""
    order.at, order.payments = START + timedelta(days=company.days, hours=-2), []
    return "not-due", "none"


def deferred_payment(_, order):
    order.deferred = True
    return "not-due", "none"


def renamed_when_paid(company, order):
    order.renamed = f"110{order.id.replace('-', '')}-7"
    company.truth[order.renamed] = ("renamed", "none")
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
    *(late_payment, deferred_payment, renamed_when_paid),
    *(web_split, web_dressed_key, coupon_of_the_shop, alipay_spreadsheet),
)


AMAZON = (  # how shops give their orders, and what pays for them
    *((exports.amazon_flat, ".tsv", exports.settlement),) * 4,
    (pages.amazon_v0, ".json", pages.finances_v0),
    (pages.amazon_2026, ".json", pages.finances_2024),
    (pages.amazon_xml, ".xml", exports.settlement_v1),
    (pages.amazon_v0, ".json", pages.finances_2024),
)
SPECIAL = {pages.finances_v0: ("late",), pages.finances_2024: ("late", "deferred")}


def make_amazon(folder, company, shop, per_day):
    site, currency, decimal = SITES[shop % len(SITES)]
    write_orders, suffix, write_money = AMAZON[shop % len(AMAZON)]
    kinds = ("trap", "amazon", *SPECIAL.get(write_money, ()))
    orders = company.orders(
        shop, per_day, "{shop:03}-{number:07}-0000001", 0 if currency == "JPY" else 2, kinds
    )
    write_orders(folder / f"amazon{shop}{suffix}", orders, site, currency)
    # An overlapping export, newer: the same orders come again, and count once.
    some = orders[: max(len(orders) // 3, len(TRAPS))]
    write_orders(folder / f"amazon{shop}_overlap{suffix}", some, site, currency, updated=True)
    if write_money is exports.settlement:
        write_money(folder / f"settlement{shop}.tsv", orders, site, currency, decimal, 10_000 + shop, company)
    else:
        write_money(folder / f"money{shop}.txt", orders, site, currency)


def make_ebay(folder, company, shop, per_day):
    by_page = shop % 2 == 1
    kinds = ("trap", "renamed") if by_page else ("trap",)
    orders = company.orders(shop, per_day, "{shop:02}-{number:05}-00001", kinds=kinds)
    if by_page:
        pages.ebay_fulfillment(folder / f"ebay{shop}.json", orders, f"seller{shop}")
        pages.ebay_finances(folder / f"ebay_moves{shop}.json", orders, f"seller{shop}")
        return
    for order in orders:
        if company.truth[order.id][0] == "cancelled":
            del company.truth[order.id]  # the Seller Hub's report leaves them out
        elif company.truth[order.id][0] == "cancelled-paid":
            company.truth[order.id] = ("payment-without-order", "none")
    exports.ebay_orders(folder / f"ebay{shop}.csv", orders, f"seller{shop}")
    exports.ebay_transactions(folder / f"ebay_moves{shop}.csv", orders, f"seller{shop}")


WEB = (  # currency, traps beside the common ones, and what is written of the money, by the end of its name
    ("USD", ("web",), {"_STL.csv": web.paypal_stl}),
    ("JPY", ("web",), {"_TRR.csv": web.paypal_trr}),
    ("EUR", ("web",), {".csv": web.paypal_csv}),
    ("CNY", ("web", "coupon", "alipay"), {".zip": alipay.alipay_trade}),
    ("EUR", ("web",), {".csv": web.paypal_languages}),
    ("JPY", ("web",), {".json": pages.paypal_search}),
    ("EUR", ("web",), {"_settled.csv": alipay.alipay_settlement, "_moved.csv": alipay.alipay_transactions}),
    ("CNY", ("web", "alipay"), {"_fund.csv": alipay.alipay_fund, "_personal.csv": alipay.alipay_personal}),
)


def make_web(folder, company, shops, per_day):
    own, currencies = {}, {}
    for shop in range(shops):
        currency, kinds, files = WEB[shop % len(WEB)]
        decimals = 0 if currency == "JPY" else 2
        orders = company.orders(shop, per_day, "WEB{shop:02}-{number:06}", decimals, ("trap", *kinds))
        own[f"web{shop}"], currencies[f"web{shop}"] = orders, currency
        for number, (ending, write) in enumerate(files.items()):
            # Two bills share the orders; two files across borders tell of the same money.
            some = orders[number::2] if alipay.alipay_fund in files.values() else orders
            write(folder / f"money_of_web{shop}{ending}", some, currency)
    web.own_orders(folder / "own_orders.csv", own, currencies)


def make(folder: Path, *, shops: int = 8, per_day: int = 20, days: int = 5, seed: int = 1) -> Company:
    """Write the exports of a company: half of its shops on Amazon, a quarter each on eBay and the web.

    Args:
        folder: Where the exports go.
        shops: How many, at least 8; from 32 on every shape of an export is there.
        per_day: Orders of each shop on each day, at least 3.
        days: How many.
        seed: Of what is random.
    """
    company = Company(seed, days)
    folder.mkdir(parents=True, exist_ok=True)
    for shop in range(shops // 2):
        make_amazon(folder, company, shop, per_day)
    for shop in range(shops // 4):
        make_ebay(folder, company, shop, per_day)
    make_web(folder, company, shops - shops // 2 - shops // 4, per_day)
    pages.amazon_reports(folder / "reports.json")
    pages.balances(folder / "balances.json")
    return company
