"""Unlock on one file: holes in the evidence, wrong keys, damaged originals."""

import contextlib

import pytest

from tests.fixtures.locked import INC_PRIVATE, PHOBOS_KEY, archive, lock_inc, lock_phobos, picture
from unransom.core.context import Context
from unransom.core.errors import UnreadableError
from unransom.core.keys import Key, KeyKind
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef, Grade, KeyFound, KeyTrial, LockedGroup, Output, Problem
from unransom.core.searches import LockedFile
from unransom.core.spans import Origin, Run
from unransom.core.streams import BytesReader
from unransom.recover.keys import given
from unransom.recover.unlock import step


class Holed(BytesReader):
    """Evidence with a sector that cannot be read."""

    def __init__(self, data, start, end):
        super().__init__(data)
        self.hole = (start, end)

    def read_at(self, offset, length):
        start, end = max(offset, self.hole[0]), min(offset + length, self.hole[1])
        if start < end:
            raise UnreadableError(start, end - start)
        return super().read_at(offset, length)


def surroundings(tmp_path, reader, *keys, proven=()):
    return Context(
        open=lambda _: contextlib.nullcontext(reader),
        keys=tuple(Key(KeyKind.RAW, key, "test") for key in keys),
        proven={"inc": frozenset(proven)},
        outputs=Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path),
    )


def ref(path, size, family="inc"):
    original = path.removesuffix(b".INC")
    return FileRef(source="s", path=path, size=size, id=1, family=family, original=original)


def unlocked(tmp_path, locked, *keys, path=b"a.png.INC", family="inc", reader=None, proven=()):
    context = surroundings(tmp_path, reader or BytesReader(locked), *keys, proven=proven)
    (record,) = step.run(LockedFile(ref=ref(path, len(locked), family)), context)
    return record


def test_an_output_tells_where_its_bytes_came_from(tmp_path):
    plain = archive("x", 5_000_000)
    output = unlocked(tmp_path, lock_inc(plain, b"x"), INC_PRIVATE, path=b"x.zip.INC")
    assert isinstance(output, Output)
    assert output.grade is Grade.GOOD
    assert (tmp_path / output.path.decode()).read_bytes() == plain
    assert output.map == (
        Run(0, 1_000_000, Origin.UNLOCKED),
        Run(1_000_000, 3_000_000, Origin.PLAIN),
        Run(3_000_000, 4_000_000, Origin.UNLOCKED),
        Run(4_000_000, len(plain), Origin.PLAIN),
    )


def test_an_unreadable_sector_is_lost_and_no_more(tmp_path):
    plain = archive("x", 5_000_000)
    locked = lock_inc(plain, b"x")
    key = Key(KeyKind.RAW, INC_PRIVATE)
    reader = Holed(locked, 500_000, 500_001)
    output = unlocked(
        tmp_path, locked, INC_PRIVATE, path=b"x.zip.INC", reader=reader, proven=[key.fingerprint]
    )
    assert output.grade is Grade.PARTIAL
    lost = [run for run in output.map if run.origin is Origin.LOST]
    assert [(run.start, run.end) for run in lost] == [(499_712, 503_808)]
    found = (tmp_path / output.path.decode()).read_bytes()
    assert found[:499_712] == plain[:499_712]
    assert found[499_712:503_808] == bytes(4096)
    assert found[503_808:] == plain[503_808:]


def test_chaining_spoils_one_block_more(tmp_path):
    plain = picture("big", 200)
    locked = lock_phobos(plain, "big.png")
    reader = Holed(locked, 8192, 8193)
    output = unlocked(tmp_path, locked, PHOBOS_KEY, path=b"big", family="phobos", reader=reader)
    lost = [run for run in output.map if run.origin is Origin.LOST]
    assert [(run.start, run.end) for run in lost] == [(8192, 12288 + 16)]
    found = (tmp_path / output.path.decode()).read_bytes()
    assert found[12288 + 16 :] == plain[12288 + 16 :]


