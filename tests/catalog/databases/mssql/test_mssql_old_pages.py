"""Pages that are of an older state than those around them, or that the server calls free."""

import struct

import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import opened
from tests.catalog.databases.mssql.test_mssql_damage import real

PAGE = 8192
NOTES = [("id", 56, 4, 10, 0, 4, 1), ("note", 231, 100, 0, 0, -1, 2)]
OLD, NEW = (30, 100, 1), (30, 200, 1)


def notes(numbers, word="note"):
    return [make.record(struct.pack("<i", n), 2, (), [f"{word} {n}".encode("utf-16-le")]) for n in numbers]


def found(data):
    """Return number, text, state and confidence of all rows."""
    database = opened(data)
    (table,) = database.tables
    return [
        (row["id"], row["note"], row["_state"], round(row["_confidence"], 2))
        for part in database.rows(table)
        for row in part.batch.to_pylist()
    ]


def chain(first_new=True):
    """Return a file of a chain 40, 42, 43 whose page 41 was split, and of that page an old copy alone.

    The rows that went to page 42 were changed since.
    """
    base = make.Database()
    unit = base.table("notes", NOTES, key=("id",))
    newer = NEW if first_new else (20, 1, 1)
    base.add(unit, notes(range(40)), lsn=OLD)
    base.add(unit, notes(range(40, 80), "old"), lsn=OLD)
    base.add(unit, notes(range(60, 80)), lsn=newer)
    base.add(unit, notes(range(80, 120)), lsn=newer)
    for number, previous, following in ((40, 0, 41), (41, 40, 43), (42, 41, 43), (43, 42, 0)):
        base.pages[number] = make.linked(base.pages[number], previous, following)
    return base.bytes()


def test_a_page_that_a_newer_neighbour_does_not_name_is_not_sure():
    rows = found(chain())
    sure = [row[:2] for row in rows if row[3] == 1.0]
    assert sure == [(n, f"note {n}") for n in (*range(40), *range(60, 120))]
    assert [row for row in rows if row[3] < 1] == [(n, f"old {n}", "live", 0.6) for n in range(40, 60)]


def test_an_older_neighbour_does_not_speak_against_a_page():
    assert sum(row[3] == 1.0 and row[1].startswith("old") for row in found(chain(first_new=False))) == 40


@pytest.mark.parametrize(
    ("extents", "singles", "lsn", "sure"),
    [
        ([5], [], NEW, False),
        ([5, 6], [], NEW, True),
        ([5], [48], NEW, True),
        ([5], [], (20, 1, 1), True),  # the map is older than the page
    ],
)
def test_a_page_that_the_newer_map_of_its_owner_leaves_out_is_not_sure(extents, singles, lsn, sure):
    base = make.Database()
    unit = base.table("notes", NOTES)
    base.add(unit, notes(range(40)), lsn=OLD)
    base.pages[48] = make.page(48, make.DATA, unit, notes(range(40, 80)), index=256, lsn=OLD)
    base.pages[12] = make.extent_map(12, unit, extents, singles=singles, lsn=lsn)
    rows = found(base.bytes())
    assert len(rows) == 80
    assert [row[3] == 1.0 for row in rows] == [True] * 40 + [sure] * 40


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["itsligo_northwnd", "anhnbt_pubs", "vanasp_Movies"])
def test_nothing_speaks_against_the_pages_of_a_sound_file(name):
    data = bytearray(real(f"{name}.mdf"))
    data[PAGE : 2 * PAGE] = bytes(PAGE)  # so that nothing says which pages are in use
    database = opened(bytes(data))
    low = [
        row
        for table in database.tables
        for part in database.rows(table)
        for row in part.batch.to_pylist()
        if row["_state"] == "live" and row["_confidence"] == pytest.approx(0.6)
    ]
    assert low == []


def freed_file(rows):
    """Return a file that counts ``rows``, of whose 80 the second page is called free."""
    base = make.Database()
    unit = base.table("notes", NOTES, key=("id",), rows=rows)
    base.add(unit, notes(range(40)))
    base.freed.add(base.add(unit, notes(range(20, 60), "free")))
    return base.bytes()


@pytest.mark.parametrize(("counted", "confidence"), [(40, None), (60, 0.35), (80, 0.7), (1000, 0.7)])
def test_rows_of_pages_that_are_called_free_count_as_far_as_others_are_missing(counted, confidence):
    rows = found(freed_file(counted))
    assert [row for row in rows if row[3] == 1.0] == [(n, f"note {n}", "live", 1.0) for n in range(40)]
    free = [(n, f"free {n}", "freed", confidence) for n in range(40, 60)] if confidence else []
    assert rows[40:] == free


@pytest.mark.shared_data
def test_a_page_that_calls_all_others_free_hides_no_row():
    data = bytearray(real("itsligo_northwnd.mdf"))
    uses = bytearray(data[PAGE : 2 * PAGE])
    for page in range(100, 100 + 8088):
        uses[page] &= ~0x40
    data[PAGE : 2 * PAGE] = make.seal(uses[:60] + bytes(4) + uses[64:], "checksum")
    database = opened(bytes(data))
    states = [
        (row["_state"], row["_confidence"] <= 0.71)
        for table in database.tables
        for part in database.rows(table)
        for row in part.batch.to_pylist()
    ]
    assert states == [("freed", True)] * 3308
