"""The results as CSV and xlsx, in English or Chinese; no cell can run as a formula."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from unransom.catalog.exports.tables import SCALE, money
from unransom.core.messages import Message, say
from unransom.verify.orders.match import CLASS_NAMES, Match
from unransom.verify.sheets import FORMULAS, MOST_ROWS, Sheet, whole, write_workbook

MONEY = frozenset({"expected", "paid", "refunded", "fees", "difference"})
REFUND_NAMES = {"none": say("no refund"), "partly": say("partly refunded"), "full": say("fully refunded")}
HOUR_NAMES = {
    "proven": say("proven"),
    "open": say("open"),
    "empty": say("empty, though orders are usual then"),
    "not-proven": say("not proven: an export for it breaks a control total"),
    "no-export": say("not proven: no export of orders reaches it"),
    "closed": say("closed"),
}
WHY_NAMES = {
    "exact": say("the amounts are equal"),
    "market-tax": say("the marketplace collected the tax"),
    "shop-coupon": say("the shop's coupon is taken off"),
    "channel-coupon": say("the payment service's coupon is taken off"),
    "multiple": say("the amount was paid several times"),
    "conversion": say("the currencies differ"),
    "fee-netted": say("the fee is taken off"),
    "tax": say("the tax is the difference"),
    "withheld": say("withheld tax is the difference"),
    "factor-100": say("one side is a hundred times the other"),
    "unexplained": say("no explanation that was tried fits"),
}
HEADINGS = {
    "class": say("class"),
    "refund": say("refund"),
    "why": say("explanation"),
    "realm": say("channel"),
    "shop": say("shop"),
    "order_id": say("order"),
    "state": say("state"),
    "currency": say("currency"),
    "expected": say("expected"),
    "paid": say("paid"),
    "difference": say("difference"),
    "refunded": say("refunded"),
    "fees": say("fees"),
    "payments": say("payments"),
    "created": say("placed at (UTC)"),
    "paid_at": say("paid at (UTC)"),
    "due": say("must appear by (UTC)"),
    "payment_id": say("payment"),
    "order_source": say("order found in"),
    "order_row": say("row of the order"),
    "payment_source": say("payment found in"),
    "payment_row": say("row of the payment"),
    "count": say("count"),
    "hour": say("hour (UTC)"),
    "orders": say("orders"),
    "proven": say("proven"),
    "only_paid": say("only paid"),
    "usual": say("usual"),
    "file": say("file"),
    "grade": say("verdict"),
    "explanation": say("why"),
    "candidates": say("candidates"),
}
# Texts come from buyers, too: what a spreadsheet would take for a formula gets a quotation mark in front.
# That is looked at letter by letter only in columns that have texts which begin with no letter or digit.
_SAFE = f"""
CREATE OR REPLACE TEMP MACRO odd(x) AS x < '0' OR (x >= ':' AND x < 'A') OR x > '~';
CREATE OR REPLACE TEMP MACRO safe(x) AS
CASE WHEN ascii(x) IN ({", ".join(str(ord(each)) for each in FORMULAS)}) AND x <> ''
     THEN chr(39) || x ELSE x END
"""
_ODD = {
    "shop": "SELECT unnest(enum_range(NULL::shop_name))::VARCHAR",
    "currency": "SELECT unnest(enum_range(NULL::currency_name))::VARCHAR",
    "file": "SELECT name FROM files",
    "order": "SELECT order_id FROM classified",
    "payment": "SELECT payment_id FROM classified",
}
_PROOF = """
CREATE OR REPLACE TEMP VIEW proof AS
SELECT c.class, c.refund, c.why, c.realm, safe_shop(c.shop) AS shop, safe_order(c.order_id) AS order_id,
       c.state, safe_currency(c.currency) AS currency, c.expected, c.paid,
       c.paid - c.expected AS difference, c.refunded, c.fees, c.payments, c.created, c.paid_at, c.due,
       safe_payment(c.payment_id) AS payment_id, safe_file(o.name) AS order_source, c.order_row,
       safe_file(p.name) AS payment_source, c.payment_row
FROM classified c LEFT JOIN files o ON o.id = c.order_file LEFT JOIN files p ON p.id = c.payment_file
"""
_EXCEPTIONS = """
CREATE OR REPLACE TEMP VIEW exceptions AS
SELECT * FROM proof WHERE NOT settled(class)
ORDER BY class, realm, shop, order_id
"""
_COUNTS = """
CREATE OR REPLACE TEMP VIEW counts AS
SELECT class, refund, realm, safe(shop) AS shop, count(*) AS count, safe(currency) AS currency,
       sum(expected)::BIGINT AS expected, sum(paid)::BIGINT AS paid, sum(refunded)::BIGINT AS refunded
