"""Carries out declared checks: both tables as (key, measure, amount), joined and compared by DuckDB."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from datetime import time
from decimal import Decimal

import duckdb
import msgspec
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet

from unransom.catalog.exports import moments, money
from unransom.catalog.exports.channel import Source, UnreadableExportError
from unransom.catalog.exports.containers import ReaderFile
from unransom.catalog.exports.encodings import Utf8File, detect
from unransom.catalog.exports.tables import SCALE
from unransom.catalog.exports.workbook import sheet_rows
from unransom.core.messages import Message, say
from unransom.core.records import Grade, Record
from unransom.core.streams import Reader
from unransom.verify.business.declarations import Check, Measure, Side

SEPARATOR = "\x1f"  # between the parts of a key: no text of a table has it
ENCODINGS = ("utf-8", "gb18030", "cp1252")
LONGEST_LINE = 8 << 20  # bytes
Opener = Callable[[str], Reader]
_COMPARE = """
SELECT coalesce(l.key, r.key) AS key, m.name, l.key IS NOT NULL AS in_left, r.key IS NOT NULL AS in_right,
       l.amount, r.amount,
       abs(coalesce(l.amount, 0) - coalesce(r.amount, 0))
         <= greatest(m.tolerance, abs(coalesce(r.amount, 0)) * m.percent / 100) AS agrees
FROM measures m, (SELECT key FROM left_rows UNION SELECT key FROM right_rows) k
LEFT JOIN (SELECT key, name, sum(amount)::BIGINT AS amount FROM left_rows GROUP BY ALL) l
  ON l.key = k.key AND l.name = m.name
LEFT JOIN (SELECT key, name, sum(amount)::BIGINT AS amount FROM right_rows GROUP BY ALL) r
  ON r.key = k.key AND r.name = m.name
