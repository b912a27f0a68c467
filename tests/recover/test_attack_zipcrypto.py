"""Known plaintext against archives under a password, with the plaintext found by itself."""

import io
import json
import subprocess
import zipfile

import pytest

from tests.fixtures.program import UNRANSOM
from tests.lockers import content, drawn
from tests.lockers.zipcrypto import archive, seal
from unransom.crypto.ciphers.zipcrypto import state_of
from unransom.crypto.search.zipcrypto.known_plaintext import KnownPlaintext, rewound


def test_the_state_is_found_from_known_bytes_and_taken_back_to_the_beginning():
    plain = archive({"a.bin": drawn("member", 9000)}, 6, method=zipfile.ZIP_STORED)
    locked = seal(plain, b"secret")
    start = 30 + len("a.bin")
    known = KnownPlaintext(locked[start + 12 :][:9000], drawn("member", 9000))
    states = known.over(0, len(known))
    assert [rewound(state, locked[start : start + 12]) for state in states] == [state_of(b"secret")]


def test_the_state_of_a_password_is_the_one_that_bkcrack_publishes_for_its_example():
    assert state_of(b"W4sF0rgotten") == b"".join(
        bytes.fromhex(word)[::-1] for word in ("c4490e28", "b414a23d", "91404b31")
    )


@pytest.mark.soak
def test_twenty_bytes_of_a_header_are_enough():
    header = b'<?xml version="1.0" '
    plain = archive({"spiral.svg": header + drawn("svg", 900)}, 0, method=zipfile.ZIP_STORED)
    locked, start = seal(plain, b"W4sF0rgotten"), 30 + len("spiral.svg")
    known = KnownPlaintext(locked[start + 12 :][: len(header)], header)
    states = (known.over(at, at + 4096) for at in range(0, len(known), 4096))
    found = next(state for some in states for state in some)
    assert rewound(found, locked[start : start + 12]) == state_of(b"W4sF0rgotten")


def test_wrong_plaintext_gives_no_state():
    known = KnownPlaintext(drawn("locked", 9000), drawn("plain", 9000))
    assert known.over(0, len(known)) == []


def test_an_archive_opens_with_the_original_of_one_member(tmp_path):
    files = {"orders.csv": content("orders", 20_000), "shop.bin": content("shop", 3000)}
    plain = archive(files, 9)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/backup.zip").write_bytes(seal(plain, b"correct horse"))
    (tmp_path / "in/second.zip").write_bytes(seal(archive({"b": drawn("b", 500)}, 6), b"correct horse"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old/orders-copy.csv").write_bytes(files["orders.csv"])
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    run = subprocess.run([*command, "--known", tmp_path / "old"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/backup.zip").read_bytes() == plain
    second = (tmp_path / "case/recovered/in/second.zip").read_bytes()
    assert zipfile.ZipFile(io.BytesIO(second)).read("b") == drawn("b", 500)


def test_without_an_original_the_plan_says_what_would_help(tmp_path):
    (tmp_path / "a.zip").write_bytes(seal(archive({"x.csv": content("x", 900)}, 6), b"pass"))
    run = subprocess.run(
        [UNRANSOM, "keys", tmp_path / "a.zip", "--json"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 13, run.stderr
    (plan,) = [each for each in json.loads(run.stdout)["plans"] if each["attack"] == "zipcrypto"]
    assert plan["shards"] == 0
    assert "original of one file" in plan["helps"]["text"]
