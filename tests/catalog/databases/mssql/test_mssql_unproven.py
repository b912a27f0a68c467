"""Pages that no checksum proves: what they count shows damage, and where it does not, doubt is said."""

import random

import numpy as np
import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import everything, opened, rows
from tests.catalog.databases.mssql.test_mssql_damage import real
from tests.catalog.databases.mssql.test_mssql_rows import note
from unransom.catalog.formats.mssql import restore

PAGE, FIRST, COUNT = 8192, 40, 60
NOTES = [("id", 56, 4, 10, 0, 4, 1), ("note", 231, 100, 0, 0, -1, 2)]
NO_SLOTS = (PAGE - 2 * COUNT, PAGE)


def notes_file(protection="none", pages=6, rest="none"):
    """Return a file with notes, whose other pages have the protection ``rest``."""
    base = make.Database(rest)
    unit = base.table("notes", NOTES, key=("id",))
    for page in range(pages):
        records = [note(page * COUNT + n, f"note {page} {n}") for n in range(COUNT)]
        base.add(unit, records, protection=protection)
    return bytearray(base.bytes())


def noise(data, page, start, end):
    data[page * PAGE + start : page * PAGE + end] = random.Random(page).randbytes(end - start)


def sure(database, name, least=0.9):
    table = next(table for table in database.tables if table.name.endswith(name))
    found = (row for rows in database.rows(table) for row in rows.batch.to_pylist())
    return [(row["id"], row["note"]) for row in found if row["_confidence"] >= least]


def test_whole_pages_without_checksum_are_read_in_full_confidence():
    for protection in ("none", "torn"):
        data = bytes(notes_file(protection, rest=protection))
        assert len(sure(opened(data), "notes", 1.0)) == 6 * COUNT


@pytest.mark.parametrize(
    ("start", "end", "left"), [(*NO_SLOTS, COUNT), (4096, PAGE, COUNT), (1000, 1100, 50)]
)
def test_rows_of_a_damaged_page_that_does_not_show_it_are_salvaged(start, end, left):
    data, want = notes_file(), set(rows(opened(bytes(notes_file())), "notes"))
    for page in range(FIRST, FIRST + 6):
        noise(data, page, start, end)
    database = opened(bytes(data))
    assert rows(database, "notes") == []
    found = rows(database, "notes", ("salvaged",))
    assert len(found) >= 6 * left
    assert set(found) <= want


def test_a_changed_value_is_never_sure_where_damage_lies_in_pages():
    data = notes_file("torn", rest="torn")
    at = data.index("note 2 7".encode("utf-16-le"))
    data[at] ^= 1  # which nothing tells
    noise(data, FIRST + 5, 3000, 3100)
    database = opened(bytes(data))
    assert sure(database, "notes") == []
    assert len(sure(database, "notes", 0.85)) >= 5 * COUNT


def test_a_page_without_checksum_is_odd_where_the_others_have_one():
    data = notes_file("checksum", rest="checksum")
    page = bytearray(data[FIRST * PAGE : (FIRST + 1) * PAGE])
    page[5] &= ~2  # the bit that says so
    data[FIRST * PAGE : (FIRST + 1) * PAGE] = page
    database = opened(bytes(data))
    assert len(rows(database, "notes")) == 6 * COUNT
    assert len(sure(database, "notes")) == 5 * COUNT


def test_a_damaged_number_of_the_owner_does_not_hide_a_page():
    data = notes_file("checksum", pages=8, rest="checksum")
    data[(FIRST + 3) * PAGE + 25] ^= 0x55  # of the object
    found = rows(opened(bytes(data)), "notes", ("salvaged",))
    assert len(found) == COUNT


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "start", "end"), [("itsligo_northwnd", 5000, 5128), ("anhnbt_pubs", 4096, 4608)]
)
def test_rows_are_salvaged_where_every_page_is_damaged_the_catalogue_too(name, start, end):
    data, hurt = real(f"{name}.mdf"), bytearray(real(f"{name}.mdf"))
    for page in range(len(data) // PAGE):
        noise(hurt, page, start, end)
    want, database = everything(opened(data)), opened(bytes(hurt))
    found, known = everything(database), set(map(repr, want))
    assert len(found) >= 0.9 * len(want)
    wrong = [row for row in found if repr(row) not in known]
    assert all(any(value is None for _, value in row[1:]) for row in wrong)  # what was outside of its row
    batches = [part.batch for table in database.tables for part in database.rows(table)]
    assert max(max(batch.column("_confidence").to_pylist(), default=0) for batch in batches) < 0.9


@pytest.mark.shared_data
def test_pages_of_sql_server_2000_without_slots_are_salvaged():
    data = real("anhnbt_pubs.mdf")
    want = {name: rows(opened(data), name) for name in ("authors", "sales", "titles")}
    page = opened(data)
    numbers = {
        number
        for table in page.tables
        for found in page.rows(table)
        for number in found.batch.column("_page").to_pylist()
    }
    out = bytearray(data)
    for number in numbers:
        out[(number + 1) * PAGE - 256 : (number + 1) * PAGE] = bytes(256)
    database = opened(bytes(out))
    for name, all_rows in want.items():
        assert sorted(rows(database, name, ("salvaged",))) == sorted(all_rows)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["itsligo_northwnd", "anhnbt_pubs", "vanasp_Movies"])
def test_real_pages_hold_together_without_their_protection(name):
    data = real(f"{name}.mdf")
    pages = np.frombuffer(data, np.uint8).reshape(-1, PAGE).copy()
    restore(pages)
    pages[pages[:, 0] == 1, 5] &= 0xFC
    whole, bare = opened(data), opened(pages.tobytes())
    for table in whole.tables:
        title = table.name.split(".", 1)[-1]
        assert rows(bare, title) == rows(whole, title)
