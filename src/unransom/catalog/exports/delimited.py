"""Tables of text: where the header is, what stands above and below it, and its columns in bulk.

Columns are found by name, never by position; a layout lists the names that a field has in each language.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import pyarrow
import pyarrow.compute as pc
import pyarrow.csv

from unransom.catalog.exports import moments, money
from unransom.catalog.exports.channel import HEAD, Conventions, OddTextError, Source, UnreadableExportError
from unransom.catalog.exports.encodings import Utf8File
from unransom.catalog.exports.layouts import Layout, understood
from unransom.catalog.exports.places import placed
from unransom.catalog.exports.tables import NAME, TEXT, TIME, numbered
from unransom.core.messages import say

BLOCK = 2 << 20  # bytes that are parsed at once: more of them do not stay in the processor's cache
MOST_ODD = 1000  # lines that are no rows
# What a spreadsheet leaves of a number of more than 15 digits.
_EXPONENT = r"^\s*[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}\s*$"
_ZEROS = r"^\s*[0-9]{15}0{2,}\s*$"
_LONG = r"^\s*[0-9]{17,}\s*$"
DIGITS = 15  # of a number that a spreadsheet keeps
FEW = 1000  # rows that mostly show it
ZEROS = 5  # of all different identifiers together: that many are no chance


class Sheet:
    """A table that was read: texts by field, and their values once the file's conventions are proven."""

    def __init__(self, source: Source, layout: Layout) -> None:
        """Read ``source``.

        Raises:
            UnreadableExportError: It is not one table of this layout.
        """
        self.source = source
        self.layout = layout
        self.encoded, self.header = understood(source, layout)
        head = source.reader.read_at(self.encoded.mark, HEAD)
        self.below: list[str] = []
        self.rounded: dict[str, int] = {}  # how many identifiers, by column
        self._start = self.encoded.mark + _start(head, self.encoded.encoding, self.header.line)
        self._table = self._read()
        self.order = moments.DMY
        self.mark = money.POINT
        self.dates = self.decimal = ""

    def _read(self) -> pyarrow.Table:
        wanted = {f"{i}": field for i, field in enumerate(self.header.fields) if field}
        kinds = {name: TEXT if field in self.layout.texts else NAME for name, field in wanted.items()}
        file = Utf8File(self.source, self._start, self.encoded.encoding)
        parsing = pyarrow.csv.ParseOptions(
            delimiter=self.header.delimiter,
            quote_char='"' if self.header.quoted else False,
            newlines_in_values=self.header.quoted,
            invalid_row_handler=self._no_row,
        )
        try:
            with pyarrow.csv.open_csv(
                pyarrow.PythonFile(file, mode="r"),
                pyarrow.csv.ReadOptions(
                    block_size=BLOCK, column_names=[str(i) for i in range(len(self.header.fields))]
                ),
                parsing,
                pyarrow.csv.ConvertOptions(
                    include_columns=list(wanted),
                    column_types=kinds,
                    strings_can_be_null=False,
                    check_utf8=False,  # all bytes were decoded when the encoding was proven
                ),
            ) as batches:
                table = pyarrow.Table.from_batches(list(batches), batches.schema)
        except pyarrow.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                schema = pyarrow.schema(list(kinds.items()))
                return schema.empty_table().rename_columns(list(wanted.values()))
            file.stop()
            raise UnreadableExportError(
                say("it is no table that can be read"),
                detail=str(error)[:200],
                hint=say("a line or a cell may be cut off or far too long; export the file again"),
            ) from error
        pyarrow.default_memory_pool().release_unused()  # parsing took as much again
        return self._unrounded(table.rename_columns(list(wanted.values())))

    def _unrounded(self, table: pyarrow.Table) -> pyarrow.Table:
        """Put the row's number behind identifiers that a spreadsheet has rounded: many may look alike now.

        Those of orders stay: what is left of them names candidates.
        """
        self.rounded.clear()
        for field in (set(self.layout.texts) - set(self.layout.orders)) & set(table.column_names):
            column = table[field]
            if (lost := rounded(column, self.encoded.exponents)) is not None:
                place = table.column_names.index(field)
                rows = numbered(table.num_rows).cast(TEXT)
                told = pc.binary_join_element_wise(pc.ascii_trim_whitespace(column), rows, " #")
                table = table.set_column(place, field, pc.if_else(lost, told, column))
                name = self.header.names[self.header.fields.index(field)]
                self.rounded[name] = pc.sum(lost).as_py()
        return table

    def _no_row(self, row: pyarrow.csv.InvalidRow) -> str:
        """Keep a line that has not the header's columns: a footer, or something that must be told."""
        self.below.append(row.text)
        return "skip" if len(self.below) <= MOST_ODD else "error"

    def assume(self, encoding: str) -> None:
        """Read the rows again in another encoding that all bytes are valid in."""
        self.encoded = self.encoded._replace(encoding=encoding, alternatives=())
        self.below.clear()
        self._table = self._read()

    def placed(self, error: OddTextError) -> UnreadableExportError:
        """Return an error about a cell with the line that it stands in."""
        return placed(error, self.source, self._start, self.encoded.encoding)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self._table.num_rows

    def has(self, field: str) -> bool:
        """Return whether the file has the field's column."""
        return field in self._table.column_names

    def text(self, field: str) -> pyarrow.ChunkedArray:
        """Return the texts of a field, stripped; empty ones where the file has no such column."""
        if not self.has(field):
            return pyarrow.chunked_array([pyarrow.repeat("", self.rows)])
        column = self._table[field]
        if column.type == TEXT:
            # Tabs behind identifiers keep spreadsheets from making numbers of them.
            return pc.ascii_trim_whitespace(column)
        chunks = [
            pyarrow.DictionaryArray.from_arrays(chunk.indices, pc.utf8_trim_whitespace(chunk.dictionary))
            for chunk in column.chunks
        ]
        return pyarrow.chunked_array(chunks, NAME)

    def keep(self, mask: pyarrow.ChunkedArray | pyarrow.Array) -> None:
        """Keep only the rows that ``mask`` says; numbers of rows stay those of the file."""
        if pc.all(mask, min_count=0).as_py():
            return
        if "row" not in self._table.column_names:
            self._table = self._table.append_column("row", numbered(self.rows))
        batches, at = [], 0
        for batch in self._table.to_batches():
            mine = mask.slice(at, batch.num_rows)
            at += batch.num_rows
            batches.append(batch if pc.all(mine, min_count=0).as_py() else _filtered(batch, mine))
        self._table = pyarrow.Table.from_batches(batches, self._table.schema)

    def numbers(self) -> pyarrow.ChunkedArray | None:
        """Return the rows' numbers in the file, None where they are 1, 2, 3, …."""
        return self._table["row"] if "row" in self._table.column_names else None

    def settle(
        self, amounts: Sequence[str], dates: Sequence[str], *, total_decides: bool = False
    ) -> tuple[str, ...]:
        """Prove how the file writes money and dates, by all values of these fields.

        Args:
            amounts: Fields of money; those that the file lacks do not count.
            dates: Fields of times.
            total_decides: The caller has a control total to ask where two decimal marks fit.

        Returns:
            The decimal marks that fit: two where only a control total can tell.

        Raises:
            AmbiguousExportError: Two readings fit, and nothing tells which is meant.
        """
        reading = self.source.reading
        there = [field for field in amounts if self.has(field)]
        self._share_texts(there)
        self.amounts = money.distinct(self._table[field] for field in there)
        self.marks = money.marks_of(self.amounts, reading.decimal)
        if len(self.marks) == 2 and self._without_cents():
            self.marks = money.whole(self.amounts, self.marks)
        if len(self.marks) == 2 and not total_decides:
            raise money.ambiguous(self.source.name, self.amounts)
        self.mark = self.marks[0]
        if any("," in text or "." in text for text in self.amounts.to_pylist()):
            self.decimal = self.mark
        self._settle_dates([field for field in dates if self.has(field)])
        return self.marks

    def _share_texts(self, fields: Sequence[str]) -> None:
        """Let the pieces of a column have their different texts in common: each is converted only once."""
        for field in fields:
            place = self._table.column_names.index(field)
            column = self._table.column(place)
            if column.num_chunks > 1:
                self._table = self._table.set_column(place, field, column.unify_dictionaries())

    def _without_cents(self) -> bool:
        """Return whether all currencies that the file names are used without cents."""
        named = set(pc.unique(self.text("currency").cast("string")).to_pylist()) - {"", None}
        return bool(named) and named <= money.WHOLE

    def _settle_dates(self, fields: list[str]) -> None:
        """Take the order of day and month that fits all dates of all columns."""
        found = {
            field: money.distinct([_dictionary(self._table[field])])
            for field in fields
            if moments.may_be_numeric(self._table[field])
        }
        fits = {field: moments.orders_of(texts) for field, texts in found.items()}
        fits = {field: orders for field, orders in fits.items() if orders}
        if not fits:
            return
        common = set.intersection(*map(set, fits.values()))
        if len(common) != 1 and (wanted := self.source.reading.dates) in {moments.DMY, moments.MDY}:
            common = {wanted}
        if len(common) != 1:
            common = next((set(each) for field in fits if len(each := self._by_sequence(field)) == 1), common)
        if len(common) != 1:
            raise moments.ambiguous(self.source.name, found[next(iter(fits))][0].as_py())
        self.order = self.dates = common.pop()

    def _by_sequence(self, field: str) -> tuple[str, ...]:
        """Return the orders of day and month in which the file's rows are sorted by time."""
        sorted_in = []
        for order in (moments.DMY, moments.MDY):
            times = pc.cast(self._moments(field, order).drop_null(), pyarrow.int64()).to_numpy()
            steps = times[1:] - times[:-1]
            if (steps >= 0).all() or (steps <= 0).all():
                sorted_in.append(order)
        return tuple(sorted_in) if len(sorted_in) == 1 else (moments.DMY, moments.MDY)

    def _moments(self, field: str, order: str) -> pyarrow.ChunkedArray:
        column = _dictionary(self._table[field])
        chunks = [
            moments.to_moments(chunk.dictionary, order).times.take(chunk.indices) for chunk in column.chunks
        ]
        return pyarrow.chunked_array(chunks, TIME)

    def decide(self, holds: bool, otherwise: bool) -> None:
        """Settle the decimal mark by a control total that holds with one mark and not with the other.

        Raises:
            AmbiguousExportError: It holds with both, or with none.
        """
        if holds == otherwise:
            raise money.ambiguous(self.source.name, self.amounts)
        self.mark = self.decimal = self.marks[0] if holds else self.marks[1]

    def money(self, field: str, mark: str = "") -> pyarrow.ChunkedArray:
        """Return a field's amounts in units; nulls where the file has no such column or the cell is empty."""
        if not self.has(field):
            return pyarrow.chunked_array([pyarrow.nulls(self.rows, pyarrow.int64())])
        return money.column_units(self._table[field], mark or self.mark)

    def time(self, field: str, zone: str = "UTC") -> tuple[pyarrow.ChunkedArray, int, bool]:
        """Return a field's times in UTC, their precision in seconds, and whether the file names the zone."""
        if not self.has(field):
            return pyarrow.chunked_array([pyarrow.nulls(self.rows, TIME)]), 1, True
        return times_of(self._table[field], self.order, self.source.reading.zone or zone)

    def conventions(self, zone: str = "UTC", precision: int = 1) -> Conventions:
        """Return what was proven of the file."""
        return Conventions(
            encoding=self.encoded.encoding,
            delimiter=self.header.delimiter,
            decimal=self.decimal,
            dates=self.dates,
            zone=zone,
            precision=precision,
        )


