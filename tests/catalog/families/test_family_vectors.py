"""Every vector of every family: recognised by its family, refused with a wrong key, opened with its own."""

import hashlib
import importlib
import tomllib
from pathlib import Path

import pytest

from unransom.catalog.families import FAMILIES, family
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import PROVEN, BadMarkError
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.keyfiles import read_keys

FOLDER = Path("tests/vectors/families")
WEAK = 20  # bits; below that triage names no family by its mark alone
VECTORS = sorted(FOLDER.glob("*/*.toml"))


@pytest.fixture(params=VECTORS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def vector(request):
    path = request.param
    description = tomllib.loads(path.read_text())
    made = importlib.import_module(f"tests.lockers.{path.parent.name}").make(description)
    return path.parent.name, description, made


def opened(name, made, key_file):
    """Return the names and originals that the keys in a key file give."""
    locked = Salvage(BytesReader(made.locked), made.name)
    mark = family(name).read(locked)
    found = []
    for key in read_keys(key_file, "test") if mark else ():
        file_key = family(name).unwrap(mark, key) if key.kind in family(name).takes else None
        if file_key:
            plan = family(name).plan(locked, mark, file_key)
            assembly = Assembly(locked, plan)
            data = b"".join(bytes(view) for view in assembly)
            found.append((plan.name, data, file_key.bits, assembly.map))
    return found


def test_is_what_was_pinned(vector):
    _, description, made = vector
    assert hashlib.sha256(made.plain).hexdigest() == description["plain_sha256"]
    assert hashlib.sha256(made.locked).hexdigest() == description["locked_sha256"]


def test_is_recognised_by_its_family_and_named_by_no_other(vector):
    name, _, made = vector
    locked = Salvage(BytesReader(made.locked), made.name)
    marks = {each.name: each.read(locked) for each in FAMILIES}
    bits = {each: mark.bits for each, mark in marks.items() if mark}
    strongest = max(bits.values())
    assert bits[name] == strongest or strongest < WEAK


def test_opens_with_its_key(vector):
    name, description, made = vector
    ((original, data, _, byte_map),) = opened(name, made, made.key_file)
    assert hashlib.sha256(data).hexdigest() == description["plain_sha256"]
    assert byte_map.size == len(made.plain)
    assert byte_map.totals()[Origin.LOST] == 0
    if "name" in description:
        assert original.decode() == description["name"].rpartition("\\")[2]


def test_a_wrong_key_never_gives_the_original(vector):
    name, _, made = vector
    # Not all bytes in the same way: under two windows of a table that would make no difference.
    turned = bytes(byte ^ (index * 0x55 + 1 & 0xFF) for index, byte in enumerate(made.key_file))
    wrong = turned if b"BEGIN" not in made.key_file else bytes(32)
    try:
        found = opened(name, made, wrong)
    except BadMarkError:  # it is refused once the file is read
        return
    for _, data, bits, _ in found:
        assert data != made.plain or not made.plain
        assert bits < PROVEN


def test_a_truncated_file_is_not_opened_to_its_original(vector):
    name, _, made = vector
    for cut in (1, 3, 100, 150):
        try:
            found = opened(name, made._replace(locked=made.locked[:-cut]), made.key_file)
        except BadMarkError:
            continue
        assert not [
            data for _, data, bits, _ in found if data == made.plain and made.plain and bits >= PROVEN
        ]
