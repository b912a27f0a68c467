"""Searches for a key and an IV of two times."""

import pytest

from tests.crypto.seed_recipes import PLAIN, recipe, sealed
from unransom.crypto.search.pairs import Table, coupled
from unransom.crypto.search.recipe import Bits, Cipher, Crib, Part, material

NANOSECONDS = 1_710_000_000_000_000_000


@pytest.fixture(scope="module")
def times():
    return Table("yarrow256", range(NANOSECONDS, NANOSECONDS + 150_000, 100))


def of(time):
    """Return the 32 bytes that Yarrow gives for a time, by the plain implementation."""
    return material(recipe("yarrow256", (Part("key", 8, Bits(size=4)),)), time)[0]


@pytest.mark.parametrize(
    "cipher",
    [
        Cipher(name="kcipher-2", key_size=16, iv_size=16, order="little"),
        Cipher(name="chacha", key_size=32, iv_size=8),
        Cipher(name="aes-ctr", key_size=16, iv_size=16),
    ],
    ids=lambda cipher: cipher.name,
)
def test_key_and_iv_of_two_times(times, cipher):
    first, second = NANOSECONDS + 2_000, NANOSECONDS + 140_100  # the IV lies in the second batch of the key
    key, iv = of(first)[: cipher.key_size], of(second)[: cipher.iv_size]
    crib = Crib(locked=sealed(cipher, key, iv, PLAIN), offset=3, plain=PLAIN[3:15])
    keys, gaps = range(NANOSECONDS, NANOSECONDS + 5_000, 100), range(100, 145_000, 100)
    found = coupled(times, cipher, keys, gaps, [crib])
    assert [(hit.first, hit.second, hit.key, hit.iv) for hit in found.hits] == [(first, second, key, iv)]
    assert found.tried == len(keys) * len(gaps)


def test_pairs_beyond_the_table_are_refused(times):
    cipher = Cipher(name="kcipher-2", key_size=16, iv_size=16)
    crib = Crib(locked=PLAIN, offset=0, plain=b"12345678")
    last = NANOSECONDS + 149_900
    for keys, gaps in (
        (range(last, last + 100, 100), range(100, 200, 100)),
        (range(last - 7, last), range(1)),
    ):
        with pytest.raises(ValueError, match="lacks"):
            coupled(times, cipher, keys, gaps, [crib])
    with pytest.raises(ValueError, match="no words"):
        Table("msvc", range(10))