ORDER BY key, m.name
"""
_ROWS = pyarrow.schema([("key", pyarrow.string()), ("name", pyarrow.string()), ("amount", pyarrow.int64())])


class CheckVerdict(Record, frozen=True, kw_only=True):
    """What a check says about one key and one sum of it.

    Attributes:
        check: Name of the check.
        key: Values of the key's columns.
        measure: Name of the sum, "" where only the presence is checked.
        left: The sum in the left table, None where the key is not there.
        right: The sum in the right table.
    """

    check: str
    key: tuple[str, ...]
    measure: str
    left: Decimal | None
    right: Decimal | None
    grade: Grade
    why: Message

    def as_row(self, language: str) -> dict[str, object]:
        """Return the verdict for a line of JSON."""
        return {**msgspec.to_builtins(self), "why": self.why.render(language)}


def carry_out(check: Check, opener: Opener) -> Iterator[CheckVerdict]:
    """Yield a verdict on every key and sum of a check.

    Args:
        check: The declaration.
        opener: Opens a table by the name in the declaration.

    Raises:
        UnreadableExportError: A table cannot be read, or has not the declared columns.
    """
    measures = check.measures or {"": Measure((), ())}
    with duckdb.connect() as connection:
        left = {label: measure.left for label, measure in measures.items()}
        right = {label: measure.right for label, measure in measures.items()}
        connection.register("left_rows", _amounts(check.left, left, opener))
        connection.register("right_rows", _amounts(check.right, right, opener))
        connection.register("measures", _tolerances(measures))
        for key, measure, in_left, in_right, left, right, agrees in connection.execute(_COMPARE).fetchall():
            yield _verdict(check, key, measure, (in_left, in_right), (left, right), agrees)


def _tolerances(measures: dict[str, Measure]) -> pyarrow.Table:
    return pyarrow.table(
        {
            "name": list(measures),
            "tolerance": [money.units_of(measure.tolerance) for measure in measures.values()],
            "percent": pyarrow.array(
                [Decimal(measure.percent) for measure in measures.values()], pyarrow.decimal128(12, 4)
            ),
        }
    )


def _verdict(
    check: Check,
    key: str,
    measure: str,
    there: tuple[bool, bool],
    sums: tuple[int | None, int | None],
    agrees: bool,
) -> CheckVerdict:
    # Without ends of zeros, and without the exponent that they would become.
    left, right = (
        None if units is None else Decimal(f"{Decimal(units).scaleb(-SCALE).normalize():f}") for units in sums
    )
    if not there[0] and check.present in {"both", "right"}:
        grade, why = Grade.BAD, say("it is missing in {file}", file=check.left.file)
    elif not there[1] and check.present in {"both", "left"}:
        grade, why = Grade.BAD, say("it is missing in {file}", file=check.right.file)
    elif not all(there):
        grade, why = Grade.UNKNOWN, say("only one table has it")
    elif agrees:
        grade, why = Grade.GOOD, say("the sums agree") if measure else say("both tables have it")
    else:
        grade, why = Grade.BAD, say("{left} against {right}", left=f"{left:f}", right=f"{right:f}")
    return CheckVerdict(
        check=check.name,
        key=tuple(key.split(SEPARATOR)),
        measure=measure,
        left=left,
        right=right,
        grade=grade,
        why=why,
    )


def _amounts(side: Side, measures: dict[str, tuple[str, ...]], opener: Opener) -> pyarrow.Table:
    """Return one row for each row of the table and each measure."""
    try:
        return _added(side, measures, _rows(side, opener))
    except UnreadableExportError as error:
        raise UnreadableExportError(
            say("{file}: not read: {why}", file=side.file, why=error.what),
            detail=error.detail,
            hint=error.hint,
        ) from error


def _added(side: Side, measures: dict[str, tuple[str, ...]], table: list[list[str]]) -> pyarrow.Table:
    header, *rows = table
    places = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
    columns = {column.removeprefix("-") for each in measures.values() for column in each}
    missing = {*side.key, *side.where, *side.dates, *columns} - places.keys()
    if missing:
        raise UnreadableExportError(
            say("it has not the declared columns"),
            detail=", ".join(sorted(missing)),
            hint=say("it has: {names}", names=", ".join(name for name in places if name)),
        )
    wide = len(header)
    rows = [each + [""] * (wide - len(each)) for each in rows]
    for column, order in side.dates.items():
        _write_dates(rows, places[column], column, order)
    kept = [row for row in rows if _counts(row, side, places)]
    amounts = {column: _units([row[places[column]] for row in kept], side, column) for column in columns}
    keys = [SEPARATOR.join(row[places[column]].strip() for column in side.key) for row in kept]
    parts = []
    for name, added in measures.items():
        total = [0] * len(kept)
        for column in added:
            sign = -1 if column.startswith("-") else 1
            units = amounts[column.removeprefix("-")]
            total = [sum_ + sign * (value or 0) for sum_, value in zip(total, units, strict=True)]
        parts.append(pyarrow.table([keys, [name] * len(keys), total], schema=_ROWS))
    return pyarrow.concat_tables(parts)


def _counts(row: list[str], side: Side, places: dict[str, int]) -> bool:
    """Return whether a row is one, and one that counts."""
    return any(map(str.strip, row)) and all(
        row[places[column]].strip() in wanted for column, wanted in side.where.items()
    )


def _write_dates(rows: list[list[str]], place: int, column: str, order: str) -> None:
    """Write the dates of a column as ISO 8601 does, as a workbook's are read.

    Raises:
        UnreadableExportError: They are no dates, or may be read in two ways.
    """
    texts = pyarrow.array([row[place].strip() for row in rows], pyarrow.string())
    some = texts.unique().filter(pc.not_equal(texts.unique(), ""))
    fits = moments.orders_of(some)
    orders = (order,) if order in fits else fits
    if len(orders) == 2:
        raise UnreadableExportError(
            say("{text} has the day or the month first; both fit all of its dates", text=some[0].as_py()),
            hint=say('declare which: dates = {{ "{column}" = "dmy" }}, or "mdy"', column=column),
        )
    times = moments.to_moments(some, orders[0] if orders else moments.DMY).times.to_pylist()
    written = {"": ""}
    for text, moment in zip(some.to_pylist(), times, strict=True):
        plain = moment.replace(tzinfo=None)
        written[text] = str(plain.date() if plain.time() == time.min else plain)
    for row in rows:
        row[place] = written[row[place].strip()]


def _units(texts: list[str], side: Side, name: str) -> list[int | None]:
    """Return amounts in units; how they are written is proven by all of them."""
    column = pyarrow.array([text.strip() for text in texts], pyarrow.string()).dictionary_encode()
    chunked = pyarrow.chunked_array([column], column.type)
    marks = money.marks_of(money.distinct([chunked]))
    if len(marks) == 2:
        raise money.ambiguous(f"{side.file}, {name}", money.distinct([chunked]))
    units: list[int | None] = money.column_units(chunked, marks[0]).to_pylist()
    return units


def _rows(side: Side, opener: Opener) -> list[list[str]]:
    reader = opener(side.file)
    kind = side.file.lower().rpartition(".")[2]
    if kind in {"xlsx", "xlsm"}:
        rows = list(sheet_rows(reader, side.sheet))
    elif kind == "parquet":
        rows = _parquet(reader)
    else:
        rows = _csv(Source(side.file, reader))
    table = list(itertools.dropwhile(lambda row: not any(map(str.strip, row)), rows))
    if not table:
        raise UnreadableExportError(say("it is empty"))
    return table


def _parquet(reader: Reader) -> list[list[str]]:
    try:
        table = pyarrow.parquet.read_table(pyarrow.PythonFile(ReaderFile(reader), mode="r"))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UnreadableExportError(
            say("it is no table that can be read"), detail=str(error)[:200]
        ) from error
    columns = [
        ["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns
    ]
    return [table.column_names, *(list(row) for row in zip(*columns, strict=True))]


def _csv(source: Source) -> list[list[str]]:
    encoded = detect(source, ENCODINGS, LONGEST_LINE)
    file = io.BufferedReader(Utf8File(source, encoded.mark, encoded.encoding))
    first = file.peek(4096).lstrip(b" \r\n").partition(b"\n")[0].decode("utf-8", "replace")
    delimiter = max(",;\t", key=first.count)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        return list(csv.reader(text, delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableExportError(say("it is no table that can be read"), detail=str(error)) from error