def rounded(column: pyarrow.ChunkedArray, exponents: bool) -> pyarrow.ChunkedArray | None:
    """Return which identifiers a spreadsheet took for numbers and rounded, None where it did with none.

    Args:
        column: Identifiers.
        exponents: Whether any number of the file may have one.
    """
    masks = [pc.match_substring_regex(column, _EXPONENT)] if exponents else []
    if _zeros(column) >= ZEROS and not _keeps_digits(column):
        masks.append(pc.match_substring_regex(column, _ZEROS))
    found = reduce(pc.or_, masks) if masks else None
    return found if found is not None and pc.any(found).as_py() else None


def _zeros(column: pyarrow.ChunkedArray) -> int:
    """Return how many zeros stand where a spreadsheet keeps no digits, in all different identifiers."""
    if (pc.max(pc.binary_length(column)).as_py() or 0) <= DIGITS:
        return 0
    likely = column.filter(pc.and_(pc.ends_with(column, "00"), pc.greater(pc.binary_length(column), DIGITS)))
    different = likely.filter(pc.match_substring_regex(likely, _ZEROS)).unique()
    zeros = pc.subtract(pc.binary_length(pc.ascii_trim_whitespace(different)), DIGITS)
    return pc.sum(zeros).as_py() or 0


def _keeps_digits(column: pyarrow.ChunkedArray) -> bool:
    """Return whether a long number is there as it was: a spreadsheet rounds all of a column."""
    for part in (column.slice(0, FEW), column):
        kept = pc.and_not(pc.match_substring_regex(part, _LONG), pc.match_substring_regex(part, _ZEROS))
        if pc.any(kept, min_count=0).as_py():
            return True
    return False


