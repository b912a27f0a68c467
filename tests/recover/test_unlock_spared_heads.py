"""Lockers that spare the head of a file: a format that looks at nothing else proves no key."""

import contextlib

import msgspec
import pytest
from Cryptodome.Cipher import AES

from tests.catalog.formats.samples import SAMPLES, made
from tests.lockers import drawn
from unransom.catalog.schemes.described import Description
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef, Grade, KeyFound, LockedGroup, Output, Problem
from unransom.core.searches import LockedFile
from unransom.core.streams import BytesReader
from unransom.recover.keys import given
from unransom.recover.unlock import step

LOCKED = 2000  # bytes at the end of every file
FAMILY = msgspec.json.encode(
    msgspec.convert(
        {
            "name": "sparing",
            "wrap": {"type": "run-key", "sizes": [48], "parts": {"key": [0, 32], "iv": [32, 48]}},
            "plan": {
                "type": "one-stream",
                "cipher": {"kind": "aes-ctr"},
                "extents": {"type": "last", "length": LOCKED},
            },
        },
        Description,
    )
)
RIGHT, WRONG = drawn("sparing", 48), drawn("another", 48)
SEEN = ("png", "zip", "gzip", "pdf", "ooxml", "sqlite", "text", "bzip2", "flac")


def seal(plain):
    cipher = AES.new(RIGHT[:32], AES.MODE_CTR, nonce=b"", initial_value=RIGHT[32:])
    return plain[:-LOCKED] + cipher.encrypt(plain[-LOCKED:])


def recovered(tmp_path, data, *secrets, proven=()):
    """Return what the keys prove on a file, and what unlocking it gives."""
    keys = tuple(Key(KeyKind.RAW, secret, "test") for secret in secrets)
    context = Context(
        open=lambda _: contextlib.nullcontext(BytesReader(data)),
        keys=keys,
        proven={"sparing": frozenset(Key(KeyKind.RAW, secret).fingerprint for secret in proven)},
        outputs=Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path),
        described=(FAMILY,),
    )
    ref = FileRef(source="s", path=b"evidence.bin", size=len(data), id=1, family="sparing")
    group = LockedGroup(family="sparing", files=1, size=len(data), samples=(ref,))
    found = [each for each in given.run(group, context) if isinstance(each, KeyFound)]
    (record,) = step.run(LockedFile(ref=ref), context)
    return found, record


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_wrong_key_gives_nothing_whatever_the_format(name, tmp_path):
    data = made(name)
    if len(data) < 2 * LOCKED:
        pytest.skip("the sample has no such end")
    found, record = recovered(tmp_path, seal(data), WRONG)
    assert found == []
    assert isinstance(record, Problem)


@pytest.mark.parametrize("name", SEEN)
def test_the_right_key_opens_what_is_checked_to_its_end(name, tmp_path):
    data = made(name)
    found, output = recovered(tmp_path, seal(data), WRONG, RIGHT)
    assert len(found) == 1
    assert isinstance(output, Output)
    assert output.grade is Grade.GOOD
    assert (tmp_path / output.path.decode()).read_bytes() == data


def test_a_key_that_is_proven_on_other_files_opens_what_is_not_checked(tmp_path):
    data = made("webp")
    found, problem = recovered(tmp_path, seal(data), RIGHT)
    assert found == []
    assert "wrong key" in str(problem.what)
    _, output = recovered(tmp_path, seal(data), RIGHT, proven=[RIGHT])
    assert output.grade is Grade.GOOD
    assert (tmp_path / output.path.decode()).read_bytes() == data
