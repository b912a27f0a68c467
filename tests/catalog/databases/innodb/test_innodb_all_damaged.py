"""Tables of which every page is damaged: their heads and an outside definition tell enough."""

import random

import pytest

from tests.catalog.databases.innodb.made_tablespace import SIZE, tablespace, versioned_record
from tests.catalog.databases.innodb.test_innodb_rows import WANTED, read
from unransom.catalog.databases.engine import Hints

ROWS = 1000
OTHER = """CREATE TABLE `made` (`id` bigint(20) NOT NULL, `price` decimal(9,2) NOT NULL, `name` varchar(40),
  PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""


def rated(data, hints=None):
    """Return the rows with their confidence and state."""
    _, databases = read(data) if hints is None else read(data, hints=hints)
    return {
        tuple(row[column.name] for column in table.columns): (round(row["_confidence"], 2), row["_state"])
        for database in databases
        for table in database.tables
        for batch in database.rows(table)
        for row in batch.batch.to_pylist()
    }


def without_checksums(data):
    """Return the file with every checksum wrong."""
    out = bytearray(data)
    for at in range(0, len(out), SIZE):
        for place in (at, at + SIZE - 8, at + SIZE - 4):
            out[place] ^= 1
    return bytes(out)


def with_holes(data, length):
    """Return the file with a random hole in every page, heads excepted."""
    out = bytearray(data)
    for at in range(0, len(out), SIZE):
        start = at + random.Random(at).randrange(200, 3000)
        out[start : start + length] = random.Random(at).randbytes(length)
    return bytes(out)


@pytest.mark.parametrize("full_crc32", [True, False])
def test_wrong_checksums_everywhere_lose_no_row_but_confidence(full_crc32):
    found = rated(without_checksums(tablespace(ROWS, full_crc32=full_crc32)))
    assert set(found) == WANTED
    assert {sure for sure, _ in found.values()} == {0.6}


def test_a_hole_in_every_page_takes_only_the_rows_in_it():
    found = rated(with_holes(tablespace(ROWS), 600))
    assert set(found) <= WANTED
    assert len(found) > 0.8 * ROWS
    assert max(sure for sure, _ in found.values()) == 0.95


def test_a_page_that_gave_records_up_loses_no_more_than_the_hole():
    """What its slots lead to is live, behind the hole as well as before it."""
    data = bytearray(tablespace(ROWS))
    for at in range(4 * SIZE, len(data), SIZE):
        data[at + 44 : at + 46] = (120).to_bytes(2, "big")  # the first of the records that were given up
    found = rated(with_holes(data, 600))
    assert set(found) <= WANTED
    assert len(found) > 0.8 * ROWS


def test_a_flipped_bit_is_not_called_good():
    data = bytearray(tablespace(ROWS))
    for at in range(4 * SIZE, 15 * SIZE, SIZE):
        data[at + data[at : at + SIZE].find("名".encode()) + 3] ^= 1  # a digit within a name
    found = rated(bytes(data))
    wrong = [found[row] for row in set(found) - WANTED]
    assert wrong
    assert max(sure for sure, _ in wrong) <= 0.6


def test_bits_that_flip_in_the_head_as_well_do_not_show_where_the_damage_is():
    data = bytearray(tablespace(ROWS))
    for at in range(4 * SIZE, 15 * SIZE, SIZE):
        data[at + data[at : at + SIZE].find("名".encode()) + 3] ^= 1
    data[7 * SIZE + 72] ^= 8  # of the id of the index
    found = rated(bytes(data))
    assert len(found) == ROWS
    wrong = [found[row] for row in set(found) - WANTED]
    assert wrong
    assert max(sure for sure, _ in wrong) <= 0.6


def test_a_damaged_id_makes_no_index_of_a_page():
    """It is the page that is damaged least, so that no other index is explained so well."""
    data = bytearray(with_holes(tablespace(ROWS), 600))
    data[8 * SIZE : 9 * SIZE] = tablespace(ROWS)[8 * SIZE : 9 * SIZE]
    data[8 * SIZE + 66 : 8 * SIZE + 74] = random.Random(8).randbytes(8)
    found = rated(bytes(data))
    assert set(found) <= WANTED
    assert len(found) > 0.8 * ROWS


def test_empty_pages_with_a_wrong_bit_do_not_make_the_file_a_compressed_one():
    data = bytearray(without_checksums(tablespace(ROWS)))
    for number in (60, 61):
        data[number * SIZE : (number + 1) * SIZE] = bytes(SIZE)
        data[number * SIZE + 17] = 32
    assert set(rated(bytes(data))) == WANTED


def test_what_may_be_deleted_is_not_called_good():
    """Of a record whose links lead into the damage nothing tells that it is not among those given up."""
    data = bytearray(tablespace(ROWS))
    page = 6 * SIZE

    def following(at):
        return at + int.from_bytes(data[page + at - 2 : page + at], "big")

    places = [following(99)]
    while len(places) < 40:
        places.append(following(places[-1]))
    data[page + 44 : page + 46] = places[39].to_bytes(2, "big")  # it was given up, and so was the fifteenth
    data[page + places[14] - 2 : page + places[14]] = (places[39] - places[14]).to_bytes(2, "big")
    data[page + places[13] - 2 : page + places[13]] = (places[20] - places[13]).to_bytes(2, "big")
    start = places[18]
    data[page + start : page + SIZE] = random.Random(1).randbytes(SIZE - start)
    found = {row[0]: sure for row, (sure, _) in rated(bytes(data)).items()}
    first = 2 * 90 + 1
    assert {found[first + place] for place in range(10)} == {0.95}  # the links from the front reach these
    assert found.get(first + 14, 0) <= 0.6


def test_a_definition_that_does_not_fit_gives_no_row():
    assert rated(with_holes(tablespace(ROWS), 600), Hints(sql=(OTHER,))) == {}


def test_of_two_versions_of_a_row_the_newer_page_counts():
    old, new = (without_checksums(tablespace(ROWS, lsn=lsn)) for lsn in (1000, 9000))
    # Page 4 as it was before, in the place of one that holds nothing.
    page = bytearray(old[4 * SIZE : 5 * SIZE])
    page[4:8] = (60).to_bytes(4, "big")
    at = page.find("名".encode())
    page[at + 3] ^= 1
    found = rated(new[: 60 * SIZE] + bytes(page) + new[61 * SIZE :])
    assert set(found) == WANTED


def test_records_with_versions_are_read_by_what_they_say_of_themselves():
    found = rated(without_checksums(tablespace(ROWS, made=versioned_record)))
    assert {row[:3] for row in found} <= {row[:3] for row in WANTED}
