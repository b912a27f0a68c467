"""Sheets of xlsx workbooks as rows of text: values only, formulas are never computed.

A date is a number of days that a format shows as one; it comes as ISO 8601 writes it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import IO, NamedTuple, cast
from xml.etree.ElementTree import Element

import msgspec

from unransom.catalog.exports.channel import AmbiguousExportError, Source, UnreadableExportError
from unransom.catalog.exports.containers import DAMAGES, ReaderFile
from unransom.catalog.exports.moments import DAY
from unransom.catalog.exports.resaved import trimmed
from unransom.catalog.exports.trees import elements
from unransom.core.messages import say
from unransom.core.streams import CHUNK, BytesReader, Reader

LARGEST = 1 << 30  # bytes of one part, unpacked
MOST_COLUMNS = 16_384  # that a sheet can have
MOST_CELLS = 20_000_000  # that are given, with the empty ones in front of others
MOST_PLACES = 30  # of a number that is written out
MONTHS = 12
AS_SHOWN, EXCHANGED = "ymd", "ydm"  # what the user may say about dates that a spreadsheet made
DIGITS = 15  # that a number has in a workbook; what is written beyond them is noise
DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})  # formats by number
EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 a sheet knows no zone
LATEST = 2_958_466  # days: the year 10000
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')  # of a format: text, and colours or conditions
# Of a format that shows money: its sign, in brackets, in quotation marks, or as it is.
_CURRENCY = re.compile(r'\[\$([^-\]]+)(?:-[^\]]*)?\]|"\s*([^"\w\s]|[A-Z]{3})\s*"|([$€£¥₩₹₽₺₴₫฿])')
_CELL = re.compile(r"([A-Z]{1,3})[0-9]+")


class Days:
    """What a spreadsheet made dates of, by column: it may have taken the day for the month."""

    def __init__(self, exchange: bool = False) -> None:
        """Exchange the two in each date where ``exchange`` says that they were."""
        self.found: dict[int, set[date]] = defaultdict(set)
        self._exchange = exchange

    def seen(self, place: int, moment: datetime) -> datetime:
        """Return the moment of a cell in the column ``place``."""
        if self._exchange and moment.day <= MONTHS:
            moment = moment.replace(month=moment.day, day=moment.month)
        self.found[place].add(moment.date())
        return moment

    def odd(self) -> date | None:
        """Return a date of a column whose dates come far closer together with day and month exchanged."""
        for days in self.found.values():
            if all(day.day <= MONTHS for day in days):
                others = {day.replace(month=day.day, day=day.month) for day in days}
                if max(others) - min(others) < max(days) - min(days):
                    return min(days)
        return None


def sheet_rows(
    reader: Reader, sheet: int = 1, *, shown: bool = False, days: Days | None = None
) -> Iterator[list[str]]:
    """Yield the rows of a sheet; an empty cell is "".

    Args:
        reader: The workbook.
        sheet: Its number, from 1, in the order in which the file names them.
        shown: Numbers as a sheet shows them: with the sign of a currency, and an exponent if digits are lost.
        days: Told each date.

    Raises:
        UnreadableExportError: It is no workbook, or is damaged.
    """
    try:
        with zipfile.ZipFile(cast("IO[bytes]", ReaderFile(reader))) as archive:
            names = sorted(
                (
                    name
                    for name in archive.namelist()
                    if re.fullmatch(r"xl/worksheets/sheet[0-9]+\.xml", name)
                ),
                key=lambda name: int(re.sub(r"\D", "", name)),
            )
            if not 1 <= sheet <= len(names):
                raise UnreadableExportError(say("the workbook has no sheet {number}", number=sheet))
            epoch = EPOCHS[_since_1904(archive)]
            reading = _Reading(_shared(archive), _styles(archive), epoch, shown, days or Days())
            given = 0
            for row in _elements(archive, names[sheet - 1], "row"):
                cells = _row(row, reading)
                given += len(cells)
                if given > MOST_CELLS:
                    raise UnreadableExportError(say("the workbook has more cells than a table can have"))
                yield cells
    except (*DAMAGES, KeyError) as error:
        raise UnreadableExportError(say("the workbook is damaged"), detail=str(error)[:200]) from error


def is_workbook(reader: Reader) -> bool:
    """Return whether a file is an xlsx workbook, which is a zip with certain members."""
    if reader.read_at(0, 4) != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(cast("IO[bytes]", ReaderFile(reader))) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except DAMAGES:
        return False


def as_table(source: Source) -> Source:
    """Return the first sheet of a workbook as the table of text that it was before it was saved so.

    Raises:
        UnreadableExportError: It is no workbook, or is damaged.
        AmbiguousExportError: Its dates may have day and month exchanged.
    """
    days = Days(source.reading.dates == EXCHANGED)
    rows = list(sheet_rows(source.reader, shown=True, days=days))
    if source.reading.dates not in {AS_SHOWN, EXCHANGED} and (odd := days.odd()):
        raise AmbiguousExportError(
            say(
                "{file}: a spreadsheet may have taken the day for the month in {date}",
                file=source.name,
                date=str(odd),
            ),
            hint=say("say --dates ymd if its dates are right, --dates ydm if they are exchanged"),
        )
    width = max(map(len, rows), default=0)
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return msgspec.structs.replace(source, reader=BytesReader(trimmed(text.getvalue().encode(), b",")))


class _Reading(NamedTuple):
    """What cells are read by: texts by number, what styles show, and the day that counts as 0."""

    shared: list[str]
    styles: list[_Style]
    epoch: datetime
    shown: bool
    days: Days


class _Style(NamedTuple):
    """What a style makes of a number: a date, or an amount with a sign in front of it."""

    is_date: bool = False
    currency: str = ""


def _styles(archive: zipfile.ZipFile) -> list[_Style]:
    """Return what each style shows."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    formats, styles = {number: _Style(is_date=True) for number in map(str, DATES)}, []
    for element in _elements(archive, "xl/styles.xml", "numFmt", "cellXfs"):
        if element.tag == "numFmt":
            code = element.get("formatCode", "")
            plain = _QUOTED.sub("", code).lower()
            found = _CURRENCY.search(code)
            sign = next(filter(None, found.groups())) if found else ""
            is_date = any(mark in plain for mark in "ymdh")
            formats[element.get("numFmtId", "")] = _Style(is_date, f"{sign} " if sign.isalpha() else sign)
        else:
            styles = [each.get("numFmtId", "") for each in element]
    return [formats.get(style, _Style()) for style in styles]


