"""How unknown lockers lock, told from locked files and from originals."""

import msgspec
import numpy as np
import pytest

from tests.fixtures.attacking import Evidence
from tests.lockers import content, drawn, ecb, shared
from unransom.catalog.schemes.compared import compared, extents_of
from unransom.catalog.schemes.described import Description
from unransom.catalog.schemes.extents import Behind, BySize, First, Last, Repeat, Share, Spread, UpTo, Whole
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

SIZES = (100_003, 900_001, 3_333_333)
EXTENTS = (
    Whole(),
    First(65536),
    First(percent=20),
    Last(5000),
    Behind(5, First(153_600)),
    Behind(4096, Repeat(65536, 131072)),
    Repeat(100_000, 200_000),
    Repeat(64, 128),
    Share(20, 5, 5),
    Spread(30_000, 3),
    Spread(16384, 4, "steps"),
    BySize((UpTo(1 << 20, Whole()),), Repeat(131072, 524288)),
)


def lock(plain, extents, seed):
    locked = np.frombuffer(plain, np.uint8).copy()
    stream = np.frombuffer(drawn(seed, len(plain)), np.uint8)
    for span in extents.spans(len(plain)):
        locked[span.start : span.end] ^= stream[span.start : span.end]
    return locked.tobytes()


@pytest.mark.parametrize("extents", EXTENTS, ids=str)
def test_extents_are_told_from_originals(extents):
    seen = []
    for size in SIZES:
        plain = content("scheme", size)
        locked = lock(plain, extents, f"{size}") + drawn("tail", 100)
        seen.append(compared(BytesReader(locked), BytesReader(plain)))
    found = extents_of(seen)
    for size in (*SIZES, 5_000_000, 50_000):
        assert list(found.spans(size)) == list(extents.spans(size))
    assert {(one.head, one.tail) for one in seen} == {(0, 100)}


def test_a_head_is_told_from_a_tail():
    plain = content("head", 400_000)
    locked = drawn("head", 48) + lock(plain, Repeat(1000, 9000), "x")
    seen = compared(BytesReader(locked), BytesReader(plain))
    assert (seen.head, seen.tail) == (48, 0)
    assert seen.spans[0] == Span(0, 1000)


def test_what_is_no_original_is_none():
    assert compared(BytesReader(b"short"), BytesReader(b"longer than that")) is None
    assert compared(BytesReader(b"the same"), BytesReader(b"the same")) is None


def guessed(locked, known=None):
    evidence = Evidence(locked, known, ".zq")
    return evidence.target().guess


def words(guess):
    return " / ".join(map(str, guess.why))


def test_one_key_for_all_is_told_by_the_last_bytes():
    blob = drawn("blob", 128)
    locked = {f"{n}.zq": drawn(f"{n}", 5000 + n) + blob for n in range(6)}
    assert "the last 128 bytes are the same in 6 files" in words(guessed(locked))


def test_a_block_cipher_is_told_by_sizes_and_ecb_by_equal_blocks():
    locked = {f"{n}.zq": drawn(f"{n}", 16 * (300 + n)) for n in range(8)}
    assert "multiples of 16" in words(guessed(locked))
    books = {f"{n}.mdf.zq": ecb.seal(ecb.database(f"{n}", 4), drawn("key", 32)) for n in range(3)}
    assert guessed(books).blocks == 16


def test_a_shared_keystream_and_one_that_repeats_are_told():
    files = {f"{n}.txt.zq": shared.letter(f"{n}", 6000) for n in range(4)}
    stream = shared.chacha("one", 6000)
    assert guessed({name: shared.xored(data, stream) for name, data in files.items()}).shared
    assert guessed({name: shared.xored(data, drawn(name, 40)) for name, data in files.items()}).period == 40


def test_a_sound_scheme_shows_nothing():
    locked = {f"{n}.txt.zq": drawn(f"{n}", 20_000 + 7 * n) for n in range(12)}
    guess = guessed(locked)
    assert not guess.shared
    assert (guess.period, guess.blocks, guess.description) == (0, 0, b"")


@pytest.mark.parametrize("extents", [Repeat(65536, 131072), First(percent=20), Last(60_000)], ids=str)
@pytest.mark.parametrize("kind", ["db", "bmp"])
def test_what_a_sound_scheme_leaves_plain_says_nothing_of_it(extents, kind):
    made = {"db": lambda n: ecb.database(n, 90), "bmp": lambda n: shared.bitmap(n, 400, 300)}[kind]
    plain = {f"{n}.{kind}": made(f"{n}") for n in range(6)}
    locked = {f"{name}.zq": lock(data, extents, name) for name, data in plain.items()}
    for guess in (guessed(locked, plain), guessed(locked)):
        assert (guess.shared, guess.period, guess.blocks) == (False, 0, 0)


def test_the_guess_is_a_described_family():
    plain = {f"{n}.txt": content(f"{n}", 200_000 + n) for n in range(3)}
    locked = {
        f"{name}.zq": lock(data, Repeat(4096, 12288), name) + drawn(name, 64) for name, data in plain.items()
    }
    guess = guessed(locked, plain)
    description = msgspec.json.decode(guess.description, type=Description)
    assert description.plan.extents == Repeat(4096, 12288)
    assert description.tail.size == 64
    assert not list(description.problems())
    assert guess.confidence > 0.8
