"""Which of the keys that fit is tried first: every file written in vain takes as long as one that stays."""

import contextlib
import struct

import msgspec
import pytest

from tests.fixtures.locked import INC_PRIVATE, archive, lock_inc
from tests.lockers import drawn, locked
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef, Grade, Output, Problem
from unransom.core.searches import LockedFile
from unransom.core.streams import BytesReader
from unransom.recover.unlock import step

KEY = drawn("order", 32)


class CountedOutputs(Outputs):
    """A folder of outputs that counts the drafts."""

    drafts = 0

    def draft(self):
        self.drafts += 1
        return super().draft()


@pytest.fixture
def outputs(tmp_path):
    return CountedOutputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path)


def unlock(outputs, data, keys, candidates, proven=None, family=None):
    context = Context(
        open=lambda _: contextlib.nullcontext(BytesReader(data)),
        keys=tuple(Key(KeyKind.RAW, key, "test") for key in keys),
        proven=proven or {},
        outputs=outputs,
    )
    ref = FileRef(source="s", path=b"a.zip.locked", size=len(data), candidates=candidates, original=b"a.zip")
    ref = msgspec.structs.replace(ref, family=family)
    (record,) = step.run(LockedFile(ref=ref), context)
    return record


def sealed():
    plain = archive("order", 300_000)
    return plain, locked.seal(plain, KEY, drawn("iv", 16), "ctr", "tail")


def test_what_begins_like_content_is_written_first(outputs):
    _, data = sealed()
    candidates = ("babuk_esxi", "esxiargs", "locked")
    output = unlock(outputs, data, [bytes(range(32)), KEY], candidates)
    assert isinstance(output, Output)
    assert (output.family, outputs.drafts) == ("locked", 1)


def test_a_key_proven_on_other_files_of_a_family_goes_before_families_that_are_not_asked(
    outputs, monkeypatch
):
    _, data = sealed()
    asked = []
    real = step.family_named

    def watched(name, *described):
        family = real(name, *described)

        def read(reader):
            asked.append(name)
            return family.read(reader)

        return msgspec.structs.replace(family, read=read)

    monkeypatch.setattr(step, "family_named", watched)
    proven = {"locked": frozenset([Key(KeyKind.RAW, KEY).fingerprint])}
    output = unlock(outputs, data, [KEY], ("babuk_esxi", "esxiargs", "locked"), proven)
    assert isinstance(output, Output)
    assert (asked, outputs.drafts) == (["locked"], 1)


def test_of_many_keys_of_one_family_the_right_one_is_written_alone(outputs):
    plain = archive("many", 200_000)
    keys = [bytes([number]) * 32 for number in range(1, 9)]
    output = unlock(outputs, lock_inc(plain, b"x"), [*keys, INC_PRIVATE], ("inc",))
    assert isinstance(output, Output)
    assert outputs.drafts == 1


def test_what_nothing_could_prove_is_not_written(outputs):
    data = locked.seal(drawn("no format", 200_000), KEY, drawn("iv", 16), "ctr", "tail")
    record = unlock(outputs, data, [KEY], ("babuk_esxi", "esxiargs", "locked"))
    assert isinstance(record, Problem)
    assert outputs.drafts == 0


def test_where_an_extension_alone_names_the_family_others_with_proven_keys_are_tried(outputs):
    plain, data = sealed()
    proven = {"locked": frozenset([Key(KeyKind.RAW, KEY).fingerprint])}
    output = unlock(outputs, data, [KEY], ("akira2", "locked"), proven, family="akira2")
    assert isinstance(output, Output)
    assert output.family == "locked"
    assert output.digests.size == len(plain)
    assert output.grade is Grade.GOOD


@pytest.mark.parametrize("keys", [1, step.FEW + 1])
def test_where_an_extension_alone_names_the_family_all_others_are_tried_with_few_keys(outputs, keys):
    _, data = sealed()
    given = [KEY, *(drawn(f"other {number}", 32) for number in range(1, keys))]
    output = unlock(outputs, data, given, ("akira2", "locked"), family="akira2")
    assert isinstance(output, Output) is (keys <= step.FEW)


def test_a_file_that_its_content_names_is_tried_with_keys_of_its_family_alone(outputs, monkeypatch):
    asked = []
    real = step.family_named
    monkeypatch.setattr(step, "family_named", lambda name, *more: asked.append(name) or real(name, *more))
    data = b"WANACRY!" + struct.pack("<I256sIQ", 256, drawn("blob", 256), 4, 4096) + drawn("data", 4096)
    proven = {"locked": frozenset([Key(KeyKind.RAW, KEY).fingerprint])}
    assert isinstance(unlock(outputs, data, [KEY], ("wannacry", "locked"), proven, "wannacry"), Problem)
    assert "locked" not in asked
