"""Weak RSA: files come back with public keys alone, and a sound key is called sound."""

import json
import math

import gmpy2
from Cryptodome.PublicKey import RSA

from tests.fixtures.locked import picture
from tests.fixtures.program import unransom
from tests.lockers import drawn, medusalocker3
from tests.lockers.rsa import key_of
from unransom.crypto import weak_rsa as crypto
from unransom.crypto.weak_rsa import Public
from unransom.recover.keys.attacks import weak_rsa


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
    run = unransom("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "keys", code=None)
    check(tmp_path, run)


def test_of_many_keys_those_that_share_a_prime_fall_before_any_is_looked_into_by_itself(monkeypatch):
    looked = []
    monkeypatch.setattr(crypto, "break_one", lambda public, *_: looked.append(public))
    numbers = [prime(f"of many {number}", 256) for number in range(80)]
    publics = [Public(first * second) for first, second in zip(numbers[::2], numbers[1::2], strict=True)]
    publics += [Public(numbers[0] * numbers[79])]
    broken = weak_rsa._broken(tuple(publics), (), 0)
    assert {each.public for each in broken} == {publics[0], publics[39], publics[40]}
    assert not looked
    shards = -(-len(publics) // weak_rsa.SHARD)
    for number in range(1, shards + 1):
        weak_rsa._broken(tuple(publics), (), number)
    assert looked == publics[:39]  # each once, but for two of one shard that share a prime


def test_primes_that_are_close(tmp_path):
    first = prime("close")
    master = pair(first, int(gmpy2.next_prime(first + (1 << 500))))
    folder = company(tmp_path, master)
    (tmp_path / "public.pem").write_bytes(master.public_key().export_key())
    run = unransom(
        "recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "public.pem", code=None
    )
    check(tmp_path, run)


def test_a_public_key_in_the_note_beside_the_files_is_found_there(tmp_path):
    first = prime("close")
    master = pair(first, int(gmpy2.next_prime(first + (1 << 500))))
    folder = company(tmp_path, master)
    modulus = master.n.to_bytes(256).hex()
    (folder / "our.key.txt").write_text(f"All your files are locked.\nYour key: {modulus}\nWrite to us.\n")
    run = unransom("recover", folder, "--case", tmp_path / "case", code=None)
    for name in "ab":
        assert (tmp_path / f"case/recovered/in/{name}.png").read_bytes() == picture(name), run.stdout


def plans(tmp_path, *arguments):
    run = unransom("keys", *arguments, "--json", code=None)
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
    unransom("keys", folder, "--key", tmp_path / "public.pem", "--hand-off", tmp_path / "off", code=None)
    (file,) = (tmp_path / "off").iterdir()
    assert f"n: {short.n}" in file.read_text().splitlines()
