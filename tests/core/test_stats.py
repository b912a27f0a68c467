"""Statistics of bytes."""

import math

import numpy as np
import pytest

from tests.lockers import drawn
from unransom.core.stats import DEVIATION, bits_of_few, block_chi_squares, chi_square, entropy


def test_random_bytes_are_near_the_mean_and_text_is_far_from_it():
    assert abs(chi_square(drawn("random", 65536)) - 255) < 5 * DEVIATION
    assert chi_square(b"order 10042, two lamps; " * 2000) > 100 * 255
    assert entropy(drawn("random", 65536)) > 7.99
    assert entropy(b"aaaa") == 0.0
    assert entropy(bytes(range(256))) == pytest.approx(8.0)
    assert chi_square(b"") == entropy(b"") == 0.0


def test_blocks_are_measured_each_on_its_own():
    data = drawn("block", 4096) + bytes(4096) + drawn("other", 1000)
    found = block_chi_squares(data, 4096)
    assert found.shape == (2,)
    assert np.allclose(found, [chi_square(data[:4096]), chi_square(data[4096:8192])])
    assert block_chi_squares(b"short", 4096).shape == (0,)


@pytest.mark.parametrize(("faults", "size"), [(0, 20), (2, 20), (19, 20)])
def test_few_faults_are_as_unlikely_as_when_they_are_counted_out(faults, size):
    share = 1 - 2**-0.5  # of bytes that are faults, where one that is none gives half a bit
    chance = sum(math.comb(size, n) * share**n * (1 - share) ** (size - n) for n in range(faults + 1))
    assert bits_of_few(faults, size, 0.5) == pytest.approx(-math.log2(chance))
    assert bits_of_few(size, size, 0.5) == 0.0
