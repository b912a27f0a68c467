"""Everything that the made company has: one file after the other, in memory, the same in every run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import NamedTuple

from unransom.run.demo.documents import WARES, export, letter, orders, paper, workbook
from unransom.run.demo.pictures import jpeg, lamp, png
from unransom.run.demo.tablespace import tablespace

SHARE, SERVER, BUCKET = "share", "server", "bucket"
PLACES = (SHARE, SERVER, BUCKET)
MONTHS = range(1, 7)


class Made(NamedTuple):
    """A file of the company.

    Attributes:
        place: Which of ``PLACES`` it belongs to.
        path: Path in that place.
        content: Its bytes.
        spared: The attackers left it as it was.
    """

    place: str
    path: str
    content: bytes
    spared: bool = False


def company() -> Iterator[Made]:
    """Yield the files of the company."""
    yield from _share()
    yield from _server()
    yield from _bucket()


def _share() -> Iterator[Made]:
    for number in range(24):
        yield Made(SHARE, f"pictures/products/lamp-{number:03}.jpg", jpeg(lamp(number, 800, 600)))
    for number in range(24, 32):
        yield Made(SHARE, f"pictures/catalogue/page-{number:03}.png", png(lamp(number, 420, 300)))
    yield Made(SHARE, "pictures/campaign/hero.png", png(lamp(99, 1800, 1200)))
    for month in MONTHS:
        yield Made(SHARE, f"accounts/2026/orders-{month:02}.xlsx", workbook(orders(month, 2500)))
        yield Made(SHARE, f"orders/shop-2026-{month:02}.csv", export(orders(month, 4000)))
        taobao = export(orders(month, 3000, WARES), "gb18030")
        yield Made(SHARE, f"订单/淘宝订单-2026-{month:02}.csv", taobao)
    for name in ("lease", "suppliers", "insurance", "employment", "patents"):
        yield Made(SHARE, f"contracts/{name}.pdf", paper(f"Contract on {name}", 6))
    yield Made(SHARE, "contracts/warehouse-scan.pdf", paper("Scanned contract", 4, lamp(77, 1200, 900)))
    for subject in ("returns", "packaging", "opening hours", "spring collection"):
        yield Made(SHARE, f"notes/{subject}.txt", letter(subject, 12))
    yield Made(SHARE, "notes/telephone list.txt", letter("telephone list", 6), spared=True)
    yield Made(SHARE, "pictures/products/new lamp.jpg", jpeg(lamp(40, 640, 480)), spared=True)


def _server() -> Iterator[Made]:
    for month, table, count in ((1, "orders", 90_000), (2, "customers", 40_000), (3, "stock", 9000)):
        yield Made(SERVER, f"var/lib/mysql/shop/{table}.ibd", tablespace(20 + month, orders(month, count)))
    for number in range(41, 49):
        yield Made(SERVER, f"srv/www/media/banner-{number}.png", png(lamp(number, 480, 200)))
    for month in MONTHS:
        yield Made(SERVER, f"srv/invoices/2026-{month:02}.pdf", paper(f"Invoices of month {month}", 20))
    yield Made(SERVER, "etc/shop/readme.txt", letter("shop server", 3), spared=True)


def _bucket() -> Iterator[Made]:
    for number in range(50, 66):
        yield Made(BUCKET, f"media/2026/lamp-{number}.jpg", jpeg(lamp(number, 640, 480)))
    for month in MONTHS:
        yield Made(BUCKET, f"exports/2026-{month:02}/orders.csv", export(orders(month, 6000)))
        heading, *rows = orders(month, 1500)
        records = [dict(zip(map(str, heading), row, strict=True)) for row in rows]
        packed = gzip.compress(json.dumps(records).encode(), mtime=0)
        yield Made(BUCKET, f"backups/stock-2026-{month:02}.json.gz", packed)
    yield Made(BUCKET, "media/2026/logo.png", png(lamp(70, 200, 200)), spared=True)
