"""The command: every output format of a small tablespace, its loss report, and its exit codes."""

import csv
import json
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tests.catalog.databases.innodb.made_tablespace import CREATE, SIZE, tablespace
from unransom.catalog.databases.table import Column, Table
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.writer import Shown

COUNT = 500
RUN = "import sys; from unransom.cli.program import run; sys.exit(run())"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "made.ibd").write_bytes(tablespace(COUNT))
    (tmp_path / "schema.sql").write_text(CREATE)
    return tmp_path


def command(files, *options, source="made.ibd", code=0):
    arguments = ["databases", str(files / source), "--out", str(files / "out"), *options]
    ran = subprocess.run(
        [sys.executable, "-c", RUN, "--lang", "en", *arguments], capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran.stderr + ran.stdout
    return ran.stdout


def test_sqlite_holds_every_row_exactly(files):
    said = command(files, "--schema", str(files / "schema.sql"), "--provenance")
    assert f"made: {COUNT} of {COUNT} rows" in said
    with closing(sqlite3.connect(files / "out" / "innodb.sqlite")) as base:
        assert base.execute("select count(*), sum(id) from made").fetchone() == (
            COUNT,
            COUNT * (COUNT + 1) // 2,
        )
        row = base.execute("select * from made where id = 7").fetchone()
    assert row[:4] == (7, "名7", "7.99", "2024-05-08")
    assert row[6:] == ("live", 1.0)


def test_the_other_formats_hold_the_same(files):
    schema = ("--schema", str(files / "schema.sql"))
    for form in ("csv", "parquet", "sql"):
        command(files, *schema, "--format", form)
    folder = files / "out"
    with (folder / "innodb" / "made.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(folder / "innodb" / "made.parquet")
    assert len(rows) == table.num_rows == COUNT
    assert rows[6] == {"id": "7", "name": "名7", "price": "7.99", "day": "2024-05-08"}
    assert [str(value) for value in table.slice(6, 1).to_pylist()[0].values()] == list(rows[6].values())
    text = (folder / "innodb.sql").read_text(encoding="utf-8")
    assert "(7, '名7', 7.99, '2024-05-08')" in text


@pytest.mark.parametrize(
    ("dialect", "text"), [("mssql", "N'名7'"), ("postgresql", "'名7'"), ("mysql", "'名7'")]
)
def test_sql_is_written_for_each_server(files, dialect, text):
    command(files, "--schema", str(files / "schema.sql"), "--format", "sql", "--dialect", dialect)
    assert text in (files / "out" / "innodb.sql").read_text(encoding="utf-8")


def test_a_statement_is_as_long_as_servers_take(tmp_path):
    column = Column("body", "longtext", pyarrow.large_string())
    writer = SqlWriter(tmp_path, "shop", "mysql")
    writer.begin(Shown("long", Table("long", (column,)), (column,)))
    texts = [str(number % 10) * (number * 40_000) for number in range(60)] + ["x"] * 1200
    writer.write(pyarrow.record_batch([pyarrow.array(texts, column.arrow)], ["body"]))
    (path,) = writer.keep()
    statements = [each for each in path.read_text().split(";\n") if "INSERT" in each]
    assert max(map(len, statements)) < 2_400_000  # the longest row alone
    assert sum(len(each) > 1 << 20 for each in statements) <= 34  # rows that are longer themselves
    assert sum(each.count("('") for each in statements) == len(texts)


def test_a_damaged_file_gives_a_loss_report_and_a_graft(files):
    data = bytearray((files / "made.ibd").read_bytes())
    data[6 * SIZE : 7 * SIZE] = random.Random(1).randbytes(SIZE)
    (files / "torn.ibd").write_bytes(data)
    command(files, "--schema", str(files / "schema.sql"), "--graft", source="torn.ibd", code=3)
    report = json.loads((files / "out" / "loss.json").read_text())
    (entry,) = report["tables"]
    assert entry["recovered"] == COUNT - 90
    assert entry["recovered"] < entry["expected"] < COUNT * 1.2
    graft = files / "out" / "graft"
    assert "IMPORT TABLESPACE" in (graft / "made.import.sql").read_text()
    assert (graft / "made.ibd").stat().st_size % SIZE == 0
    assert not list(Path(files / "out").rglob(".unransom-*"))


def test_without_a_definition_it_says_what_would_help(files):
    said = command(files, code=3)
    assert "--schema" in said


def test_a_file_of_no_database_is_said_to_be_none(files):
    (files / "other.bin").write_bytes(b"hello" * 9999)
    assert "of no database that is known" in command(files, source="other.bin", code=3)