def test_a_wrong_key_leaves_nothing(tmp_path):
    problem = unlocked(tmp_path, lock_inc(picture("a"), b"a"), bytes(range(32)))
    assert isinstance(problem, Problem)
    assert problem.code == "output"
    assert not list((tmp_path / "recovered").iterdir())
    assert not list((tmp_path / "scratch").iterdir())


def test_the_right_key_is_taken_from_many(tmp_path):
    keys = [bytes([number]) * 32 for number in range(1, 6)]
    output = unlocked(tmp_path, lock_inc(picture("a"), b"a"), *keys, INC_PRIVATE, b"too short")
    assert output.key == Key(KeyKind.RAW, INC_PRIVATE).fingerprint


def test_content_without_a_format_needs_a_key_that_is_proven_elsewhere(tmp_path):
    plain = bytes(range(256)) * 9
    locked = lock_inc(plain, b"x")
    problem = unlocked(tmp_path, locked, INC_PRIVATE, path=b"x.bin.INC")
    assert isinstance(problem, Problem)
    proven = [Key(KeyKind.RAW, INC_PRIVATE).fingerprint]
    output = unlocked(tmp_path, locked, INC_PRIVATE, path=b"x.bin.INC", proven=proven)
    assert output.grade is Grade.UNKNOWN
    assert (tmp_path / output.path.decode()).read_bytes() == plain


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [((), "none"), ((bytes(range(32)),), "unproven"), ((INC_PRIVATE,), "found"), ((b"short",), "refused")],
)
def test_what_trying_keys_comes_to(tmp_path, keys, outcome):
    locked = lock_inc(picture("a"), b"a")
    context = surroundings(tmp_path, BytesReader(locked), *keys)
    group = LockedGroup(family="inc", samples=(ref(b"a.png.INC", len(locked)),), files=7, size=1000)
    *found, trial = given.run(group, context)
    assert isinstance(trial, KeyTrial)
    assert (trial.outcome, trial.files) == (outcome, 7)
    assert all(isinstance(each, KeyFound) and each.bits >= 64 for each in found)
    assert bool(found) == (outcome == "found")


def test_metadata_that_contradicts_itself_is_refused(tmp_path):
    locked = bytearray(lock_phobos(archive("big", 3_000_000) * 2, "big.zip", large=True))
    locked[-178 - 100_000] ^= 1  # inside the moved pieces: their CRC-32 no longer holds
    problem = unlocked(tmp_path, bytes(locked), PHOBOS_KEY, path=b"big", family="phobos")
    assert isinstance(problem, Problem)
    assert "CRC-32" in str(problem.what)


def twice(tmp_path, locked, *keys, path, family):
    context = surroundings(tmp_path, BytesReader(locked), *keys)
    (record,) = step.run(LockedFile(ref=ref(path, len(locked), family)), context)
    return record


def test_a_file_locked_by_two_families_is_unwound_in_order(tmp_path):
    plain = archive("twice", 5_000_000)
    inner = lock_phobos(plain, "orders.zip", large=True)
    output = twice(
        tmp_path, lock_inc(inner, b"x"), PHOBOS_KEY, INC_PRIVATE, path=b"orders.id.INC", family="inc"
    )
    assert isinstance(output, Output)
    assert (tmp_path / output.path.decode()).read_bytes() == plain
    assert output.path == b"recovered/s/orders.zip"
    middle = [run for run in output.map if run.start <= 1_500_000 < run.end]
    assert [run.origin for run in middle] == [Origin.PLAIN]
    first = next(iter(output.map))
    assert (first.start, first.origin) == (0, Origin.UNLOCKED)
    assert first.end == 1_000_000  # what only the outer layer locked is unlocked, too


