"""What every image and media format promises, on small files made here and on damaged ones."""

from __future__ import annotations

import struct
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


def _many_strips() -> bytes:
    """Return a TIFF file of thousands of directories whose thousands of strips are all the same."""
    pixels = samples.random_bytes(20_000)
    count = 5000
    shared = struct.pack(f"<{count}I", *[8] * count) + struct.pack(f"<{count}I", *[20_000] * count)
    at = 8 + len(pixels)
    first = at + len(shared)
    entries = [(256, 4, 1, 9), (257, 4, 1, 9), (259, 3, 1, 32773)]
    entries += [(273, 4, count, at), (278, 4, 1, 9), (279, 4, count, at + 4 * count)]
    size = 2 + 12 * len(entries) + 4
    out = struct.pack("<2sHI", b"II", 42, first) + pixels + shared
    for number in range(2000):
        rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        out += struct.pack("<H", len(entries)) + rows + struct.pack("<I", first + (number + 1) * size)
    return out + bytes(6)


def _many_icons() -> bytes:
    """Return an icon file whose entries all point at one image."""
    image = samples.saved("PNG", samples.picture(256, 256))
    entries = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 24, len(image), 6 + 16 * 250) * 250
    return struct.pack("<HHH", 0, 1, 250) + entries + image


def _many_samples() -> bytes:
    """Return a film whose thousands of samples all are the same long run of tiny units."""
    units = b"\0\0\0\2\x65\1" * 4000
    count = 20_000
    film = films.film_boxes(0, [len(units)] * count)
    kind = films.box(b"ftyp", b"isom", bytes(4))
    at = film.index(b"stco") + 12
    film = film[:at] + struct.pack(">I", len(kind) + 8) * (count // 4) + film[at + count :]
    return kind + films.box(b"mdat", units * 4) + film


def _many_scans() -> bytes:
    """Return a JPEG file with thousands of scans that each say that a large picture is empty."""
    data = samples.saved("JPEG", samples.picture(2000, 2000, "L").point(lambda _: 99), progressive=True)
    header = data.rindex(b"\xff\xda")
    return data[:-2] + data[header:-2] * 3000 + data[-2:]


@pytest.mark.parametrize("make", [_many_strips, _many_icons, _many_samples, _many_scans])
def test_parts_that_share_their_bytes_do_not_multiply_the_work(make: Callable[[], bytes]) -> None:
    data = make()
    form = next(form for form, _ in CASES.values() if form.recognise(data[:HEAD]))
    began = time.process_time()
    form.validate(BytesReader(data))
    form.measure(BytesReader(data))
    assert time.process_time() - began < 8
