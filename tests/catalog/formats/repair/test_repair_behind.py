"""Cells behind a hole come back where every byte of them is known, and never with another value."""

import gzip
import io
import random
import zipfile
import zlib

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats.repair.damage import chance, damaged, holes, written
from tests.catalog.formats.repair.test_repair_workbook import by_openpyxl, by_xlsxwriter
from unransom.catalog.formats.repair import gzip as streams
from unransom.catalog.formats.repair import ooxml
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair._holes import LOST_BYTE, MARKUP, inflate_rest, marked
from unransom.catalog.formats.repair._rows import Place, is_markup, rows_behind
from unransom.catalog.formats.repair._sheets import following
from unransom.catalog.formats.repair._skeleton import learned
from unransom.core.spans import Span


def rows_of(count, first=1):
    return b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>%d</v></c><c r="B%d"><v>%d</v></c></row>' % (n, n, n * 7, n, n * n)
        for n in range(first, first + count)
    )


def test_cells_behind_a_hole_come_back():
    data = by_xlsxwriter(rows=4000)
    repaired = ooxml.repair(damaged(data, holes(len(data), "head"), b"a.xlsx"))
    before, after = (openpyxl.load_workbook(io.BytesIO(each)) for each in (data, written(repaired)))
    old, new = before.worksheets[0], after.worksheets[0]
    cells = [cell for row in new.iter_rows(min_row=2200) for cell in row if cell.value is not None]
    numbers = [cell for cell in cells if cell.column > 1]
    assert len(numbers) > 400
    assert all(cell.value == old[cell.coordinate].value for cell in numbers)
    lost = {name.split("!")[1] for name in repaired.lost if name.count("!") == 1}
    assert len(lost) > 400
    assert not lost & {cell.coordinate for cell in numbers}
    assert any("from behind a hole" in str(message) for message in repaired.missing)


def test_what_is_in_front_of_the_hole_is_not_touched_by_what_is_behind():
    data = by_openpyxl(sheets=1, rows=3200)
    third = len(data) // 3 // 4096 * 4096
    repaired = ooxml.repair(damaged(data, [Span(third, third + 8192)], b"a.xlsx"))
    before, after = (openpyxl.load_workbook(io.BytesIO(each)).active for each in (data, written(repaired)))
    wrong = [
        cell.coordinate
        for row in after.iter_rows()
        for cell in row
        if cell.value is not None and cell.value != before[cell.coordinate].value
    ]
    assert not wrong
    assert any(cell.value for row in after.iter_rows(min_row=2000) for cell in row)


def test_rows_that_are_all_known_are_taken_as_they_are():
    known = learned([rows_of(80)])
    symbols = np.frombuffer(rows_of(700, 1200), np.uint8).astype(np.uint16)
    found = rows_behind(symbols, known, Place(100, 0))
    assert (
        b"".join(cell.element for cell in found.cells)
        == rows_of(700, 1200).replace(b"</row>", b"").replace(b"<row", b"").join([b"", b""])
        or len(found.cells) == 1400
    )
    assert {cell.row for cell in found.cells} == set(range(1200, 1900))


