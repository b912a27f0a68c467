"""The parts of a workbook that hold cells: sheets and shared texts, cut off where they are damaged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec

from unransom.catalog.formats.repair._skeleton import column_of, letters_of

MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CELL = re.compile(rb'<c\b(?=[^<>]*?\br="([A-Z]{1,3})(\d{1,7})")([^<>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
VALUE = re.compile(rb"<v\b[^<>]*>(.*?)</v>", re.DOTALL)
KIND = re.compile(rb'<c\b[^<>]*?\bt="([^"]*)"')
NUMBER = re.compile(rb"\s*(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)?\s*")
DOUBTED = (
    1 << 16
)  # bytes in front of a hole whose cells are looked at closely: random ones may look like cells
ROW_END = re.compile(rb"</row>|<row\b[^<>]*/>")
SHARED = re.compile(rb'<c\b(?=[^<>]*?\bt="s")(?=[^<>]*?\br="([A-Z]{1,3}\d{1,7})")[^<>]*>\s*<v>(\d{1,9})</v>')
STYLE = re.compile(rb'<(?:c|row|col)\b[^<>]*?\b(?:s|style)="(\d{1,5})"')
DIMENSION = re.compile(rb'<dimension\b[^<>]*\bref="(?:[A-Z]{1,3}\d{1,7}:)?([A-Z]{1,3})(\d{1,7})"')
TEXT_END = re.compile(rb"</si>|<si\s*/>")
UNIQUE = re.compile(rb'<sst\b[^<>]*\buniqueCount="(\d{1,9})"')
SHEET_START = b'<worksheet xmlns="' + MAIN + b'"><sheetData>'
SHEET_END = b"</sheetData></worksheet>"
EMPTY = SHEET_START + SHEET_END
ROWS = 1 << 20
TEXTS = 1 << 22  # shared texts at most: what is named for lost ones must not fill the memory


class Sheet(msgspec.Struct, frozen=True):
    """A damaged sheet as far as it goes.

    Attributes:
        data: It as a part that is whole.
        cells: How many cells it has.
        row: The last row that something is left of, 0 for none.
        column: The last cell of it, "" for none.
        columns: The last column that the sheet says it has, "" where that is lost.
        rows: And the last row, 0 where that is lost.
    """

    data: bytes
    cells: int
    row: int
    column: str
    columns: str
    rows: int

    def lost(self) -> list[str]:
        """Return the ranges of cells that are lost."""
        if not self.rows:
            return [f"{self.row + 1}:…"]
        ranges = []
        if self.row and self.column != self.columns:
            ranges.append(f"{following(self.column)}{self.row}:{self.columns}{self.row}")
        if self.row < self.rows:
            ranges.append(f"A{self.row + 1}:{self.columns}{self.rows}")
        return ranges


def following(column: str) -> str:
    """Return the column behind ``column``."""
    return letters_of(column_of(column.encode()) + 1)


def is_cell(element: bytes) -> bool:
    """Return whether a cell is one XML element that is whole, with a number where it says so."""
    value = VALUE.search(element)
    kind = KIND.match(element)
    if value and (kind is None or kind[1] == b"n") and not NUMBER.fullmatch(value[1]):
        return False
    try:
        ParserCreate().Parse(element, True)
    except (ExpatError, ValueError):
        return False
    return True


def placed_cells(text: bytes, row: int = 0) -> Iterator[re.Match[bytes]]:
    """Yield the cells of a sheet as long as each stands behind the one before, in rows from ``row`` on."""
    before = (row, 0)
    for found in CELL.finditer(text):
        place = (int(found[2]), column_of(found[1]))
        if place <= before:
            return
        before = place
        yield found


def cut_sheet(head: bytes) -> Sheet:
    """Return what the first bytes of a sheet hold, up to its last whole cell."""
    last, count, row, column = 0, 0, 0, ""
    for found in CELL.finditer(head):
        behind = (int(found[2]), column_of(found[1])) > (row, column_of(column.encode()))
        if found.end() > len(head) - DOUBTED and not (behind and is_cell(found[0])):
            break
        last, count = found.end(), count + 1
        row, column = int(found[2]), found[1].decode()
    dimension = DIMENSION.search(head)
    columns, rows = (dimension[1].decode(), min(int(dimension[2]), ROWS)) if dimension else ("", 0)
    return Sheet(_closed(head, last), count, row, column, columns, rows)


def _closed(head: bytes, last: int) -> bytes:
    """Return the sheet up to ``last``, behind a cell, with its end."""
    if not last:
        return EMPTY
    row = ROW_END.search(head, last)
    between = head[last : row.start()] if row else b""
    if row and row[0] == b"</row>" and not between.strip():
        return head[: row.end()] + SHEET_END
    opened = _is_open(head, last)
    return head[:last] + (b"</row>" if opened else b"") + SHEET_END


def _is_open(head: bytes, last: int) -> bool:
    return head.rfind(b"<row", 0, last) > head.rfind(b"</row>", 0, last)


def cells_of(text: bytes) -> int:
    """Return how many cells a sheet has."""
    return sum(1 for _ in CELL.finditer(text))


def shared_cells(text: bytes) -> Iterator[tuple[str, int]]:
    """Yield the cells of a sheet that refer to shared texts, and to which."""
    for found in SHARED.finditer(text):
        yield found[1].decode(), int(found[2])


def styles_of(texts: Iterable[bytes]) -> int:
    """Return the greatest number of a cell format that sheets refer to."""
    return max((int(found[1]) for text in texts for found in STYLE.finditer(text)), default=0)


def cut_texts(head: bytes, wanted: int, label: str) -> tuple[bytes, int, int]:
    """Return shared texts as a whole part, how many are left, and how many there were.

    Args:
        head: What is left of the part.
        wanted: The greatest number that a cell refers to, -1 for none.
        label: Stands for a lost text, in front of its number.
    """
    ends = [found.end() for found in TEXT_END.finditer(head)]
    stated = UNIQUE.search(head)
    total = min(max(wanted + 1, int(stated[1]) if stated else 0, len(ends)), TEXTS)
    start = head.find(b"<si")
    body = head[start : ends[-1]] if ends and start >= 0 else b""
    lost = "".join(f"<si><t>[{label} {number}]</t></si>" for number in range(len(ends), total))
    opened = b'<sst xmlns="' + MAIN + b'" uniqueCount="%d">' % total
    return opened + body + lost.encode() + b"</sst>", len(ends), total


def plain_styles(formats: int) -> bytes:
    """Return the least part of styles that has ``formats`` cell formats, all of them alike."""
    xf = b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0"%s/>'
    return (
        b'<styleSheet xmlns="' + MAIN + b'">'
        b'<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        b'<fills count="2"><fill><patternFill patternType="none"/></fill>'
        b'<fill><patternFill patternType="gray125"/></fill></fills>'
        b'<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        b'<cellStyleXfs count="1">' + xf % b"" + b"</cellStyleXfs>"
        b'<cellXfs count="%d">' % formats + (xf % b' xfId="0"') * formats + b"</cellXfs>"
        b'<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
