"""Files of every family, by triage and unlocking: opened as its own, and unwound when locked twice."""

import contextlib

import pytest

from tests.fixtures.locked import INC_PRIVATE, archive, lock_inc
from tests.fixtures.vectors import FOLDER, VECTORS, make
from tests.lockers import akira2, drawn, locked, mammon
from tests.lockers.rsa import key_of
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef, Grade, Output, Problem, State
from unransom.core.searches import LockedFile
from unransom.core.streams import BytesReader
from unransom.crypto.keyfiles import read_keys
from unransom.examine.triage.step import run as triage
from unransom.recover.unlock import step

# Makers that take no other contents: a disk, archives that stay archives, and two that choose their own.
OWN_CONTENTS = {"petya", "zipcrypto", "hsharada", "esxiargs"}
CHOSEN = {  # else the first
    "hunters2": "shares",
    "locked": "cbc_head",
    "phobos": "whole",
    "play": "small",
    "rcru64": "whole",
    "zeppelin": "one_block",
}
# What is locked goes by the extension, or the metadata is in the name: there it is not taken off.
BY_NAME = {"akira2", "hive1", "hive3"}
# What Akira locks goes by the extension, which over another locker is another: it has a test of its own.
ALONE = {"akira2"}
STEM = len(b"orders.csv")  # as all names begin, or as long
INC = Key(KeyKind.RAW, INC_PRIVATE, "test")
FIRST = {path.parent.name: path for path in reversed(VECTORS)}
CASES = [
    FOLDER / name / f"{CHOSEN[name]}.toml" if name in CHOSEN else path
    for name, path in sorted(FIRST.items())
    if name not in OWN_CONTENTS
]
OUTER = [path for path in CASES if path.parent.name not in ALONE]


@pytest.fixture
def recover(tmp_path):
    """A function that triages and unlocks a file; it returns what triage says, and output and its bytes."""

    def recovered(data, path, *keys, proven=None):
        context = Context(
            open=lambda _: contextlib.nullcontext(BytesReader(data)),
            keys=keys,
            proven=proven or {},
            outputs=Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path),
        )
        found = triage(FileRef(source="s", path=path, size=len(data)), context)
        ref = next(record for record in found if isinstance(record, FileRef))
        (output,) = step.run(LockedFile(ref=ref), context)
        assert isinstance(output, Output), output
        return output, (tmp_path / output.path.decode()).read_bytes()

    return recovered


def keys_of(made):
    return tuple(read_keys(made.key_file, "test"))


@pytest.fixture(scope="module")
def plain():
    return archive("families", 60_000)


@pytest.mark.parametrize("vector", CASES, ids=lambda path: path.parent.name)
def test_is_opened_as_its_own_without_its_name(vector, plain, recover):
    made = make(vector, plain)
    assert made.plain == plain
    path = made.name if vector.parent.name in BY_NAME else b"evidence.bin"
    output, data = recover(made.locked, path, *keys_of(made))
    assert (output.family, data == plain) == (vector.parent.name, True)


@pytest.mark.parametrize("vector", CASES, ids=lambda path: path.parent.name)
def test_is_opened_under_another_locker(vector, plain, recover):
    made = make(vector, plain)
    _, data = recover(lock_inc(made.locked, b"x"), made.name + b".INC", INC, *keys_of(made))
    assert data == plain


@pytest.mark.parametrize("vector", OUTER, ids=lambda path: path.parent.name)
def test_is_opened_over_another_locker(vector, plain, recover):
    made = make(vector, lock_inc(plain, b"x"))
    name = made.name[:STEM] + b".INC" + made.name[STEM:]
    _, data = recover(made.locked, name, *keys_of(made), INC)
    assert data == plain


@pytest.mark.parametrize("vector", OUTER, ids=lambda path: path.parent.name)
def test_is_opened_when_it_came_twice(vector, plain, recover):
    inner = make(vector, plain)
    outer = make(vector, inner.locked, seed=" again")
    name = inner.name + outer.name[STEM:]
    _, data = recover(outer.locked, name, *keys_of(inner), *keys_of(outer))
    assert data == plain


