"""Write workbooks and documents from nothing but their cells and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from xml.sax.saxutils import escape, quoteattr

from unransom.catalog.formats.repair._package import HEAD, OFFICE, ROOT, TYPES, relations, types
from unransom.catalog.formats.repair._sheets import MAIN, SHEET_END, SHEET_START
from unransom.catalog.formats.repair._skeleton import letters_of
from unransom.catalog.formats.repair._zip_writer import New

Value = float | str | bool
Cells = dict[tuple[int, int], tuple[int, Value]]  # by row and column from 0: the format and the value
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
WORD_SPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
EXACT = 1e15  # whole numbers below it are written without a point
OWN_CODES = 164  # the least number of a format that is no built-in one


def plain_text(text: str) -> str:
    """Return ``text`` as XML may hold it."""
    return escape("".join(letter for letter in text if letter in "\t\n\r" or " " <= letter < "\ufffe"))


def workbook(sheets: list[tuple[str, Cells]], formats: list[int], codes: dict[int, str]) -> list[New]:
    """Return the parts of a workbook.

    Args:
        sheets: Title and cells of each.
        formats: Number of the number format of each cell format.
        codes: Number formats by number.
    """
    names = [f"xl/worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1)]
    titles = _titles([title for title, _ in sheets])
    tags = "".join(
        f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, 1)
    )
    book = f'<workbook xmlns="{MAIN.decode()}" xmlns:r="{OFFICE}"><sheets>{tags}</sheets></workbook>'
    links = {f"rId{number}": ("worksheet", name[3:]) for number, name in enumerate(names, 1)}
    links["rIdS"] = ("styles", "styles.xml")
    kinds = {"xl/workbook.xml": f"{SPREADSHEET}sheet.main+xml", "xl/styles.xml": f"{SPREADSHEET}styles+xml"}
    kinds |= dict.fromkeys(names, f"{SPREADSHEET}worksheet+xml")
    used = max((style for _, cells in sheets for style, _ in cells.values()), default=0) + 1
    known = (formats + [0] * used)[: max(used, len(formats))]
    return [
        New(TYPES, types(kinds)),
        New(ROOT, relations({"rId1": ("officeDocument", "xl/workbook.xml")})),
        New(b"xl/workbook.xml", HEAD + book.encode()),
        New(b"xl/_rels/workbook.xml.rels", relations(links)),
        New(b"xl/styles.xml", HEAD + _styles(known, codes).encode()),
        *(New(name.encode(), HEAD + _sheet(cells)) for name, (_, cells) in zip(names, sheets, strict=True)),
    ]


def _titles(titles: list[str]) -> list[str]:
    """Return titles that a workbook may have: no two alike, and no letters that are not allowed."""
    kept: list[str] = []
    for number, title in enumerate(titles, 1):
        clean = "".join(letter for letter in title if letter.isprintable() and letter not in "[]:*?/\\")[:31]
        alike = {each.lower() for each in kept}
        kept.append(clean if clean.strip() and clean.lower() not in alike else f"Sheet {number} (found)")
    return kept


def _styles(formats: list[int], codes: dict[int, str]) -> str:
    own = {number: code for number, code in codes.items() if number >= OWN_CODES}
    numbers = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(plain_text(code))}/>'
        for number, code in sorted(own.items())
    )
    cells = "".join(
        f'<xf numFmtId="{number if number < OWN_CODES or number in own else 0}" fontId="0" fillId="0"'
        ' borderId="0" xfId="0" applyNumberFormat="1"/>'
        for number in formats
    )
    return (
        f'<styleSheet xmlns="{MAIN.decode()}">'
        + (f'<numFmts count="{len(own)}">{numbers}</numFmts>' if own else "")
        + '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(formats)}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _sheet(cells: Cells) -> bytes:
    rows: list[str] = []
    opened = -1
    for (row, column), (style, value) in sorted(cells.items(), key=lambda each: each[0]):
        if row != opened:
            rows.append(("</row>" if opened >= 0 else "") + f'<row r="{row + 1}">')
            opened = row
        rows.append(_cell(f"{letters_of(column + 1)}{row + 1}", style, value))
    body = "".join(rows) + ("</row>" if opened >= 0 else "")
    return SHEET_START + body.encode() + SHEET_END


def _cell(name: str, style: int, value: Value) -> str:
    if isinstance(value, str):
        text = f'<is><t xml:space="preserve">{plain_text(value)}</t></is>'
        return f'<c r="{name}" s="{style}" t="inlineStr">{text}</c>'
    if isinstance(value, bool):
        return f'<c r="{name}" s="{style}" t="b"><v>{int(value)}</v></c>'
    if not isfinite(value):
        value = 0.0
    shown = str(int(value)) if value == int(value) and abs(value) < EXACT else repr(value)
    return f'<c r="{name}" s="{style}"><v>{shown}</v></c>'


def document(paragraphs: Iterable[str]) -> Iterator[New]:
    """Yield the parts of a document of paragraphs."""
    body = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{plain_text(each)}</w:t></w:r></w:p>' for each in paragraphs
    )
    text = f'<w:document xmlns:w="{WORD_SPACE}"><w:body>{body or "<w:p/>"}</w:body></w:document>'
    yield New(TYPES, types({"word/document.xml": f"{WORD}document.main+xml"}))
    yield New(ROOT, relations({"rId1": ("officeDocument", "word/document.xml")}))
    yield New(b"word/document.xml", HEAD + text.encode())
