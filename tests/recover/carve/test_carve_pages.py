"""Files of databases in a hundred shuffled fragments."""

import random
import struct

import pytest

from tests.catalog.formats import database_samples as samples
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Claims, Proof
from unransom.recover.carve.reassembly import pages
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space, Spliced

CLUSTER = 4096


def board_of(data):
    space = Space(BytesReader(data))
    seen = scan(space, Span(0, space.size), CLUSTER)
    return Board(space, Claims(space.size, CLUSTER), seen.classes, seen.heads, seen.marks)


def shuffled(data, seed, pieces=100):
    draw = random.Random(seed)
    count = -(-len(data) // CLUSTER)
    cuts = sorted(draw.sample(range(1, count), min(pieces, count) - 1))
    parts = [
        data[start * CLUSTER : end * CLUSTER] for start, end in zip([0, *cuts], [*cuts, count], strict=True)
    ]
    draw.shuffle(parts)
    return b"".join(part + draw.randbytes(CLUSTER * draw.randrange(3)) for part in parts)


def data_file(pages):
    """Return a data file of SQL Server whose pages differ all over."""
    draw = random.Random(pages)
    allocated = samples.mssql_page(1, 11, bytes(4) + bytes([0x44] * pages + [0] * 8))
    rest = (samples.mssql_page(number, 1, draw.randbytes(8000)) for number in range(2, pages))
    return samples.file_header(pages) + allocated + b"".join(rest)


def carved(image):
    board = board_of(image)
    found = [each for part in range(2) for each in pages.find(board, part, 2)]
    return [(each, Spliced(board.space, each.spans).read_at(0, each.size)) for each in found]


@pytest.mark.parametrize(
    ("name", "pieces", "data"),
    [
        ("innodb", 100, samples.innodb("crc32", 4096, 104)),
        ("innodb", 25, samples.innodb("crc32", 16384, 40)),
        ("mssql", 100, data_file(220)),
    ],
)
def test_a_file_in_shuffled_fragments_is_whole(name, pieces, data):
    for seed in range(3):
        (found, content), *others = carved(shuffled(data, seed, pieces))
        assert not others
        assert found.format == name
        assert content == data
        assert found.proof is Proof.CHECKSUM


def test_what_is_nowhere_is_listed_and_the_rest_comes_back():
    made = bytearray(samples.innodb("none", 16384, 60))
    struct.pack_into(">I", made, pages.FREE_LIMIT, 60)  # all pages are in use
    data = bytes(made)
    lost = data[: 16384 * 40] + random.Random(1).randbytes(16384) + data[16384 * 41 :]
    ((found, content),) = carved(lost)
    assert content[: 16384 * 40] == data[: 16384 * 40]
    assert content[16384 * 41 :] == data[16384 * 41 :]
    assert found.why.values["pages"] == "40"
    assert found.proof is Proof.HEURISTIC
