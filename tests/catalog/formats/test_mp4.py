from __future__ import annotations

import struct

import pytest

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import mp4
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return mp4.validate(BytesReader(data)).grade


@pytest.mark.parametrize("make", [films.mp4, lambda: films.mp4(tables_first=True), films.fragmented_mp4])
def test_every_locked_block_among_small_units_is_noticed(make) -> None:
    data = make()
    for start in range(0, len(data) - 4096, 4096):
        verdict = mp4.validate(BytesReader(scramble(data, (start, start + 4096), seed=start)))
        assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, start


def test_damage_is_located_to_the_picture() -> None:
    data = films.mp4()
    start = 12_000
    verdict = mp4.validate(BytesReader(scramble(data, (start, start + 600))))
    assert verdict.grade is Grade.PARTIAL
    assert start - 1600 < verdict.damage[0].start < start + 600


def test_tables_that_contradict_each_other_are_noticed() -> None:
    data = films.mp4()
    at = data.index(b"stsz") + 12
    assert grade(data[:at] + struct.pack(">I", films.FRAMES - 1) + data[at + 4 :]) is Grade.PARTIAL
    at = data.index(b"stco") + 12
    assert grade(data[:at] + struct.pack(">I", 1 << 30) + data[at + 4 :]) is Grade.PARTIAL
    assert grade(data.replace(b"avc1\0\0", b"avc1\0\0", 1)) is Grade.GOOD


def test_sound_of_one_fixed_size_takes_no_memory() -> None:
    entry = films.box(b"sowt", bytes(28))
    table = films.box(
        b"stbl",
        films.box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        films.box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, 0x7FFFFFFF, 1)),
        films.box(b"stsz", bytes(4), struct.pack(">II", 2, 0x7FFFFFFF)),
        films.box(b"stco", bytes(4), struct.pack(">II", 1, 100)),
    )
    film = films.box(b"moov", films.box(b"trak", films.box(b"mdia", films.box(b"minf", table))))
    assert (
        grade(films.box(b"ftyp", b"qt  ", bytes(4)) + films.box(b"mdat", bytes(5000)) + film) is Grade.PARTIAL
    )


def test_old_films_begin_with_other_boxes() -> None:
    data = films.mp4()
    rest = data[int.from_bytes(data[:4]) :]
    wide = films.box(b"wide")
    assert mp4.recognise((wide + rest)[:4096]) >= 56
    assert mp4.recognise(b"\0\0\0\1mdat" + bytes(100)) >= 32
    assert mp4.recognise(rest[:4096]) == 16
    assert mp4.recognise(b"\0\0\0\x07ftyp" + bytes(100)) == 0


def test_media_data_alone_is_not_enough() -> None:
    data = films.mp4()
    assert grade(data[: data.index(b"moov") - 4]) is Grade.PARTIAL


def test_av1_units_are_followed() -> None:
    from unransom.catalog.formats._video_units import Units

    units = Units(b"av01", b"\x81")
    assert units.checks
    picture = b"\x12\0" + b"\x32\x85\x01" + bytes(133) + b"\x36\x08\x03abc"
    assert units.broken_at(BytesReader(picture), 0, len(picture)) is None
    assert units.broken_at(BytesReader(picture), 0, len(picture) - 1) == len(picture) - 6
    assert units.broken_at(BytesReader(b"\x93" + picture), 0, len(picture) + 1) == 0
