"""Areas are guessed from where a file is plain, and not guessed where it is not."""

import pytest

from tests.lockers import drawn
from unransom.catalog.schemes.stripes import MOST, Stripes, stripes
from unransom.core.streams import BytesReader

KIB, MIB = 1 << 10, 1 << 20
SIZE = 8 * MIB
NOISE = drawn("stripes", SIZE)


def striped(on, off):
    data = bytearray((b"10042;two lamps;shipped\n" * SIZE)[:SIZE])
    for start in range(0, SIZE, on + off):
        data[start : start + on] = NOISE[start : min(start + on, SIZE)]
    return BytesReader(data)


@pytest.mark.parametrize(
    ("on", "off"),
    [(MIB, MIB), (64 * KIB, 192 * KIB), (MIB, 3 * MIB), (1_000_000, 2_000_000), (MIB // 2, SIZE)],
)
def test_round_numbers_are_among_the_answers(on, off):
    found = stripes(striped(on, off), 0, SIZE)
    assert any(each.on == on and each.off in {off, max(off, SIZE)} for each in found)
    assert len(found) <= MOST


def test_a_file_that_is_noise_throughout_has_none():
    assert stripes(BytesReader(NOISE), 0, SIZE) == []


def test_a_plain_file_has_none_whose_areas_are_plain():
    assert stripes(striped(0, SIZE), 0, SIZE) == []


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 70_000])
def test_small_files_do_no_harm(size):
    assert all(isinstance(each, Stripes) for each in stripes(BytesReader(bytes(size)), 0, size))
