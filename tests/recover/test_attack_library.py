"""Parts of keys in the library: missing bits are enumerated, wrong parts open nothing."""

import json

import pytest

from tests.fixtures.locked import PHOBOS_KEY, lock_phobos, picture
from tests.fixtures.program import unransom
from tests.lockers import drawn
from unransom.catalog import keylibrary


@pytest.fixture
def locked(tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / f"in/{name}.png").write_bytes(lock_phobos(picture(name), f"{name}.png"))
    return tmp_path / "in"


def library(tmp_path, key, mask):
    """Return a library with a key of Phobos of which the bits in ``mask`` are known."""
    (tmp_path / "part.key").write_bytes(key)
    (tmp_path / "mask").write_bytes(mask)
    path = tmp_path / "keys.library"
    known = ("--known-bits", tmp_path / "mask", "--family", "phobos")
    unransom("library", "add", tmp_path / "part.key", *known, "--library", path)
    return path


FOUR = b"\xff" * 20 + b"\x0f" + b"\xff" * 11  # a mask with four bits missing


def test_bits_that_are_missing_are_enumerated(tmp_path, locked):
    wrong_there = PHOBOS_KEY[:20] + bytes([PHOBOS_KEY[20] ^ 0xA0]) + PHOBOS_KEY[21:]
    path = library(tmp_path, wrong_there, FOUR)
    (row,) = json.loads(unransom("library", "list", "--library", path, "--json").stdout)
    assert row["missing_bits"] == 4
    unransom("recover", locked, "--case", tmp_path / "case", "--library", path)
    assert (tmp_path / "case/recovered/in/b.png").read_bytes() == picture("b")
    # The whole key is in the case now, and goes from there into the library.
    unransom("library", "add", "--case", tmp_path / "case", "--library", path)
    assert any(entry.data == PHOBOS_KEY for entry in keylibrary.entries_in(path.read_bytes()))


def test_parts_of_another_key_open_nothing(tmp_path, locked):
    path = library(tmp_path, PHOBOS_KEY[::-1], FOUR)
    unransom("recover", locked, "--case", tmp_path / "case", "--library", path, code=13)


def test_too_many_bits_are_not_begun_with(tmp_path, locked):
    path = library(tmp_path, PHOBOS_KEY, b"\xff" * 24 + bytes(8))
    run = unransom("keys", locked, "--library", path, "--budget", "20s", "--json", code=13)
    (plan,) = (each for each in json.loads(run.stdout)["plans"] if each["attack"] == "library")
    assert plan["shards"] == 0
    assert "64 bits" in plan["why"]["text"].format(**plan["why"]["values"])


def test_parts_of_keys_are_spoken_of_where_no_family_is_known(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/orders.png.xyzzy").write_bytes(drawn("no family", 20_000))
    path = library(tmp_path, PHOBOS_KEY, FOUR)
    run = unransom("keys", tmp_path / "in", "--library", path, "--plan", "--json", code=None)
    plans = {each["attack"]: each for each in json.loads(run.stdout)["plans"] if not each["family"]}
    assert plans["library"]["shards"] == 0
    assert "is not known" in str(plans["library"]["why"])


def test_the_plan_costs_what_the_keys_of_a_family_take(tmp_path, locked):
    path = library(tmp_path, PHOBOS_KEY, b"\xff" * 28 + bytes(4))
    run = unransom("keys", locked, "--library", path, "--plan", "--json", code=None)
    (plan,) = (each for each in json.loads(run.stdout)["plans"] if each["attack"] == "library")
    assert plan["candidates"] == 1 << 32
    assert 100 < plan["candidates"] / plan["seconds"] < 10_000_000
    assert plan["seconds"] != plan["candidates"] / 2000
