from __future__ import annotations

import struct

import pytest

from tests.catalog.formats import film_samples as films
from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import avi, wav, webp
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def test_locked_samples_of_a_sound_are_located() -> None:
    data = films.wave()
    verdict = wav.validate(BytesReader(scramble(data, (8192, 16384))))
    assert verdict.grade is Grade.PARTIAL
    assert [(span.start, span.end) for span in verdict.damage] == [(8192, 16384)]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF + 1])
def test_sounds_written_as_a_stream_are_good(size: int) -> None:
    data = films.wave()
    at = data.index(b"data") + 4
    streamed = data[:4] + struct.pack("<I", size) + data[8:at] + struct.pack("<I", size) + data[at + 4 :]
    assert wav.validate(BytesReader(streamed)).grade is Grade.GOOD


def test_a_long_sound_has_its_size_in_a_chunk_of_its_own() -> None:
    data = films.wave()
    sizes = films.chunk(b"ds64", struct.pack("<QQQI", len(data) + 28, 0, 0, 0))
    long = b"RF64\xff\xff\xff\xffWAVE" + sizes + data[12:]
    verdict = wav.validate(BytesReader(long))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(long))


def test_compressed_sound_is_not_judged_by_its_statistics() -> None:
    data = films.wave()
    packed = data.replace(struct.pack("<HHI", 1, 1, 22050), struct.pack("<HHI", 85, 1, 22050))
    assert wav.validate(BytesReader(scramble(packed, (8192, 16384)))).grade is Grade.GOOD


def test_pictures_of_a_film_are_decoded() -> None:
    data = films.avi()
    at = data.index(b"00dc", 5000) + 1200
    damaged = scramble(data, (at, at + 300))
    assert avi.validate(BytesReader(damaged)).grade is Grade.PARTIAL
    other = films.avi(b"XVID")
    assert avi.validate(BytesReader(scramble(other, (at, at + 300)))).grade is Grade.GOOD


def test_an_index_that_points_nowhere_is_noticed() -> None:
    data = films.avi()
    at = data.index(b"idx1") + 8
    wrong = data[:at] + bytes((byte + 1) % 256 for byte in data[at:])
    assert avi.validate(BytesReader(wrong)).grade is Grade.PARTIAL


def test_frames_that_contradict_the_canvas_are_noticed() -> None:
    data = samples.animated_webp()
    at = data.index(b"ANMF") + 8 + 6
    assert webp.validate(BytesReader(data[:at] + b"\x11" + data[at + 1 :])).grade is Grade.PARTIAL


def test_first_chunks_of_other_kinds_are_not_recognised() -> None:
    data = samples.saved("WEBP")
    assert webp.recognise(data[:4096]) >= 100
    assert webp.recognise(data[:12] + b"VP9 " + data[16:4096]) == 0
    assert webp.recognise(data[:23] + b"\0\0\0" + data[26:4096]) == 0
    assert wav.recognise(data[:4096]) == avi.recognise(data[:4096]) == 0
