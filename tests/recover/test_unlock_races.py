"""A file that two instances of a locker had at the same time: what only the lost key opens is marked so."""

import contextlib
import tomllib
from pathlib import Path

import pytest
from Cryptodome.PublicKey import RSA

from tests.catalog.losses.made import noise, table
from tests.lockers import drawn, lockbit3
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef, Grade, Output
from unransom.core.searches import LockedFile
from unransom.core.spans import Origin, Run
from unransom.core.streams import BytesReader
from unransom.crypto.keyfiles import read_keys
from unransom.recover.unlock import step

PART = 131_072
PARTS = 12
VECTOR = sorted(Path("tests/vectors/families/lockbit3").glob("*.toml"))[0]


@pytest.fixture(scope="module")
def key():
    return RSA.import_key(tomllib.loads(VECTOR.read_text())["rsa_key"])


@pytest.fixture(scope="module")
def locked(key):
    states = (drawn("race", 64), drawn("race footer", 64))
    return lockbit3.seal(table(PARTS * PART), "a.bin", (key.n, key.e), states, (0, PARTS - 1, 0))


def unlocked(tmp_path, key, data):
    given = read_keys(key.d.to_bytes(128, "little") + key.n.to_bytes(128, "little"), "key")
    (given,) = (each for each in given if each.kind is KeyKind.RSA)
    context = Context(
        open=lambda _: contextlib.nullcontext(BytesReader(data)),
        keys=(Key(KeyKind.RSA, given.data, "test"),),
        outputs=Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path),
    )
    ref = FileRef(source="s", path=b"a.bin.Xy3kLm9Qa", size=len(data), id=1, family="lockbit3")
    (record,) = step.run(LockedFile(ref=ref), context)
    assert isinstance(record, Output)
    return record, (tmp_path / record.path.decode()).read_bytes()


def test_what_the_other_instance_locked_is_lost_and_the_rest_is_not(tmp_path, key, locked):
    both = (2, 4, 5, 7, 10)
    data = bytearray(locked)
    for part in both:
        data[part * PART : (part + 1) * PART] = noise(PART, part)
    output, found = unlocked(tmp_path, key, bytes(data))
    assert output.grade is Grade.PARTIAL
    assert "second instance" in str(output.why)
    plain = table(PARTS * PART)
    for part in range(PARTS):
        kept = bytes(PART) if part in both else plain[part * PART : (part + 1) * PART]
        assert found[part * PART : (part + 1) * PART] == kept, part
    lost = [run for run in output.map if run.origin is Origin.LOST]
    assert lost == [
        Run(start * PART, end * PART, Origin.LOST) for start, end in ((2, 3), (4, 6), (7, 8), (10, 11))
    ]
    assert not list((tmp_path / "scratch").iterdir())


def test_a_file_that_only_one_instance_had_comes_back_whole(tmp_path, key, locked):
    output, found = unlocked(tmp_path, key, locked)
    assert found == table(PARTS * PART)
    assert {run.origin for run in output.map} == {Origin.UNLOCKED}


def test_damage_elsewhere_is_not_taken_for_a_race(tmp_path, key, locked):
    data = bytearray(locked)
    for part in (2, 4, 7, 10):
        at = part * PART + 8192
        data[at : at + PART] = noise(PART, part)
    output, _ = unlocked(tmp_path, key, bytes(data))
    assert "second instance" not in str(output.why)
    assert {run.origin for run in output.map} == {Origin.UNLOCKED}
