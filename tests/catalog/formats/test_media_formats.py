"""What every image and media format promises, on small files made here and on damaged ones."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats import film_samples as films
from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import LOCKINGS
from unransom.catalog.formats import (
    avi,
    bmp,
    flac,
    gif,
    ico,
    jpeg,
    matroska,
    mp3,
    mp4,
    ogg,
    png,
    psd,
    tiff,
    wav,
    webp,
)
from unransom.catalog.formats.format import HEAD, Format
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

CASES: dict[str, tuple[Format, Callable[[], bytes]]] = {
    "avi": (avi.FORMAT, films.avi),
    "bmp": (bmp.FORMAT, lambda: samples.saved("BMP")),
    "flac": (flac.FORMAT, films.flac),
    "gif": (gif.FORMAT, samples.gif),
    "ico": (ico.FORMAT, lambda: samples.saved("ICO", bitmap_format="bmp", sizes=[(16, 16), (96, 96)])),
    "ico of png": (ico.FORMAT, lambda: samples.saved("ICO", sizes=[(16, 16), (64, 64), (128, 128)])),
    "jpeg": (jpeg.FORMAT, samples.jpeg),
    "jpeg progressive": (jpeg.FORMAT, lambda: samples.jpeg(progressive=True)),
    "matroska": (matroska.FORMAT, films.matroska),
    "matroska live": (matroska.FORMAT, lambda: films.matroska(live=True)),
    "mp3": (mp3.FORMAT, films.mp3),
    "mp3 without tag": (mp3.FORMAT, lambda: films.mp3(tag=False)),
    "mp4": (mp4.FORMAT, films.mp4),
    "mp4 fast": (mp4.FORMAT, lambda: films.mp4(tables_first=True)),
    "mp4 fragmented": (mp4.FORMAT, films.fragmented_mp4),
    "mp4 of pictures": (mp4.FORMAT, films.heif),
    "ogg": (ogg.FORMAT, films.ogg),
    "png": (png.FORMAT, samples.png),
    "png animated": (png.FORMAT, samples.apng),
    "psd": (psd.FORMAT, films.psd),
    "tiff": (tiff.FORMAT, samples.tiff),
    "tiff deflated": (tiff.FORMAT, lambda: samples.tiff("tiff_adobe_deflate")),
    "tiff of jpeg": (tiff.FORMAT, lambda: samples.tiff("jpeg", quality=90)),
    "tiff packed": (tiff.FORMAT, lambda: samples.tiff("packbits")),
    "tiff plain": (tiff.FORMAT, lambda: samples.tiff("raw")),
    "wav": (wav.FORMAT, films.wave),
    "webp": (webp.FORMAT, lambda: samples.saved("WEBP", quality=90)),
    "webp animated": (webp.FORMAT, samples.animated_webp),
    "webp lossless": (webp.FORMAT, lambda: samples.saved("WEBP", lossless=True)),
}
CONTINUED = {"mp3", "mp3 without tag", "ogg", "matroska live"}  # a second one behind it belongs to it
OPEN_ENDED = {"ogg", "matroska live"}  # what is cut off between two parts looks whole
# Pixels of WebP and coded pictures of HEIF are not decoded.
UNSEEN = {("webp", "other blocks"), ("webp lossless", "other blocks"), ("mp4 of pictures", "other blocks")}

MADE: dict[str, bytes] = {}


def made(name: str) -> bytes:
    """Return the sample, made once."""
    if name not in MADE:
        MADE[name] = CASES[name][1]()
    return MADE[name]


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_file_is_recognised_and_good(name: str) -> None:
    form, data = CASES[name][0], made(name)
    verdict = form.validate(BytesReader(data))
    assert len(data) > 3 * 4096
    assert form.name == name.split(maxsplit=1)[0]
    assert form.recognise(data[:HEAD]) >= 16
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    assert verdict.bits >= 64
    assert verdict.length == len(data)
    assert not verdict.damage


@pytest.mark.parametrize("locking", LOCKINGS)
@pytest.mark.parametrize("name", CASES)
def test_a_locked_file_is_not_good(name: str, locking: str) -> None:
    if (name, locking) in UNSEEN:
        return
    data = LOCKINGS[locking](made(name))
    verdict = CASES[name][0].validate(BytesReader(data))
    assert verdict.grade in (Grade.PARTIAL, Grade.BAD)
    assert verdict.damage
    assert all(0 <= span.start < span.end <= len(data) for span in verdict.damage)


@pytest.mark.parametrize("name", CASES)
def test_random_bytes_are_bad_and_not_recognised(name: str) -> None:
    data = LOCKINGS["whole"](made(name))
    assert CASES[name][0].recognise(data[:HEAD]) == 0
    assert CASES[name][0].validate(BytesReader(data)).grade is Grade.BAD


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_cut_off_is_partial(name: str) -> None:
    data = made(name)
    cut = BytesReader(data[: len(data) * 4 // 7])
    verdict = CASES[name][0].validate(cut)
    assert verdict.grade is Grade.PARTIAL, str(verdict.why)
    if name not in OPEN_ENDED:
        assert CASES[name][0].measure(cut).length is None


@pytest.mark.parametrize("name", CASES)
def test_the_end_is_found_whatever_follows(name: str) -> None:
    form, data = CASES[name][0], made(name)
    other = b"" if name in CONTINUED else data
    for following in (b"", bytes(5000), samples.random_bytes(5000), b"PK\3\4" + bytes(600), other):
        assert form.measure(BytesReader(data + following)).length == len(data)


@pytest.mark.parametrize("name", CASES)
def test_zeros_and_text_behind_the_end_are_harmless(name: str) -> None:
    form, data = CASES[name][0], made(name)
    for following in (bytes(3000), b"appended by a program, in plain text " * 9):
        verdict = form.validate(BytesReader(data + following))
        assert verdict.grade is Grade.GOOD, str(verdict.why)
        assert verdict.length == len(data)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 1 << 16),
    length=st.integers(0, 1 << 16),
    flips=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), max_size=8),
    insert=st.binary(max_size=40),
)
def test_no_mutation_crashes_or_hangs(
    name: str, start: int, length: int, flips: list[tuple[int, int]], insert: bytes
) -> None:
    data = bytearray(made(name))
    for position, bits in flips:
        data[position % len(data)] ^= bits
    start %= len(data)
    mutated = bytes(data[:start]) + insert + bytes(data[start + length % (len(data) - start) :])
    form = CASES[name][0]
    began = time.process_time()
    for content in (mutated, mutated[:start], insert + mutated):
        form.recognise(content[:HEAD])
        verdict = form.validate(BytesReader(content))
        assert all(0 <= span.start < span.end <= len(content) for span in verdict.damage)
        assert (form.measure(BytesReader(content)).length or 0) <= len(content)
        assert (verdict.length or 0) <= len(content)
    assert time.process_time() - began < 20
    assert str(verdict.why)
