"""Columns that nobody declared: guessed from a made tablespace, from values, and from real files."""

import datetime
import os
import random
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.databases.innodb.made_tablespace import SIZE, rows, tablespace
from tests.catalog.databases.innodb.test_innodb_shared import DATA, MARIADB, SAKILA, TYPES
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, guesses
from unransom.core.streams import BytesReader

COUNT = 500
EXAMPLES = 60 * int(os.environ.get("UNRANSOM_SOAK", "1"))
RUBY = {
    "hello_world": 2, "t_10k_rows": 10_000, "t_date_and_time_types": 4, "t_numeric_types": 6,
    "t_record_describer": 210,
}  # fmt: skip
NAMELESS = (
    [f"ijr_mysql57_{table}" for table in TYPES]
    + [f"sakila_5.7_{table}" for table in SAKILA]
    + [f"mariadb10.11_{table}" for table in MARIADB if table != "instant_add_drop"]
    + [f"innodb_ruby_{table}" for table in RUBY]
)
COUNTS = dict(sorted((TYPES | SAKILA | MARIADB | RUBY).items(), key=lambda pair: -len(pair[0])))


def read(data, name="made.ibd"):
    (database,) = ENGINE.open([Source(name, BytesReader(data))], Hints())
    found = [
        row
        for table in database.tables
        for batch in database.rows(table)
        for row in batch.batch.to_pylist()
        if row["_state"] == "live"
    ]
    return database, found


@pytest.mark.parametrize("full_crc32", [True, False])
def test_columns_are_named_by_position_and_their_values_are_exact(full_crc32):
    database, found = read(tablespace(COUNT, full_crc32=full_crc32))
    (table,) = database.tables
    assert [column.declared for column in table.columns] == ["int", "longtext", "decimal(11,2)", "date"]
    assert [column.name for column in table.columns] == ["column_1", "column_2", "column_3", "column_4"]
    assert (table.name, table.key, table.source) == ("made", ("column_1",), "inferred")
    assert 0.5 <= table.confidence < 0.7
    assert {tuple(row.values())[:4] for row in found} == {
        (number, name, Decimal(cents) / 100, datetime.date(2024, 5, day))
        for number, name, cents, day in rows(COUNT)
    }
    assert "guessed" in database.problems[0].text


def test_one_page_of_rows_is_enough_and_says_how_unsure_it_is():
    database, found = read(tablespace(5))
    assert len(found) == 5
    assert database.tables[0].confidence < 0.3


@pytest.mark.parametrize("count", [5, COUNT])
def test_no_row_is_surer_than_the_guess_of_its_columns(count):
    database, found = read(tablespace(count))
    assert {row["_confidence"] for row in found} == {float(np.float32(database.tables[0].confidence))}


@pytest.mark.parametrize(
    ("values", "kind", "declared"),
    [
        ([1, -5, 30], ">i4", "int"),
        ([70_000, 2, 9], ">u4", "int unsigned"),
        ([5, -7, 1000], ">i8", "bigint"),
        ([1_140_000_000 + 999 * n for n in range(5)], ">u4", "timestamp"),
        ([n * 1.37 for n in range(30)], "<f8", "double"),
    ],
)
def test_a_column_of_fixed_length_is_known_by_its_values(values, kind, declared):
    part = np.array(values, kind).view(np.uint8).reshape(len(values), -1).copy()
    if kind.startswith(">i"):
        part[:, 0] ^= 0x80
    assert [found.declared for found in guesses.fixed_types(part)] == [declared]


def test_text_is_told_from_bytes_by_what_decodes():
    assert guesses.variable_type(["数据".encode(), b"plain"]).charset.name == "utf8mb4"
    assert guesses.variable_type(["数据".encode("gbk"), "恢复".encode("gbk")]).charset.name == "gbk"
    assert guesses.variable_type([bytes(range(20)) * 3]).declared == "longblob"


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 1 << 30))
def test_hostile_records_neither_raise_nor_hang(seed):
    from unransom.catalog.databases.innodb.graft_pages import Shape, seal

    chance, file = random.Random(seed), bytearray(MADE)
    for number in range(4, 8):
        page = file[number * SIZE : (number + 1) * SIZE]
        for _ in range(chance.choice((1, 3, 30))):
            at = chance.randrange(38, SIZE - 8) if chance.random() < 0.3 else chance.randrange(38, 800)
            page[at] = chance.choice((0, 0xFF, 0x80, chance.randrange(256)))
        file[number * SIZE : (number + 1) * SIZE] = seal(page, Shape(SIZE, 5, 40, True, True, 1000))
    (database,) = ENGINE.open([Source("made.ibd", BytesReader(bytes(file)))], Hints())
    for table in database.tables:
        assert sum(batch.batch.num_rows for batch in database.rows(table)) < 100_000


MADE = tablespace(300)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", NAMELESS)
def test_real_tables_give_their_rows_without_any_definition(name):
    _, found = read((DATA / f"{name}.ibd").read_bytes(), f"{name}.ibd")
    assert len(found) == next(count for table, count in COUNTS.items() if name.endswith(f"_{table}"))


@pytest.mark.shared_data
def test_columns_of_a_real_table_are_those_that_it_has():
    database, found = read((DATA / "sakila_5.7_customer.ibd").read_bytes())
    declared = [column.declared.split()[0] for column in database.tables[0].columns]
    assert declared == [
        "smallint", "tinyint", "longtext", "longtext", "longtext", "smallint", "tinyint", "datetime",
        "timestamp",
    ]  # fmt: skip
    assert [found[0][f"column_{n}"] for n in (1, 3, 4, 5)] == [
        1, "MARY", "SMITH", "MARY.SMITH@sakilacustomer.org",
    ]  # fmt: skip
