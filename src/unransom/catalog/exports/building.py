"""From a sheet's columns to an export: what every tabular channel does in the same way."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.channel import (
    Channel,
    Ends,
    Export,
    OddTextError,
    Source,
    UnreadableExportError,
)
from unransom.catalog.exports.delimited import Sheet, rounded
from unransom.catalog.exports.layouts import Layout, recognise
from unransom.catalog.exports.tables import MOVES, NAME, SALES, SCALE, Columns, numbered, table
from unransom.core.messages import Message, say
from unransom.core.orders import ControlTotal

Column: TypeAlias = pyarrow.ChunkedArray
WIDEST = 2  # cells of a line below a table
_ASIDE = (
    "#",
    *(f"{quote}{mark}" for quote in ("", '"') for mark in ("SF", "SC", "RF", "RC", "FF", "SH", "FH", "CH")),
)
MOST_PAIRS = 10_000  # of names that are put together beforehand
MOST_BREAKS = 20  # of a chain that are told one by one
SHANGHAI = "Asia/Shanghai"


class Tabular:
    """A tabular channel: its layout and what makes an export of its sheet, as ``recognise`` and ``read``."""

    def __init__(self, layout: Layout, convert: Callable[[Sheet], Export]) -> None:
        self._layout = layout
        self._convert = convert

    def recognise(self, head: bytes) -> int:
        """Return how many columns of the layout are there, 0 where it is not this channel's."""
        return recognise(head, self._layout)

    def read(self, source: Source) -> Export:
        """Read the export."""
        sheet = Sheet(source, self._layout)
        try:
            return self._convert(sheet)
        except OddTextError as error:
            raise sheet.placed(error) from error


def tabular(layout: Layout, convert: Callable[[Sheet], Export], **about: object) -> Channel:
    """Return the channel of a layout; ``about`` are the fields of ``Channel`` that are not functions."""
    channel = Tabular(layout, convert)
    return Channel(recognise=channel.recognise, read=channel.read, **about)  # type: ignore[arg-type]


def export(
    sheet: Sheet,
    channel: str,
    realm: str,
    *,
    sales: Columns | None = None,
    moves: Columns | None = None,
    zone: str = "UTC",
    precision: int = 1,
    **about: Any,
) -> Export:
    """Return the export that a sheet's columns make; the name of the user's shop wins over the file's.

    Args:
        sheet: What was read.
        channel: Name of the channel.
        realm: Of the channel.
        sales: Columns of ``SALES``, None where the file has no orders.
        moves: Columns of ``MOVES``, None where it has no movements of money.
        zone: How times were read that name no zone.
        precision: Of the times, in seconds.
        about: The other fields of ``Export``, as far as the file tells them.

    Raises:
        UnreadableExportError: Its orders cannot be told apart.
    """
    if sales and (lost := rounded(sales["order_id"], sheet.encoded.exponents)) is not None:
        raise UnreadableExportError(
            say("a spreadsheet has rounded {count} identifiers of orders", count=pc.sum(lost).as_py()),
            hint=say("export the file again, and read it without saving it in a spreadsheet"),
        )
    shop = sheet.source.reading.shop
    numbers = {"row": sheet.numbers()}
    sold = {**numbers, **(sales or {}), **({"shop": shop} if shop else {})}
    moved = {**numbers, **(moves or {}), **({"account": shop} if shop else {})}
    notes = [*about.get("notes", ())]
    if sheet.below and not about.get("totals"):
        notes.append(say("{count} lines of it are no rows", count=len(sheet.below)))
    notes += [
        say(
            "a spreadsheet has rounded {count} identifiers in {column}: nothing joins by them",
            count=lost,
            column=name,
        )
        for name, lost in sheet.rounded.items()
    ]
    about["notes"] = tuple(notes)
    about["totals"] = (*about.get("totals", ()), *_cut(sheet))
    if shop:
        about["account"] = shop
    return Export(
        name=sheet.source.name,
        channel=channel,
        realm=realm,
        conventions=sheet.conventions(zone, precision),
        sales=table(SALES, sold, sheet.rows if sales is not None else 0) if sales else SALES.empty_table(),
        moves=table(MOVES, moved, sheet.rows if moves is not None else 0) if moves else MOVES.empty_table(),
        sha256=sheet.encoded.sha256,
        **about,
    )


