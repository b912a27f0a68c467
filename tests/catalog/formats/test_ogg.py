from __future__ import annotations

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import ogg
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def test_every_bit_counts_and_the_page_is_named() -> None:
    data = films.ogg()
    second = data.index(b"OggS", 4)
    third = data.index(b"OggS", second + 4)
    for position in range(second, second + 60):
        damaged = bytearray(data)
        damaged[position] ^= 1
        verdict = ogg.validate(BytesReader(bytes(damaged)))
        assert verdict.grade is Grade.PARTIAL
        assert [(span.start, span.end) for span in verdict.damage] == [(second, third)]


def test_a_missing_page_is_noticed() -> None:
    data = films.ogg()
    second = data.index(b"OggS", 4)
    third = data.index(b"OggS", second + 4)
    assert ogg.validate(BytesReader(data[:second] + data[third:])).grade is Grade.PARTIAL


def test_streams_may_be_interleaved_and_follow_each_other() -> None:
    one, two = [
        b"".join(films.ogg_page(number, b"x" * 99, {0: 2}.get(number, 0), serial) for number in range(3))
        for serial in (1, 2)
    ]
    size = len(one) // 3
    mixed = b"".join(one[at : at + size] + two[at : at + size] for at in range(0, len(one), size))
    assert ogg.validate(BytesReader(mixed + films.ogg())).grade is Grade.GOOD


def test_pages_behind_damage_are_found_again() -> None:
    data = films.ogg()
    verdict = ogg.validate(BytesReader(scramble(data, (4096, 8192))))
    assert verdict.length == len(data)
    assert verdict.damage[0].start <= 4096
    assert verdict.damage[-1].end < 8192 + 4000