def test_rows_that_are_left_out_are_counted():
    text = rows_of(300, 1200) + rows_of(200, 1503)
    found = rows_behind(
        np.frombuffer(text, np.uint8).astype(np.uint16), learned([rows_of(80)]), Place(100, 0)
    )
    right = [b'r="%s%d"' % (cell.column.encode(), cell.row) in cell.element for cell in found.cells]
    assert all(right)
    assert {cell.row for cell in found.cells} >= {*range(1210, 1490), *range(1510, 1690)}


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 3000))
def test_no_symbols_break_it(seed, size):
    draw = np.random.default_rng(seed)
    symbols = np.frombuffer(rows_of(200, 50), np.uint8).astype(np.uint16)[:size]
    places = draw.integers(0, max(len(symbols), 1), len(symbols) // 3)
    symbols[places[: len(symbols)]] = draw.integers(0, 256 + 32768, len(places))
    found = rows_behind(symbols, learned([rows_of(60)]), Place(0, int(draw.integers(0, 400))))
    assert found is None or all(cell.row >= 0 for cell in found.cells)


def test_too_few_rows_tell_nothing():
    assert rows_behind(np.zeros(2000, np.uint16), learned([rows_of(2)]), Place(0, 0)) is None


def test_columns_are_counted_by_letters():
    assert [following(each) for each in ("A", "Z", "AZ", "ZZ")] == ["B", "AA", "BA", "AAA"]


def lines(count=16_000):
    draw = chance(3)
    return b"".join(
        b"INSERT INTO orders VALUES (%d,'%x');\n" % (n, draw.getrandbits(64)) for n in range(count)
    )


def test_text_behind_a_hole_in_a_gzip_stream_comes_out_with_marks():
    text = lines()
    data = gzip.compress(text, mtime=0)
    middle = len(data) // 2 // 4096 * 4096
    repaired = streams.repair(damaged(data, [Span(middle, middle + 4096)], b"a.sql.gz"))
    (beside,) = repaired.beside
    shown = beside.data.decode()
    assert shown.endswith(text[-8:].decode()) or "�" in shown[-40:]
    tail = text.decode()[-len(shown) :]
    assert all(ours in {theirs, "�"} for ours, theirs in zip(shown, tail, strict=True))
    assert shown.count("�") < 0.8 * len(shown)


def test_texts_of_an_archive_come_out_too():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("dump.sql", lines())
    data = out.getvalue()
    repaired = archives.repair(damaged(data, [Span(65536, 69632)], b"a.zip"))
    names = zipfile.ZipFile(io.BytesIO(written(repaired))).namelist()
    assert names == ["partial/dump.sql", "behind/dump.sql"]


def test_a_lost_byte_is_marked():
    assert marked(np.array([65, 300, 301, 66], np.uint16)) == b"A" + 2 * LOST_BYTE + b"B"


@pytest.mark.parametrize("inside", [3, 12, 30])
def test_a_hole_that_begins_in_the_codes_of_a_block_takes_nothing_in_front_of_it(inside):
    draw = random.Random(inside)
    rows = [b'<row r="%d"><c><v>%d</v></c></row>' % (row, draw.getrandbits(40)) for row in range(3000)]
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    front = packer.compress(b"".join(rows[:2000])) + packer.flush(zlib.Z_BLOCK)
    packed = front + packer.compress(b"".join(rows[2000:])) + packer.flush()
    cut = len(front) + inside
    hurt = packed[:cut] + draw.randbytes(9000)
    start = -cut % 4096
    assert inflate_rest(hurt, start, start + len(hurt), (), MARKUP).head == b"".join(rows[:2000])


def test_rows_that_are_too_far_behind_a_short_hole_are_taken_for_another_sheet():
    symbols = np.frombuffer(rows_of(300, 500), np.uint8).astype(np.uint16)
    known = learned([rows_of(80)])
    assert rows_behind(symbols, known, Place(100, 1000, 0.1, doubted=True)) is None
    assert rows_behind(symbols, known, Place(100, 1000, 0.1)).cells
    assert rows_behind(symbols, known, Place(100, 1000, 1.3, doubted=True)).cells


def test_where_too_few_digits_are_known_the_length_of_the_hole_decides():
    assert Place(500, 0, 1.0).firsts(700) == (500 + 437 - 16, 500 + 1120 + 16)
    assert Place(500, 1500, 1.0).firsts(700)[1] == 800
    assert Place(500, 0).firsts(700) == (500, 1 << 20)


@pytest.mark.parametrize(
    ("element", "whole"),
    [
        ("<c r='A1'><is><t>好 &amp; gut</t></is></c>".encode(), True),
        (b"<c><is><t>\xe5\xa5</t></is></c>", False),
        (b"<c><is><t>this &am</t></is></c>", False),
        (b"<c><is><t>\x01</t></is></c>", False),
    ],
)
def test_half_a_letter_is_no_cell(element, whole):
    assert is_markup(element) == whole
