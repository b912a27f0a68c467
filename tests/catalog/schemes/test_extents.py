"""Extents as data: where each family's pattern puts its spans, and that nothing hostile breaks them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.catalog.schemes.extents import (
    Behind,
    ByExtension,
    ByNumber,
    BySize,
    Extents,
    Facts,
    First,
    Joined,
    Last,
    Listed,
    OfKind,
    Repeat,
    Share,
    Spread,
    UpTo,
    Whole,
    each_piece,
    pieces,
)
from unransom.catalog.schemes.family import BadMarkError, FileKey, Keep, Mark, Unlock
from unransom.core.spans import Span

MIB = 1 << 20


def spans(extents, size, **numbers):
    return [tuple(msgspec.structs.astuple(span)) for span in extents.spans(size, Facts(numbers))]


@pytest.mark.parametrize(
    ("extents", "size", "expected"),
    [
        (Whole(), 10, [(0, 10)]),
        (Whole(), 0, []),
        (First(4), 10, [(0, 4)]),
        (First(40), 10, [(0, 10)]),
        (First(percent=50), 11, [(0, 5)]),
        (First(percent=0), 11, []),
        (Last(4), 10, [(6, 10)]),
        (Last(4), 3, [(0, 3)]),
        (Last(4), 0, []),
        (Repeat(2, 3), 11, [(0, 2), (5, 7), (10, 11)]),
        (Repeat(2, 3, first=4), 12, [(0, 4), (7, 9)]),
        (Repeat(2, 3, count=2), 100, [(0, 2), (5, 7)]),
        (Repeat(2, 3, whole=True), 14, [(0, 2), (5, 7)]),
        (Repeat(2, 3, stop=6), 100, [(0, 2), (5, 6)]),
        (Repeat(2, 2**64 - 1), 100, [(0, 2)]),
        # Conti, 20 percent: three chunks of 7 hundredths, what is left between them in halves.
        (Share(7, 3, hundredths=True), 1050, [(0, 70), (490, 560), (980, 1050)]),
        # Akira, 30 percent: two chunks of a third, a third of the rest from start to start.
        (Share(30, 2, divide=3, gaps=3, step="starts"), 1000, [(0, 100), (266, 366)]),
        (Share(50, 3), 0, []),
        # Loki and Phobos: beginning, middle, end.
        (Spread(10), 100, [(0, 10), (45, 55), (90, 100)]),
        (Spread(10, 1), 100, [(90, 100)]),
        (Spread(10, 4, "steps"), 100, [(0, 10), (25, 35), (50, 60), (75, 85)]),
        (Spread(10, 3, "steps-end"), 100, [(0, 10), (33, 43), (90, 100)]),
        (Spread(10, 3, "steps", align=16), 100, [(0, 10), (48, 58), (96, 100)]),
        (Behind(20, First(5)), 100, [(20, 25)]),
        (Behind(20, Whole()), 10, []),
        (Joined((First(5), Repeat(2, 8))), 25, [(0, 5), (10, 12), (20, 22)]),
        (BySize((UpTo(10, Whole()), UpTo(20, First(3))), First(1)), 10, [(0, 10)]),
        (BySize((UpTo(10, Whole()), UpTo(20, First(3))), First(1)), 20, [(0, 3)]),
        (BySize((UpTo(10, Whole()), UpTo(20, First(3))), First(1)), 21, [(0, 1)]),
    ],
)
def test_spans_are_where_they_belong(extents, size, expected):
    assert spans(extents, size) == expected


def test_numbers_come_from_the_metadata():
    assert spans(Repeat("on", "off"), 12, on=2, off=3) == [(0, 2), (5, 7), (10, 12)]
    facts = Facts.of(Mark(0, numbers={"on": 2}), FileKey({"off": b"\3\0\0\0", "long": bytes(9)}))
    assert list(Repeat("on", "off").spans(7, facts)) == [Span(0, 2), Span(5, 7)]


def test_a_list_in_the_metadata():
    numbers = [50, 10, 0, 5]
    fields = {"list": b"".join(number.to_bytes(8, "little") for number in numbers)}
    assert list(Listed("list").spans(60, Facts(fields=fields))) == [Span(0, 5), Span(50, 60)]
    each = [Span(start, start + 4) for start in (0, 5, 10, 50)]
    assert list(Listed("list", length=4).spans(60, Facts(fields=fields)))[:1] == each[:1]
    with pytest.raises(BadMarkError, match="outside"):
        list(Listed("list").spans(59, Facts(fields=fields)))


def test_the_original_extension_decides():
    extents = ByExtension((OfKind(("mdf", "vhdx"), Whole()),), First(1))
    for name, expected in ((b"a/b.MDF", 10), (b"b.txt", 1), (b"mdf", 1), (b"x.mdf/y", 1)):
        facts = Facts.of(Mark(0, {"name": name}), FileKey({}))
        assert list(extents.spans(10, facts)) == [Span(0, expected)]


def test_a_mode_that_nobody_knows_is_refused():
    extents = ByNumber("mode", {1: Whole(), 2: First(2)})
    assert spans(extents, 10, mode=2) == [(0, 2)]
    with pytest.raises(BadMarkError, match="mode 3"):
        extents.spans(10, Facts({"mode": 3}))


@pytest.mark.parametrize("numbers", [(0, 5), (1, 0), (2**63, -1)])
def test_absurd_areas_are_refused(numbers):
    with pytest.raises(BadMarkError, match="too small"):
        next(Repeat("on", "off").spans(1 << 40, Facts(dict(zip(("on", "off"), numbers, strict=True)))))


def test_a_large_file_is_described_piece_by_piece():
    found = Repeat(MIB, MIB).spans(64 << 30)
    assert next(found) == Span(0, MIB)
    assert next(found) == Span(2 * MIB, 3 * MIB)


ANY = st.integers(0, 2**64 - 1) | st.integers(0, 100)


@given(st.integers(0, 1 << 20), ANY, ANY, ANY, st.binary(max_size=64))
def test_hostile_numbers_stay_within_the_file(size, one, two, three, data):
    facts = Facts({"one": one, "two": two, "three": three}, {"list": data})
    for extents in (
        First("one", "two"),
        Repeat("one", "two", "three", stop="three"),
        Repeat("one", "two", count="three", whole=True),
        Share("one", 3, hundredths=True),
        Share("one", 4, divide=5, gaps=5, step="starts"),
        Spread("one", "two", "steps", "three"),
        Spread("one", "two", "steps-end"),
        Spread("one", 3),
        Listed("list", "one"),
        Listed("list", width=4),
        Behind("one", Repeat("two", "three")),
    ):
        found = extents.spans(size, facts)
        try:
            for span, _ in zip(found, range(200), strict=False):
                assert 0 <= span.start < span.end <= size
        except BadMarkError:
            pass


class Nothing:
    spill = 0

    def decrypt_into(self, data, out):
        out[:] = data


@given(st.integers(0, 1000), st.integers(1, 50), st.integers(0, 50), st.integers(0, 9))
def test_pieces_cover_the_file_once(size, on, off, skip):
    found = list(each_piece(size, Repeat(on, off).spans(size), lambda _: Nothing(), skip))
    position = skip
    for piece in found:
        assert piece.offset == position
        assert piece.length > 0
        position += piece.length
    assert position == size + skip
    assert all(isinstance(piece, Unlock) == (index % 2 == 0 or not off) for index, piece in enumerate(found))


def test_pieces_share_a_cipher_or_have_their_own():
    cipher = Nothing()
    found = list(pieces(12, [Span(2, 4), Span(6, 8)], cipher))
    assert [type(piece) for piece in found] == [Keep, Unlock, Keep, Unlock, Keep]
    assert found[1].cipher is found[3].cipher is cipher


def test_a_percentage_can_decide_as_a_size_can():
    extents = BySize((UpTo(10, Whole()),), First(percent="percent"), "percent")
    assert spans(extents, 200, percent=10) == [(0, 200)]
    assert spans(extents, 200, percent=11) == [(0, 22)]


@pytest.mark.parametrize("steps", [(10, 10), (20, 10)])
def test_steps_ascend(steps):
    (fault,) = BySize(tuple(UpTo(largest, Whole()) for largest in steps), First(1)).faults()
    assert fault.path == ("steps", 1, "largest")


def test_overlapping_spans_are_refused():
    with pytest.raises(BadMarkError, match="overlap"):
        list(pieces(12, [Span(2, 6), Span(4, 8)], Nothing()))


def test_extents_are_plain_data():
    text = """
        type = "by-size"
        steps = [{largest = 1048576, extents = {type = "whole"}}]
        above = {type = "by-number", number = "mode", cases = {1 = {type = "spread", length = "block"}}}
    """
    found = msgspec.toml.decode(text, type=Extents)
    assert found == BySize((UpTo(MIB, Whole()),), ByNumber("mode", {1: Spread("block")}))
