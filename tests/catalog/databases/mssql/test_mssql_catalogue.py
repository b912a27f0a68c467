"""What the server's own tables say of tables whose rows' layout is lost."""

from pathlib import Path

import pytest

from tests.catalog.databases.mssql.reading import opened
from unransom.catalog.databases.mssql import catalogue


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
    rows = {number: [] for number in catalogue.TABLES}
    return rows | {catalogue.COLUMNS: columns, catalogue.OBJECTS: [named]}


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