@pytest.mark.parametrize("wrapped", [False, True])
def test_akira_of_2024_is_undone_over_another_locker(wrapped, recover, plain):
    inner = lock_inc(plain, b"x")
    secrets = tuple(
        drawn(f"akira {what}", size) for what, size in (("k", 16), ("i", 16), ("c", 16), ("n", 8))
    )
    outer = akira2.seal(inner, [(0, len(inner) // 2)], secrets) + akira2.blob(secrets, "akira")
    keys = read_keys(key_of("rsa4096").export_key() if wrapped else b"".join(secrets), "test")
    _, data = recover(outer, b"orders.zip.INC.akira", INC, *keys)
    assert data == plain


@pytest.mark.parametrize("place", ["head", "tail", "key"])
def test_a_plain_key_is_undone_over_another_locker(place, recover, plain):
    inner = lock_inc(plain, b"x")
    key, iv = drawn("plain key", 32), drawn("plain iv", 16)
    outer = locked.seal(inner, key, iv, "cbc", place)
    given = Key(KeyKind.RAW, key + iv if place == "key" else key, "test")
    _, data = recover(outer, b"orders.zip.INC.locked", given, INC)
    assert data == plain


def test_what_mammon_locked_a_second_time_is_unwound(recover):
    plain = archive("mammon", 14_000_000)
    once = mammon.seal(plain, "first")
    made = mammon.again(once, "second")
    assert made != once
    for path in (b"orders.zip.Mail-[a@b.cc]ID-[1].lock.v2", b"evidence.bin"):
        output, data = recover(made, path, *read_keys(key_of("rsa4096").export_key(), "test"))
        assert (output.family, data == plain) == ("mammon", True)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_keys_of_a_case_that_fit_the_one_that_gives_no_noise_is_taken(order, recover):
    plain = bytes(range(100)) * 600  # of no format
    other = Key(KeyKind.RAW, drawn("another campaign", 32), "test")
    keys = (INC, other)[::order]
    proven = {"inc": frozenset(key.fingerprint for key in keys)}
    output, data = recover(lock_inc(plain, b"x"), b"orders.raw.INC", *keys, proven=proven)
    assert (data == plain, output.key, output.grade) == (True, INC.fingerprint, Grade.UNKNOWN)


@pytest.mark.parametrize("keys", [(INC,), (INC, Key(KeyKind.RAW, drawn("another campaign", 32), "test"))])
def test_what_is_noise_with_every_key_is_kept(keys, recover):
    plain = drawn("an original of noise", 60_000)
    proven = {"inc": frozenset({INC.fingerprint})}
    output, data = recover(lock_inc(plain, b"x"), b"orders.raw.INC", *keys, proven=proven)
    assert (data == plain, output.grade) == (True, Grade.UNKNOWN)


def test_what_is_noise_with_several_keys_of_a_case_is_opened_with_none_of_them(tmp_path):
    locked = lock_inc(drawn("an original of noise", 60_000), b"x")
    other = Key(KeyKind.RAW, drawn("another campaign", 32), "test")
    for keys in ((INC, other), (other, INC)):
        context = Context(
            open=lambda _: contextlib.nullcontext(BytesReader(locked)),
            keys=keys,
            proven={"inc": frozenset(key.fingerprint for key in keys)},
            outputs=Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path),
        )
        ref = FileRef(source="s", path=b"orders.raw.INC", size=len(locked), state=State.LOCKED, family="inc")
        (problem,) = step.run(LockedFile(ref=ref), context)
        assert (type(problem), problem.code) == (Problem, "output")


def test_another_layer_is_found_beneath_one_that_a_key_of_the_case_fits_wrongly(plain, recover):
    inner = make(FIRST["trinity"], plain)
    made = lock_inc(inner.locked, b"x")
    other = Key(KeyKind.RAW, drawn("another campaign", 32), "test")
    proven = {"inc": frozenset({other.fingerprint})}
    _, data = recover(made, inner.name + b".INC", other, INC, *keys_of(inner), proven=proven)
    assert data == plain
