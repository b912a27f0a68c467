"""Small pictures of rebuilt workbooks and databases: their first rows, or none."""

import io
import sqlite3
import zipfile

import openpyxl
import pytest

from unransom.recover.repair import previews
from unransom.recover.repair.previews import preview
from unransom.run.repair_rows import first_rows


def workbook():
    made = openpyxl.Workbook()
    made.active.title = "lost"
    sheet = made.create_sheet("orders")
    for number in range(40):
        sheet.append([number, f"Kunde {number}", 1.5 * number])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def database(path, *statements):
    with sqlite3.connect(path) as made:
        made.executescript("\n".join(statements))
    made.close()
    return path


def test_a_workbook_is_shown_by_the_first_rows_that_are_left(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook())
    assert first_rows(path, "ooxml", 3) == ["0  Kunde 0  0", "1  Kunde 1  1.5", "2  Kunde 2  3"]
    assert preview(path, "ooxml", first_rows(path, "ooxml", 3)).startswith("data:image/jpeg;base64,")


def test_a_database_is_shown_by_the_first_rows_that_are_left(tmp_path):
    path = database(
        tmp_path / "a?b#.sqlite",
        "CREATE TABLE lost (a);",
        'CREATE TABLE "my ""orders" (a, b, c, d);',
        "INSERT INTO \"my \"\"orders\" VALUES (1, 'Ost', NULL, x'0001'), (2, 'b' || char(10) || 'c', 9, 3);",
    )
    before = path.read_bytes()
    assert first_rows(path, "sqlite", 5) == ["1  Ost    <2 bytes>", "2  b c  9  3"]
    assert sorted(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize("format_name", ["ooxml", "sqlite"])
def test_what_cannot_be_read_is_not_shown(tmp_path, format_name):
    path = tmp_path / "a"
    for content in (b"", b"PK\x03\x04" + bytes(300), b"SQLite format 3\0" + b"\xff" * 5000, workbook()[:-40]):
        path.write_bytes(content)
        assert first_rows(path, format_name, 3) == []


def test_a_table_that_makes_much_of_little_is_left_out(tmp_path):
    path = database(
        tmp_path / "a.sqlite",
        "CREATE TABLE a (n, m AS (hex(zeroblob(n))));",
        "INSERT INTO a (n) VALUES (100000000);",
        "CREATE TABLE b (n); INSERT INTO b VALUES (7);",
    )
    assert first_rows(path, "sqlite", 3) == ["7"]


def test_a_part_of_a_workbook_that_unpacks_to_too_much_is_left(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/sharedStrings.xml", b"<sst>" + bytes(1 << 26))
    assert first_rows(path, "ooxml", 3) == []


def test_letters_that_no_font_has_stand_as_their_code_points(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "FONTS", ())
    shown = preview(tmp_path, "sqlite", ["1 \u4e2d"])
    assert shown == preview(tmp_path, "sqlite", ["1 [4E2D]"])
    assert shown != preview(tmp_path, "sqlite", ["1 \u6587"])


def test_a_font_that_has_more_of_the_letters_is_taken(tmp_path, monkeypatch):
    class Font:
        def getmask(self, letter):
            return font.getmask("a" if letter == "\u4e2d" else letter)

        def __getattr__(self, name):
            return getattr(font, name)

    (font,) = previews._fonts(())
    assert [previews._has(font, each) for each in "a 1\u4e2d\x07"] == [True, True, True, False, False]
    assert previews._has(Font(), "\u4e2d")
    monkeypatch.setattr(previews, "_fonts", lambda _names: (font, Font()))
    assert preview(tmp_path, "sqlite", ["1 \u4e2d"]) != preview(tmp_path, "sqlite", ["1 [4E2D]"])
