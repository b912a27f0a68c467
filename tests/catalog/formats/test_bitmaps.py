from __future__ import annotations

import struct

import pytest

from tests.catalog.formats import film_samples as films
from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import bmp, ico, psd
from unransom.catalog.formats._packbits import unpacked_length
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bitmaps_of_all_depths_are_good(mode: str) -> None:
    data = samples.saved("BMP", samples.picture(37, 21).convert(mode))
    verdict = bmp.validate(BytesReader(data))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(data)), str(verdict.why)


def coded_bitmap(rows: bytes, width: int = 6, height: int = 2) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 2, 0)
    start = 14 + 40 + 8
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + bytes(8) + rows


def test_coded_rows_must_fit_into_the_picture() -> None:
    for rows, expected in (
        (b"\6\1\0\0\6\2\0\1", Grade.GOOD),
        (b"\0\6abcdef\0\0\6\2\0\1", Grade.GOOD),
        (b"\0\2\3\1\3\2\0\1", Grade.GOOD),
        (b"\6\1\0\0\6\2", Grade.GOOD),
        (b"\x09\1\0\0\6\2\0\1", Grade.PARTIAL),
        (b"\6\1\0\0\6\2\0\0\6\2\0\0\6\2\0\1", Grade.PARTIAL),
        (b"\6\1", Grade.PARTIAL),
    ):
        assert bmp.validate(BytesReader(coded_bitmap(rows))).grade is expected, rows


def test_impossible_bitmaps_are_not_recognised() -> None:
    data = samples.saved("BMP")
    for at, value in ((14, 41), (26, 7), (28, 5), (30, 99), (10, 3)):
        assert bmp.recognise(data[:at] + bytes([value]) + data[at + 1 : 4096]) == 0, at


def test_images_in_icons_are_checked() -> None:
    data = samples.saved("ICO", sizes=[(16, 16), (64, 64), (128, 128)])
    at = data.rindex(b"IDAT") + 50
    assert ico.validate(BytesReader(data)).bits > 500
    assert ico.validate(BytesReader(scramble(data, (at, at + 9)))).grade is Grade.PARTIAL
    assert ico.recognise(data[:4] + b"\0\0" + data[6:4096]) == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", (0, 0)),
        (b"\2abc", (3, 4)),
        (b"\xfea", (3, 2)),
        (b"\x80", (0, 1)),
        (b"\5ab", (6, 7)),
        (b"\xff", (2, 2)),
    ],
)
def test_runs_are_counted(data: bytes, expected: tuple[int, int]) -> None:
    assert unpacked_length(data) == expected


def test_every_part_of_a_layered_picture_is_checked() -> None:
    data = films.psd()
    for start in range(0, len(data) - 300, 300):
        verdict = psd.validate(BytesReader(scramble(data, (start, start + 300), seed=start)))
        assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, start


def test_plain_and_deflated_pictures_are_understood() -> None:
    import zlib

    head = struct.pack(">4sH6sHIIHH", b"8BPS", 1, bytes(6), 3, 64, 128, 8, 3) + bytes(12)
    pixels = b"".join(plane.tobytes() for plane in samples.picture(128, 64).split())
    for body in (b"\0\0" + pixels, b"\0\2" + zlib.compress(pixels)):
        verdict = psd.validate(BytesReader(head + body))
        assert (verdict.grade, verdict.length) == (Grade.GOOD, len(head + body)), str(verdict.why)
        assert psd.validate(BytesReader(scramble(head + body, (4096, 8192)))).grade is Grade.PARTIAL
        assert psd.validate(BytesReader((head + body)[:-90])).grade is Grade.PARTIAL
