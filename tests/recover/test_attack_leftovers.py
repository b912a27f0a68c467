"""Keys that a locker left lying about: in captures, temporary files, notes and registry hives."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from Cryptodome.PublicKey import RSA

from tests.fixtures.locked import PHOBOS_KEY, lock_phobos, picture
from tests.lockers import drawn, medusalocker3
from tests.lockers.rsa import key_of

UNRANSOM = Path(sys.executable).with_name("unransom")
LEFT = {
    "a capture": drawn("frames", 3000)
    + b"POST /gate.php HTTP/1.1\r\n\r\nid=77&k="
    + base64.b64encode(PHOBOS_KEY)
    + b"\r\n"
    + drawn("more frames", 3000),
    "a temporary file": PHOBOS_KEY,
    "a note in hexadecimal": b"do not lose:\r\n" + PHOBOS_KEY.hex().encode() + b"\r\n",
    "a registry hive": b"regf" + bytes(4092) + PHOBOS_KEY.hex().encode("utf-16-le") + bytes(4096),
    "an empty file beside the key": b"",
}


def recovered(tmp_path, locked, left, *more):
    """Recover a folder of one locked file with what was left in a folder; return the run."""
    for folder, files in (("in", locked), ("left", left)):
        (tmp_path / folder).mkdir()
        for name, data in files.items():
            (tmp_path / folder / name).write_bytes(data)
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    return subprocess.run(
        [*command, "--memory", tmp_path / "left", *more], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", LEFT)
def test_a_key_that_was_left_opens_the_files(tmp_path, kind):
    left = {"left": LEFT[kind]} if LEFT[kind] else {"empty": b"", "key": PHOBOS_KEY}
    run = recovered(tmp_path, {"a.png": lock_phobos(picture("a"), "a.png")}, left)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a")


def test_a_bare_prime_of_a_public_key_that_is_known_opens_the_files(tmp_path):
    key = key_of("rsa2048")
    (tmp_path / "public.pem").write_bytes(key.public_key().export_key())
    locked = medusalocker3.seal(picture("a"), (key, key_of("rsa2048_session")), "a", 4096, 1024, 1)
    heap = drawn("heap", 9008) + key.p.to_bytes(128, "little") + drawn("rest", 9000)
    run = recovered(tmp_path, {"a.png.rapid1": locked}, {"heap": heap}, "--key", tmp_path / "public.pem")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a")


def test_what_is_left_without_a_key_opens_nothing(tmp_path):
    text = "".join(f"{drawn(str(number), 16).hex()}\n" for number in range(500)).encode()
    left = {"tokens": text, "key.pem": RSA.generate(1024).public_key().export_key()}
    run = recovered(tmp_path, {"a.png": lock_phobos(picture("a"), "a.png")}, left)
    assert run.returncode == 13, run.stdout + run.stderr
