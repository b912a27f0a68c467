"""Which of many originals a locked file was, by what is not locked of it."""

from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn, shared
from unransom.catalog.schemes.matched import ADDED, Originals, sampled
from unransom.core.streams import BytesReader


def of(data):
    return sampled(BytesReader(data))


def locked(plain, on=10_000):
    return shared.xored(plain[:on], drawn("stream", on)) + plain[on:] + bytes(100)


PLAIN = [shared.letter(str(number), 60_000 + number) for number in range(50)]
ORIGINALS = Originals([(len(plain), of(plain)) for plain in PLAIN])


def test_each_is_found_among_all():
    for number, plain in enumerate(PLAIN):
        seen = locked(plain)
        assert ORIGINALS.of(len(seen), of(seen)) == number


def test_what_is_locked_whole_has_no_match():
    seen = locked(PLAIN[3], on=len(PLAIN[3]))
    assert ORIGINALS.of(len(seen), of(seen)) is None


def test_another_size_is_another_file():
    seen = locked(PLAIN[3]) + bytes(ADDED)
    assert ORIGINALS.of(len(seen), of(seen)) is None


def test_two_originals_that_are_alike_are_no_answer():
    twice = Originals([(len(PLAIN[0]), of(PLAIN[0]))] * 2)
    seen = locked(PLAIN[0])
    assert twice.of(len(seen), of(seen)) is None


def test_zeros_are_alike_everywhere():
    assert of(bytes(1 << 20)) == frozenset()


@given(st.binary(max_size=9000))
def test_any_file_can_be_looked_at(data):
    assert len(of(data)) <= 4
