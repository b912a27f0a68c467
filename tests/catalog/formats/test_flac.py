from __future__ import annotations

import random

import pytest

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import flac
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

FRAMES = 78  # where they begin


def grade(data: bytes) -> Grade:
    return flac.validate(BytesReader(data)).grade


@pytest.mark.parametrize("frames", [1, 2, 127, 130, 300])
def test_sounds_of_any_number_of_frames_are_good(frames: int) -> None:
    data = films.flac(frames)
    verdict = flac.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    assert verdict.length == len(data)


def test_damage_is_located_to_the_frame() -> None:
    data = films.flac()
    size = (len(data) - FRAMES) // 80
    start = FRAMES + 10 * size + 50
    verdict = flac.validate(BytesReader(scramble(data, (start, start + 100))))
    assert verdict.grade is Grade.PARTIAL
    assert [(span.start, span.end) for span in verdict.damage] == [(FRAMES + 10 * size, FRAMES + 11 * size)]


def test_missing_frames_are_noticed() -> None:
    data = films.flac()
    size = (len(data) - FRAMES) // 80
    assert grade(data[:-size]) is Grade.PARTIAL
    assert grade(data[: FRAMES + 5 * size] + data[FRAMES + 6 * size :]) is Grade.PARTIAL
    assert grade(data[:-1]) is Grade.PARTIAL


@pytest.mark.parametrize("told", [0, 205])
def test_a_chance_crc_far_behind_is_not_the_end_of_the_last_frame(told: int) -> None:
    data = films.flac()
    data = data[:15] + told.to_bytes(3) + data[18:]
    assert flac.measure(BytesReader(data + bytes(5000))).length == len(data)
    assert grade(data) is Grade.GOOD
    last = FRAMES + (len(data) - FRAMES) // 80 * 79
    frame = data[last:-50] + random.Random(4).randbytes(40_000)
    cut = data[:last] + frame + films.remainder(frame, 0x8005, 16).to_bytes(2)
    assert flac.measure(BytesReader(cut)).length != len(cut)
    assert grade(cut) is Grade.PARTIAL


def test_a_wrong_length_of_the_longest_frame_is_let_pass() -> None:
    data = films.flac()
    assert grade(data[:15] + b"\0\0\x10" + data[18:]) is Grade.GOOD


def test_tags_may_stand_around_it_and_padding_must_be_zeros() -> None:
    data = films.flac()
    assert grade(b"ID3\3\0\0\0\0\0\x14" + bytes(20) + data) is Grade.GOOD
    assert grade(data + b"TAG" + b"a song".ljust(125, b"\0")) is Grade.GOOD
    assert grade(data[:60] + b"x" + data[61:]) is Grade.PARTIAL
