"""Cells and text of Office files of 1997 to 2003 come back, each where it was."""

import io
import struct
import subprocess

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats.compound_maker import make_compound
from tests.catalog.formats.repair.damage import chance, damaged, holes, locked, written
from tests.fixtures.tools import tool
from unransom.catalog.formats.ooxml import FORMAT
from unransom.catalog.formats.repair import ole2
from unransom.catalog.formats.repair._biff import number_of_rk
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

ROWS = 6000


def record(kind, *parts):
    data = b"".join(parts)
    return struct.pack("<HH", kind, len(data)) + data


def text_of(number):
    return f"Müller {number}" if number % 2 else f"北京 {number}"


def stored(text):
    wide = any(letter > "ÿ" for letter in text)
    return struct.pack("<HB", len(text), wide) + text.encode("utf-16-le" if wide else "latin-1")


def book(sheets=2, rows=ROWS):
    """Return a workbook stream: texts that are shared, numbers of all kinds, and dates."""
    texts = [stored(text_of(number)) for number in range(rows)]
    parts, at = [b""], 8
    for each in texts:
        if at + len(each) > 8000:
            parts.append(b"")
            at = 0
        parts[-1] += each
        at += len(each)
    head = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6))
    head += record(0x41E, struct.pack("<H", 164), stored("yyyy\\-mm\\-dd"))
    head += b"".join(record(0xE0, struct.pack("<HH", 0, number), bytes(16)) for number in (0, 164))
    shared = record(0xFC, struct.pack("<II", rows, rows), parts[0])
    shared += b"".join(record(0x3C, part) for part in parts[1:])
    bodies = [sheet(number, rows) for number in range(sheets)]
    titles = [f"Shop {number} ü".encode("latin-1") for number in range(sheets)]
    size = sum(4 + 8 + len(title) for title in titles)
    place, listed = len(head) + size + len(shared) + 4, b""
    for title, body in zip(titles, bodies, strict=True):
        listed += record(0x85, struct.pack("<IBBBB", place, 0, 0, len(title), 0), title)
        place += len(body)
    return head + listed + shared + record(0x0A) + b"".join(bodies)


def sheet(number, rows):
    out = [record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))]
    for row in range(rows):
        out.append(record(0xFD, struct.pack("<HHHI", row, 0, 0, row)))
        out.append(record(0x27E, struct.pack("<HHHI", row, 1, 0, (row + number) << 2 | 2)))
        out.append(record(0x203, struct.pack("<HHHd", row, 2, 0, row / 7)))
        out.append(record(0xBD, struct.pack("<HHHIHIH", row, 3, 1, row << 2 | 2, 0, row << 2 | 3, 4)))
    return b"".join(out) + record(0x0A)


def wanted(number, row):
    return [text_of(row), row + number, row / 7, row, row / 100]


def rebuilt(data, spans, name=b"a.xls", *, told=False):
    repaired = ole2.repair(damaged(data, spans, name, told=told))
    out = written(repaired)
    assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
    return repaired, out


DATA = make_compound({"Workbook": book()})


@pytest.mark.parametrize("how", ["none", "head", "tail", "even", "odd"])
def test_every_cell_that_is_left_comes_back(how):
    spans = [] if how == "none" else holes(len(DATA), how)
    repaired, out = rebuilt(DATA, spans)
    after = openpyxl.load_workbook(io.BytesIO(out))
    assert repaired.extension == ".xlsx"
    assert len(after.worksheets) == 2
    count = 0
    for number, new in enumerate(after.worksheets):
        for row in new.iter_rows():
            truth = wanted(number, row[0].row - 1)
            for cell, value in zip(row, truth, strict=False):
                if cell.value is None:
                    continue
                count += 1
                dated = cell.column == 4 and cell.is_date
                assert dated or cell.value == pytest.approx(value) if cell.column > 1 else cell.value == value
    lost_texts = sum(name.split("!")[1].startswith("A") for name in repaired.lost)
    least = {"none": 60000, "head": 45000, "tail": 54000, "even": 20000, "odd": 20000}[how]
    assert count >= least - lost_texts
    assert how != "none" or (count == 60000 and after.sheetnames == ["Shop 0 ü", "Shop 1 ü"])
    assert how != "none" or after.worksheets[0]["D5"].number_format == "yyyy\\-mm\\-dd"


@pytest.mark.parametrize("size", [512, 4096, 65536])
def test_zeros_are_no_numbers(size):
    data = bytearray(DATA)
    for start in range(size, len(data), 2 * size):
        data[start : start + size] = bytes(len(data[start : start + size]))
    repaired = ole2.repair(damaged(bytes(data), name=b"a.xls"))
    assert not [each for each in repaired.counts if each.what == "cells" and each.total]
    after = openpyxl.load_workbook(io.BytesIO(written(repaired)))
    assert len(after.worksheets) == 2
    for number, new in enumerate(after.worksheets):
        for row in new.iter_rows(min_col=2, max_col=3):
            for cell, value in zip(row, wanted(number, row[0].row - 1)[1:], strict=False):
                assert cell.value is None or cell.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("raw", "number"), [(400 | 2, 100), (400 | 3, 1), (0x3FF00000, 1.0), (0xFFFFFFFE, -1)]
)
def test_packed_numbers(raw, number):
    assert number_of_rk(raw) == number


