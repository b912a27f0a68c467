"""TeslaCrypt's products: factors that a program found give the key, and a factor alone opens nothing."""

import math
import tomllib
from pathlib import Path

import gmpy2
import pytest

from tests.fixtures.locked import picture
from tests.fixtures.program import unransom
from tests.lockers import drawn, teslacrypt2

SECP256K1 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F
BASE = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def prime(seed, bits):
    return int(gmpy2.next_prime(int.from_bytes(drawn(seed, bits // 8)) | 3 << (bits - 2)))


def check(tmp_path, run):
    assert run.returncode == 0, run.stdout + run.stderr
    for name in "ab":
        assert (tmp_path / f"case/recovered/in/{name}.png").read_bytes() == picture(name)


def point(number):
    """Return a multiple of the base point of secp256k1, by doubling and adding."""
    total, addend = None, BASE
    while number:
        total = added(total, addend) if number & 1 else total
        addend, number = added(addend, addend), number >> 1
    return total


def added(one, other):
    if one is None:
        return other
    (x1, y1), (x2, y2) = one, other
    above, below = (3 * x1 * x1, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = above * pow(below, -1, SECP256K1) % SECP256K1
    x = (slope * slope - x1 - x2) % SECP256K1
    return x, (slope * (x1 - x) - y1) % SECP256K1


@pytest.fixture
def tesla(tmp_path):
    """Write a folder of TeslaCrypt 2 whose key and the other number have large factors; return those."""
    key = [3, 5, prime("k1", 120), prime("k2", 128)]
    other = [7, 11, prime("o1", 110), prime("o2", 120)]
    secrets = (math.prod(key), math.prod(other))
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "ab":
        sealed = teslacrypt2.seal(picture(name), teslacrypt2_magic(), secrets, drawn(name, 16), block=False)
        x, y = point(secrets[0])
        sealed = sealed[:200] + x.to_bytes(32) + y.to_bytes(32) + sealed[264:]
        (folder / f"{name}.png.vvv").write_bytes(sealed)
    return folder, key + other


def teslacrypt2_magic():
    vectors = Path("tests/vectors/families/teslacrypt2").glob("*.toml")
    return bytes.fromhex(tomllib.loads(next(vectors).read_text())["magic"])


def test_teslacrypt_products_are_handed_off_and_their_factors_give_the_key(tmp_path, tesla):
    folder, factors = tesla
    unransom("keys", folder, "--hand-off", tmp_path / "off", "--budget", "20s", code=None)
    (file,) = (tmp_path / "off").iterdir()
    left = int(file.read_text().partition("n: ")[2])
    assert left == math.prod(factor for factor in factors if factor > 100)
    (tmp_path / "factors.txt").write_text("".join(f"P39 = {factor}\n" for factor in factors if factor > 100))
    command = ("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "factors.txt")
    check(tmp_path, unransom(*command, code=None))


def test_one_factor_in_hexadecimal_opens_nothing_wrongly(tmp_path, tesla):
    folder, factors = tesla
    (tmp_path / "factor.txt").write_text(f"{factors[3]:x}")
    run = unransom(
        "recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "factor.txt", code=None
    )
    assert run.returncode == 14, run.stdout  # it divides the product, and what it gives is nonsense
    assert not list((tmp_path / "case").rglob("*.png"))
