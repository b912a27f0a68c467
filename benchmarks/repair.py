"""What repair brings back of partly locked files, beside the method that White Phoenix published.

    python benchmarks/repair.py [--rows N] [--json FILE]

Files are made here, locked in memory in three ways (the first 64 KiB, the last, every second), and repaired
without being told what is locked. "left" is what is physically there, found by zlib and SQLite on the sound
file: cells, paragraphs and lines whose compressed bytes in front of the first hole of their member are there;
rows on pages that no hole touches. White Phoenix, as published, takes the streams of a ZIP or PDF whose own
header and data are whole: it is redone here as that, from the description alone.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sqlite3
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import docx
import openpyxl

from tests.catalog.formats.repair import test_repair_document as documents
from tests.catalog.formats.repair import test_repair_odf as open_documents
from tests.catalog.formats.repair import test_repair_ole2 as compounds
from tests.catalog.formats.repair import test_repair_pdf as pdfs
from tests.catalog.formats.repair import test_repair_sqlite as databases
from tests.catalog.formats.repair import test_repair_workbook as workbooks
from tests.catalog.formats.repair.damage import damaged, heads_left, holes, locked, written
from unransom.catalog.formats.repair import odf, ole2, ooxml, pdf, sqlite
from unransom.catalog.formats.repair._members import inflated, members
from unransom.catalog.formats.repair._pdf_objects import objects
from unransom.run.rebuilt_database import write_database

HOWS = ("head", "tail", "even", "odd")
LOCAL = b"PK\x03\x04"


class Figure(NamedTuple):
    """One file, locked in one way.

    Attributes:
        file, how: Which.
        left: Cells, rows, paragraphs or lines that are physically there.
        back: How many of them came back.
        wrong: What came back and was never there.
        members: Members, of a PDF streams: found whole, found in part, and found by White Phoenix's method.
        behind: Cells that came back from behind holes, besides; none of them is in ``left``.
        seconds: Processor time, and the size in MB.
    """

    file: str
    how: str
    left: int
    back: int
    wrong: int
    members: tuple[int, int, int]
    seconds: float
    size: float
    behind: int = 0


def white_phoenix(data: bytes) -> int:
    """Return how many members have a local header that is whole and data that unpacks to its CRC-32."""
    count = 0
    for found in re.finditer(re.escape(LOCAL), data):
        at = found.start()
        head = data[at : at + 30]
        if len(head) < 30:
            continue
        method, crc = int.from_bytes(head[8:10], "little"), int.from_bytes(head[14:18], "little")
        packed = int.from_bytes(head[18:22], "little")
        start = at + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        try:
            decoder = zlib.decompressobj(-15)
            out = decoder.decompress(data[start:]) if method == 8 else data[start : start + packed]
        except zlib.error:
            continue
        whole = method == 0 or decoder.eof
        descriptor = decoder.unused_data[4:8] if method == 8 and head[6] & 8 else b""
        count += whole and zlib.crc32(out) in {crc, int.from_bytes(descriptor, "little")}
    return count


def clocked(work):
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def of_archive(data: bytes, spans) -> tuple[int, int, int]:
    harmed = damaged(data, spans)
    found = members(harmed)
    whole = sum(member.whole for member in found)
    part = sum(not member.whole and bool(inflated(harmed, member).head) for member in found)
    return whole, part, white_phoenix(locked(data, spans))


def workbook(name: str, data: bytes, how: str) -> Figure:
    spans = holes(len(data), how)
    wanted = workbooks.left(data, spans)
    repaired, seconds = clocked(lambda: _written(ooxml.repair(damaged(data, spans, b"a.xlsx"))))
    total = sum(map(len, wanted.values()))
    back = wrong = behind = 0
    if repaired and total:
        before, after = (openpyxl.load_workbook(io.BytesIO(each)) for each in (data, repaired))
        for number, (_, cells) in enumerate(sorted(wanted.items())):
            if number >= len(after.worksheets):
                continue
            old, new = before.worksheets[number], after.worksheets[number]
            back += sum(new[cell].value == old[cell].value for cell in cells)
            known = {cell.coordinate: cell.value for row in old.iter_rows() for cell in row}
            found = [cell for row in new.iter_rows() for cell in row if cell.value is not None]
            lost = re.compile(r"\[lost text \d+\]")
            counted = set(cells)
            behind += sum(
                known.get(cell.coordinate) == cell.value and cell.coordinate not in counted for cell in found
            )
            wrong += sum(
                known.get(cell.coordinate) != cell.value and not lost.fullmatch(str(cell.value))
                for cell in found
            )
    return Figure(name, how, total, back, wrong, of_archive(data, spans), seconds, len(data) / 1e6, behind)


def old_workbook(how: str) -> Figure:
    data = compounds.DATA
    spans = holes(len(data), how)
    start = data.index(b"\x09\x08\x10\0\0\x06")  # the stream is the first of the file
    ends = [start + found.end() for found in re.finditer(rb"\x03\x02\x0e\0.{14}", data[start:], re.DOTALL)]
    left = sum(not any(span.start < end and end - 18 < span.end for span in spans) for end in ends)
    repaired, seconds = clocked(lambda: _written(ole2.repair(damaged(data, spans, b"a.xls"))))
    back = wrong = 0
    for sheet in openpyxl.load_workbook(io.BytesIO(repaired)).worksheets if repaired else ():
        values = [(row, cell.value) for row, cell in enumerate(sheet["C"]) if cell.value is not None]
        right = sum(abs(value - row / 7) < 1e-9 for row, value in values)
        back, wrong = back + right, wrong + len(values) - right
    return Figure("xls, one column", how, left, back, wrong, (0, 0, 0), seconds, len(data) / 1e6)


def document(data: bytes, how: str) -> Figure:
    spans = holes(len(data), how)
    head = next(head for name, head, _ in heads_left(data, spans) if name == "word/document.xml")
    left = len(re.findall(rb"</w:p>|<w:p/>", head))
    repaired, seconds = clocked(lambda: _written(ooxml.repair(damaged(data, spans, b"a.docx"))))
    back = 0
    if repaired and left:
        before, after = (docx.Document(io.BytesIO(each)).paragraphs for each in (data, repaired))
        back = sum(old.text == new.text for old, new in zip(before[:left], after, strict=False))
    return Figure("docx", how, left, back, 0, of_archive(data, spans), seconds, len(data) / 1e6)


def open_document(kind: str, how: str) -> Figure:
    data = open_documents.made(kind)
    spans = holes(len(data), how)
    head = next(head for name, head, _ in heads_left(data, spans) if name == "content.xml")
    left = open_documents.texts(head)
    repaired, seconds = clocked(lambda: odf.repair(damaged(data, spans, b"a.odt")))
    found: list[bytes] = []
    if repaired and not repaired.extension:
        archive = zipfile.ZipFile(io.BytesIO(_written(repaired)))
        found = open_documents.texts(archive.read("content.xml"))
    back = sum(old == new for old, new in zip(left, found, strict=False))
    wrong = max(len(found) - back - 1, 0)  # the hole cuts one in two
    members_ = of_archive(data, spans)
    return Figure(f"odf, {kind}", how, len(left), back, wrong, members_, seconds, len(data) / 1e6)


def portable(name: str, data: bytes, streams, how: str) -> Figure:
    spans = holes(len(data), how)
    headed = {
        page: place
        for page, place in streams.items()
        if not any(span.start < place[0] and place[0] - 60 < span.end for span in spans)
    }
    wanted = set(pdfs.lines_left(headed, spans))
    repaired, seconds = clocked(lambda: pdf.repair(damaged(data, spans, b"a.pdf")))
    found = set(repaired.beside[0].data.splitlines()) if repaired else set()
    truth = {
        line
        for _, packed in streams.values()
        for line in re.findall(rb"\(([^()]*)\) Tj", zlib.decompress(packed))
    }
    whole = sum(
        not any(span.start < start + len(packed) and start < span.end for span in spans)
        for start, packed in headed.values()
    )
    ours = [each for each in objects(damaged(data, spans)) if each.start]
    count = sum(each.whole for each in ours)
    three = (count, len(ours) - count, whole)
    wrong = len(found - truth)
    return Figure(name, how, len(wanted), len(wanted & found), wrong, three, seconds, len(data) / 1e6)


def by_glyphs(data: bytes, lines, how: str) -> Figure:
    """Return the figure of a PDF as office programs write them; what is left are lines of whole streams."""
    spans = holes(len(data), how)
    places = {page: data.index(b"%d 0 obj" % (10 + page)) for page in lines}
    places = {page: (start, data.index(b"endobj", start)) for page, start in places.items()}
    mapped = not any(span.start < places[0][0] for span in spans)
    whole = {
        page
        for page, (start, end) in places.items()
        if not any(span.start < end and start < span.end for span in spans)
    }
    left = {line for page in whole if mapped for line in lines[page]}
    repaired, seconds = clocked(lambda: pdf.repair(damaged(data, spans, b"a.pdf")))
    found = (
        {line for each in repaired.beside for line in each.data.decode().splitlines()} if repaired else set()
    )
    found = {line for line in found if line.strip("\ufffd")}
    wrong = len(found - {line for each in lines.values() for line in each})
    ours = [each for each in objects(damaged(data, spans)) if each.start]
    count = sum(each.whole for each in ours)
    three = (count, len(ours) - count, len(whole) + mapped)
    return Figure("pdf, glyphs", how, len(left), len(left & found), wrong, three, seconds, len(data) / 1e6)


def database(how: str) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        data = databases.made(path)
        spans = holes(len(data), how)

        def run():
            repaired = sqlite.repair(damaged(data, spans, b"a.db"))
            out = Path(folder, "out.db")
            write_database(repaired.tables, out)
            return out

        out, seconds = clocked(run)
        left = _rows_left(path, spans)
        tables = ("orders", "customers")
        truth = [row for table in tables for row in databases.rows_of(path, table)]
        names = [
            name
            for (name,) in sqlite3.connect(out).execute("select name from sqlite_master where type='table'")
        ]
        names = [name for name in names if not name.startswith(sqlite.KEYED)]  # entries of indices among them
        found = {row for name in names for row in databases.rows_of(out, name)}
        # Without definitions a row has the null that stands for its own number in it.
        alike = {*truth, *((None, *row[1:5]) for row in truth if len(row) == 6)}
        back = len(found & alike)
    return Figure(
        "sqlite",
        how,
        left,
        back,
        len({row for row in found - alike if len(row) != 3}),
        (0, 0, 0),
        seconds,
        len(data) / 1e6,
    )


def _rows_left(path: Path, spans) -> int:
    """Return how many rows of the tables are on pages, and end on pages, that no hole touches."""
    pages = databases.pages_of(path, None)
    touched = {
        page
        for _, page, _, _ in pages
        if any(span.start < page * 4096 and (page - 1) * 4096 < span.end for span in spans)
    }
    tables = {"orders", "customers"}
    cells = sum(
        cells
        for name, page, kind, cells in pages
        if name in tables and kind == "leaf" and page not in touched
    )
    ends = sum(name in tables and kind == "overflow" and page in touched for name, page, kind, _ in pages)
    return cells - ends


def _written(repaired) -> bytes:
    return written(repaired) if repaired else b""


def main() -> None:
    """Print a table, and write it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    books = {
        "xlsx, openpyxl": workbooks.by_openpyxl(rows=options.rows),
        "xlsx, xlsxwriter": workbooks.by_xlsxwriter(rows=options.rows),
    }
    figures = [workbook(name, data, how) for name, data in books.items() for how in HOWS]
    figures += [old_workbook(how) for how in HOWS]
    figures += [document(documents.DATA, how) for how in HOWS]
    figures += [open_document(kind, how) for kind in ("text", "spreadsheet") for how in HOWS]
    glyphs, lines = pdfs.by_glyphs(400)
    figures += [by_glyphs(glyphs, lines, how) for how in HOWS]
    for packed in (False, True):
        data, streams = pdfs.made(packed)
        figures += [portable("pdf, packed" if packed else "pdf", data, streams, how) for how in HOWS]
    figures += [database(how) for how in HOWS]
    print(
        f"{'file':<18}{'locked':<8}{'left':>9}{'back':>9}{'behind':>8}{'wrong':>7}"
        f"{'whole':>8}{'in part':>8}{'WP':>6}{'MB':>7}{'s':>7}"
    )
    for each in figures:
        whole, part, theirs = each.members
        print(
            f"{each.file:<18}{each.how:<8}{each.left:>9,}{each.back:>9,}{each.behind:>8,}{each.wrong:>7,}"
            f"{whole:>8,}{part:>8,}{theirs:>6,}{each.size:>7.1f}{each.seconds:>7.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps([each._asdict() for each in figures], indent=2))


if __name__ == "__main__":
    main()
