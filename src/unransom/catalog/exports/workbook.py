"""Sheets of xlsx workbooks as rows of text: values only, formulas are never computed.

A date is a number of days that a format shows as one; it comes as ISO 8601 writes it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import IO, NamedTuple, cast
from xml.etree.ElementTree import Element

import msgspec

from unransom.catalog.exports.channel import Source, UnreadableExportError
from unransom.catalog.exports.containers import DAMAGES, ReaderFile
from unransom.catalog.exports.moments import DAY
from unransom.catalog.exports.trees import elements
from unransom.core.messages import say
from unransom.core.streams import CHUNK, BytesReader, Reader

LARGEST = 1 << 30  # bytes of one part, unpacked
MOST_COLUMNS = 16_384  # that a sheet can have
MOST_CELLS = 20_000_000  # that are given, with the empty ones in front of others
MOST_PLACES = 30  # of a number that is written out
FEW_CELLS = 2  # of a line above or below a table
DIGITS = 15  # that a number has in a workbook; what is written beyond them is noise
DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})  # formats by number
EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 a sheet knows no zone
LATEST = 2_958_466  # days: the year 10000
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')  # of a format: text, and colours or conditions
_CELL = re.compile(r"([A-Z]{1,3})[0-9]+")


def sheet_rows(reader: Reader, sheet: int = 1) -> Iterator[list[str]]:
    """Yield the rows of a sheet; an empty cell is "".

    Args:
        reader: The workbook.
        sheet: Its number, from 1, in the order in which the file names them.

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
            reading = _Reading(_shared(archive), _dates(archive), EPOCHS[_since_1904(archive)])
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
    """
    rows = list(sheet_rows(source.reader))
    width = max(map(len, rows), default=0)
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    for row in rows:
        # What stands above and below a table has few cells; all of the table's rows have its columns.
        filled = sum(map(bool, row))
        lines.writerow([*row, *[""] * (width - len(row))] if filled > FEW_CELLS else row)
    return msgspec.structs.replace(source, reader=BytesReader(text.getvalue().encode()))


class _Reading(NamedTuple):
    """What cells are read by: texts by number, whether a style is a date's, and the day that counts as 0."""

    shared: list[str]
    dates: list[bool]
    epoch: datetime


def _dates(archive: zipfile.ZipFile) -> list[bool]:
    """Return for each style whether it shows numbers as dates."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    formats, styles = {}, []
    for element in _elements(archive, "xl/styles.xml", "numFmt", "cellXfs"):
        if element.tag == "numFmt":
            code = _QUOTED.sub("", element.get("formatCode", "")).lower()
            formats[element.get("numFmtId")] = any(mark in code for mark in "ymdh")
        else:
            styles = [each.get("numFmtId", "") for each in element]
    return [formats.get(style, style.isdigit() and int(style) in DATES) for style in styles]


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
        cells[place] = _value(cell, reading)
    return cells


def _column(letters: str) -> int:
    """Return the number of a column from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: Element, reading: _Reading) -> str:
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
    style = cell.get("s", "0")
    is_date = style.isdigit() and int(style) < len(reading.dates) and reading.dates[int(style)]
    return _moment(number, reading.epoch) if is_date and 0 <= number < LATEST else _number(value, number)


def _moment(days: Decimal, epoch: datetime) -> str:
    """Return a date, with the time of day where it has one."""
    if days < 1:
        return str((epoch + timedelta(seconds=round(days * DAY))).time())
    moment = epoch + timedelta(days=int(days), seconds=round(days % 1 * DAY))
    return str(moment if moment.time() != time.min else moment.date())


def _number(value: str, number: Decimal) -> str:
    """Return a number without an exponent and without the noise of its binary form."""
    if value.isdigit() or not number.is_finite() or abs(number.adjusted()) > MOST_PLACES:
        return value
    rounded = Context(prec=DIGITS).create_decimal(number)
    return f"{rounded.normalize():f}"


def _text(element: Element) -> str:
    return "".join(each.text or "" for each in element.iter() if each.tag == "t")
