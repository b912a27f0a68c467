"""What the server's own tables say of tables whose rows' layout is lost."""

import random
import struct
from pathlib import Path

import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import opened, rows
from unransom.catalog.databases.mssql import catalogue, system_tables, torn_catalogue
from unransom.catalog.databases.table import Numbering

PAGE = 8192


def system_rows(*statuses):
    """Return rows of the server's tables that name a table of whole numbers, columns with these statuses."""
    columns = [
        {
            "object": 200, "number": 0, "column": number, "kind": 56, "user": 56, "length": 4,
            "precision": 10, "scale": 0, "collation": 0, "status": status, "name": f"c{number}",
        }
        for number, status in enumerate(statuses, 1)
    ]  # fmt: skip
    named = {
        "object": 200,
        "schema": 1,
        "kind": catalogue.USER_TABLE,
        "columns": len(columns),
        "name": "orders",
    }
    rows = {number: [] for number in system_tables.TABLES}
    return rows | {system_tables.COLUMNS: columns, system_tables.OBJECTS: [named]}


@pytest.mark.parametrize(("statuses", "known"), [((1, 0, 5), True), ((1, 0, 16), False), ((0, 17, 1), False)])
def test_a_table_with_computed_columns_is_not_laid_out_by_its_columns_alone(statuses, known):
    found = catalogue.catalogue_of(system_rows(*statuses)).declared
    assert [table.name for table in found] == (["dbo.orders"] if known else [])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        (
            "itsligo_northwnd",
            {
                "Categories.CategoryID", "Employees.EmployeeID", "Orders.OrderID", "Products.ProductID",
                "Shippers.ShipperID", "Suppliers.SupplierID",
            },
        ),
        ("anhnbt_pubs", {"Menus.CatID", "jobs.job_id", "sysdiagrams.diagram_id"}),
    ],
)  # fmt: skip
def test_columns_whose_numbers_the_server_draws_are_known(name, drawn):
    base = opened((Path("../shared/data/databases/mdf") / f"{name}.mdf").read_bytes())
    found = {
        f"{table.short}.{column.name}"
        for table in base.tables
        for column in table.columns
        if column.automatic
    }
    assert found == drawn


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        (
            "itsligo_northwnd",
            {
                "Categories.CategoryID": (1, 1, 8), "Employees.EmployeeID": (1, 1, 9),
                "Orders.OrderID": (1, 1, 11077), "Products.ProductID": (1, 1, 77),
                "Shippers.ShipperID": (1, 1, 3), "Suppliers.SupplierID": (1, 1, 29),
            },
        ),
        ("anhnbt_pubs", {
            "Menus.CatID": (1, 1, 6), "jobs.job_id": (1, 1, 14), "sysdiagrams.diagram_id": (1, 1, None),
        }),
        ("vanasp_Movies", {"Movies.ID": (1, 1, 5)}),
    ],
)  # fmt: skip
def test_how_the_server_draws_numbers_is_known(name, numbers):
    base = opened((Path("../shared/data/databases/mdf") / f"{name}.mdf").read_bytes())
    assert numbers == {
        f"{table.short}.{column.name}": (
            column.numbering.first, column.numbering.step, column.numbering.last,
        )
        for table in base.tables
        for column in table.columns
        if column.automatic
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "raw", "numbers"),
    [
        (56, struct.pack("<iiiB", 120, 10, 100, 0), Numbering(100, 10, 120)),
        (56, struct.pack("<iiiB", -7, -2, -1, 0x82), Numbering(-1, -2, -7)),
        (48, struct.pack("<BBBB", 250, 1, 200, 0), Numbering(200, 1, 250)),
        (127, struct.pack("<qqqB", 0, 1, 0, 1), Numbering(0, 1)),  # none drawn; of queues in real files
        (
            108,
            b"".join(struct.pack("<BI", n >= 0, abs(n)) for n in (-15, -5, 5)) + b"\0",
            Numbering(5, -5, -15),
        ),
        (56, struct.pack("<iiiB", 120, 0, 100, 0), None),
        (56, struct.pack("<qqqB", 0, 1, 0, 1), None),
        (56, b"\0", None),
        (56, None, None),
    ],
)
def test_numbers_that_were_drawn(kind, raw, numbers):
    rows = system_rows(4)
    rows[system_tables.COLUMNS][0] |= {"kind": kind, "numbers": raw, "precision": 9}
    (table,) = catalogue.catalogue_of(rows).declared
    assert table.fields[0].numbering == numbers


def notes_with_old_catalogue(freed, lsn):
    """Return a file with a table, and an old copy of the page that describes its columns."""
    base = make.Database()
    old = make.Database()
    old.table("notes", [("id", 56, 4, 10, 0, 4, 1), ("old", 231, 60, 0, 0, -1, 2)], key=("id",))
    unit = base.table("notes", [("id", 56, 4, 10, 0, 4, 1), ("note", 231, 100, 0, 0, -1, 2)], key=("id",))
    at = old.bytes().index("old".encode("utf-16-le")) // PAGE * PAGE
    page = bytearray(old.bytes()[at : at + PAGE])
    struct.pack_into("<I", page, 32, 12)
    struct.pack_into("<I", page, 40, lsn)
    base.pages[12] = make.seal(page[:60] + bytes(4) + page[64:], "checksum")
    base.freed |= {12} if freed else set()
    notes = [make.record(struct.pack("<i", n), 2, (), [f"note {n}".encode("utf-16-le")]) for n in range(40)]
    base.add(unit, notes)
    return base.bytes()


@pytest.mark.parametrize(("freed", "lsn"), [(True, 99), (False, 20)])
@pytest.mark.parametrize("torn", [False, True])
def test_an_old_copy_of_a_page_of_the_catalogue_does_not_count(freed, lsn, torn):
    data = bytearray(notes_with_old_catalogue(freed, lsn))
    for page in range(10, 40) if torn else ():
        data[page * PAGE + 5000 : page * PAGE + 5100] = random.Random(page).randbytes(100)
    database = opened(bytes(data))
    (table,) = database.tables
    assert [(column.name, column.declared) for column in table.columns] == [
        ("id", "int"), ("note", "nvarchar(50)"),
    ]  # fmt: skip
    assert rows(database, "notes") == [(n, f"note {n}") for n in range(40)]


def test_pages_that_each_claim_another_shape_are_searched_for_few(monkeypatch):
    data = bytearray(notes_with_old_catalogue(freed=False, lsn=20))
    for number in range(100, 164):
        rowset = make.record(bytes(range(number, 255)), 18)
        page = bytearray(make.page(number, make.DATA, system_tables.ROWSETS, [rowset]))
        data += page[:5000] + random.Random(number).randbytes(100) + page[5100:]
    for page in range(10, 40):
        data[page * PAGE + 5000 : page * PAGE + 5100] = random.Random(page).randbytes(100)
    searches = []
    searched = torn_catalogue.salvaged
    monkeypatch.setattr(torn_catalogue, "salvaged", lambda *a: searches.append(a) or searched(*a))
    assert opened(bytes(data)).tables
    assert len(searches) <= 4 * len(system_tables.TABLES)
