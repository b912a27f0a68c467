"""Types of columns in scripts: SQL Server's are written as they were, and no value is cut off elsewhere."""

import datetime

import pyarrow
import pytest

from tests.recover.databases.mariadb_server import Server
from unransom.catalog.databases.innodb.charsets import UTF8
from unransom.catalog.databases.innodb.types import column_type
from unransom.catalog.databases.mssql.script import tables_of
from unransom.catalog.databases.table import Column, Table
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.sql_types import literal_of, type_of
from unransom.recover.databases.writer import Shown

OF_SERVER = (  # what SQL Server declares, what a script for it says, and one for MySQL
    ("nvarchar(40)", "nvarchar(40)", "varchar(40)"),
    ("nvarchar(max)", "nvarchar(max)", "longtext"),
    ("varchar(50)", "nvarchar(50)", "varchar(50)"),  # in a code page that the script's database may not have
    ("char(5)", "nvarchar(5)", "varchar(5)"),
    ("nchar(5)", "nchar(5)", "varchar(5)"),
    ("ntext", "nvarchar(max)", "longtext"),
    ("decimal(18,4)", "decimal(18,4)", "decimal(18,4)"),
    ("numeric(38,10)", "numeric(38,10)", "decimal(38,10)"),
    ("money", "money", "decimal(19,4)"),
    ("smallmoney", "smallmoney", "decimal(10,4)"),
    ("bit", "bit", "tinyint"),
    ("tinyint", "tinyint", "tinyint unsigned"),
    ("bigint", "bigint", "bigint"),
    ("real", "real", "float"),
    ("float", "float", "double"),  # of eight bytes, unlike MySQL's
    ("date", "date", "date"),
    ("datetime", "datetime", "datetime(6)"),
    ("smalldatetime", "smalldatetime", "datetime(6)"),
    ("datetime2(3)", "datetime2(3)", "datetime(6)"),
    ("datetime2(7)", "datetime2(7)", "varchar(27)"),
    ("time(2)", "time(2)", "time(6)"),
    ("time(7)", "time(7)", "varchar(16)"),
    ("datetimeoffset(7)", "datetimeoffset(7)", "varchar(34)"),
    ("uniqueidentifier", "uniqueidentifier", "char(36)"),
    ("varbinary(30)", "varbinary(30)", "varbinary(30)"),
    ("varbinary(max)", "varbinary(max)", "longblob"),
    ("image", "varbinary(max)", "longblob"),
    ("rowversion", "binary(8)", "varbinary(8)"),
    ("xml", "xml", "longtext"),
)
OF_MYSQL = (  # what MySQL declares, and what a script for SQL Server says
    ("int unsigned", "bigint"),
    ("tinyint(1)", "smallint"),
    ("bigint unsigned", "decimal(20)"),
    ("decimal(10,2)", "decimal(10,2)"),
    ("decimal(65,30)", "nvarchar(68)"),
    ("varchar(40)", "nvarchar(80)"),  # whose characters may take two places each
    ("varchar(3000)", "nvarchar(3000)"),
    ("varchar(9000)", "nvarchar(max)"),
    ("longtext", "nvarchar(max)"),
    ("json", "nvarchar(max)"),
    ("enum('a','long one')", "nvarchar(16)"),
    ("set('a','bc')", "nvarchar(10)"),
    ("datetime", "datetime2(0)"),
    ("timestamp(3)", "datetime2(3)"),
    ("date", "date"),
    ("time(6)", "nvarchar(17)"),  # up to 838 hours
    ("float", "real"),
    ("double", "float"),
    ("varbinary(16)", "varbinary(16)"),
    ("longblob", "varbinary(max)"),
    ("uuid", "nvarchar(36)"),
)


def _of_server(declared):
    (table,) = tables_of(f"create table dbo.t (c {declared})")
    return table.fields[0].column


@pytest.mark.parametrize(("declared", "again", "elsewhere"), OF_SERVER)
def test_types_of_sql_server_come_back(declared, again, elsewhere):
    column = _of_server(declared)
    assert type_of(column, "mssql", "mssql") == again
    assert type_of(column, "mssql", "mysql") == elsewhere
    assert declared in {"varchar(50)", "char(5)", "ntext", "image", "rowversion"} or (
        _of_server(again).declared == column.declared
    )


@pytest.mark.parametrize(("declared", "written"), OF_MYSQL)
def test_types_of_mysql_hold_every_value_there(declared, written):
    column = Column("c", declared, column_type(declared, UTF8).arrow)
    assert type_of(column, "mysql", "mssql") == written
    if "char" not in declared:
        assert type_of(column, "mysql", "mysql") == declared


def test_a_key_is_as_long_as_it_is_declared():
    column = Column("c", "varchar(255)", column_type("varchar(255)", UTF8).arrow)
    assert type_of(column, "mysql", "mssql", keyed=True) == "nvarchar(255)"


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("datetime", "2020-01-02 03:04:05.006667", "2020-01-02T03:04:05.007"),
        ("datetime", "2020-01-02 03:04:05.996667", "2020-01-02T03:04:05.997"),
        ("datetime", "2020-01-02 03:04:05", "2020-01-02T03:04:05"),
        ("smalldatetime", "2020-01-02 03:04:00", "2020-01-02T03:04:00"),
        ("datetime2(7)", "2020-01-02 03:04:05.006667", "2020-01-02 03:04:05.006667"),
    ],
)
def test_points_in_time_mean_the_same_by_every_setting(kind, value, written):
    assert literal_of(kind, value) == written


def test_a_server_of_mysql_takes_what_sql_server_declared(tmp_path):
    values = {
        "tinyint": 255,
        "float": 0.1234567890123,
        "datetime2(7)": "2020-01-02 03:04:05.1234567",
        "datetime2(3)": datetime.datetime.fromisoformat("2020-01-02 03:04:05.120"),
        "time(7)": "03:04:05.1234567",
        "datetimeoffset(7)": "2020-01-02 03:04:05.1234567 +02:00",
        "text": "x" * 70_000,
        "uniqueidentifier": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    }
    columns = tuple(
        _of_server(declared).__class__(f"c{place}", *_parts(_of_server(declared)))
        for place, declared in enumerate(values)
    )
    table = Table("t", columns, key=("c7",), dialect="mssql")
    writer = SqlWriter(tmp_path, "t", "mysql")
    writer.begin(Shown("t", table, columns))
    arrays = [
        pyarrow.array([each], column.arrow) for each, column in zip(values.values(), columns, strict=True)
    ]
    writer.write(pyarrow.RecordBatch.from_arrays(arrays, [column.name for column in columns]))
    (path,) = writer.keep()
    server = Server()
    try:
        server.run("create database back", "use back")
        for statement in path.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                server.run(statement)
        assert list(server.run("select * from t")[0]) == list(values.values())
        assert "PRIMARY KEY" in server.run("show create table t")[0][1]
    finally:
        server.close()


def _parts(column):
    return column.declared, column.arrow, column.nullable


def test_a_date_that_may_be_zero_may_be_null_elsewhere(tmp_path):
    columns = (
        Column("day", "date", pyarrow.date32(), nullable=False),
        Column("n", "int", pyarrow.int32(), nullable=False),
    )
    for declared_by, wanted in (("mysql", "[day] date,"), ("mssql", "[day] date NOT NULL,")):
        writer = SqlWriter(tmp_path / declared_by, "t", "mssql")
        writer.begin(Shown("t", Table("t", columns, dialect=declared_by), columns))
        (path,) = writer.keep()
        text = path.read_text()
        assert wanted in text
        assert "[n] int NOT NULL" in text
