"""Orders against payments: ``unransom orders match`` beside a hand-written DuckDB script, on the same files.

    python benchmarks/orders.py [--orders N] [--rounds N] [--folder DIR] [--json FILE]

Makes an Amazon all-orders report and the settlement that pays for it (4 % unpaid, 0.5 % paid twice, 0.5 %
wrong by a cent), then takes both in turns, each in a fresh process. The script reads the two files, sums
them up in decimals, joins, classifies and writes what the command writes: every order with its class and the
rows that it and its payment stand in, the exceptions, the sums, the hours. It knows the files' conventions
beforehand and proves nothing about them: no control totals, no digests, no second reading of a date or an
amount. A thin script beside it sums up prices and amounts, joins, and writes a class for each order: it reads
no times, no other prices, no rows to look at. Prints medians and ratios to both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ORDERS = (
    "amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel "
    "sales-channel order-channel ship-service-level product-name sku asin item-status quantity currency "
    "item-price item-tax shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount "
    "ship-promotion-discount ship-city ship-state ship-postal-code ship-country promotion-ids "
    "is-business-order purchase-order-number price-designation"
)
SETTLED = (
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency "
    "transaction-type order-id merchant-order-id adjustment-id shipment-id marketplace-name amount-type "
    "amount-description amount fulfillment-id posted-date posted-date-time order-item-code "
    "merchant-order-item-id merchant-adjustment-item-id sku quantity-purchased promotion-id"
)
SCRIPT = """
import sys
import duckdb

folder, out = sys.argv[1:]
connection = duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False})
connection.execute(f'''
CREATE TEMP TABLE orders AS
SELECT "amazon-order-id" AS id, any_value("sales-channel") AS shop, any_value("order-status") AS state,
       any_value(currency) AS currency, min("purchase-date"::TIMESTAMPTZ) AS created, min(row) AS row,
       sum(coalesce("item-price"::DECIMAL(18, 4), 0) + coalesce("item-tax"::DECIMAL(18, 4), 0)
           + coalesce("shipping-price"::DECIMAL(18, 4), 0) + coalesce("shipping-tax"::DECIMAL(18, 4), 0)
           + coalesce("gift-wrap-price"::DECIMAL(18, 4), 0) + coalesce("gift-wrap-tax"::DECIMAL(18, 4), 0)
           - coalesce("item-promotion-discount"::DECIMAL(18, 4), 0)
           - coalesce("ship-promotion-discount"::DECIMAL(18, 4), 0)) AS expected
FROM (SELECT *, row_number() OVER () AS row
      FROM read_csv('{folder}/orders.tsv', delim='\\t', header=true, quote='', all_varchar=true))
GROUP BY "amazon-order-id"
''')
connection.execute(f'''
CREATE TEMP TABLE paid AS
SELECT "order-id" AS id, count(*) AS payments, min("shipment-id") <> max("shipment-id") AS several,
       min(replace("posted-date-time", ' UTC', 'Z')::TIMESTAMPTZ) AS paid_at, min(row) AS row,
       any_value("shipment-id") AS payment,
       sum(amount::DECIMAL(18, 4)) FILTER ("transaction-type" = 'Order') AS paid,
       coalesce(sum(amount::DECIMAL(18, 4)) FILTER ("transaction-type" = 'Refund'), 0) AS refunded
FROM (SELECT *, row_number() OVER () AS row
      FROM read_csv('{folder}/settlement.tsv', delim='\\t', header=true, quote='', all_varchar=true))
WHERE "order-id" <> '' GROUP BY "order-id"
''')
connection.execute('''
CREATE TEMP TABLE classified AS
SELECT CASE WHEN o.id IS NULL THEN 'payment-without-order'
            WHEN state = 'Cancelled' THEN CASE WHEN paid > 0 THEN 'cancelled-paid' ELSE 'cancelled' END
            WHEN p.id IS NULL THEN CASE WHEN state = 'Pending' THEN 'not-due' ELSE 'order-without-payment' END
            WHEN paid = expected THEN CASE WHEN several THEN 'paid-split' ELSE 'paid' END
            WHEN paid % expected = 0 THEN 'paid-twice' ELSE 'amount-differs' END AS class,
       CASE WHEN coalesce(refunded, 0) = 0 THEN 'none' WHEN -refunded >= paid THEN 'full' ELSE 'partly' END
           AS refund,
       coalesce(o.id, p.id) AS id, shop, state, currency, expected, paid, paid - expected AS difference,
       refunded, payments, created, paid_at, payment, o.row AS order_row, p.row AS payment_row
FROM orders o FULL OUTER JOIN paid p ON o.id = p.id
''')
reports = {
    "proof": "FROM classified",
    "exceptions": '''SELECT * FROM classified WHERE class NOT IN ('paid', 'paid-split', 'cancelled')
                     ORDER BY class, id''',
    "summary": '''SELECT class, refund, shop, currency, count(*), sum(expected), sum(paid) FROM classified
                  GROUP BY ALL''',
    "hours": '''SELECT shop, date_trunc('hour', created) AS hour, count(*), count(*) FILTER (class = 'paid')
                FROM classified GROUP BY ALL ORDER BY ALL''',
}
for name, query in reports.items():
    connection.execute(f"COPY ({query}) TO '{out}/script-{name}.csv' (HEADER)")
