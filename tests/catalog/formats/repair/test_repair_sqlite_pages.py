"""Pages of all sizes, pages that are lost in part, and ends of rows that were wiped."""

import sqlite3

import pytest

from tests.catalog.formats.repair.damage import KIB64, chance, damaged, locked
from unransom.catalog.formats.repair import sqlite
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Span
from unransom.core.streams import BytesReader


def made(path, size, rows=3000, longest=60, encoding="UTF-8"):
    draw = chance(7)
    connection = sqlite3.connect(path)
    connection.execute(f"pragma page_size={size}")
    connection.execute(f"pragma encoding='{encoding}'")
    connection.execute("create table t(id integer primary key, text text, number integer)")
    values = [(n, f"x{n}" + "ab" * draw.randrange(longest), n * 3) for n in range(1, rows + 1)]
    connection.executemany("insert into t values (?,?,?)", values)
    connection.commit()
    connection.close()
    return path.read_bytes(), {(text, number) for _, text, number in values}


def rows_of(repaired):
    found = [row for table in repaired.tables.tables for _, row in table.rows()]
    return {row[1:] for row in found if len(row) == 3}


@pytest.mark.parametrize("size", [512, 1024, 2048, 4096, 8192, 65536])
def test_the_size_of_pages_is_found_where_the_head_is_lost(size, tmp_path):
    data, rows = made(tmp_path / "a.db", size)
    found = rows_of(sqlite.repair(damaged(data, [Span(0, KIB64)], b"a.db")))
    assert found <= rows
    pages, lost = -(-len(data) // size), -(-KIB64 // size)
    assert len(found) > 0.9 * len(rows) * (pages - lost) / pages


@pytest.mark.parametrize("size", [1024, 4096, 65536])
def test_of_a_page_that_is_lost_in_part_all_other_rows_come_back(size, tmp_path):
    data, rows = made(tmp_path / "a.db", size)
    span = Span(data.index(b"x1500a"), data.index(b"x1500a") + 3)
    found = rows_of(sqlite.repair(damaged(data, [span], b"a.db", told=True)))
    assert {text[: text.find("a")] for text, _ in rows - found} == {"x1500"}
    assert found < rows


def test_nothing_is_made_of_an_end_of_a_row_that_was_wiped(tmp_path):
    data, rows = made(tmp_path / "a.db", 1024, rows=200, longest=2000)
    whole = rows_of(sqlite.repair(damaged(data, [Span(0, 10)], b"a.db")))
    assert whole <= rows
    pages = range(20, len(data) // 1024, 3)
    wiped = bytearray(data)
    for page in pages:
        wiped[page * 1024 : (page + 1) * 1024] = bytes(1024)
    found = rows_of(sqlite.repair(Damaged(BytesReader(bytes(wiped)), b"a.db")))
    assert found < rows
    assert found


def test_rows_with_an_end_in_a_told_hole_are_left_out(tmp_path):
    data, rows = made(tmp_path / "a.db", 1024, rows=200, longest=2000)
    spans = [Span(place, place + 40) for place in range(30_500, len(data), 9 * 1024)]
    told = rows_of(sqlite.repair(damaged(data, spans, b"a.db", told=True)))
    assert told < rows
    assert len(told) >= len(rows) - 2 * len(spans)
    assert locked(data, spans) != data


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_texts_are_read_where_the_head_is_lost(encoding, tmp_path):
    data, rows = made(tmp_path / "a.db", 4096, encoding=encoding)
    found = rows_of(sqlite.repair(damaged(data, [Span(0, 4096)], b"a.db")))
    assert found <= rows
    assert len(found) > 0.9 * len(rows)
