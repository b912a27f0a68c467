"""Sheets of xlsx workbooks as rows of text: values only, formulas are never computed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO, cast
from xml.etree.ElementTree import Element

from unransom.catalog.exports.channel import UnreadableExportError
from unransom.catalog.exports.containers import DAMAGES, ReaderFile
from unransom.catalog.exports.trees import elements
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

LARGEST = 1 << 30  # bytes of one part, unpacked
MOST_COLUMNS = 16_384  # that a sheet can have
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
            shared = _shared(archive)
            for row in _elements(archive, names[sheet - 1], "row"):
                yield _row(row, shared)
    except (*DAMAGES, KeyError) as error:
        raise UnreadableExportError(say("the workbook is damaged"), detail=str(error)[:200]) from error


def _shared(archive: zipfile.ZipFile) -> list[str]:
    """Return the texts that cells name by number."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _elements(archive, "xl/sharedStrings.xml", "si")]


def _elements(archive: zipfile.ZipFile, part: str, wanted: str) -> Iterator[Element]:
    """Yield the elements of a name one by one; see ``elements``."""
    with archive.open(part) as file:
        yield from elements(_pieces(file), frozenset({wanted}))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    size = 0
    while piece := file.read(CHUNK):
        size += len(piece)
        if size > LARGEST:
            raise UnreadableExportError(say("the workbook is damaged"))
        yield piece


def _row(row: Element, shared: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        found = _CELL.fullmatch(cell.get("r", ""))
        place = _column(found[1]) if found else len(cells)
        if place >= MOST_COLUMNS:
            raise UnreadableExportError(say("the workbook is damaged"))
        cells += [""] * (place - len(cells) + 1)
        cells[place] = _value(cell, shared)
    return cells


def _column(letters: str) -> int:
    """Return the number of a column from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return _text(cell)
    value = next((each.text or "" for each in cell if each.tag == "v"), "")
    if cell.get("t") == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    return value


def _text(element: Element) -> str:
    return "".join(each.text or "" for each in element.iter() if each.tag == "t")