"""

THIN = """
import sys
import duckdb

folder, out = sys.argv[1:]
connection = duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False})
connection.execute(f'''
COPY (
    SELECT coalesce(o.id, p.id) AS id, expected, paid,
           CASE WHEN o.id IS NULL THEN 'payment-without-order' WHEN p.id IS NULL THEN 'order-without-payment'
                WHEN paid = expected THEN 'paid' WHEN paid % expected = 0 THEN 'paid-twice'
                ELSE 'amount-differs' END AS class
    FROM (SELECT "amazon-order-id" AS id, sum("item-price"::DECIMAL(18, 4)) AS expected
          FROM read_csv('{folder}/orders.tsv', delim='\\t', header=true, quote='', all_varchar=true)
          GROUP BY ALL) o
    FULL OUTER JOIN
         (SELECT "order-id" AS id, sum(amount::DECIMAL(18, 4)) AS paid
          FROM read_csv('{folder}/settlement.tsv', delim='\\t', header=true, quote='', all_varchar=true)
          WHERE "order-id" <> '' GROUP BY ALL) p ON o.id = p.id
) TO '{out}/thin.csv' (HEADER)
''')
"""


def make(folder: Path, count: int) -> None:
    """Write the two exports."""
    chance, total = random.Random(1), 0
    rows: list[str] = []
    with (folder / "orders.tsv").open("w") as file:
        file.write(ORDERS.replace(" ", "\t") + "\n")
        for number in range(count):
            cents, second = chance.randrange(500, 50000), number * 432_000 // count
            order = f"{number % 900 + 100}-{number:07}-{number * 7919 % 10_000_000:07}"
            day, clock = 10 + second // 86400, time.strftime("%H:%M:%S", time.gmtime(second))
            stamp = f"2026-06-{day}T{clock}+00:00"
            file.write(
                f"{order}\t\t{stamp}\t{stamp}\tShipped\tAmazon\tAmazon.com\t\tStandard\tBamboo board, large\t"
                f"KIT-{number % 5000}\tB0TEST{number % 9999:04}\tShipped\t1\tUSD\t{cents / 100:.2f}"
                + "\t" * 8
                + "Reno\tNV\t02139\tUS\t\tfalse\t\t\n"
            )
            if number % 25 == 0:
                continue
            cents += number % 200 == 2
            for part in range(1 + (number % 200 == 1)):
                total += cents
                rows.append(
                    "1"
                    + "\t" * 6
                    + f"Order\t{order}\t\t\tSH{number}-{part}\tAmazon.com\tItemPrice\tPrincipal\t"
                    f"{cents / 100:.2f}\tAFN\t06/{day}/26\t2026-06-{day} {clock} UTC\t\t\t\tKIT\t1\t\n"
                )
    with (folder / "settlement.tsv").open("w") as file:
        file.write(SETTLED.replace(" ", "\t") + "\n")
        ends = "2026-06-01 00:00:00 UTC\t2026-06-20 00:00:00 UTC\t2026-06-20 00:00:00 UTC"
        file.write(f"1\t{ends}\t{total / 100:.2f}\tUSD" + "\t" * 18 + "\n")
        file.writelines(rows)


def run(command: list[object]) -> tuple[float, float, float]:
    """Return the wall seconds, the processor seconds and the peak megabytes of a command."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in {0, 3}:
        raise SystemExit(f"{command} ended with {child.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the files there")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch, "exports")
        out = Path(scratch, "out")
        for each in (folder, out):
            each.mkdir(parents=True, exist_ok=True)
        if not (folder / "settlement.tsv").exists():
            make(folder, options.orders)
        program = Path(sys.executable).with_name("unransom")
        ways = {
            "thin": [sys.executable, "-c", THIN, folder, out],
            "script": [sys.executable, "-c", SCRIPT, folder, out],
            "unransom": [program, "orders", "match", folder, "--out", out, "--form", "csv"],
        }
        taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, command in ways.items():
                taken[name].append(run(command))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in taken.items()
    }
    print(f"{'':<10} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, (wall, cpu, peak) in medians.items():
        print(f"{name:<10} {wall:>8.2f} {cpu:>8.2f} {peak:>8.0f}")
    ratios = {
        peer: [ours / theirs for ours, theirs in zip(medians["unransom"], medians[peer], strict=True)]
        for peer in ("script", "thin")
    }
    for peer, (wall, cpu, peak) in ratios.items():
        print(f"{'to ' + peer:<10} {wall:>8.2f} {cpu:>8.2f} {peak:>8.2f}")
    if options.json:
        options.json.write_text(json.dumps({"medians": medians, "ratios": ratios}))


if __name__ == "__main__":
    main()
