"""What the proof has to offer a company's database: whole orders, their lines, their payments, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from unransom.catalog.exports.tables import money
from unransom.verify.orders.match import Match

MONEY = frozenset({"total", "tax", "paid", "refunded", "amount", "fee"})
BATCH = 10_000
# Orders that are not paid for yet, or have no price, wait: a later export will have them whole.
_ORDERS = """
SELECT c.realm, c.shop, c.order_id, s.other_id, c.state, s.status, c.currency, c.total, c.tax, c.created,
       c.updated, c.lines, c.paid, c.refunded, c.class, c.payment_id,
       f.name AS source_file, c.order_row AS source_row, f.sha256 AS source_sha256
FROM classified c JOIN files f ON f.id = c.order_file
LEFT JOIN (SELECT file, row, any_value(other_id) AS other_id, any_value(status) AS status
           FROM sales GROUP BY file, row) s ON s.file = c.order_file AND s.row = c.order_row
WHERE c.has_order AND c.total IS NOT NULL AND c.state <> 'pending'
  AND c.created >= $start AND c.created < $until
ORDER BY c.realm, c.shop, c.order_id
"""
_LINES = """
SELECT c.realm, c.shop, c.order_id,
       row_number() OVER (PARTITION BY c.realm, c.order_id ORDER BY s.row) AS line_no,
       s.line_id, s.sku, s.quantity, s.line_total AS amount, s.tax, c.currency,
       f.name AS source_file, s.row AS source_row, f.sha256 AS source_sha256
FROM classified c JOIN sales s ON s.file = c.order_file AND s.order_id = c.order_id
JOIN files f ON f.id = c.order_file
WHERE c.has_order AND c.total IS NOT NULL AND c.state <> 'pending' AND s.line_total IS NOT NULL
  AND c.created >= $start AND c.created < $until
ORDER BY c.realm, c.shop, c.order_id, line_no
"""
_PAYMENTS = """
SELECT c.realm, any_value(m.account) AS account, c.order_id, m.payment_id, m.kind, m.code,
       sum(m.amount)::BIGINT AS amount, sum(m.fee)::BIGINT AS fee, m.currency, min(m.time) AS time,
       any_value(f.name) AS source_file, min(m.row) AS source_row, any_value(f.sha256) AS source_sha256
FROM chosen m LEFT JOIN aliases a ON a.order_key = m.order_key
JOIN classified c ON c.has_order AND c.order_id = coalesce(a.order_id, m.order_key)
JOIN files f ON f.id = m.file AND coalesce(a.realm, f.realm) = c.realm
WHERE m.state = 'done' AND m.kind IN ('payment', 'refund', 'fee', 'withheld')
  AND c.total IS NOT NULL AND c.created >= $start AND c.created < $until
GROUP BY c.realm, c.order_id, m.payment_id, m.kind, m.code, m.currency
ORDER BY c.realm, c.order_id, m.payment_id, m.kind, m.code
"""
QUERIES = {"orders": _ORDERS, "lines": _LINES, "payments": _PAYMENTS}
EARLIEST, LATEST = datetime(1970, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 the tables' times are UTC


def rows_to_fill(
    match: Match, of: str, start: datetime | None = None, until: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows for a company's database, with amounts as ``Decimal``.

    Args:
        match: The proof.
        of: ``orders``, ``lines`` or ``payments``.
        start: Orders placed from then on, UTC without a zone; None for all.
        until: Orders placed before then.
    """
    connection = match.connection
    connection.execute(QUERIES[of], {"start": start or EARLIEST, "until": until or LATEST})
    names = [column[0] for column in connection.description]
    while rows := connection.fetchmany(BATCH):
        for row in rows:
            yield {
                name: money(value) if name in MONEY and value is not None else value
                for name, value in zip(names, row, strict=True)
            }
