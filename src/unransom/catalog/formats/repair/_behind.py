"""The cells of a damaged sheet behind the holes in its stream, as far as they are known."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from unransom.catalog.formats.repair._holes import UNKNOWN
from unransom.catalog.formats.repair._members import inflated
from unransom.catalog.formats.repair._package import Package
from unransom.catalog.formats.repair._rows import FEWEST, Cell, Place, Rows, rows_behind
from unransom.catalog.formats.repair._sheets import DOUBTED, Sheet, is_cell, placed_cells
from unransom.catalog.formats.repair._skeleton import SAMPLE, Learned, learned
from unransom.catalog.formats.repair.repair import LISTED

OWN = 2 * FEWEST  # rows in front of a hole that are enough to know what rows of the sheet are like
SHEET_DATA_END = b"</sheetData>"
ROW = re.compile(rb'<row\b[^<>]*?\br="(\d{1,7})"[^<>]*(?<!/)>')
SHEETS = 8  # other sheets that are looked at where there are fewer


class Behind(msgspec.Struct, frozen=True):
    """What came back from behind the holes of a sheet.

    Attributes:
        rows: Rows as they stand in a sheet.
        cells: How many cells came back.
        first: The first row of them, 0 for none.
        lost: Cells of which only a part came back.
    """

    rows: bytes = b""
    cells: int = 0
    first: int = 0
    lost: tuple[str, ...] = ()


def behind(package: Package, name: bytes, sheet: Sheet, others: list[bytes]) -> Behind:
    """Return what comes back from behind the holes in the part ``name``.

    Args:
        package: The workbook.
        name: The damaged part.
        sheet: What is in front of its first hole.
        others: The other sheets, which tell what rows look like where too little is in front.
    """
    member = package.found.get(name)
    left = inflated(package.damaged, member) if member else None
    if member is None or left is None or not left.stretches:
        return Behind()
    doubted = not member.listed and not member.entry.packed  # where it ends is lost: another may begin
    known = _known(package, name, others)
    last, tags, cells = sheet.row, dict[int, bytes](), list[Cell]()
    end = left.end
    for stretch in left.stretches:
        hole = (stretch.start - end) / max(stretch.end - stretch.start, 1)
        place = Place(last + 1, sheet.rows, hole, doubted)
        text = stretch.symbols.astype(np.uint8).tobytes() if (stretch.symbols < UNKNOWN).all() else b""
        found = _plain_rows(text, place) if text else rows_behind(stretch.symbols, known, place)
        if found is not None and found.cells:
            tags |= found.tags
            cells += _ascending(found, last)
            last = max(last, cells[-1].row if cells else 0)
            end = stretch.end
        if SHEET_DATA_END in text:
            break  # what follows is another sheet's
    return _written(tags, cells)


def _plain_rows(text: bytes, place: Place) -> Rows | None:
    """Return the rows in a stretch of a sheet that was not packed; None where they are another sheet's."""
    cells: list[Cell] = []
    for found in placed_cells(text.partition(SHEET_DATA_END)[0], place.after):
        whole = found.end() < len(text) - DOUBTED or is_cell(found[0])
        cells.append(Cell(found[1].decode(), int(found[2]), found[0] if whole else b""))
    if not cells:
        return None
    low, high = place.firsts(cells[-1].row - cells[0].row + 1)
    if place.doubted and not low <= cells[0].row <= high:
        return None
    return Rows({int(found[1]): found[0] for found in ROW.finditer(text)}, cells)


def _known(package: Package, name: bytes, others: list[bytes]) -> Learned:
    head = package.text(name)[:SAMPLE]
    if head.count(b"<row") >= OWN:
        return learned([head])
    return learned([head, *(package.text(each)[:SAMPLE] for each in others[:SHEETS])])


def _ascending(found: Rows, last: int) -> list[Cell]:
    """Return the cells in rows behind ``last``, those of a row only where its rows ascend."""
    kept: list[Cell] = []
    for cell in found.cells:
        if cell.row > last and (not kept or cell.row >= kept[-1].row):
            kept.append(cell)
    return kept


def _written(tags: dict[int, bytes], cells: list[Cell]) -> Behind:
    rows: list[bytes] = []
    opened = 0
    for cell in cells:
        if not cell.element:
            continue
        if cell.row != opened:
            rows.append((b"</row>" if opened else b"") + tags.get(cell.row, b'<row r="%d">' % cell.row))
            opened = cell.row
        rows.append(cell.element)
    if not opened:
        return Behind()
    return Behind(
        b"".join(rows) + b"</row>",
        sum(bool(cell.element) for cell in cells),
        next(cell.row for cell in cells if cell.element),
        tuple(f"{cell.column}{cell.row}" for cell in cells if not cell.element)[:LISTED],
    )
