"""Tables out of InnoDB and SQL Server files: page scan, decoding, salvage, and a server's own dump.

    python benchmarks/databases.py [--rows N] [--json FILE]

A private MariaDB makes one table of orders; everything is measured on its file in one run, and the same on a
data file of SQL Server with the same rows, which is made here: of that server none runs here. Rates are per
second of processor time on one core, mariadb-dump's with that of its server. Demanded are a page scan
of 1 GB/s, decoding at 100 MB/s and salvage at 20 MB/s. Published for undrop-for-innodb (stream_parser and
c_parser) are 190 to 600 MB/s and 8 to 14 MB/s or 20,000 to 36,000 rows/s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.catalog.databases.mssql import orders_file
from tests.recover.databases import orders_table
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server, program
from unransom.catalog.databases.engine import Engine, Hints, Source
from unransom.catalog.databases.innodb import ENGINE, pages
from unransom.catalog.databases.mssql import ENGINE as MSSQL
from unransom.catalog.databases.mssql import pages as mssql_pages
from unransom.catalog.databases.mssql.catalogue import SYSTEM_OBJECTS
from unransom.catalog.formats.mssql import PAGE
from unransom.core.streams import BytesReader

ROUNDS = 3
DEMANDED = {"page scan": 1000.0, "decode": 100.0, "salvage": 20.0}  # MB/s


def clocked(work: Callable[[], int]) -> tuple[float, int]:
    """Return the processor time of the best of some rounds, and what the work returns."""
    best, result = float("inf"), 0
    for _ in range(ROUNDS + 1):  # the first compiles
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return best, result


def read(engine: Engine, data: bytes, create: str, states: frozenset[str]) -> int:
    """Read the table and return how many rows of ``states`` came back."""
    database = engine.open([Source("orders.ibd", BytesReader(data))], Hints(sql=(create,) if create else ()))[
        0
    ]
    rows = 0
    for batch in database.rows(database.tables[0]):
        counts = batch.batch.column("_state").value_counts().to_pylist()
        rows += sum(each["counts"] for each in counts if each["values"] in states)
        if states == {"live"} and any(each["values"] == "deleted" for each in counts):
            break
    return rows


def dumped(server: Server) -> tuple[float, int]:
    """Return the processor time of mariadb-dump with its server for the table, and the bytes written."""
    command = [
        program("mariadb-dump"),
        "--no-defaults",
        f"--socket={server.folder}/s",
        "-uroot",
        "shop",
        "orders",
    ]
    best, size = float("inf"), 0
    for _ in range(ROUNDS):
        began = server.processor_seconds() + _of_children()
        size = len(subprocess.run(command, check=True, capture_output=True).stdout)
        best = min(best, server.processor_seconds() + _of_children() - began)
    return best, size


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a table of the rates, and write them as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    server = Server()
    try:
        server.run("create database shop", "use shop")
        orders_table.fill(server, "shop.orders", count=options.rows)
        create = server.run("show create table shop.orders")[0][1]
        data = server.files("shop", "orders")[".ibd"]
        dump, _ = dumped(server)
    finally:
        server.close()
    results = [{"engine": "innodb", **each} for each in measure(data, create)]
    results.append(
        {
            "engine": "innodb",
            "name": "mariadb-dump",
            "seconds": dump,
            "rows": options.rows,
            "bytes": len(data),
        }
    )
    results += [{"engine": "mssql", **each} for each in measure_mssql(orders_file.data_file(options.rows))]
    for result in results:
        rate = result["bytes"] / result["seconds"] / 1e6
        result["MB/s"] = round(rate, 1)
        result["demanded"] = DEMANDED.get(result["name"])
        rows = f"{result['rows'] / result['seconds']:>12,.0f} rows/s" if result["rows"] else ""
        title = f"{result['engine']:<8}{result['name']:<14}"
        print(f"{title}{rate:>10,.0f} MB/s{rows}  {result['demanded'] or ''}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


def measure(data: bytes, create: str) -> list[dict]:
    """Return seconds, rows and bytes of each kind of work on a tablespace."""
    reader = BytesReader(data)
    table = pages.scan(reader, 16384)
    holds_rows = (table["kind"] == pages.INDEX) & (table["level"] == 0)
    index = table["index"][holds_rows].min()
    leaves = int((holds_rows & (table["index"] == index)).sum()) * 16384
    torn = PATTERNS["S"](data)
    bad = int((pages.scan(BytesReader(torn), 16384)["verdict"] == pages.TORN).sum()) * 16384
    scanned, _ = clocked(lambda: len(pages.scan(reader, 16384)))
    return _measured(ENGINE, create, (data, torn), scanned, (leaves, bad))


def measure_mssql(data: bytes) -> list[dict]:
    """Return the same of a data file of SQL Server."""
    reader = BytesReader(data)
    table = mssql_pages.scan(reader)
    leaves = int((table["object"] >= SYSTEM_OBJECTS).sum()) * PAGE
    torn = data[: 64 * PAGE] + PATTERNS["S"](data[64 * PAGE :])
    bad = int((mssql_pages.scan(BytesReader(torn))["soundness"] <= mssql_pages.Soundness.TORN).sum()) * PAGE
    scanned, _ = clocked(lambda: len(mssql_pages.scan(reader)))
    return _measured(MSSQL, "", (data, torn), scanned, (leaves, bad))


def _measured(
    engine: Engine, create: str, files: tuple[bytes, bytes], scanned: float, sizes: tuple[int, int]
) -> list[dict]:
    data, torn = files
    live, back = frozenset({"live"}), frozenset({"salvaged"})
    whole, rows = clocked(lambda: read(engine, data, create, live))
    both, saved = clocked(lambda: read(engine, torn, create, back))
    salvaged = both - whole * (1 - sizes[1] / sizes[0])  # without the sound pages of the torn file
    return [
        {"name": "page scan", "seconds": scanned, "rows": 0, "bytes": len(data)},
        {"name": "decode", "seconds": max(whole - scanned, 1e-9), "rows": rows, "bytes": sizes[0]},
        {"name": "all of it", "seconds": whole, "rows": rows, "bytes": len(data)},
        {"name": "salvage", "seconds": max(salvaged, 1e-9), "rows": saved, "bytes": sizes[1]},
    ]


if __name__ == "__main__":
    main()