FROM classified GROUP BY ALL ORDER BY ALL
"""
_HOURS = """
CREATE OR REPLACE TEMP VIEW shown_hours AS
SELECT realm, safe(shop) AS shop, hour, orders, proven, only_paid, usual, state FROM hours
"""
TABLES = {"proof": "proof", "exceptions": "exceptions", "summary": "counts", "hours": "shown_hours"}
SHEETS = ("summary", "exceptions", "hours")  # the whole proof is for programs: it is CSV only


def write_results(
    match: Match, folder: Path, language: str, forms: Sequence[str] = ("csv", "xlsx")
) -> list[Path]:
    """Write the results; return the files.

    Args:
        match: The proof.
        folder: Where they go; made if missing.
        language: Of headings and classes.
        forms: ``csv``, ``xlsx`` or both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    connection = match.connection
    connection.execute(_SAFE)
    for name, texts in _ODD.items():
        found = connection.execute(f"SELECT bool_or(odd(x)) FROM ({texts}) t(x) WHERE x <> ''").fetchone()  # noqa: S608
        guard = "safe(x)" if found and found[0] else "x"
        connection.execute(f"CREATE OR REPLACE TEMP MACRO safe_{name}(x) AS {guard}")
    for statement in (_PROOF, _EXCEPTIONS, _COUNTS, _HOURS):
        connection.execute(statement)
    places = _places(connection)
    written = []
    if "csv" in forms:
        for name, view in TABLES.items():
            with whole(folder / f"{name}.csv") as path:
                _copy(connection, view, path, language, places)
            written.append(folder / f"{name}.csv")
    if "xlsx" in forms:
        with whole(folder / "orders.xlsx") as path:
            write_workbook(path, _sheets(match, language))
        written.append(folder / "orders.xlsx")
    with whole(folder / "exports.json") as path:
        path.write_text(_exports(match, language), encoding="utf-8")
    return [*written, folder / "exports.json"]


def _places(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many decimals the amounts need: two, save where one has more."""
    row = connection.execute(
        "SELECT coalesce(bool_and(coalesce(expected, 0) % 100 = 0 AND coalesce(paid, 0) % 100 = 0), true)"
        " FROM classified"
    ).fetchone()
    return 2 if row and row[0] else SCALE


def _columns(connection: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    return [row[0] for row in connection.table(view).description]


def _copy(connection: duckdb.DuckDBPyConnection, view: str, path: Path, language: str, places: int) -> None:
    """Write a view as CSV; headings and names are our own texts."""
    parts = []
    for column in _columns(connection, view):
        value = f'"{column}"'
        if column in MONEY:
            # Up to 18 digits DuckDB has decimals as int64, which is much faster.
            if places == 2:
                value = f"({value} // 100)::DECIMAL(15, 0) * 0.01::DECIMAL(3, 2)"
            else:
                value = f"{value}::DECIMAL(18, 0) * 0.0001::DECIMAL(5, 4)"
        names = _names(column, view)
        if names:
            cases = " ".join(f"WHEN '{name}' THEN '{_quoted(names[name], language)}'" for name in names)
            value = f"CASE {value} {cases} ELSE {value} END"
        heading = HEADINGS[column].render(language).replace('"', "")
        parts.append(f'{value} AS "{heading}"')
    connection.execute(
        f"COPY (SELECT {', '.join(parts)} FROM {view}) TO $path (FORMAT csv, HEADER)",  # noqa: S608 our own names
        {"path": str(path)},
    )


def _quoted(message: Message, language: str) -> str:
    return message.render(language).replace("'", "''")


def _names(column: str, view: str) -> dict[str, Message]:
    if column == "state":
        return HOUR_NAMES if view == "shown_hours" else {}
    return {"class": CLASS_NAMES, "refund": REFUND_NAMES, "why": WHY_NAMES}.get(column, {})


def _sheets(match: Match, language: str) -> Iterator[Sheet]:
    for name in SHEETS:
        columns = _columns(match.connection, TABLES[name])
        headings = [HEADINGS[column].render(language) for column in columns]
        yield Sheet(name, headings, _rows(match.connection, TABLES[name], columns, language))


def _rows(
    connection: duckdb.DuckDBPyConnection, view: str, columns: list[str], language: str
) -> Iterator[list[Any]]:
    names = [{key: text.render(language) for key, text in _names(column, view).items()} for column in columns]
    connection.execute(f"SELECT * FROM {view} LIMIT {MOST_ROWS}")  # noqa: S608 our own names
    while rows := connection.fetchmany(10_000):
        for row in rows:
            yield [
                money(value) if column in MONEY else known.get(value, value)
                for value, column, known in zip(row, columns, names, strict=True)
            ]


def _exports(match: Match, language: str) -> str:
    """Return what is known of each export as JSON: its digest, its conventions, its verdicts."""
    document = {
        "exports": [
            {
                "file": export.name,
                "channel": export.channel,
                "sha256": export.sha256,
                "orders": export.sales.num_rows,
                "movements": export.moves.num_rows,
                "encoding": export.conventions.encoding,
                "decimal": export.conventions.decimal,
                "dates": export.conventions.dates,
                "zone": export.conventions.zone,
                "verdicts": [
                    {"verdict": verdict.grade.value, "why": verdict.why.render(language)}
                    for verdict in match.verdicts
                    if verdict.file == export.name
                ],
                "notes": [note.render(language) for note in export.notes],
            }
            for export in match.exports
        ],
        "doubled": [
            dict(zip(("channel", "payment", "order", "times"), row, strict=True)) for row in match.doubled
        ],
        "damaged": match.damaged,
        "proposals": match.proposals,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
