"""Rows that rows of other tables name: what the loss report makes of foreign keys."""

import json
import random
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.databases.innodb.made_tablespace import CREATE, ON_PAGE, SIZE, tablespace
from tests.catalog.databases.mssql.reading import opened
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.innodb import sdi
from unransom.catalog.databases.references import references_in
from unransom.catalog.databases.table import Column, Reference, Table
from unransom.recover.databases.foreign_keys import ForeignKeys, Missing

REAL = Path("../shared/data/databases")
SCRIPTS = """
CREATE TABLE `a` (`id` int PRIMARY KEY, b int, p decimal(9,2) REFERENCES z (q), KEY `x` (`b`), -- no (
  CONSTRAINT `fk` FOREIGN KEY (`b`, c) REFERENCES `shop`.`b` (`id`,`e``f`) ON DELETE CASCADE) ENGINE=InnoDB;
ALTER TABLE [dbo].[Order Details] WITH CHECK ADD CONSTRAINT [FK] FOREIGN KEY([CustomerID])
REFERENCES [dbo].[Cust]]omers] ([CustomerID])
GO
alter table only public.x add constraint q foreign key (a) references y;
create table if not exists t2 (x int, y varchar(9) default 'references no (a)',
  foreign key ix (x) references t3 (z));
create table t4 (a int, foreign key (a, b) references t5 (c));
"""


def test_scripts_of_every_server_are_read():
    assert list(references_in(SCRIPTS)) == [
        ("a", Reference(("p",), "z", ("q",))),
        ("a", Reference(("b", "c"), "b", ("id", "e`f"))),
        ("Order Details", Reference(("CustomerID",), "Cust]omers", ("CustomerID",))),
        ("x", Reference(("a",), "y")),
        ("t2", Reference(("x",), "t3", ("z",))),
    ]


WORDS = ["create", "table", "(", ")", ",", ";", ".", "foreign", "key", "references", "a", "`b`", "[", "alter"]


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_no_script_breaks_the_reader(words):
    for table, reference in references_in(" ".join(words)):
        assert table
        assert reference.columns


def test_a_broken_definition_in_a_tablespace_is_none():
    for keys in ([{}], [{"elements": [{"column_opx": 9}], "referenced_table_name": "t"}], [3], {"a": 1}):
        text = {"dd_object_type": "Table", "dd_object": {"name": "t", "columns": [], "foreign_keys": keys}}
        assert sdi.definition(json.dumps(text)) is None


def table(name, key, *columns, references=()):
    made = tuple(Column(column, "", kind) for column, kind in columns)
    return Table(name, made, key, references=references)


NUMBERS = (pyarrow.int32(), pyarrow.int64())


def watched(parents, children, kinds=NUMBERS, script=""):
    reference = Reference(("p",), "parent")
    keys = ForeignKeys(
        {
            "parent": table("shop/parent", ("id",), ("id", kinds[0])),
            "child": table("child", (), ("p", kinds[1]), references=() if script else (reference,)),
        },
        [script],
    )
    keys.pass_by("parent", pyarrow.record_batch([pyarrow.array(parents, kinds[0])], ["id"]))
    for part in children:
        keys.pass_by("child", pyarrow.record_batch([pyarrow.array(part, kinds[1])], ["p"]))
    return keys.missing()


def test_each_missing_row_counts_once():
    found = watched([1, 2, 3], [[1, 1, 7, None], [7, 8, 3]])
    assert found == {"parent": Missing(2, {"child": 2})}
    assert watched([1, 2, 3], [[1, 2, None]]) == {}
    assert watched([], [[5]]) == {"parent": Missing(1, {"child": 1})}


@pytest.mark.parametrize("kind", [pyarrow.int32(), pyarrow.string(), pyarrow.binary()])
def test_a_table_that_has_lost_every_row_misses_all_that_are_named(kind):
    keys = ForeignKeys(
        {
            "parent": table("parent", ("id",), ("id", kind)),
            "child": table("child", (), ("p", kind), references=(Reference(("p",), "parent"),)),
        },
        (),
    )
    values = pyarrow.array([None, "1", "2"]).cast(kind)
    keys.pass_by("child", pyarrow.record_batch([values], ["p"]))
    assert keys.missing() == {"parent": Missing(2, {"child": 2})}


def test_texts_are_compared_as_servers_do():
    text = pyarrow.string()
    assert watched(["ALFKI", "b "], [["alfki", "B"]], (text, text)) == {}
    assert watched(["a"], [["c"]], (text, text), "create table child (p varchar(9) references parent)")
    assert watched(["1"], [[2]], (text, pyarrow.int32())) == {}  # types that cannot be compared say nothing


def test_the_loss_report_counts_rows_that_others_name(tmp_path):
    foreign = ", CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `made` (`id`))"
    child = CREATE.replace("`made`", "`sold`").replace("(`id`)\n)", "(`id`)\n" + foreign)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "sold.ibd").write_bytes(tablespace(500, space=6))
    data = bytearray(tablespace(500))
    data[6 * SIZE : 7 * SIZE] = random.Random(1).randbytes(SIZE)
    (folder / "made.ibd").write_bytes(data)
    (tmp_path / "schema.sql").write_text(f"{CREATE};\n{child};\n")
    command(tmp_path, "--schema", str(tmp_path / "schema.sql"), source="shop", code=3)
    tables = {
        each["table"]: each for each in json.loads((tmp_path / "out" / "loss.json").read_text())["tables"]
    }
    assert tables["made"]["recovered"] == 500 - ON_PAGE
    assert tables["made"]["named_by"] == {"sold": ON_PAGE}
    assert tables["made"]["expected"] >= 500
    assert tables["sold"]["named_by"] == {}
    assert f"rows of sold name {ON_PAGE} of its keys" in (tmp_path / "out" / "loss.txt").read_text()


@pytest.mark.shared_data
def test_foreign_keys_of_real_databases_are_found():
    northwind = opened((REAL / "mdf" / "itsligo_northwnd.mdf").read_bytes())
    found = {each.name: each.references for each in northwind.tables}
    assert sum(map(len, found.values())) == 13
    assert found["dbo.Employees"] == (Reference(("ReportsTo",), "Employees", ("EmployeeID",)),)
    assert Reference(("ProductID",), "Products", ("ProductID",)) in found["dbo.Order Details"]
