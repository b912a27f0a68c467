"""Rows of a made tablespace, whole, damaged, merged from two files, and hostile."""

import datetime
import os
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.databases.innodb.made_tablespace import CREATE, SIZE, rows, tablespace
from unransom.catalog.databases.engine import Graft, Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.messages import Message
from unransom.core.streams import BytesReader

COUNT = 1000
EXAMPLES = 60 * int(os.environ.get("UNRANSOM_SOAK", "1"))
HINTS = Hints(sql=(CREATE,))
WANTED = {
    (number, name, Decimal(cents) / 100, datetime.date(2024, 5, day))
    for number, name, cents, day in rows(COUNT)
}


@pytest.fixture(scope="module")
def made():
    return tablespace(COUNT)


def read(*files, hints=HINTS):
    """Return live and salvaged rows, by state, and the database."""
    sources = [Source(f"made.{number}.ibd", BytesReader(data)) for number, data in enumerate(files)]
    found = {}
    databases = ENGINE.open(sources, hints)
    for database in databases:
        for table in database.tables:
            for batch in database.rows(table):
                for row in batch.batch.to_pylist():
                    found.setdefault(row["_state"], []).append(
                        tuple(row[column.name] for column in table.columns)
                    )
    return found, databases


@pytest.mark.parametrize("full_crc32", [True, False])
def test_every_row_is_read_exactly(full_crc32):
    found, (database,) = read(tablespace(COUNT, full_crc32=full_crc32))
    assert len(found["live"]) == COUNT
    assert set(found["live"]) == WANTED
    assert database.problems == ()
    assert database.loss(database.tables[0], COUNT).expected == COUNT


def test_page_0_is_not_needed(made):
    found, _ = read(bytes(SIZE) + made[SIZE:])
    assert set(found["live"]) == WANTED


def test_a_hole_in_a_page_takes_only_the_rows_in_it(made):
    data = bytearray(made)
    data[6 * SIZE + 1000 : 6 * SIZE + 2000] = random.Random(1).randbytes(1000)
    found, _ = read(bytes(data))
    assert set(found["live"]) | set(found["salvaged"]) <= WANTED
    assert len(found["salvaged"]) >= 60
    assert not set(found["live"]) & set(found["salvaged"])


def test_random_pages_give_no_row(made):
    data = bytearray(made)
    data[4 * SIZE : 20 * SIZE] = random.Random(2).randbytes(16 * SIZE)
    found, _ = read(bytes(data))
    assert not found


def test_two_halves_make_a_whole(made):
    noise = random.Random(3)
    one, other = bytearray(made), bytearray(made)
    for page in range(3, 16):
        half = SIZE // 2
        one[page * SIZE : page * SIZE + half] = noise.randbytes(half)
        other[page * SIZE + half : (page + 1) * SIZE] = noise.randbytes(half)
    found, databases = read(bytes(one), bytes(other))
    assert len(databases[0].tables) == 1
    assert set(found["live"]) == WANTED
    assert len(found["live"]) == COUNT


def test_of_two_sound_copies_the_newer_counts(made):
    newer = bytearray(tablespace(COUNT - 100, lsn=2000))
    newer[4 * SIZE : 5 * SIZE] = made[4 * SIZE : 5 * SIZE]  # a page that did not change
    found, _ = read(made, bytes(newer))
    assert COUNT - 100 <= len(set(found["live"])) <= COUNT


def test_without_a_definition_it_says_what_would_help(made):
    _, (database,) = read(made, hints=Hints())
    assert not database.tables or database.tables[0].source == "inferred"
    assert database.problems


def test_rows_that_were_deleted_are_told_apart(made):
    from unransom.catalog.databases.innodb.graft_pages import Shape, seal

    data = bytearray(made)
    page = data[4 * SIZE : 5 * SIZE]
    first = 99 + int.from_bytes(page[97:99], "big")
    page[first - 5] |= 0x20
    data[4 * SIZE : 5 * SIZE] = seal(page, Shape(SIZE, 5, 40, True, True, 1000))
    found, _ = read(bytes(data))
    assert found["deleted"] == [row for row in sorted(WANTED, key=lambda row: row[0]) if row[0] == 1]
    assert len(found["live"]) == COUNT - 1


def test_gaps_between_keys_tell_how_many_rows_are_lost(made):
    data = bytearray(made)
    data[6 * SIZE : 8 * SIZE] = random.Random(4).randbytes(2 * SIZE)
    found, (database,) = read(bytes(data))
    loss = database.loss(database.tables[0], len(found["live"]))
    assert (loss.recovered, loss.expected) == (COUNT - 180, COUNT)
    assert loss.why.values["keys"] == 180


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_hostile_files_neither_raise_nor_hang(data):
    file = bytearray(MADE)
    chance = random.Random(data.draw(st.integers(0, 1 << 30)))
    for _ in range(data.draw(st.integers(1, 8))):
        start = chance.randrange(len(file))
        length = chance.choice((1, 2, 8, 100, 4096, 20000))
        file[start : start + length] = chance.randbytes(len(file[start : start + length]))
    _resealed(file, chance)
    cut = data.draw(st.sampled_from((len(file), len(file) - 1, 5 * SIZE, 70000)))
    _, databases = read(bytes(file[:cut]))
    for database in databases:
        for table in database.tables:
            database.loss(table, 0)
            made = ENGINE.graft(database, table)
            assert isinstance(made, (Graft, Message))
            if isinstance(made, Graft):
                assert sum(len(page) for _, page in made.pages) <= made.size


def _resealed(file, chance):
    """Give some damaged pages a checksum that holds, so that what is in them is read."""
    from unransom.catalog.databases.innodb.graft_pages import Shape, seal

    for number in range(3, 16):
        if chance.random() < 0.5:
            page = file[number * SIZE : (number + 1) * SIZE]
            file[number * SIZE : (number + 1) * SIZE] = seal(page, Shape(SIZE, 5, 40, True, True, 1000))


MADE = tablespace(COUNT)
