"""Session keys of Zeppelin as people have them: modulus and private exponent, the public one drawn anew."""

import math
from unittest import mock

from Cryptodome.PublicKey import RSA

from tests.fixtures.vectors import FOLDER, make
from tests.lockers import zeppelin
from tests.lockers.rsa import key_of
from unransom.catalog.families import zeppelin as family
from unransom.catalog.schemes.family import Insert
from unransom.core.keys import KeyKind
from unransom.core.streams import BytesReader
from unransom.run.given_keys import load_keys


def test_a_file_opens_with_modulus_and_private_exponent_in_two_files(tmp_path):
    key = key_of("rsa516")
    period = math.lcm(key.p - 1, key.q - 1)
    public = next(each for each in range(key.n >> 2 | 1, key.n, 2) if math.gcd(each, period) == 1)
    drawn_anew = RSA.construct((key.n, public, pow(public, -1, period)), consistency_check=False)
    with mock.patch.object(zeppelin, "key_of", return_value=drawn_anew):
        made = make(FOLDER / "zeppelin" / "two_blocks.toml")
    (tmp_path / "n.txt").write_text(f"{drawn_anew.n:X}")
    (tmp_path / "d.txt").write_text(f"{drawn_anew.d:X}\n")
    (tmp_path / "other.txt").write_text("ab" * 32)
    for given in ([tmp_path], [tmp_path / "n.txt", tmp_path / "d.txt"]):
        (found,) = [each for each in load_keys(given) if each.kind is KeyKind.RSA]
        assert opened(made.locked, found) == made.plain


def opened(data, key):
    """Return what a locked file holds."""
    locked = BytesReader(data)
    mark = family.read(locked)
    found = family.unwrap(mark, key)
    assert found.bits >= 64
    pieces = family.plan(locked, mark, found).pieces
    return b"".join(
        each.data if isinstance(each, Insert) else locked.read_at(each.offset, each.length) for each in pieces
    )
