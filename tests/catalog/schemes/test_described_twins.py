"""Families written as TOML open the vectors of the built-in families that they describe, byte-exactly."""

import hashlib
import importlib
import tomllib
from pathlib import Path

import msgspec
import pytest

from unransom.catalog.families import FAMILIES
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.described import Description, encoded, family_of
from unransom.catalog.schemes.description_text import read_description, written
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.keyfiles import read_keys

FOLDER = Path("tests/vectors/described")
DESCRIPTIONS = sorted(FOLDER.glob("*.toml"))
FAMILY_VECTORS = Path("tests/vectors/families")
TAKEN = {name for family in FAMILIES for name in (family.name, *family.aliases)}


def described(path):
    return read_description(path.read_bytes(), str(path), TAKEN)


def twins():
    """Yield each description with the vectors of its twin: all, or those whose names its own ends with."""
    for path in DESCRIPTIONS:
        twin, _, some = path.stem.partition("__")
        for vector in sorted((FAMILY_VECTORS / twin).glob("*.toml")):
            if not some or vector.stem in some:
                yield pytest.param(path, twin, vector, id=f"{path.stem}-{vector.stem}")


@pytest.mark.parametrize(("path", "twin", "vector"), list(twins()))
def test_opens_what_its_twin_opens(path, twin, vector):
    facts = tomllib.loads(vector.read_text())
    made = importlib.import_module(f"tests.lockers.{twin}").make(facts)
    family = family_of(encoded(described(path)))
    locked = Salvage(BytesReader(made.locked))
    mark = family.read(locked)
    (file_key,) = [
        found
        for key in read_keys(made.key_file, "test")
        if key.kind in family.takes and (found := family.unwrap(mark, key))
    ]
    plan = family.plan(locked, mark, file_key)
    assembly = Assembly(locked, plan)
    data = b"".join(bytes(view) for view in assembly)
    assert hashlib.sha256(data).hexdigest() == facts["plain_sha256"]
    assert data == made.plain
    assert assembly.map.totals()[Origin.LOST] == 0
    assert plan.name is None or plan.name.decode() == facts["name"].rpartition("\\")[2]
    if plan.check:
        assert plan.check()[0] >= 64


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_travels_as_json_and_as_toml(path):
    description = described(path)
    assert msgspec.json.decode(msgspec.json.encode(description), type=Description) == description
    assert read_description(written(description).encode(), "written") == description
    assert written(read_description(written(description).encode(), "written")) == written(description)


def test_there_are_enough_of_them():
    assert len({path.stem.partition("__")[0] for path in DESCRIPTIONS}) >= 8
