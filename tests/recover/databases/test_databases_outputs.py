"""What is written holds what was decoded: every type of SQL Server, value by value, in every file format."""

import csv
import datetime
import sqlite3
from contextlib import closing
from decimal import Decimal

import pyarrow.parquet
import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import opened
from tests.catalog.databases.mssql.test_mssql_rows import TYPES, typed_row
from unransom.recover.databases.formats import writer_for
from unransom.recover.databases.writer import Shown


@pytest.fixture(scope="module")
def typed():
    """A table with a column of every type and its rows: values, and NULL in all but the key."""
    base = make.Database()
    base.add(base.table("typed", TYPES, key=("id",)), [typed_row(1), typed_row(2, nulls=range(2, 28))])
    database = opened(base.bytes())
    (table,) = database.tables
    (found,) = database.rows(table)
    return table, found.batch.select([column.name for column in table.columns])


def written(typed, form, folder):
    table, batch = typed
    writer = writer_for(form, "mssql", folder)("shop")
    writer.begin(Shown("typed", table, table.columns))
    writer.write(batch)
    return writer.keep()[0]


def as_text(value):
    """Return a value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    return str(value)


def same(got, want):
    """Tell whether a field of CSV or a value of SQLite is ``want``, however many zeros it has at its end."""
    if isinstance(want, (datetime.datetime, datetime.time)):
        return str(got).rstrip("0").rstrip(":.") == as_text(want).rstrip("0").rstrip(":.")
    if isinstance(want, (float, Decimal)) and got not in ("", None):
        return Decimal(str(got)) == Decimal(str(want))
    return as_text(got) == as_text(want)


def test_csv_holds_what_was_decoded(typed, tmp_path):
    with written(typed, "csv", tmp_path).open(encoding="utf-8", newline="") as file:
        got = list(csv.DictReader(file))
    for found, want in zip(got, typed[1].to_pylist(), strict=True):
        assert [name for name in want if not same(found[name], want[name])] == []


def test_parquet_holds_what_was_decoded(typed, tmp_path):
    got = pyarrow.parquet.read_table(written(typed, "parquet", tmp_path))
    assert got.to_pylist() == typed[1].to_pylist()


def test_sqlite_holds_what_was_decoded(typed, tmp_path):
    with closing(sqlite3.connect(written(typed, "sqlite", tmp_path))) as file:
        file.row_factory = sqlite3.Row
        got = list(file.execute("select * from typed"))
    for found, want in zip(got, typed[1].to_pylist(), strict=True):
        assert [name for name in want if not same(found[name], want[name])] == []
