"""Weak RSA: files come back with public keys alone, and a sound key is called sound."""

import json
import math
import subprocess
import sys
import tomllib
from pathlib import Path

import gmpy2
import pytest
from Cryptodome.PublicKey import RSA

from tests.fixtures.locked import picture
from tests.lockers import drawn, medusalocker3, teslacrypt2
from tests.lockers.rsa import key_of

UNRANSOM = Path(sys.executable).with_name("unransom")
SECP256K1 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F
BASE = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def prime(seed, bits=1024):
    return int(gmpy2.next_prime(int.from_bytes(drawn(seed, bits // 8)) | 3 << (bits - 2)))


def pair(first, second):
    while math.gcd(65537, (first - 1) * (second - 1)) > 1:
        second = int(gmpy2.next_prime(second))
    private = pow(65537, -1, math.lcm(first - 1, second - 1))
    return RSA.construct((first * second, 65537, private))


def locked(master, plain, seed):
    """Return ``plain`` under MedusaLocker 3 with its build's key ``master``."""
    return medusalocker3.seal(plain, (master, key_of("rsa2048_session")), seed, 4096, 1024, 1)


def unransom(*arguments):
    return subprocess.run([UNRANSOM, *map(str, arguments)], capture_output=True, text=True, check=False)


def company(tmp_path, master):
    """Write two locked files and return what `recover` is called with."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.png.rapid1").write_bytes(locked(master, picture(name), name))
    return folder


def check(tmp_path, run):
    assert run.returncode == 0, run.stdout + run.stderr
    for name in "ab":
        assert (tmp_path / f"case/recovered/in/{name}.png").read_bytes() == picture(name)


def test_two_victims_whose_keys_share_a_prime(tmp_path):
    master, other = pair(prime("shared"), prime("one")), pair(prime("shared"), prime("two"))
    folder = company(tmp_path, master)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/note.txt").write_bytes(b"our key\n" + master.public_key().export_key() + b"\n")
    (tmp_path / "keys/other.der").write_bytes(other.public_key().export_key("DER"))
    run = unransom("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "keys")
    check(tmp_path, run)


def test_primes_that_are_close(tmp_path):
    first = prime("close")
    master = pair(first, int(gmpy2.next_prime(first + (1 << 500))))
    folder = company(tmp_path, master)
    (tmp_path / "public.pem").write_bytes(master.public_key().export_key())
    run = unransom("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "public.pem")
    check(tmp_path, run)


def plans(tmp_path, *arguments):
    run = unransom("keys", *arguments, "--json")
    return {(plan["attack"], plan["family"]): plan for plan in json.loads(run.stdout)["plans"]}, run


def test_a_sound_key_is_called_sound_and_a_weak_one_that_is_not_theirs_opens_nothing(tmp_path):
    folder = company(tmp_path, key_of("rsa2048"))
    (tmp_path / "public.pem").write_bytes(key_of("rsa2048").public_key().export_key())
    found, run = plans(tmp_path, folder, "--key", tmp_path / "public.pem", "--budget", "20s")
    assert run.returncode == 13
    plan = found["weak_rsa", "medusalocker3"]
    assert plan["shards"] == 0
    assert "cannot be factored" in str(plan["why"])
    first = prime("close")
    weak = pair(first, int(gmpy2.next_prime(first + (1 << 500))))
    (tmp_path / "weak.pem").write_bytes(weak.public_key().export_key())
    found, run = plans(tmp_path, folder, "--key", tmp_path / "weak.pem", "--budget", "20s")
    assert run.returncode == 13
    assert found["weak_rsa", "medusalocker3"]["shards"] == 1


def test_a_short_key_is_handed_to_a_factoring_program_and_its_answer_is_taken(tmp_path):
    folder = company(tmp_path, key_of("rsa2048"))
    short = pair(prime("p", 256), prime("q", 256))
    (tmp_path / "public.pem").write_bytes(short.public_key().export_key())
    unransom("keys", folder, "--key", tmp_path / "public.pem", "--hand-off", tmp_path / "off")
    (file,) = (tmp_path / "off").iterdir()
    assert f"n: {short.n}" in file.read_text().splitlines()


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
    unransom("keys", folder, "--hand-off", tmp_path / "off", "--budget", "20s")
    (file,) = (tmp_path / "off").iterdir()
    left = int(file.read_text().partition("n: ")[2])
    assert left == math.prod(factor for factor in factors if factor > 100)
    (tmp_path / "factors.txt").write_text("".join(f"P39 = {factor}\n" for factor in factors if factor > 100))
    command = ("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "factors.txt")
    check(tmp_path, unransom(*command))


def test_one_factor_in_hexadecimal_opens_nothing_wrongly(tmp_path, tesla):
    folder, factors = tesla
    (tmp_path / "factor.txt").write_text(f"{factors[3]:x}")
    run = unransom("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "factor.txt")
    assert run.returncode == 14, run.stdout  # it divides the product, and what it gives is nonsense
    assert not list((tmp_path / "case").rglob("*.png"))
