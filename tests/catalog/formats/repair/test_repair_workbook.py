"""Of a partly locked workbook every cell that is left is in the rebuilt one, with its value."""

import io
import re
import zipfile
from xml.etree import ElementTree

import openpyxl
import pytest
import xlsxwriter
from PIL import Image

from tests.catalog.formats.repair.damage import (
    chance,
    complete_cells,
    damaged,
    heads_left,
    holes,
    locked,
    written,
)
from unransom.catalog.formats.ooxml import FORMAT
from unransom.catalog.formats.repair import _sheets as sheets
from unransom.catalog.formats.repair import ooxml
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

HOWS = ["head", "tail", "even", "odd"]


def by_openpyxl(sheets=3, rows=1600, seed=5):
    draw = chance(seed)
    book = openpyxl.Workbook()
    for number in range(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"Orders & {number}")
        for row in range(rows):
            sheet.append([row, f"SKU-{draw.randrange(10**6)}", draw.random() * 300, draw.randrange(5) == 0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def by_xlsxwriter(sheets=2, rows=2600, seed=6):
    draw = chance(seed)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    bold = book.add_format({"bold": True})
    for number in range(sheets):
        sheet = book.add_worksheet(f"Shop {number}")
        for row in range(rows):
            sheet.write_row(row, 0, [f"Customer {draw.randrange(10**6)}", draw.random(), row], bold)
    book.close()
    return out.getvalue()


MAKERS = {"openpyxl": by_openpyxl, "xlsxwriter": by_xlsxwriter}
SHARED = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*t="s"[^>]*><v>(\d+)</v>')


def left(data, spans):
    """Return {part: cells} that are physically left, by zlib alone; texts must be left too."""
    heads = {name: (head, whole) for name, head, whole in heads_left(data, spans)}
    texts, _ = heads.get("xl/sharedStrings.xml", (b"", True))
    known = texts.count(b"</si>")
    found = {}
    for name, (head, _) in heads.items():
        if name.startswith("xl/worksheets/sheet"):
            lost = {cell.decode() for cell, number in SHARED.findall(head) if int(number) >= known}
            found[name] = [cell for cell in complete_cells(head) if cell not in lost]
    return found


def rewritten(data, change):
    """Return a workbook whose sheets were changed."""
    out = io.BytesIO()
    old = zipfile.ZipFile(io.BytesIO(data))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            sheet = "/sheet" in name and name.endswith(".xml")
            new.writestr(name, change(old.read(name)) if sheet else old.read(name))
    return out.getvalue()


def prefixed(sheet):
    return re.sub(rb"<(/?)(\w)", rb"<\1x:\2", sheet).replace(b"xmlns=", b"xmlns:x=")


def unplaced(sheet):
    return re.sub(rb'(<(?:row|c)) r="[A-Z]*\d+"', rb"\1", sheet)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("change", [prefixed, unplaced])
def test_sheets_in_other_words_come_back_too(change, how):
    data = rewritten(by_openpyxl(rows=2400), change)
    spans = holes(len(data), how)
    # What is left is told by the same sheets in the usual words, cut where these are.
    wanted = {}
    for name, head, _ in heads_left(data, spans):
        if name.startswith("xl/worksheets/sheet"):
            ends = len(re.findall(rb"</(?:x:)?c>", head))
            usual = zipfile.ZipFile(io.BytesIO(by_openpyxl(rows=2400))).read(name)
            wanted[name] = complete_cells(usual)[:ends]
    repaired = ooxml.repair(damaged(data, spans, b"a.xlsx"))
    if not any(wanted.values()):
        return
    before, after = (openpyxl.load_workbook(io.BytesIO(each)) for each in (data, written(repaired)))
    for number, (_, cells) in enumerate(sorted(wanted.items())):
        for cell in cells:
            old, new = before.worksheets[number], after.worksheets[number]
            assert new[cell].value == old[cell].value, cell


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("maker", MAKERS)
def test_every_cell_that_is_left_is_in_the_rebuilt_workbook(maker, how, told):
    data = MAKERS[maker]()
    spans = holes(len(data), how)
    wanted = left(data, spans)
    repaired = ooxml.repair(damaged(data, spans, b"a.xlsx", told=told))
    if how == "even" and maker == "openpyxl":
        assert not wanted["xl/worksheets/sheet1.xml"]  # the others must keep their places
    if not any(wanted.values()):
        return  # nothing in front of any hole: what comes out is not held against this
    out = written(repaired)
    assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
    before = openpyxl.load_workbook(io.BytesIO(data))
    after = openpyxl.load_workbook(io.BytesIO(out))
    count = 0
    for number, (part, cells) in enumerate(sorted(wanted.items())):
        if not cells:
            continue
        old, new = before.worksheets[number], after.worksheets[number]
        assert part == f"xl/worksheets/sheet{number + 1}.xml"
        for cell in cells:
            assert new[cell].value == old[cell].value, (part, cell)
            count += 1
    assert count


@pytest.mark.parametrize("how", ["tail", "odd"])
def test_no_cell_has_a_value_that_it_did_not_have(how):
    data = by_openpyxl()
    for shift in range(1, 3):  # lockers that do not keep to blocks: where the lock begins must be found
        spans = [type(span)(max(span.start - 777 * shift, 1), span.end) for span in holes(len(data), how)]
        repaired = ooxml.repair(damaged(data, spans, b"a.xlsx"))
        before = openpyxl.load_workbook(io.BytesIO(data))
        after = openpyxl.load_workbook(io.BytesIO(written(repaired)))
        for old, new in zip(before.worksheets, after.worksheets, strict=False):
            for row in new.iter_rows():
                for cell in row:
                    assert cell.value is None or cell.value == old[cell.coordinate].value


@pytest.mark.parametrize("rows", [1100, 1300, 1500])
def test_a_last_block_that_ends_well_in_garbage_is_cut_too(rows):
    data = by_xlsxwriter(rows=rows)
    repaired = ooxml.repair(damaged(data, holes(len(data), "tail"), b"a.xlsx"))
    archive = zipfile.ZipFile(io.BytesIO(written(repaired)))
    heads = {name: head for name, head, _ in heads_left(data, holes(len(data), "tail"))}
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))
        if name.startswith("xl/worksheets"):
            assert complete_cells(archive.read(name)) == complete_cells(heads[name])