def _filtered(batch: pyarrow.RecordBatch, mask: pyarrow.ChunkedArray | pyarrow.Array) -> pyarrow.RecordBatch:
    """Return the rows that ``mask`` says; what only the others have is in no dictionary any more."""
    if isinstance(mask, pyarrow.ChunkedArray):
        mask = mask.combine_chunks()
    left = batch.filter(mask)
    columns = [
        column.dictionary_decode().dictionary_encode() if column.type == NAME else column
        for column in left.columns
    ]
    return pyarrow.RecordBatch.from_arrays(columns, schema=batch.schema)


def times_of(
    column: pyarrow.ChunkedArray, order: str = moments.DMY, zone: str = "UTC"
) -> tuple[pyarrow.ChunkedArray, int, bool]:
    """Return a column of texts as times in UTC, their precision, and whether all of them name a zone."""
    found, chunks = [], []
    for chunk in column.chunks:
        plain = pyarrow.types.is_string(chunk.type)
        if plain and (times := moments.plain(chunk)) is not None:
            chunks.append(times)
            continue
        chunk = pc.dictionary_encode(chunk) if plain else chunk  # noqa: PLW2901
        found.append(moments.to_moments(chunk.dictionary, order, zone))
        chunks.append(found[-1].times.take(chunk.indices))
    precision = max((each.precision for each in found), default=1)
    return pyarrow.chunked_array(chunks, TIME), precision, all(each.zoned for each in found)


def _dictionary(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    if column.type == NAME:
        return column
    chunks = [pc.dictionary_encode(chunk) for chunk in column.chunks]
    return pyarrow.chunked_array(chunks, NAME)


def _start(head: bytes, encoding: str, lines: int) -> int:
    """Return the offset in ``head`` of what follows line ``lines``, counted from 0."""
    newline = "\n".encode(encoding)
    at = 0
    for _ in range(lines + 1):
        found = head.find(newline, at)
        if found < 0:
            return len(head)
        at = found + len(newline)
    return at
