"""Files of databases in a hundred shuffled fragments."""

import random
import struct

import pytest

from tests.catalog.formats import database_samples as samples
from tests.recover.carve.boards import CLUSTER, board_of, carved_by
from unransom.recover.carve.found import Proof
from unransom.recover.carve.reassembly import page_kinds
from unransom.recover.carve.reassembly import pages as database
from unransom.recover.carve.space import NOWHERE


def shuffled(data, seed, pieces=100):
    draw = random.Random(seed)
    count = -(-len(data) // CLUSTER)
    cuts = sorted(draw.sample(range(1, count), min(pieces, count) - 1))
    parts = [
        data[start * CLUSTER : end * CLUSTER] for start, end in zip([0, *cuts], [*cuts, count], strict=True)
    ]
    draw.shuffle(parts)
    return b"".join(part + draw.randbytes(CLUSTER * draw.randrange(3)) for part in parts)


def data_file(pages, *, torn=False):
    """Return a data file of SQL Server whose pages differ all over."""
    draw = random.Random(pages)
    allocated = samples.mssql_page(1, 11, bytes(4) + bytes([0x44] * pages + [0] * 8), torn=torn)
    rest = (samples.mssql_page(number, 1, draw.randbytes(8000), torn=torn) for number in range(2, pages))
    return samples.file_header(pages, torn=torn) + allocated + b"".join(rest)


def tablespace(rule, size, pages):
    """Return a tablespace of InnoDB all of whose pages are in use."""
    made = samples.innodb(rule, size, pages)
    first = bytearray(made[:size])
    struct.pack_into(">I", first, page_kinds.FREE_LIMIT, pages)
    return bytes(samples.seal(first, rule)) + made[size:]


def carved(image):
    return carved_by(database.find, image)


@pytest.mark.parametrize(
    ("name", "pieces", "data"),
    [
        ("innodb", 100, samples.innodb("crc32", 4096, 104)),
        ("innodb", 25, samples.innodb("crc32", 16384, 40)),
        ("innodb", 100, tablespace("crc32", 16384, 120)),
        ("innodb", 100, tablespace("innodb", 4096, 200)),
        ("innodb", 100, tablespace("full_crc32", 4096, 200)),
        ("mssql", 100, data_file(220)),
    ],
)
def test_a_file_in_shuffled_fragments_is_whole(name, pieces, data):
    for seed in range(2 if len(data) < 1 << 20 else 1):
        (found, content), *others = carved(shuffled(data, seed, pieces))
        assert not others
        assert found.format == name
        assert content == data
        assert found.proof is Proof.CHECKSUM


def test_what_is_nowhere_is_listed_and_the_rest_comes_back():
    made = bytearray(samples.innodb("none", 16384, 60))
    struct.pack_into(">I", made, page_kinds.FREE_LIMIT, 60)  # all pages are in use
    data = bytes(made)
    lost = data[: 16384 * 40] + random.Random(1).randbytes(16384) + data[16384 * 41 :]
    ((found, content),) = carved(lost)
    assert content[: 16384 * 40] == data[: 16384 * 40]
    assert content[16384 * 41 :] == data[16384 * 41 :]
    assert found.why.values["pages"] == "40"
    assert found.proof is Proof.HEURISTIC


def test_pages_without_checksums_are_not_called_proven():
    for data in (data_file(60, torn=True), tablespace("none", 16384, 40)):
        for found, _ in carved(shuffled(data, 1, 30)):
            assert found.proof is Proof.HEURISTIC


def stated(count, pages=8):
    """Return a tablespace whose page 0 says that it has ``count`` pages, all in use, and some of these."""
    made = tablespace("crc32", 4096, pages)[: pages * 4096]
    first = bytearray(made[:4096])
    struct.pack_into(">I", first, 46, count)
    struct.pack_into(">I", first, page_kinds.FREE_LIMIT, count)
    return bytes(samples.seal(first, "crc32")) + made[4096:]


@pytest.mark.timeout(60)
def test_pages_that_are_only_stated_cost_nothing():
    image = stated(page_kinds.MOST_PAGES)
    ((found, _),) = carved(image)
    assert found.size <= len(image) * (1 + database.ROOM)
    assert found.proof is Proof.HEURISTIC
    assert found.why.values["pages"].startswith("8, 9, 10, ")


def test_what_is_stated_by_many_files_takes_no_more_room_than_one_may():
    image = stated(100) * 48  # copies of page 0, and of all others
    found = carved(image)
    nowhere = sum(len(span) for each, _ in found for span in each.spans if span.start >= NOWHERE)
    assert len(found) == 48
    assert nowhere <= len(image) * database.ROOM


@pytest.mark.timeout(60)
def test_torn_pages_of_many_files_have_one_budget():
    page = stated(page_kinds.MOST_PAGES, 2)
    torn = bytearray(samples.innodb("crc32", 4096, 6)[:24576])
    for number in range(6):
        torn[number * 4096 + 4000] ^= 1  # no checksum holds
    image = page + bytes(torn)
    board = board_of(image * 24, 1024)
    every = database.Pages(board, page_kinds.KINDS[0])
    every._cost.left = allowance = 4096 * 40_000
    list(every.find(range(0, len(image) * 24, 4096)))
    assert every._cost.left > -allowance
