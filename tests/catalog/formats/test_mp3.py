from __future__ import annotations

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import mp3
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return mp3.validate(BytesReader(data)).grade


def test_damage_is_located_between_two_frames() -> None:
    data = films.mp3()
    verdict = mp3.validate(BytesReader(scramble(data, (8192, 12288))))
    assert verdict.grade is Grade.PARTIAL
    assert len(verdict.damage) == 1
    assert 8192 <= verdict.damage[0].start < 8192 + 420
    assert 12288 <= verdict.damage[0].end < 12288 + 420
    assert verdict.length == len(data)


def test_tags_behind_the_frames_belong_to_the_file() -> None:
    data = films.mp3()
    tag = b"TAG" + b"A song, by nobody".ljust(125, b"\0")
    cover = (
        b"APETAGEX"
        + (2000).to_bytes(4, "little")
        + (2032).to_bytes(4, "little")
        + bytes(16)
        + scramble(bytes(2032), (0, 2032))
    )
    lyrics = b"LYRICSBEGIN" + b"la la" * 9 + b"000045LYRICS200"
    for tags in (tag, cover, cover + tag, lyrics + tag):
        assert grade(data + tags) is Grade.GOOD
        assert mp3.measure(BytesReader(data + tags + bytes(700))).length == len(data + tags)
    assert grade(data + tag + scramble(bytes(500), (0, 500))) is Grade.PARTIAL


def test_announced_frames_that_are_missing_are_noticed() -> None:
    frames = films.mp3(tag=False)
    size = frames.index(b"\xff\xfb", 4)
    for announced, expected in ((59, Grade.GOOD), (90, Grade.PARTIAL)):
        info = frames[:4] + bytes(32) + b"Info\0\0\0\1" + announced.to_bytes(4) + frames[48:size]
        assert grade(info + frames[size:]) is expected


def test_other_kinds_of_frames_and_few_of_them_are_not_recognised() -> None:
    data = films.mp3(tag=False)
    size = data.index(b"\xff\xfb", 4)
    assert mp3.recognise(data[:4096]) >= 54
    assert mp3.recognise(data[: 2 * size]) == 0
    assert mp3.recognise(data[:size] + b"\xff\xf3" + data[size + 2 : 4096]) == 0


def test_a_tag_in_the_middle_is_stepped_over() -> None:
    assert grade(films.mp3() + films.mp3()) is Grade.GOOD
