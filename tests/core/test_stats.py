"""Statistics of bytes."""

import numpy as np
import pytest

from tests.lockers import drawn
from unransom.core.stats import DEVIATION, block_chi_squares, chi_square, entropy


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
