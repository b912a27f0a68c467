import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.losses.made import MADE, MIB, Made, azov, countdown, noise, ordinypt, table, vect
from unransom.catalog.families import FAMILIES
from unransom.catalog.losses import LOSSES
from unransom.catalog.losses.loss import Clues
from unransom.catalog.schemes.family import Mark
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Salvage

CASES = [(name, made) for name, cases in MADE.items() for made in cases]
NAMES = sorted({made.name for _, made in CASES})


def judged(name, data, **clues):
    """Return what each rule says, by its name."""
    named = {each.name: original for each in FAMILIES if (original := each.original_name(name))}
    locked = Salvage(BytesReader(data), name.rpartition(b"/")[2])
    clues = Clues(**({"path": name, "named": named} | clues))
    found = {rule.name: rule.judge(locked, clues) for rule in LOSSES if rule.judge}
    return {rule: loss for rule, loss in found.items() if loss}


@pytest.mark.parametrize(("rule", "made"), CASES, ids=[f"{name}-{made.name!r}" for name, made in CASES])
def test_what_each_locker_leaves_is_told_by_its_rule_alone(rule, made):
    found = judged(made.name, made.data)
    assert list(found) == [rule]
    loss = found[rule]
    assert (loss.proven, loss.whole, loss.size) == (made.proven, made.whole, made.lost)
    assert str(loss.why)


# What looks like it at first sight, and is not lost.
HARMLESS = {
    "empty": (b"__init__.py", b""),
    "empty, a short extension": (b"a.php.INC", b""),
    "empty, nothing before the extension": (b"akira", b""),
    "empty, an unknown extension before": (b"a.b.akira", b""),
    "empty lock file": (b"package.json.lock", b""),
    "zeros": (b"disk.img", bytes(MIB)),
    "zeros, being downloaded": (b"film.mkv.part", bytes(MIB)),
    "zeros, a temporary file": (b"base.sqlite.tmp01", bytes(MIB)),
    "zeros but for the last byte": (b"a.jpg.08kJA", bytes(9999) + b"\x01"),
    "a few zeros": (b"a.jpg.08kJA", bytes(9)),
    "CC, another size": (b"plan.docx.3f9a", b"\xcc" * (MIB - 1)),
    "CC, a real extension": (b"plan.docx", b"\xcc" * MIB),
    "CC, and one other byte": (b"plan.docx.3f9a", b"\xcc" * (MIB - 1) + b"\xcd"),
    "base64": (
        b"f7GhY2kLmQ0xTz",
        ordinypt(12_000, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    ),
    "hexadecimal": (b"f7GhY2kLmQ0xTz", ordinypt(12_000, "0123456789abcdef")),
    "letters, a real name": (b"tokens.txt", ordinypt(12_000)),
    "a short table that counts down": (b"crc.bin", countdown(256) + table(5000)),
    "VECT's name, the content of a table": (b"a.bin.vect", table(MIB)),
    "VECT, small": (b"a.bin.vect", noise(100_000)),
    "VECT, all chunks but one are zeros": (b"a.vmdk.vect", vect(bytes(MIB), zeros=(0, 1, 2))),
    "Azov's name, the content of a table": (b"a.bin.azov", table(MIB)),
    "CryWiper's name, text": (b"a.txt.CRY", b"to be or not to be\n" * 999),
    "Nitrogen's name, not of a virtual machine": (b"basket.nba", noise(5000)),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_is_only_alike_is_not_called_lost(case):
    found = judged(*HARMLESS[case])
    assert not [rule for rule, loss in found.items() if loss.proven]
    if not case.startswith("Azov"):
        assert not found


def test_a_file_that_is_locked_otherwise_at_the_same_places_is_not_vect():
    plain = table(MIB)
    shifted = bytearray(plain)
    for number in range(4):
        at = (len(plain) - 500) // 4 * number
        shifted[at : at + 32_768] = noise(32_768, number)
    found = judged(b"a.bin.vect", bytes(shifted))
    assert not any(loss.proven for loss in found.values())


def test_a_mixture_of_random_and_plain_runs_is_neither_azov_nor_vect():
    """Fonts and compressed streams have many edges, some of them where a rule looks."""
    for seed in range(40):
        source = random.Random(seed)
        runs = (
            source.randbytes(length) if source.random() < 0.6 else table(length)
            for length in source.choices((40, 70, 300, 700, 1500, 5000), k=400)
        )
        data = b"".join(runs)
        assert not [rule for rule in judged(b"a.bin.azov", data).values() if rule.proven], seed
        assert not [rule for rule in judged(b"a.bin.vect", data).values() if rule.proven], seed


def test_the_lost_spans_of_vect_are_the_first_three_chunks():
    loss = judged(b"a.bin.vect", vect(table(MIB)))["vect"]
    spans = [span for part in loss.parts for span in part.spans()]
    assert spans == [Span(at, at + 32_768) for at in (0, MIB // 4, MIB // 2)]
    assert [str(part) for part in loss.parts] == ["0-32768", "262144-294912", "524288-557056"]


def test_azov_stops_at_four_gibibytes():
    class Large(BytesReader):
        size = 5 << 30

    data = Large(azov(table(100_000)))
    (rule,) = (rule for rule in LOSSES if rule.name == "azov")
    (part,) = rule.judge(data, Clues(b"a.bin.azov")).parts
    assert part.start + (part.count - 1) * part.step + part.length <= 1 << 32
    assert str(part).startswith("666 of every 1332 from 0, ")


def test_a_strong_mark_promises_more_than_there_is():
    weak, strong = Mark(bits=40, plain_size=9000), Mark(bits=70, plain_size=9000)
    assert not judged(b"a", noise(5000), marks={"some": weak})
    loss = judged(b"a", noise(5000), marks={"weak": weak, "some": strong})["cut"]
    assert (loss.bits, loss.size, loss.whole) == (70, 4000, False)
    assert not judged(b"a", noise(9000), marks={"some": strong})
    assert not judged(b"a", noise(5000), marks={"some": Mark(bits=70, plain_size=1 << 60)})


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_files_do_no_harm(data):
    made = data.draw(st.sampled_from([made for _, made in CASES if len(made.data) < 2 * MIB]))
    start = data.draw(st.integers(0, len(made.data)))
    end = data.draw(st.sampled_from([start, min(start + 9, len(made.data)), len(made.data)]))
    content = made.data[:start] + data.draw(st.binary(max_size=64)) + made.data[end:]
    marks = {"some": Mark(bits=data.draw(st.integers(0, 99)), plain_size=data.draw(st.integers(-1, 1 << 66)))}
    for loss in judged(data.draw(st.sampled_from(NAMES)), content, marks=marks).values():
        assert all(part.length > 0 and part.start >= 0 for part in loss.parts)
        assert loss.whole or not loss.proven or loss.parts


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.binary(max_size=3000), st.integers(0, 300_000))
def test_random_bytes_are_never_proven_to_be_lost(name, head, size):
    loss = judged(name, head + noise(size + 1, size))
    assert not [each for each in loss.values() if each.proven]


def test_every_made_file_is_one_of_a_rule():
    assert all(isinstance(made, Made) for _, made in CASES)
    assert set(MADE) == {rule.name for rule in LOSSES if rule.judge}