def _since_1904(archive: zipfile.ZipFile) -> bool:
    if "xl/workbook.xml" not in archive.namelist():
        return False
    found = _elements(archive, "xl/workbook.xml", "workbookPr")
    return any(element.get("date1904") in {"1", "true"} for element in found)


def _shared(archive: zipfile.ZipFile) -> list[str]:
    """Return the texts that cells name by number."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _elements(archive, "xl/sharedStrings.xml", "si")]


def _elements(archive: zipfile.ZipFile, part: str, *wanted: str) -> Iterator[Element]:
    """Yield the elements of a name one by one; see ``elements``."""
    with archive.open(part) as file:
        yield from elements(_pieces(file), frozenset(wanted))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    size = 0
    while piece := file.read(CHUNK):
        size += len(piece)
        if size > LARGEST:
            raise UnreadableExportError(say("the workbook is damaged"))
        yield piece


def _row(row: Element, reading: _Reading) -> list[str]:
    cells: list[str] = []
    for cell in row:
        found = _CELL.fullmatch(cell.get("r", ""))
        place = _column(found[1]) if found else len(cells)
        if place >= MOST_COLUMNS:
            raise UnreadableExportError(say("the workbook is damaged"))
        cells += [""] * (place - len(cells) + 1)
        cells[place] = _value(cell, reading, place)
    return cells


def _column(letters: str) -> int:
    """Return the number of a column from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: Element, reading: _Reading, place: int) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = next((each.text or "" for each in cell if each.tag == "v"), "")
    if kind == "s":
        return reading.shared[int(value)] if value.isdigit() and int(value) < len(reading.shared) else ""
    if kind != "n" or not value:
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    number_of_style = cell.get("s", "0")
    known = number_of_style.isdigit() and int(number_of_style) < len(reading.styles)
    style = reading.styles[int(number_of_style)] if known else _Style()
    if style.is_date and 0 <= number < LATEST:
        return _moment(number, reading, place)
    if not reading.shown:
        return _number(value, number)
    return _exponent(number) or style.currency + _number(value, number)


def _moment(days: Decimal, reading: _Reading, place: int) -> str:
    """Return a date, with the time of day where it has one."""
    if days < 1:
        return str((reading.epoch + timedelta(seconds=round(days * DAY))).time())
    exact = reading.epoch + timedelta(days=int(days), seconds=round(days % 1 * DAY))
    moment = reading.days.seen(place, exact)
    return str(moment if moment.time() != time.min else moment.date())


def _exponent(number: Decimal) -> str:
    """Return a number of more digits than a workbook keeps as it is shown; "" for any other."""
    lost = number.is_finite() and number.adjusted() >= DIGITS
    return f"{Context(prec=DIGITS).create_decimal(number).normalize():E}" if lost else ""


def _number(value: str, number: Decimal) -> str:
    """Return a number without an exponent and without the noise of its binary form."""
    if value.isdigit() or not number.is_finite() or abs(number.adjusted()) > MOST_PLACES:
        return value
    rounded = Context(prec=DIGITS).create_decimal(number)
    return f"{rounded.normalize():f}"


def _text(element: Element) -> str:
    return "".join(each.text or "" for each in element.iter() if each.tag == "t")
