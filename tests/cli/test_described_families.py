"""Families that are described in the field, from the command line: an invented locker, opened."""

import hashlib
import json
import struct

import pytest
from Cryptodome.Cipher import ChaCha20

from tests.fixtures.locked import picture, recovered, write
from tests.fixtures.program import unransom
from tests.lockers import drawn

KEY = drawn("harbour key", 32)
AREA, GAP = 1024, 512
ORIGINALS = sorted(hashlib.sha256(picture(name)).hexdigest() for name in "abcd")
HARBOUR = """\
name = "harbour"
title = "Harbour"
extensions = ['\\.harbour']

[original]
size = "size"

[tail]
parts = [
    { type = "field", name = "nonce", size = 12, random = false },
    { type = "number", name = "size", size = 8, order = "big" },
    { type = "magic", value = "a0e1f2" },
]

[wrap]
type = "run-key"
derive = "blake2b"
parts = { key = [8, 40] }

[plan]
type = "one-stream"
cipher = { kind = "chacha", iv = "nonce" }
extents = { type = "repeat", on = 1024, off = 512 }
"""


def seal(plain, nonce):
    """Return ``plain`` locked as no known family locks."""
    cipher = ChaCha20.new(key=hashlib.blake2b(KEY).digest()[8:40], nonce=nonce)
    locked = bytearray(plain)
    for start in range(0, len(plain), AREA + GAP):
        locked[start : start + AREA] = cipher.encrypt(plain[start : start + AREA])
    return bytes(locked) + nonce + struct.pack(">Q", len(plain)) + b"\xa0\xe1\xf2"


@pytest.fixture
def harbour(tmp_path):
    """Return a description; beside it lie a folder of what the locker left, and its key."""
    names = ("a", "b", "c")
    locked = {f"{name}.png.harbour".encode(): seal(picture(name), drawn(name, 12)) for name in names}
    write(tmp_path / "in", {**locked, b"renamed.png": seal(picture("d"), drawn("d", 12))})
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "described").mkdir()
    path = tmp_path / "described" / "harbour.toml"
    path.write_text(HARBOUR)
    return path


def test_a_described_family_is_named_and_opened_and_stays_with_the_case(harbour, tmp_path):
    folder, case, key = tmp_path / "in", tmp_path / "case", tmp_path / "key"
    command = ("recover", folder, "--case", case, "--key", key, "--budget", 0)
    unransom(*command, code=13)
    assert not recovered(case)
    shown = unransom(*command, "--family", harbour).stdout
    assert "All 4 locked files came back whole." in shown
    assert "Harbour" in shown
    assert sorted(recovered(case).values()) == ORIGINALS
    acts = [json.loads(line) for line in (case / "chain.jsonl").read_text().splitlines()]
    (facts,) = [act["facts"] for act in acts if act["act"] == "family described"]
    assert facts["name"] == "harbour"
    assert len(facts["sha256"]) == 64
    harbour.unlink()
    entries = len(acts)
    assert "All 4 locked files" in unransom(*command).stdout
    assert len((case / "chain.jsonl").read_text().splitlines()) == entries
    unransom("case", "verify", case)


def test_single_stages_take_a_folder_of_descriptions(harbour, tmp_path):
    folder, described = tmp_path / "in", harbour.parent
    rows = unransom("triage", folder, "--family", described, "--jsonl").stdout.splitlines()
    assert {json.loads(row)["family"] for row in rows} == {"harbour"}
    one = folder / "renamed.png"
    unransom("unlock", one, "--family", described, "--key", tmp_path / "key", "--out", tmp_path / "out")
    assert (tmp_path / "out/renamed.png").read_bytes() == picture("d")
    wanted = json.loads(unransom("keys", folder, "--family", described, "--wanted").stdout)
    assert [(key["family"], key["files"]) for key in wanted] == [("harbour", 4)]


def test_a_key_that_stands_in_the_description_is_used_and_not_stored(harbour, tmp_path):
    harbour.write_text(f'key = "{KEY.hex()}"\n' + HARBOUR)
    unransom("recover", tmp_path / "in", "--case", tmp_path / "case", "--family", harbour, "--budget", 0)
    assert len(recovered(tmp_path / "case")) == 4
    kept = [path.read_bytes() for path in (tmp_path / "case").iterdir() if path.is_file()]
    assert not any(KEY.hex().encode() in data or KEY in data for data in kept)


def test_a_better_description_takes_the_place_of_the_first(harbour, tmp_path):
    case = tmp_path / "case"
    command = ("recover", tmp_path / "in", "--case", case, "--key", tmp_path / "key", "--budget", 0)
    command = (*command, "--no-repair")  # what ends badly would be mended into files of its own
    harbour.write_text(HARBOUR.replace("off = 512", "off = 4096"))
    unransom(*command, "--family", harbour, code=3)
    assert set(recovered(case).values()).isdisjoint(ORIGINALS)  # they begin well, and end badly
    harbour.write_text(HARBOUR)
    unransom(*command, "--family", harbour)
    assert sorted(recovered(case).values()) == ORIGINALS
    unransom("case", "verify", case)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_mistake_is_told_with_its_line(harbour, tmp_path, language):
    harbour.write_text(HARBOUR.replace("off = 512", "off = 512, count = -1"))
    run = unransom("--lang", language, "triage", tmp_path / "in", "--family", harbour, code=2)
    assert f"{harbour}:23" in run.stderr
    assert "plan.extents.count" in run.stderr
    assert "--schema" in run.stderr
    assert ("有误" in run.stderr) == (language == "zh")


def test_names_are_not_taken_twice(harbour, tmp_path):
    harbour.write_text(HARBOUR.replace('"harbour"', '"lynx"'))
    assert f"{harbour}:1" in unransom("list", "families", "--family", harbour, code=2).stderr
    harbour.write_text(HARBOUR)
    other = tmp_path / "other.toml"
    other.write_text(HARBOUR.replace("off = 512", "off = 0"))
    run = unransom("list", "families", "--family", harbour, "--family", other, code=2)
    assert "harbour" in run.stderr
    (tmp_path / "empty").mkdir()
    assert ".toml" in unransom("list", "families", "--family", tmp_path / "empty", code=2).stderr


def test_what_is_described_is_listed_and_the_schema_printed(harbour):
    shown = unransom("list", "families", "--family", harbour).stdout
    assert shown.startswith("harbour        Harbour\n")
    schema = json.loads(unransom("list", "families", "--schema").stdout)
    assert {"name", "tail", "wrap", "plan"} <= schema["$defs"]["Description"]["properties"].keys()
    unransom("list", "formats", "--schema", code=2)