def _cut(sheet: Sheet) -> list[ControlTotal]:
    """Return the total of whole rows, if some are not: what stands below a table is never so wide."""
    torn = [
        line
        for line in sheet.below
        if sum(map(bool, line.split(sheet.header.delimiter))) > WIDEST and not line.startswith(_ASIDE)
    ]
    whole = Decimal(sheet.rows)
    return [ControlTotal(say("rows that have all columns"), whole + len(torn), whole)] if torn else []


def mapped(column: Column, choose: Callable[[str], str]) -> Column:
    """Return a column of names with each different one replaced by what ``choose`` makes of it."""
    chunks = []
    for chunk in names(column).chunks:
        chosen = pc.dictionary_encode(
            pyarrow.array([choose(name or "") for name in chunk.dictionary.to_pylist()], "string")
        )
        chunks.append(
            pyarrow.DictionaryArray.from_arrays(chosen.indices.take(chunk.indices), chosen.dictionary)
        )
    return pyarrow.chunked_array(chunks, NAME)


def names(column: Column) -> Column:
    """Return a column of texts as one of names."""
    if column.type == NAME:
        return column
    return pyarrow.chunked_array([pc.dictionary_encode(chunk) for chunk in column.chunks], NAME)


def joined(*columns: Column, separator: str = "\t") -> Column:
    """Return the texts of columns behind each other, as a column of names.

    Of columns of names the different pairs are put together, not the rows.
    """
    left = names(columns[0])
    for column in columns[1:]:
        right = names(column)
        if not _alike(left, right):
            texts = (pc.fill_null(each.cast("string"), "") for each in (left, right))
            left = names(pc.binary_join_element_wise(*texts, separator))
            continue
        pairs = [_paired(*chunks, separator) for chunks in zip(left.chunks, right.chunks, strict=True)]
        left = pyarrow.chunked_array(pairs, NAME)
    return left


def _alike(left: Column, right: Column) -> bool:
    """Return whether two columns of names are cut alike and have few names enough to pair them all."""
    return len(left.chunks) == len(right.chunks) and all(
        len(one) == len(other)
        and len(one.dictionary) * len(other.dictionary) <= MOST_PAIRS
        and not one.null_count
        and not other.null_count
        for one, other in zip(left.chunks, right.chunks, strict=True)
    )


def _paired(one: pyarrow.DictionaryArray, other: pyarrow.DictionaryArray, separator: str) -> pyarrow.Array:
    texts = [
        left + separator + right
        for left in one.dictionary.to_pylist()
        for right in other.dictionary.to_pylist()
    ]
    width = pyarrow.scalar(len(other.dictionary), pyarrow.int32())
    places = pc.add(pc.multiply(one.indices, width), other.indices)
    distinct = pc.dictionary_encode(pyarrow.array(texts, "string"))
    return pyarrow.DictionaryArray.from_arrays(distinct.indices.take(places), distinct.dictionary)


def whole_number(column: Column, otherwise: int | None = None) -> Column:
    """Return texts as int32; what is no whole number becomes ``otherwise``."""
    chunks = []
    for chunk in names(column).chunks:
        whole = pc.match_substring_regex(chunk.dictionary, "^[0-9]{1,9}$")
        numbers = pc.if_else(whole, chunk.dictionary, "0").cast("int32")
        numbers = pc.if_else(whole, numbers, pyarrow.scalar(otherwise, pyarrow.int32()))
        chunks.append(numbers.take(chunk.indices))
    return pyarrow.chunked_array(chunks, pyarrow.int32())


def present(column: Column) -> Column:
    """Return for each row whether it has a text there."""
    if column.type == NAME:
        chunks = [
            pc.fill_null(pc.not_equal(chunk.dictionary, "").take(chunk.indices), False)
            for chunk in column.chunks
        ]
        return pyarrow.chunked_array(chunks, pyarrow.bool_())
    return pc.fill_null(pc.not_equal(column, ""), False)


def at(column: Column, mask: Column) -> Decimal:
    """Return the sum of a column of units where ``mask`` is true, as an amount."""
    return Decimal(pc.sum(column.filter(mask), min_count=0).as_py() or 0).scaleb(-SCALE)