def test_a_file_locked_twice_by_one_family_is_unwound_twice(tmp_path):
    plain = picture("twice", 100)
    locked = lock_inc(lock_inc(plain, b"first"), b"second")
    output = twice(tmp_path, locked, INC_PRIVATE, path=b"a.png.INC.INC", family="inc")
    assert isinstance(output, Output)
    assert (tmp_path / output.path.decode()).read_bytes() == plain
    assert output.path == b"recovered/s/a.png"
    assert not list((tmp_path / "scratch").iterdir())


def test_the_outer_layer_alone_is_kept_where_only_its_key_is_there(tmp_path):
    inner = lock_inc(picture("half", 100), b"inner")
    output = twice(tmp_path, lock_phobos(inner, "a.png.INC"), PHOBOS_KEY, path=b"x", family="phobos")
    assert isinstance(output, Output)
    assert (tmp_path / output.path.decode()).read_bytes() == inner
    assert output.grade is not Grade.GOOD


@pytest.mark.parametrize("size", [0, 1, 17, 1000])
def test_what_proves_nothing_is_opened_twice_with_a_key_that_is_proven_elsewhere(tmp_path, size):
    plain = (b"10042;lamp;25.50\n" * 60)[:size]
    locked = lock_inc(lock_inc(plain, b"first"), b"second")
    proven = [Key(KeyKind.RAW, INC_PRIVATE).fingerprint]
    output = unlocked(tmp_path, locked, INC_PRIVATE, path=b"a.raw.INC", proven=proven)
    assert isinstance(output, Output)
    assert (tmp_path / output.path.decode()).read_bytes() == plain


@pytest.mark.parametrize("size", [0, 1, 17])
def test_what_is_locked_still_beneath_a_proven_key_is_bad(tmp_path, size):
    inner = lock_inc(b"10042;lamp;25.50\n"[:size], b"inner")
    output = twice(tmp_path, lock_phobos(inner, "a.raw.INC"), PHOBOS_KEY, path=b"x", family="phobos")
    assert isinstance(output, Output)
    assert output.grade is Grade.BAD
    assert "still locked by inc" in str(output.why)
    assert (tmp_path / output.path.decode()).read_bytes() == inner


@pytest.mark.parametrize(
    "plain", [b"\x00\x01\x02lamps by Example INC", b"\x00" * 300 + bytes(range(32)) + b"INC"]
)
def test_content_that_ends_with_the_letters_of_a_mark_is_no_inner_layer(tmp_path, plain):
    proven = [Key(KeyKind.RAW, INC_PRIVATE).fingerprint]
    output = unlocked(tmp_path, lock_inc(plain, b"x"), INC_PRIVATE, path=b"a.raw.INC", proven=proven)
    assert output.grade is Grade.UNKNOWN
    assert (tmp_path / output.path.decode()).read_bytes() == plain


def test_a_key_is_proven_on_a_file_that_it_locked_twice(tmp_path):
    locked = lock_inc(lock_inc(picture("twice", 100), b"first"), b"second")
    for key, count in ((INC_PRIVATE, 1), (bytes(range(32)), 0)):
        context = surroundings(tmp_path, BytesReader(locked), key)
        group = LockedGroup(family="inc", samples=(ref(b"a.png.INC", len(locked)),), files=1, size=1000)
        assert len(list(given.run(group, context))) == count + 1


@pytest.mark.parametrize("size", [1, 7, 17, 40])
@pytest.mark.parametrize("name", [b"a.csv.INC", b"a.raw.INC"])
def test_of_two_proven_keys_the_wrong_one_writes_no_small_file(tmp_path, size, name):
    plain, other = b"10042;lamp;25.50\n10043;lamps;51.00\n10044;x;1"[:size], bytes(range(7, 39))
    proven = [Key(KeyKind.RAW, key).fingerprint for key in (other, INC_PRIVATE)]
    for number in range(40):
        locked = lock_inc(plain, b"file %d" % number)
        found = unlocked(tmp_path, locked, other, INC_PRIVATE, path=name, proven=proven)
        if isinstance(found, Output):
            assert (tmp_path / found.path.decode()).read_bytes() == plain
        assert isinstance(found, Output) or size < 8
