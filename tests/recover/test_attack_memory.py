"""Keys in a memory dump: an AES schedule, a state of ChaCha and an RSA key open what they locked."""

import os
import random
import subprocess
import tomllib
from pathlib import Path

import pytest
from Cryptodome.PublicKey import RSA

from tests.fixtures.locked import PHOBOS_KEY, lock_phobos, picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn, lockbit3, moneymessage
from tests.lockers.sect571k1 import SIZE, multiple

LOCKBIT3 = tomllib.loads(Path("tests/vectors/families/lockbit3/one_area.toml").read_text())
CONSTANTS = b"expand 32-byte k"


def schedule(key):
    """Return the round keys of AES-256, after FIPS 197 and its S-box from inverses."""
    box = sbox()
    words = [key[at : at + 4] for at in range(0, 32, 4)]
    rcon = 1
    for at in range(8, 60):
        last = words[-1]
        if at % 8 == 0:
            last = bytes(box[byte] for byte in last[1:] + last[:1])
            last = bytes([last[0] ^ rcon]) + last[1:]
            rcon <<= 1
        elif at % 8 == 4:
            last = bytes(box[byte] for byte in last)
        words.append(bytes(a ^ b for a, b in zip(words[-8], last, strict=True)))
    return b"".join(words)


def sbox():
    def times(a, b):
        product = 0
        while b:
            product ^= a if b & 1 else 0
            a = a << 1 ^ (0x11B if a & 0x80 else 0)
            b >>= 1
        return product

    inverse = [next((b for b in range(256) if times(a, b) == 1), 0) for a in range(256)]
    rotated = [[(b << n | b >> (8 - n)) & 0xFF for n in range(5)] for b in inverse]
    return [0x63 ^ a ^ b ^ c ^ d ^ e for a, b, c, d, e in rotated]


def company():
    """Return locked files of three families by name, and what of their keys is in memory."""
    private, ephemeral = 0xC0FFEE, 0xBADCAB1E
    money = moneymessage.seal(picture("m"), multiple(private), ephemeral, drawn("m nonce", 12), 0)
    shared = multiple(ephemeral, multiple(private))
    key = moneymessage.SHA3_256.new(b"".join(part.to_bytes(SIZE, "little") for part in shared)).digest()
    files = {
        "a.png": lock_phobos(picture("a"), "a.png"),
        "b.png": lock_phobos(picture("b"), "b.png"),
        "lockbit": lockbit3.make(LOCKBIT3).locked,
        "money": money,
    }
    kept = [
        schedule(PHOBOS_KEY),
        CONSTANTS + key + bytes(4) + drawn("m nonce", 12),
        RSA.import_key(LOCKBIT3["rsa_key"]).export_key("DER"),
    ]
    return files, kept


def decayed(data):
    """Return ``data`` with one bit of a hundred wrong, as in memory that was cold for too long."""
    wrong = set(random.Random(1).sample(range(8 * len(data)), 8 * len(data) // 100))
    return bytes(
        byte ^ sum(1 << bit for bit in range(8) if 8 * at + bit in wrong) for at, byte in enumerate(data)
    )


def recovered_from(tmp_path, megabytes, change=bytes):
    files, kept = company()
    kept[0] = change(kept[0])
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    with (tmp_path / "memory.raw").open("wb") as dump:
        for piece in range(megabytes):
            dump.write(os.urandom(1 << 20) if piece % 4 else bytes(1 << 20))
        for number, secret in enumerate(kept, 1):  # the first lies across two pieces
            at = (64 << 20) - 40 if number == 1 and megabytes > 64 else number * (1 << 20) + 1237
            dump.seek(at)
            dump.write(secret)
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    return subprocess.run(
        [*command, "--memory", tmp_path / "memory.raw"], capture_output=True, text=True, check=False
    )


def check(run, tmp_path):
    assert run.returncode == 3, run.stdout + run.stderr  # one original is no format that could be verified
    out = tmp_path / "case/recovered/in"
    assert (out / "a.png").read_bytes() == picture("a")
    assert (out / "b.png").read_bytes() == picture("b")
    assert (out / "money").read_bytes() == picture("m")
    assert lockbit3.make(LOCKBIT3).plain in {path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize("change", [bytes, decayed])
def test_keys_in_a_dump_open_the_files(tmp_path, change):
    check(recovered_from(tmp_path, 6, change), tmp_path)


@pytest.mark.soak
def test_keys_in_a_large_dump_open_the_files(tmp_path):
    check(recovered_from(tmp_path, 512), tmp_path)
