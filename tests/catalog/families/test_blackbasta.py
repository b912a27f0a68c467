"""Black Basta's places in files that are too large for a vector, with the limit lowered."""

import pytest

from tests.lockers import blackbasta as maker
from tests.lockers import content, drawn
from unransom.catalog.families import blackbasta
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import BadMarkError, FileKey
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage

LARGE = 20_000
SIZE = 100_000
STREAM = drawn("stream", 5056)


@pytest.fixture(autouse=True)
def limit(monkeypatch):
    monkeypatch.setattr(blackbasta, "LARGE", LARGE)


def opened(size, stream):
    plain = content("basta", size)
    locked = maker.seal(plain, STREAM, size, LARGE) + maker.tail("basta", size, "campaign123")
    reader = Salvage(BytesReader(locked))
    mark = blackbasta.read(reader)
    assembly = Assembly(reader, blackbasta.plan(reader, mark, FileKey({"stream": stream})))
    return plain, b"".join(bytes(view) for view in assembly), assembly.map


def test_all_of_the_keystream_opens_all_of_a_large_file():
    plain, data, byte_map = opened(SIZE, STREAM)
    assert data == plain
    assert not byte_map.totals()[Origin.LOST]


def test_64_bytes_leave_the_head_of_a_large_file_lost():
    plain, data, byte_map = opened(SIZE, STREAM[:64])
    assert data == plain[:64] + bytes(5000 - 64) + plain[5000:]
    assert byte_map.totals()[Origin.LOST] == 5000 - 64


def test_64_bytes_open_no_small_file():
    with pytest.raises(BadMarkError):
        opened(4000, STREAM[:64])


@pytest.mark.parametrize("size", [5000, 5063, 5064, 5191, 19_999, 20_000, 20_001, 26_464])
def test_places_are_those_of_the_public_tool(size):
    span, step = blackbasta.repeated(size)
    starts = [at for at, length in maker.ranges(size, LARGE) if length == 64]
    assert list(range(span.start, span.end, step)) == starts
    assert blackbasta.head(size).end == (5000 if size > LARGE else 0)