def count(mask: Column) -> Decimal:
    """Return how often ``mask`` is true."""
    return Decimal(pc.sum(mask, min_count=0).as_py() or 0)


def identity(what: Message, left: Column, right: Column, numbers: Column | None = None) -> list[ControlTotal]:
    """Return the total of an equation that each row keeps: how many rows do, then the first that do not.

    Args:
        what: The equation, for people.
        left: Units; a row with a null on either side does not count.
        right: Units, what ``left`` should be.
        numbers: Of the rows in the file, None where they are 1, 2, 3, ….
    """
    both = pc.and_(pc.is_valid(left), pc.is_valid(right))
    broken = pc.fill_null(pc.and_(both, pc.not_equal(left, right)), False)
    rows = count(both)
    totals = [ControlTotal(what, rows, rows - count(broken))] if rows else []
    for index in pc.indices_nonzero(broken)[:MOST_BREAKS].to_pylist():
        row = numbers[index].as_py() if numbers is not None else index + 1
        stated, found = (Decimal(side[index].as_py()).scaleb(-SCALE) for side in (right, left))
        totals.append(ControlTotal(what, stated, found, row))
    return totals


def usual(found: list[ControlTotal]) -> list[ControlTotal]:
    """Return what ``identity`` found where half of the rows or more show that the file keeps the equation."""
    return found if found and found[0].found * 2 >= found[0].stated else []


def chain(currency: Column, change: Column, balance: Column, numbers: Column | None) -> list[ControlTotal]:
    """Return the totals of a running balance: each row's is the one before it and the change.

    Files run forwards or backwards in time; the direction is the one in which more links hold.

    Args:
        currency: Of each row; each has a chain of its own.
        change: Units; a row with a null here or in the balance is no link.
        balance: Units, behind the change.
        numbers: Of the rows in the file, None where they are 1, 2, 3, ….
    """
    totals = []
    there = pc.and_(pc.is_valid(change), pc.is_valid(balance))
    rows = numbers if numbers is not None else numbered(len(change))
    for name in pc.unique(currency.cast("string")).to_pylist():
        mask = pc.fill_null(pc.and_(there, pc.equal(currency.cast("string"), name)), False)
        steps, levels, places = (
            np.asarray(column.filter(mask).to_numpy()) for column in (change, balance, rows)
        )
        if len(levels) < 2:
            continue
        forwards = levels[:-1] + steps[1:] == levels[1:]
        backwards = levels[1:] + steps[:-1] == levels[:-1]
        onward = forwards.sum() >= backwards.sum()
        holds = forwards if onward else backwards
        what = say("balance chain in {currency}", currency=name or "-")
        totals.append(ControlTotal(what, Decimal(len(holds)), Decimal(int(holds.sum()))))
        for link in np.flatnonzero(~holds)[:MOST_BREAKS]:
            wanted = levels[link] + steps[link + 1] if onward else levels[link + 1] + steps[link]
            there_is = levels[link + 1] if onward else levels[link]
            stated, found = (Decimal(int(units)).scaleb(-SCALE) for units in (wanted, there_is))
            totals.append(ControlTotal(what, stated, found, int(places[link + 1])))
    return totals


def ends(currency: Column, change: Column, balance: Column, time: Column) -> tuple[Ends, ...]:
    """Return where the running balances of a file begin and end; see ``chain``.

    Args:
        currency: Of each row.
        change: Units; a row with a null here or in the balance is no link.
        balance: Units, behind the change.
        time: Of each row, microseconds since 1970 UTC; the file runs forwards or backwards.
    """
    found = []
    moments = time.cast(pyarrow.int64())
    there = pc.and_(pc.and_(pc.is_valid(change), pc.is_valid(balance)), pc.is_valid(moments))
    for name in pc.unique(currency.cast("string")).to_pylist():
        mask = pc.fill_null(pc.and_(there, pc.equal(currency.cast("string"), name)), False)
        steps, levels, times = (column.filter(mask) for column in (change, balance, moments))
        if not len(levels):
            continue
        first, last = (0, -1) if times[0].as_py() <= times[-1].as_py() else (-1, 0)
        opening = levels[first].as_py() - steps[first].as_py()
        found.append(
            Ends(name or "", opening, levels[last].as_py(), times[first].as_py(), times[last].as_py())
        )
    return tuple(found)
