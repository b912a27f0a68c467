"""Results for people who work with spreadsheets: CSV and xlsx in which no cell can run as a formula."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from unransom.core.drafts import DraftFile

MOST_ROWS = 1_000_000  # that a sheet of xlsx has room for below its header
LONGEST = 32_000  # characters that go into a cell
# What a formula begins with, also in full width, and what spreadsheets may leave out in front of one.
FORMULAS = tuple("=+-@\t\n\v\f\r \0" + "\uff1d\uff0b\uff0d\uff20" + "\u00a0\u3000\u200b\ufeff")


class Sheet(NamedTuple):
    """A sheet to write: its name, its headings, its rows."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


@contextlib.contextmanager
def whole(final: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes ``final`` when the file is whole and on disk."""
    draft = DraftFile(final.parent, final.name)
    try:
        yield draft.path
        draft.keep()
    finally:
        draft.drop()


def safe(value: Any) -> Any:
    """Return a cell for CSV: a text that a spreadsheet would take for a formula gets a quotation mark."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write one sheet as CSV in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe(heading) for heading in sheet.headings])
        writer.writerows([safe(value) for value in row] for row in sheet.rows)


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> None:
    """Write sheets as xlsx: texts as texts, ``Decimal`` as amounts, other numbers as numbers."""
    import xlsxwriter  # noqa: PLC0415 only where a workbook is asked for: it takes a while to load

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        amount, head = book.add_format({"num_format": "#,##0.00##"}), book.add_format({"bold": True})
        for each in sheets:
            sheet = book.add_worksheet(each.name)
            sheet.freeze_panes(1, 0)
            for column, heading in enumerate(each.headings):
                sheet.write_string(0, column, heading, head)
            for number, row in zip(range(1, MOST_ROWS + 1), each.rows, strict=False):
                for column, value in enumerate(row):
                    _cell(sheet, number, column, value, amount)


def _cell(sheet: Any, row: int, column: int, value: Any, amount: Any) -> None:
    if value is None:
        return
    if isinstance(value, Decimal):
        sheet.write_number(row, column, float(value), amount)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value)[:LONGEST])