CELL_OF_NUMBER = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*><v>[^<]*</v></c>')


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("maker", MAKERS)
def test_cells_of_a_workbook_that_is_not_packed_come_back_behind_holes_too(maker, how, told):
    packed = zipfile.ZipFile(io.BytesIO(MAKERS[maker](2, 4000)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in packed.namelist():
            archive.writestr(name, packed.read(name))
    data = out.getvalue()
    spans = holes(len(data), how)
    repaired = ooxml.repair(damaged(data, spans, b"a.xlsx", told=told))
    before, after = (openpyxl.load_workbook(io.BytesIO(each)) for each in (data, written(repaired)))
    for number, (old, new) in enumerate(zip(before.worksheets, after.worksheets, strict=False), 1):
        for row in new.iter_rows():
            for cell in row:
                assert cell.value in {None, old[cell.coordinate].value} or "[lost text" in str(cell.value)
        header = zipfile.ZipFile(io.BytesIO(data)).getinfo(f"xl/worksheets/sheet{number}.xml").header_offset
        start = data.find(b"<worksheet", header)
        if not untouched(header, start, spans):
            continue  # which sheet it is, may be lost
        for found in re.finditer(CELL_OF_NUMBER, data[start : data.index(b"</worksheet>", start)]):
            # A row that a hole cuts is lost behind it.
            if untouched(start + found.start() - 600, start + found.end() + 600, spans):
                assert new[found[1].decode()].value is not None, found[1]


def untouched(start, end, spans):
    return not any(span.start < end and start < span.end for span in spans)


def test_zeros_in_packed_texts_are_no_letters():
    data = MAKERS["xlsxwriter"]()
    place = data.index(b"xl/sharedStrings.xml") + 6000
    zeroed = data[:place] + bytes(300) + data[place + 300 :]
    after = openpyxl.load_workbook(io.BytesIO(written(ooxml.repair(damaged(zeroed, name=b"a.xlsx")))))
    before = openpyxl.load_workbook(io.BytesIO(data))
    for old, new in zip(before.worksheets, after.worksheets, strict=True):
        for row in new.iter_rows(max_col=1):
            assert row[0].value == old[row[0].coordinate].value or "[lost text" in row[0].value


@pytest.mark.parametrize(
    "odd",
    [
        b'<c r="B7"><v>45B3v>1</v></c>',
        b'<c r="B7" t="s"><v></c>',
        b'<c r="A7"><v>1</v></c>',
        b'<c r="B6"><v>1</v></c>',
        b'<c r="B7"><v>1<w></v></w></c>',
    ],
)
def test_random_bytes_that_look_like_a_cell_end_a_sheet(odd):
    head = sheets.SHEET_START + b'<row r="7"><c r="A7"><v>6</v></c>'
    cut = sheets.cut_sheet(head + odd + b'<c r="C7"><v>3</v></c>')
    assert cut.data == head + b"</row>" + sheets.SHEET_END
    assert (cut.cells, cut.row, cut.column) == (1, 7, "A")


def furnished():
    """Return a workbook with a chart, a picture, a comment, a link and a table."""
    out, image = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (9, 9)).save(image, "PNG")
    book = xlsxwriter.Workbook(out)
    for number in range(2):
        sheet = book.add_worksheet(f"S{number}")
        for row in range(40):
            sheet.write_row(row, 0, [f"text {row}", row, row / 7])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": f"=S{number}!$B$1:$B$9"})
        sheet.insert_chart("F2", chart)
        sheet.insert_image("F20", "a.png", {"image_data": image})
        sheet.write_comment("A1", "a comment")
        sheet.write_url("D1", "https://example.com/")
        sheet.add_table("H1:J9")
    book.close()
    return out.getvalue()


def test_whatever_part_is_lost_the_workbook_opens():
    data = furnished()
    before = openpyxl.load_workbook(io.BytesIO(data))
    entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert len(entries) > 20
    for entry in entries:
        start = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 3
        repaired = ooxml.repair(damaged(data, [Span(start, start + 24)], b"a.xlsx"))
        out = written(repaired)
        after = openpyxl.load_workbook(io.BytesIO(out))
        assert len(after.worksheets) == 2, entry.filename
        archives = [out, *(each.data for each in repaired.beside if each.suffix == ".parts.zip")]
        there = {name for each in archives for name in zipfile.ZipFile(io.BytesIO(each)).namelist()}
        whole = {name for name, _, sound in heads_left(data, [Span(start, start + 24)]) if sound}
        assert whole <= there, entry.filename
        for old, new in zip(before.worksheets, after.worksheets, strict=True):
            values = [cell.value for cell in new["B"] if cell.value is not None]
            assert values == [cell.value for cell in old["B"]][: len(values)], entry.filename
            assert len(values) == 40 or "/sheet" in entry.filename


def test_lost_texts_are_named_where_cells_refer_to_them():
    data = by_xlsxwriter(sheets=1)
    archive = zipfile.ZipFile(io.BytesIO(data))
    entry = archive.getinfo("xl/sharedStrings.xml")
    start = entry.header_offset + 60 + entry.compress_size // 2
    span = holes(1, "head")[0].__class__(start, start + 4096)
    repaired = ooxml.repair(damaged(data, [span], b"a.xlsx", told=True))
    after = openpyxl.load_workbook(io.BytesIO(written(repaired))).active
    before = openpyxl.load_workbook(io.BytesIO(data)).active
    named = [name.split("!")[1] for name in repaired.lost if "!" in name]
    assert 100 < len(named) < 2600
    for row in after.iter_rows(max_col=1):
        cell = row[0]
        if cell.coordinate in named:
            assert re.fullmatch(r"\[lost text \d+\]", cell.value)
        else:
            assert cell.value == before[cell.coordinate].value


def test_what_is_lost_is_said_per_sheet():
    data = by_openpyxl()
    repaired = ooxml.repair(damaged(data, holes(len(data), "tail"), b"a.xlsx"))
    assert any("ends behind cell" in str(message) for message in repaired.missing)
    assert any(re.fullmatch(r".+!A\d+:D1600", name) for name in repaired.lost)


def test_a_workbook_without_any_cell_is_no_workbook():
    assert ooxml.repair(damaged(locked(by_openpyxl(1, 10), holes(10**6, "head")), name=b"a.xlsx")) is None