LINES = [f"Line {number} of the contract with Müller" for number in range(4000)]


def letter(*, wide=False, pieces=True):
    """Return a document; its text in one piece, or in none that is listed."""
    text = "\r".join(LINES)
    raw = text.encode("utf-16-le" if wide else "cp1252")
    place = 0x800 if wide else 0x800 * 2 | 0x40000000
    table = struct.pack("<BI", 2, 16) + struct.pack("<IIHIH", 0, len(text), 0, place, 0)
    head = struct.pack("<HHHHHH", 0xA5EC, 193, 0, 0, 0, 0x0200).ljust(0x1A2, b"\0")
    head += struct.pack("<II", 0, len(table) if pieces else 0)
    return make_compound({"WordDocument": head.ljust(0x800, b"\0") + raw, "1Table": table + bytes(5000)})


@pytest.mark.parametrize("how", ["none", "head", "tail", "odd"])
@pytest.mark.parametrize("wide", [False, True])
def test_every_line_that_is_left_comes_back(how, wide):
    data = letter(wide=wide)
    spans = [] if how == "none" else holes(len(data), how)
    repaired, out = rebuilt(data, spans, b"a.doc")
    found = [each.text for each in docx.Document(io.BytesIO(out)).paragraphs]
    start = data.index("Line 0 of".encode("utf-16-le" if wide else "cp1252"))
    size = 2 if wide else 1
    expected, at = [], start
    for line in LINES:
        end = at + size * (len(line) + 1)
        touched = any(span.start < end + 64 and at - 64 < span.end for span in spans)
        expected += [] if touched else [line]
        at = end
    assert set(expected) <= set(found)
    assert how == "head" or found[: len(expected)][0] == "Line 0 of the contract with Müller"
    assert how != "none" or found == LINES
    assert repaired.beside[0].data.decode().split("\n") == found


def test_a_document_without_a_table_of_pieces_gives_its_runs():
    repaired, out = rebuilt(letter(pieces=False), [], b"a.doc")
    assert set(LINES) <= {each.text for each in docx.Document(io.BytesIO(out)).paragraphs}
    assert any("table of the text is lost" in str(message) for message in repaired.missing)


def test_fields_are_shown_by_what_they_show():
    from unransom.catalog.formats.repair._word_text import clean

    assert clean("see \x13HYPERLINK x\x14here\x15\x07\r") == "see here\t\n"


SMALL = [make_compound({"Workbook": book(1, 90)}), letter()[:9000]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([b"a.xls", b"a.doc", b"a.bin"]))
def test_any_damage_is_survived(number, name):
    draw = chance(number)
    data = bytearray(draw.choice(SMALL))
    for _ in range(draw.randrange(1, 30)):
        start = draw.randrange(len(data))
        length = min(draw.choice([1, 2, 4, 64, 1024]), len(data) - start)
        data[start : start + length] = draw.randbytes(length)
    if draw.random() < 0.3:
        del data[draw.randrange(1, len(data)) :]
    repaired = ole2.repair(damaged(bytes(data), (), name))
    if repaired is not None:
        assert FORMAT.validate(BytesReader(written(repaired))).grade is not Grade.BAD


def test_nothing_is_made_of_noise():
    assert ole2.repair(damaged(locked(bytes(9000), [Span(0, 9000)]), (), b"a.xls")) is None


@pytest.mark.soak
def test_what_libreoffice_wrote_comes_back(tmp_path):
    before = openpyxl.Workbook()
    for row in range(900):
        before.active.append([row, f"Müller {row} 北京", row / 7, row % 3 == 0])
    before.save(tmp_path / "a.xlsx")
    office = [tool("soffice", "libreoffice-calc-nogui"), f"-env:UserInstallation=file://{tmp_path}/p"]
    command = [*office, "--headless", "--convert-to", "xls"]
    subprocess.run([*command, "--outdir", tmp_path, tmp_path / "a.xlsx"], check=True, capture_output=True)
    _, out = rebuilt((tmp_path / "a.xls").read_bytes(), [])
    after = openpyxl.load_workbook(io.BytesIO(out)).active
    for old, new in zip(
        before.active.iter_rows(values_only=True), after.iter_rows(values_only=True), strict=True
    ):
        assert new[:2] == old[:2]
        assert new[2] == pytest.approx(old[2])
        assert new[3] == old[3]
