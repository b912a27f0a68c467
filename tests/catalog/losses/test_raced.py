import pytest

from tests.catalog.losses.made import noise, table
from unransom.catalog.losses.raced import judge_opened
from unransom.core.spans import ByteMap, Origin, Run, Span
from unransom.core.streams import BytesReader

PART = 131_072
SIZE = 16 * PART


def raced(parts, plain=None, shift=0):
    data = bytearray(plain if plain is not None else table(SIZE))
    for part in parts:
        at = part * PART + shift
        data[at : at + PART] = noise(PART, part)
    return BytesReader(bytes(data))


def opened(size=SIZE):
    return ByteMap([Run(0, size, Origin.UNLOCKED)])


@pytest.mark.parametrize("parts", [(1, 3, 6, 7, 10), (0, 2, 4, 9, 15)])
def test_parts_that_are_random_still_are_lost(parts):
    loss = judge_opened(raced(parts), opened())
    assert loss.proven
    assert not loss.whole
    assert loss.size == len(parts) * PART
    spans = {
        span.start + at for part in loss.parts for span in part.spans() for at in range(0, len(span), PART)
    }
    assert spans == {part * PART for part in parts}


def test_what_the_locker_left_alone_is_not_judged():
    origins = ByteMap([Run(0, PART, Origin.UNLOCKED), Run(PART, SIZE, Origin.PLAIN)])
    assert judge_opened(raced((3, 5, 7)), origins) is None


@pytest.mark.parametrize(
    "content",
    [table(SIZE), noise(SIZE), bytes(SIZE), b""],
    ids=["plain", "compressed", "zeros", "empty"],
)
def test_whole_files_are_not_called_raced(content):
    assert judge_opened(BytesReader(content), opened(len(content))) is None


def test_compressed_parts_at_other_places_are_not_called_raced():
    assert judge_opened(raced((1, 3, 6), shift=8192), opened()) is None
    mixed = bytearray(raced((1, 3, 6, 9)).read_at(0, SIZE))
    mixed[12 * PART + 4096 : 13 * PART] = noise(PART - 4096)
    assert judge_opened(BytesReader(bytes(mixed)), opened()) is None


def test_one_random_part_is_no_proof():
    loss = judge_opened(raced((5,)), opened())
    assert not loss.proven
    assert next(loss.parts[0].spans()) == Span(5 * PART, 6 * PART)


def test_areas_that_stay_random_as_a_whole_are_lost_as_well():
    start = 1000  # areas need not begin at a block
    runs = [Run(start + part * PART, start + (part + 1) * PART, Origin.UNLOCKED) for part in range(0, 14, 2)]
    origins = ByteMap()
    for run in runs:
        origins.append(run.start - origins.size, Origin.PLAIN)
        origins.append(PART, Origin.UNLOCKED)
    loss = judge_opened(raced((0, 4, 6, 10), shift=start), origins)
    assert loss.proven
    assert [part.start for part in loss.parts] == [start + part * PART for part in (0, 4, 6, 10)]
