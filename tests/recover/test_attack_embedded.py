"""Files of a locker that nobody knows, with a key that is static: in its program, in memory, or given."""

import hashlib
import json
import subprocess

import pytest
from Cryptodome.Cipher import AES, ChaCha20
from Cryptodome.Util.Padding import pad

from tests.fixtures.locked import archive, picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn
from tests.recover.test_attack_memory import schedule
from unransom.recover.keys.attacks import embedded

KEY, IV = drawn("static key", 32), drawn("static iv", 16)
PASSWORD = b"Bob is your uncle 2024"
PLAIN = {"a.png": picture("a"), "b.png": picture("b"), "orders.zip": archive("o", 40_000)}


def program(*parts):
    """Return bytes that look like a program with ``parts`` in its data."""
    code = b"".join(b"\x48\x8b\x05" + drawn(str(number), 2) + b"\0\0\x90\xc3" for number in range(2000))
    return b"MZ" + bytes(62) + code[:8000] + b"".join(part + bytes(-len(part) % 8) for part in parts) + code


def cbc(plain, key=KEY, iv=IV):
    return AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))


def ctr(plain, key, iv):
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(plain)


WAYS = {
    "key in the program, iv before the file": (
        lambda p, n: drawn(n, 16) + cbc(p, iv=drawn(n, 16)),
        program(KEY),
    ),
    "key and iv in the program": (cbc, program(KEY + IV)),
    "digest of a text, no iv": (
        lambda p, n: cbc(p, hashlib.sha256(PASSWORD).digest(), bytes(16)),
        program(b"unlock", PASSWORD + b"\0"),
    ),
    "digest of a wide text": (
        lambda p, n: AES.new(hashlib.md5(PASSWORD).digest(), AES.MODE_ECB).encrypt(pad(p, 16)),
        program(PASSWORD.decode().encode("utf-16-le") + bytes(2)),
    ),
    "schedule in memory, iv behind the file": (
        lambda p, n: ctr(p, KEY, drawn(n, 16)) + drawn(n, 16),
        bytes(5000) + schedule(KEY) + drawn("heap", 3_000_000),
    ),
    "key in hexadecimal in a note": (
        lambda p, n: drawn(n, 12) + ChaCha20.new(key=KEY, nonce=drawn(n, 12)).encrypt(p),
        b"key: " + KEY.hex().encode() + b"\r\n",
    ),
}


def recover(tmp_path, lock, *more):
    (tmp_path / "in").mkdir(exist_ok=True)
    for name, data in PLAIN.items():
        locked = lock(data) if lock is cbc else lock(data, name)
        (tmp_path / "in" / f"{name}.xyzzy").write_bytes(locked)
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--budget", "20m", *more]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    out = tmp_path / "case/recovered/in"
    found = out.iterdir() if out.exists() else ()
    return run, {path.name: path.read_bytes() for path in found if path.is_file()}


@pytest.mark.parametrize("way", WAYS)
def test_a_static_key_that_is_found(tmp_path, way):
    lock, left = WAYS[way]
    (tmp_path / "left").write_bytes(left)
    run, out = recover(tmp_path, lock, "--memory", tmp_path / "left")
    assert out == PLAIN, run.stdout + run.stderr
    result = json.loads((tmp_path / "case/result.json").read_text())
    assert result["attacks"][0]["outcome"] == "found"
    assert result["attacks"][0]["attack"] in {embedded.NAME, "memory"}


def test_a_key_that_lies_in_the_evidence(tmp_path):
    folder = tmp_path / "in/Windows/Temp"
    folder.mkdir(parents=True)
    (folder / "7F.tmp").write_bytes(b"locker 2.1 began" + bytes(3) + KEY + IV + b"\0\0\0C:\\ is done")
    run, out = recover(tmp_path, cbc)
    assert out == PLAIN, run.stdout + run.stderr
    assert json.loads((tmp_path / "case/result.json").read_text())["attacks"][0]["attack"] == embedded.NAME


def test_a_key_that_was_published_is_tried_on_files_of_no_family(tmp_path):
    (tmp_path / "key").write_text((KEY + IV).hex())
    run, out = recover(tmp_path, cbc, "--key", tmp_path / "key")
    assert out == PLAIN, run.stdout + run.stderr


def test_a_key_from_the_library_of_another_case(tmp_path):
    (tmp_path / "key").write_bytes(KEY + IV)
    library = tmp_path / "keys.library"
    add = [UNRANSOM, "library", "add", tmp_path / "key", "--source", "a report", "--library", library]
    subprocess.run(list(map(str, add)), check=True, capture_output=True)
    run, out = recover(tmp_path, cbc, "--library", library)
    assert out == PLAIN, run.stdout + run.stderr


def test_a_program_without_the_key_opens_nothing(tmp_path):
    (tmp_path / "left").write_bytes(program(drawn("another key", 48), b"another password"))
    run, out = recover(tmp_path, cbc, "--memory", tmp_path / "left", "--budget", "2s")
    assert run.returncode == 13
    assert not out
