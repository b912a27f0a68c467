"""Real tablespaces of MySQL 5.7 and 8.0 and of MariaDB: the rows that are known to be in them."""

from pathlib import Path

import pytest

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

pytestmark = pytest.mark.shared_data
DATA = Path("../shared/data/databases/ibd")
SAKILA = {
    "actor": 200, "address": 603, "category": 16, "city": 600, "country": 109, "customer": 599, "film": 1000,
    "film_actor": 5462, "film_category": 1000, "film_text": 1000, "inventory": 4581, "language": 6,
    "staff": 2, "store": 2,
}  # fmt: skip
MARIADB = {"blob": 20, "page_compressed": 3000, "row_compressed_kbs8": 3000, "instant_add_drop": 4}
TYPES = {
    "emp": 20, "tb02": 9, "tb03": 4, "tb04utf8mb4": 10, "tb07": 10, "tb12": 4, "tb14": 1, "tb15": 6,
    "tb16": 8, "tb19": 4, "tb20": 2, "tb24": 4000, "tb25": 4, "tb26": 3, "tb27": 4, "tb28": 40,
}  # fmt: skip


def live(*names, sql=()):
    sources = [Source(name, BytesReader((DATA / name).read_bytes())) for name in names]
    (database,) = ENGINE.open(sources, Hints(sql=sql))
    (table,) = database.tables
    return [
        row
        for batch in database.rows(table)
        for row in batch.batch.to_pylist()
        if row["_state"] == "live" and row["_confidence"] == 1
    ]


@pytest.mark.parametrize("table", SAKILA)
def test_sakila_of_mysql_8_is_read_by_its_own_definition(table):
    assert len(live(f"sakila_8.0_{table}.ibd")) == SAKILA[table]


def test_values_of_sakila_are_exact():
    first = live("sakila_8.0_film.ibd")[0]
    assert first["title"] == "ACADEMY DINOSAUR"
    assert str(first["rental_rate"]) == "0.99"
    assert first["special_features"] == "Deleted Scenes,Behind the Scenes"
    assert str(first["last_update"]) == "2006-02-15 05:03:42"
    picture = next(row["picture"] for row in live("sakila_8.0_staff.ibd") if row["picture"])
    assert picture[:4] == b"\x89PNG"
    assert picture[-8:-4] == b"IEND"


@pytest.mark.parametrize("table", MARIADB)
def test_mariadb_is_read_by_its_frm_file(table):
    name = f"mariadb10.11_{table}"
    assert len(live(f"{name}.ibd", f"{name}.frm")) == MARIADB[table]


@pytest.mark.parametrize("table", TYPES)
def test_every_column_type_is_read_by_a_statement(table):
    sql = (DATA / "sql" / f"ijr_mysql56_{table}.sql").read_text()
    assert len(live(f"ijr_mysql57_{table}.ibd", sql=(sql,))) == TYPES[table]


def test_text_of_several_character_sets_is_exact():
    sql = (DATA / "sql" / "ijr_mysql56_tb20.sql").read_text()
    rows = live("ijr_mysql57_tb20.ibd", sql=(sql,))
    assert rows[0]["a"] in sql
    assert rows[0]["f"] in sql
    assert rows[1]["d"].strip("数") == "d"


def test_a_definition_of_another_table_that_explains_the_records_by_chance_is_not_taken():
    scripts = tuple(
        (DATA / "sql" / f"ijr_mysql56_{name}.sql").read_text() for name in ("tb03", "tb16", "tb25")
    )
    sources = [Source("city.ibd", BytesReader((DATA / "sakila_5.7_city.ibd").read_bytes()))]
    (database,) = ENGINE.open(sources, Hints(sql=scripts))
    assert database.tables[0].source == "inferred"
    assert sum(batch.batch.num_rows for batch in database.rows(database.tables[0])) >= 600
