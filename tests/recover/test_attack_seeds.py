"""Keys drawn from a seeded generator: found in full, then near a neighbour, and never where there is none."""

import contextlib
import itertools
from pathlib import Path

import pytest

from tests.fixtures.locked import picture
from tests.lockers import drawn
from tests.lockers.prometheus import seal
from unransom.core.context import Context
from unransom.core.records import FileRef, KeyFound
from unransom.core.searches import Searched, Secret, Shard, Target
from unransom.core.streams import BytesReader
from unransom.crypto.generators import generator
from unransom.recover.keys.attacks import seeds

MILLISECOND = 1_000_000
SAMPLE = Path("../shared/data/lockers/sample")


def key_of(seed):
    """Return the key that a locker on .NET draws: new Random(seed), 32 times Next(33, 127)."""
    numbers = (33 + int(each * (1 / 0x7FFFFFFF) * 94) for each in generator("dotnet").outputs(seed))
    return bytes(itertools.islice((each for each in numbers if each not in b'"\\'), 32))


def searching(locked, number, *, modified=None, clues=(), name=b"evidence.bin", family="prometheus"):
    ref = FileRef(source="s", path=name, size=len(locked), id=7, modified=modified)
    context = Context(open=lambda _: contextlib.nullcontext(BytesReader(locked)))
    target = Target(family=family, samples=(ref,), files=1, size=len(locked), clues=clues)
    plan = seeds.plan(target, context)
    return plan, list(seeds.search(Shard(plan=plan, target=target, number=number), context))


def test_the_key_is_found_among_all_seeds_and_proven_by_the_whole_file():
    locked = seal(picture("seeded"), key_of(123_456))
    plan, (found, secret, searched) = searching(locked, 1)
    assert plan.shards * seeds.SHARD >= 1 << 31
    assert isinstance(found, KeyFound)
    assert (found.item, found.clue, found.bits >= 64) == (7, "123456", True)
    assert isinstance(secret, Secret)
    assert secret.key.data == key_of(123_456)
    assert searched == Searched(attack="seeds", family="prometheus", item=7, shard=1, candidates=seeds.SHARD)


def test_a_neighbour_says_where_to_look():
    locked = seal(picture("next"), key_of(1_500_000_000))
    clues = ((5_000_000 * MILLISECOND, "1499990000"),)
    _, (found, *_, searched) = searching(locked, 0, modified=5_010_000 * MILLISECOND, clues=clues)
    assert found.clue == "1500000000"
    assert searched.candidates < seeds.SHARD


def test_a_text_is_found_by_its_letters():
    table = "".join(f"{number};two lamps;shipped\n" for number in range(700)).encode()
    clues = ((5_000_000 * MILLISECOND, "1499990000"),)
    locked = seal(table, key_of(1_500_000_000))
    _, (found, *_) = searching(locked, 0, modified=5_010_000 * MILLISECOND, clues=clues, name=b"orders.csv")
    assert found.clue == "1500000000"


def test_times_say_where_to_look_when_the_neighbour_is_hours_away():
    locked = seal(picture("later"), key_of(1_510_000_000))
    clues = ((0 * MILLISECOND + 1, "1500000000"),)
    _, (found, *_) = searching(locked, 0, modified=10_000_000 * MILLISECOND + 1, clues=clues)
    assert found.clue == "1510000000"


@pytest.mark.parametrize("name", [b"evidence.bin", b"a.png", b"a.csv"])
def test_random_bytes_have_no_key(name):
    _, records = searching(drawn("noise", 5000), 3, name=name)
    assert all(isinstance(each, Searched) for each in records)


def test_a_family_without_recipes_has_no_plan():
    target = Target(family="inc", samples=(), files=0, size=0)
    assert seeds.plan(target, Context(open=lambda _: contextlib.nullcontext(BytesReader(b"")))) is None


@pytest.mark.shared_data
def test_the_seed_of_a_real_file_is_the_published_one():
    (path,) = SAMPLE.glob("CyCraft.png*")
    _, (found, *_) = searching(path.read_bytes(), 1)
    assert found.clue == "615750"


@pytest.mark.shared_data
def test_after_the_first_real_file_its_neighbours_take_a_quarter_of_a_million_candidates_each():
    clues = ((1, "103171640"),)  # of the fourth file
    for name, seed in (
        ("file-example_PDF", "103171375"),
        ("file_example_JPG", "103171468"),
        ("zip_2MB", "103171671"),
    ):
        (path,) = SAMPLE.glob(f"{name}*")
        locked, original = path.read_bytes(), path.name.partition(".PROM")[0].encode()
        _, (found, *_, searched) = searching(locked, 0, modified=1, clues=clues, name=original)
        assert found.clue == seed
        assert searched.candidates <= 250_000  # `benchmarks/keys.py` tests millions of them in a second
