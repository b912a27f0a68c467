"""Declared shops: one that is missing, an hour that no export reaches, another currency, closed hours."""

import csv
import subprocess
from datetime import UTC, datetime

import pytest

from tests.fixtures.program import UNRANSOM
from unransom.core.errors import UsageError
from unransom.verify.orders.shops import Shop, load_shops

OWN = "shop,order_id,status,created_at,currency,total_amount\n"
PAYPAL = "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Invoice Number\n"
SHOPS = """
from = 2026-06-13T00:00:00Z
until = 2026-06-14T00:00:00Z
[[shop]]
name = "north"
marketplace = "web"
zone = "UTC"
open = "08:00-20:00"
currency = "USD"
"""
SOUTH = '[[shop]]\nname = "south"\nmarketplace = "web"\nopen = "10:00-12:00"\n'


def matched(folder, shops, hours, currency="USD", language="en"):
    """Run the command over a shop's orders at ``hours``; return its exit code, its words, and the hours."""
    exports = folder / "exports"
    exports.mkdir()
    rows = [
        f"north,A{number},shipped,2026-06-13T{hour:02}:10:00Z,{currency},1.00\n"
        for number, hour in enumerate(hours)
    ]
    (exports / "own.csv").write_text(OWN + "".join(rows))
    paid = [
        f"13/06/2026,{hour:02}:11:00,UTC,Payment,Completed,{currency},1.00,0.00,1.00,"
        f"{number + 1}.00,T{number},A{number}\n"
        for number, hour in enumerate(hours)
    ]
    (exports / "paypal.csv").write_text(PAYPAL + "".join(paid))
    (folder / "shops.toml").write_text(shops)
    run = subprocess.run(
        [
            *(UNRANSOM, "--lang", language, "orders", "match", exports, "--form", "csv"),
            *("--shops", folder / "shops.toml", "--out", folder / "proof"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (folder / "proof" / "hours.csv").read_text().splitlines()[1:]
    return (
        run.returncode,
        run.stdout + run.stderr,
        {(row[1], row[2][11:13]): row[7] for row in csv.reader(lines)},
    )


def test_every_open_hour_of_every_shop_is_proven(tmp_path):
    code, _, hours = matched(tmp_path, SHOPS, range(8, 20))
    assert code == 0
    assert {hours["north", f"{hour:02}"] for hour in range(8, 20)} == {"proven"}
    assert len(hours) == 12


def test_a_shop_that_no_export_has_is_not_proven(tmp_path):
    code, printed, hours = matched(tmp_path, SHOPS + SOUTH, range(8, 20))
    assert code == 3
    assert "south (web): 2 hours are not proven" in printed
    assert "no export" in hours["south", "10"]
    assert hours["north", "10"] == "proven"


def test_hours_that_no_export_reaches_are_not_proven(tmp_path):
    code, printed, hours = matched(tmp_path, SHOPS, range(8, 15), language="zh")
    assert code == 3
    assert "north(web):5 个小时未被证明" in printed
    assert "没有订单导出文件" in hours["north", "15"]


def test_a_closed_hour_is_no_question(tmp_path):
    _, _, hours = matched(tmp_path, SHOPS.replace("08:00", "12:00"), [8, *range(12, 20)])
    assert hours["north", "09"] == "closed"
    assert hours["north", "08"] == "proven"  # an order came all the same


def test_another_currency_and_another_shop_are_told(tmp_path):
    code, printed, _ = matched(tmp_path, SHOPS, range(8, 20), currency="EUR")
    assert code == 3
    assert "north has orders in EUR, and the shops file says USD" in printed
    (tmp_path / "other").mkdir()
    code, printed, _ = matched(tmp_path / "other", SHOPS.replace("north", "west"), range(8, 20))
    assert code == 3
    assert "north (web) has orders, and the shops file has no such shop" in printed


@pytest.mark.parametrize(
    ("opens", "zone", "hour", "is_open"),
    [
        ("08:00-20:00", "Asia/Shanghai", 0, True),
        ("08:00-20:00", "Asia/Shanghai", 12, False),
        ("08:30-20:00", "UTC", 8, True),
        ("20:00-02:00", "UTC", 1, True),
        ("20:00-02:00", "UTC", 12, False),
        ("00:00-24:00", "UTC", 23, True),
        ("", "UTC", 3, True),
    ],
)
def test_opening_hours_are_in_the_shops_zone(opens, zone, hour, is_open):
    shop = Shop("s", "web", zone=zone, open=opens)
    assert shop.takes_orders(datetime(2026, 6, 13, hour, tzinfo=UTC)) is is_open


def test_a_shop_is_closed_on_other_days():
    shop = Shop("s", "web", days=("mon",))
    assert not shop.takes_orders(datetime(2026, 6, 13, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        '[[shop]]\nname = "a"\n',
        '[[shop]]\nname = "a"\nmarketplace = "elsewhere"\n',
        '[[shop]]\nname = "a"\nmarketplace = "web"\nzone = "No/Where"\n',
        '[[shop]]\nname = "a"\nmarketplace = "web"\nzone = "/etc/passwd"\n',
        '[[shop]]\nname = "a"\nmarketplace = "web"\nopen = "8 to 20"\n',
    ],
)
def test_a_file_that_declares_no_shops_is_told(text):
    with pytest.raises(UsageError, match="shops cannot be read"):
        load_shops(text.encode())
