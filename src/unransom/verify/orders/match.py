"""The proof: every order against every payment, each in its class, and which hours stay open."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence

import duckdb
import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.channel import Export
from unransom.catalog.exports.tables import MOVES, SALES, TIME
from unransom.core.messages import Message, say
from unransom.core.orders import ExportVerdict, OrderClass
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import Grade
from unransom.verify.orders import control, keys, queries
from unransom.verify.orders.coverage import UTC, covers, doubts, grain
from unransom.verify.orders.shops import Shops, expected, odds

# Of what money passes through; several channels tell of the same money, the better one first.
RANKS = {"alipay_fund": 1, "paypal_activity": 2, "paypal_transactions": 1, "amazon_finances": 1}
UNIQUE = ("paypal_", "alipay_", "ebay_finances")


class Match:
    """The proof over a set of exports; ``connection`` holds its tables for whoever wants to ask more."""

    def __init__(
        self,
        exports: Sequence[Export],
        memory_limit: str = "1GB",
        listener: Listener = silent,
        shops: Shops | None = None,
    ) -> None:
        """Classify everything.

        Args:
            exports: All evidence. Those that the user gave twice are taken once.
            memory_limit: What DuckDB may take before it spills to disk.
            listener: Told which part of the work is done.
            shops: Which shops there are; without it those that the exports have.
        """
        self.shops = shops
        self.odds: tuple[Message, ...] = ()
        self.verdicts: tuple[ExportVerdict, ...] = tuple(control.verdicts(exports))
        self.exports = list({export.sha256: export for export in reversed(exports)}.values())[::-1]
        # What does not fit into the memory goes to a folder of its own, not to wherever the user stands.
        spill = tempfile.mkdtemp(prefix="unransom-orders-")
        weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        self.connection = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "preserve_insertion_order": False,
                "temp_directory": spill,
            }
        )
        self.doubled: list[tuple[str, str, str, int]] = []
        self.proposals: dict[str, list[str]] = {}
        self.damaged: dict[str, list[str]] = {}
        steps = (self._load, self._orders, self._moves, self._classify, self._hours)
        for number, step in enumerate(steps, 1):
            step()
            listener(Progress("match", number, len(steps), "parts", finished=number == len(steps)))

    def _load(self) -> None:
        run = self.connection.execute
        rows = [
            {
                "id": number,
                "name": export.name,
                "channel": export.channel,
                "system": export.channel.split("_")[0],
                "realm": export.realm,
                "rank": RANKS.get(export.channel, 0),
                "unique_ids": export.channel.startswith(UNIQUE),
                "sha256": export.sha256,
            }
            for number, export in enumerate(self.exports)
        ]
        self._register("given_files", pyarrow.Table.from_pylist(rows) if rows else _NO_FILES)
        self._register("sales", _stacked([export.sales for export in self.exports], SALES))
        self._register("moves", _stacked([export.moves for export in self.exports], MOVES))
        self._register("cover", covers(self.exports))
        run(queries.TYPES)

    def _register(self, name: str, table: pyarrow.Table) -> None:
        self.connection.register(name, table)

    def _orders(self) -> None:
        run = self.connection.execute
        run(queries.SEVERAL_LINES)
        run(queries.VERSIONS)
        if several := sum(export.sales.num_rows > 0 for export in self.exports) > 1:
            run(queries.SEVERAL_VERSIONS)
        run(queries.NEWEST if several else queries.ONLY)

    def _moves(self) -> None:
        run = self.connection.execute
        moving = [export for export in self.exports if export.moves.num_rows]
        overlapping = len({export.channel for export in moving}) < len(moving)
        unique = any(map(_unique, moving))
        run(queries.NAMED)
        if overlapping or unique:
            run(queries.ALIKE)
        self.doubled = run(queries.DOUBLED).fetchall() if unique else []
        run(queries.COUNTED if overlapping or self.doubled else queries.UNCOUNTED)
        refers = any(pc.any(pc.not_equal(e.moves["refers_to"], ""), min_count=0).as_py() for e in moving)
        run(queries.KEYED if refers else queries.UNKEYED)
        systems = {(export.channel.split("_")[0], export.channel) for export in moving}
        several = len({system for system, _ in systems}) < len(systems)
        run(queries.CHOSEN if several else queries.UNCHOSEN)

    def _classify(self) -> None:
        run = self.connection.execute
        run(queries.SORTED)
        run(queries.UNRENAMED)
        self._join()
        if self._alias():
            run(queries.RENAMED)
            self._join()
        if any(pc.any(pc.not_equal(each.sales["line_id"], ""), min_count=0).as_py() for each in self.exports):
            run(queries.RENAMES)
        self._damage()
        self.proposals = {key: found for _, key, found in run(queries.PROPOSED).fetchall()}

    def _join(self) -> None:
        taxed = any(pc.any(pc.not_equal(each.sales["tax"], 0), min_count=0).as_py() for each in self.exports)
        convention = queries.CONVENTION if taxed else queries.UNTAXED
        for query in (queries.SEVERAL_MOVES, queries.PAID, convention, queries.CLASSIFIED, queries.DUE):
            self.connection.execute(query)

    def _alias(self) -> bool:
        """Find orders behind keys that name them in other words; return whether there are any."""
        run = self.connection.execute
        orphans = run(queries.ORPHANS).fetchall()
        if not orphans:
            return False
        waiting = run(queries.WAITING).fetchall()
        realms = {order: realm for realm, order, _ in waiting}
        known = frozenset(realms)
        by_payment = {payment: order for _, order, payment in waiting if payment}
        found = [
            (key, order, realms[order])
            for key, payment in orphans
            if key and (order := by_payment.get(payment) or keys.undressed(key, known)) and order != key
        ]
        if found:
            self.connection.executemany("INSERT INTO aliases VALUES (?, ?, ?)", found)
        return bool(found)

    def _damage(self) -> None:
        run = self.connection.execute
        orphans = [key for key, _ in run(queries.ORPHANS).fetchall() if key[:1].isdigit()]
        if not orphans:
            return
        ids = sorted(order for _, order, _ in run(queries.WAITING).fetchall())
        self.damaged = keys.damaged(orphans, ids)
        if self.damaged:
            self.connection.executemany(
                "UPDATE classified SET class = 'damaged-key' WHERE order_id = ? AND NOT has_order",
                [(key,) for key in self.damaged],
            )

    def _hours(self) -> None:
        self._register("doubts", doubts(self.exports, self.verdicts))
        shops = self.connection.execute("SELECT DISTINCT realm, shop FROM classified").fetchall()
        self._register("grain", grain(self.exports, shops))
        first, last = self.connection.execute(queries.PLACED).fetchall()[0]
        declared = self.shops or Shops(())
        self._register("expected", expected(declared, first, last))
        self.odds = tuple(odds(self.connection, declared)) if self.shops else ()
        self.connection.execute(queries.HOURS)

    def classes(self) -> dict[str, int]:
        """Return how many orders are in each class."""
        return dict(self.connection.execute(queries.CLASSES).fetchall())

    def open_hours(self) -> list[tuple[str, str, int]]:
        """Return for each shop how many of its hours are not proven: realm, shop, hours."""
        return self.connection.execute(queries.OPEN_HOURS).fetchall()

    @property
    def whole(self) -> bool:
        """Whether all orders are proven, no export breaks a total, and no declared shop is missing."""
        good = all(verdict.grade is not Grade.BAD for verdict in self.verdicts)
        if self.shops and (self.odds or self.open_hours()):
            return False
        return good and self.connection.execute(queries.UNPROVEN).fetchone() == (0,)


_NO_FILES = pyarrow.schema(
    [
        ("id", pyarrow.int64()),
        *((name, pyarrow.string()) for name in ("name", "channel", "system", "realm", "sha256")),
        ("rank", pyarrow.int64()),
        ("unique_ids", pyarrow.bool_()),
    ]
).empty_table()


def _unique(export: Export) -> bool:
    return export.channel.startswith(UNIQUE)


def _stacked(tables: Sequence[pyarrow.Table], schema: pyarrow.Schema) -> pyarrow.Table:
    """Return the tables behind each other, each row with the number of its table; times without a zone."""
    plain = pyarrow.schema([field.with_type(UTC) if field.type == TIME else field for field in schema])
    numbered = [
        table.cast(plain).append_column(
            "file", pyarrow.repeat(pyarrow.scalar(number, pyarrow.int32()), table.num_rows)
        )
        for number, table in enumerate(tables)
    ]
    empty = plain.empty_table().append_column("file", pyarrow.array([], pyarrow.int32()))
    return pyarrow.concat_tables([table for table in numbered if table.num_rows] or [empty])


CLASS_NAMES: dict[str, Message] = {
    OrderClass.PAID: say("paid"),
    OrderClass.SPLIT: say("paid in parts"),
    OrderClass.REPLACEMENT: say("replacement, nothing due"),
    OrderClass.RENAMED: say("went on under another identifier"),
    OrderClass.CANCELLED: say("cancelled, not paid"),
    OrderClass.CANCELLED_PAID: say("cancelled, but paid: a refund is due"),
    OrderClass.NOT_DUE: say("payment not due yet"),
    OrderClass.DIFFERS: say("amount differs"),
    OrderClass.PAID_TWICE: say("paid twice"),
    OrderClass.NO_ORDER: say("payment without order"),
    OrderClass.NO_PAYMENT: say("order without payment"),
    OrderClass.NO_EVIDENCE: say("no export of payments covers it"),
    OrderClass.DAMAGED_KEY: say("identifier damaged by a spreadsheet"),
}
