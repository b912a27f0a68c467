"""Keys of files that were locked twice: the layer beneath proves its key, and the one above."""

import uuid
from contextlib import nullcontext

import pytest

from tests.fixtures.locked import INC_PRIVATE, PHOBOS_KEY, archive, lock_inc, lock_phobos, picture
from tests.lockers import drawn, inc, stop
from tests.lockers.rsa import key_of
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.records import FileRef, KeyFound, LockedGroup
from unransom.core.streams import BytesReader
from unransom.crypto.keyfiles import read_keys
from unransom.recover.keys import given

INC = Key(KeyKind.RAW, INC_PRIVATE)
PHOBOS = Key(KeyKind.RAW, PHOBOS_KEY)
WRONG = tuple(Key(KeyKind.RAW, drawn(f"wrong {number}", 32)) for number in range(8))
RSA = key_of("rsa2048")
STOP = next(key for key in read_keys(RSA.export_key(), "stop.pem") if key.kind is KeyKind.RSA)


def lock_stop(plain, seed):
    name = str(uuid.UUID(bytes=drawn(seed + " uuid", 16)))
    return stop.seal(plain, name, RSA, drawn("victim", 20).hex().encode(), seed)


def note(number):
    return b"Order %d: two lamps, paid %d.50\n" % (number, 3 * number)


def found(family, files, *keys):
    """Return which key was found for which family on locked files, by path."""
    refs = tuple(
        FileRef(source="s", path=path, size=len(data), id=number, family=family)
        for number, (path, data) in enumerate(files.items(), 1)
    )
    context = Context(open=lambda ref: nullcontext(BytesReader(files[ref.path])), keys=keys)
    group = LockedGroup(family=family, samples=refs, files=len(refs), size=1)
    records = [each for each in given.run(group, context) if isinstance(each, KeyFound)]
    assert all(each.bits >= 64 and not each.item for each in records)
    names = [(each.family, each.fingerprint) for each in records]
    assert len(set(names)) == len(names)
    return set(names)


def test_the_key_beneath_a_proven_one_is_proven_on_other_files():
    files = {b"a%d.txt.INC.nbzi" % n: lock_stop(lock_inc(note(n), b"%d" % n), str(n)) for n in range(3)}
    files[b"p.png.INC.nbzi"] = lock_stop(lock_inc(picture("p"), b"p"), "p")
    assert found("stop", files, STOP, *WRONG, INC) == {("stop", STOP.fingerprint), ("inc", INC.fingerprint)}


@pytest.mark.parametrize("size", [0, 1, 30])
def test_a_wrap_beneath_proves_the_outer_key_where_the_original_proves_nothing(size):
    files = {b"a.raw.nbzi.INC": lock_inc(lock_stop(drawn("raw", size), "a"), b"a")}
    assert found("inc", files, *WRONG, STOP, INC) == {("stop", STOP.fingerprint), ("inc", INC.fingerprint)}


def test_content_beneath_proves_both_keys_where_neither_wrap_does():
    files = {b"a.png.INC": lock_inc(lock_phobos(picture("a"), "a.png"), b"a")}
    assert found("inc", files, *WRONG, PHOBOS, INC) == {
        ("phobos", PHOBOS.fingerprint),
        ("inc", INC.fingerprint),
    }


def test_two_keys_of_one_family_are_both_found():
    second = drawn("second campaign", 32)
    files = {b"a.png.INC.INC": lock_inc(inc.seal(picture("a"), inc.public_of(second), bytes(32)), b"a")}
    key = Key(KeyKind.RAW, second)
    assert found("inc", files, *WRONG, key, INC) == {("inc", INC.fingerprint), ("inc", key.fingerprint)}


def test_three_layers_are_looked_through():
    inner = lock_inc(picture("a"), b"a")
    files = {b"a.png.INC.nbzi.nbzi": lock_stop(lock_stop(inner, "b"), "c")}
    assert found("stop", files, STOP, *WRONG, INC) == {("stop", STOP.fingerprint), ("inc", INC.fingerprint)}


def test_wrong_keys_are_not_proven_by_many_small_files():
    files = {b"a%d.txt.INC.nbzi" % n: lock_stop(lock_inc(note(n), b"%d" % n), str(n)) for n in range(40)}
    assert found("stop", files, STOP, *WRONG) == {("stop", STOP.fingerprint)}
    files = {b"a%d.txt.nbzi.INC" % n: lock_inc(lock_stop(note(n), str(n)), b"%d" % n) for n in range(40)}
    assert found("inc", files, STOP, *WRONG) == set()


def test_an_outer_key_is_not_proven_by_a_layer_that_it_left_as_it_was():
    """The second layer's metadata lie where the outer locker did not write: they hold under any outer key."""
    plain = archive("large", 1_400_000)
    files = {b"a.zip.nbzi.INC": lock_inc(lock_stop(plain, "a"), b"a")}
    assert found("inc", files, *WRONG, STOP) == {("stop", STOP.fingerprint)}
    assert found("inc", files, *WRONG, STOP, INC) == {("stop", STOP.fingerprint), ("inc", INC.fingerprint)}


@pytest.mark.parametrize(("covered", "proven"), [(1, False), (7, False), (20, True), (300, True)])
def test_an_outer_key_that_reaches_a_few_bytes_of_the_metadata_is_not_proven(covered, proven):
    """One wrong key in 256 makes one byte right: the wrap then holds, and says nothing of the rest."""
    plain = drawn("no format", 1_000_000 - covered)
    files = {b"a.raw.nbzi.INC": lock_inc(lock_stop(plain, "a"), b"a")}
    outer = {("inc", INC.fingerprint)} if proven else set()
    assert found("inc", files, STOP, INC) == {("stop", STOP.fingerprint), *outer}


def test_many_keys_that_nothing_proves_take_a_bounded_time(monkeypatch):
    looked = []
    monkeypatch.setattr(given, "proofs_beneath", lambda family, key, ref, *_, **__: looked.append(key) or ())
    files = {b"a%d.raw.INC" % n: lock_inc(drawn(f"raw {n}", 9), b"%d" % n) for n in range(12)}
    few = tuple(Key(KeyKind.RAW, drawn(f"few {number}", 32)) for number in range(20))
    assert found("inc", files, *few) == set()
    assert len(looked) == 12 * 20, "all samples with a few keys"
    looked.clear()
    many = tuple(Key(KeyKind.RAW, drawn(f"many {number}", 32)) for number in range(200))
    assert found("inc", files, *many) == set()
    assert len(looked) == given.FEWEST * 200
