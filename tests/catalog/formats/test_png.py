from __future__ import annotations

import struct
import zlib

import pytest

from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import png
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return png.validate(BytesReader(data)).grade


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_all_kinds_of_pictures_are_good(mode: str) -> None:
    image = samples.picture(61, 47).convert("L").convert("I").convert("I;16") if mode == "I;16" else None
    data = samples.saved("PNG", image or samples.picture(61, 47).convert(mode))
    verdict = png.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    assert verdict.bits >= 64 + 3 * 32 + 32


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (8, 8), (9, 17)])
def test_interlaced_rows_are_counted(width: int, height: int) -> None:
    rows = b""
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns = len(range(left, width, across))
        rows += (b"\4" + b"abc" * columns) * len(range(top, height, down)) if columns else b""
    assert grade(samples.raw_png(header(width, height, interlace=1), rows)) is Grade.GOOD
    assert grade(samples.raw_png(header(width, height, interlace=1), rows[:-1])) is Grade.PARTIAL
    assert grade(samples.raw_png(header(width, height, interlace=1), b"\5" + rows[1:])) is Grade.PARTIAL


def test_every_bit_counts() -> None:
    data = samples.saved("PNG", samples.picture(12, 10))
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        assert grade(bytes(damaged)) in {Grade.PARTIAL, Grade.BAD}, position


def test_damage_in_one_long_chunk_is_located() -> None:
    pixels = b"".join(b"\0" + samples.picture(300, 1, "L", seed=row).tobytes() * 3 for row in range(300))
    data = samples.raw_png(header(300, 300), pixels, step=1 << 30)
    start = len(data) // 2
    verdict = png.validate(BytesReader(scramble(data, (start, start + 4096))))
    assert verdict.grade is Grade.PARTIAL
    assert start - 8192 <= verdict.damage[0].start < start + 4096


def test_the_chain_is_taken_up_again_behind_damage() -> None:
    data = samples.saved("PNG", samples.picture(400, 400))
    pixels = data.index(b"IDAT", 70_000)
    verdict = png.validate(BytesReader(scramble(data, (pixels - 100, pixels + 100))))
    assert verdict.grade is Grade.PARTIAL
    assert len(verdict.damage) == 1
    assert verdict.damage[0].end - verdict.damage[0].start < 3 * 65_600
    assert verdict.length == len(data)


def test_wrong_rows_with_right_sums_are_noticed() -> None:
    row = b"\0" + bytes(30)
    assert grade(samples.raw_png(header(10, 10), row * 10)) is Grade.GOOD
    assert grade(samples.raw_png(header(10, 11), row * 10)) is Grade.PARTIAL
    assert grade(samples.raw_png(header(10, 10), row * 9 + b"\7" + row[1:])) is Grade.PARTIAL
    assert grade(samples.raw_png(header(10, 9), row * 10)) is Grade.GOOD  # decoders ignore the rest


def test_impossible_headers_are_not_recognised() -> None:
    row = b"\0" + bytes(30)
    for impossible in (
        header(0, 1),
        header(10, 1, depth=3),
        header(10, 1, colour=5),
        header(10, 1, interlace=2),
    ):
        data = samples.raw_png(impossible, row)
        assert png.recognise(data[:4096]) == 0
        assert grade(data) is Grade.BAD


def test_frames_of_an_animation_are_inflated() -> None:
    data = samples.apng()
    at = data.index(b"fdAT") + 10
    chunk = data.index(b"fdAT") - 4
    length = int.from_bytes(data[chunk : chunk + 4])
    body = bytearray(data[chunk + 8 : chunk + 8 + length])
    body[at - chunk - 8 + 20 : at - chunk + 40] = bytes(28)
    forged = data[:chunk] + samples.png_chunk(b"fdAT", bytes(body)) + data[chunk + 12 + length :]
    assert len(forged) == len(data)
    assert grade(data) is Grade.GOOD
    assert grade(forged) is Grade.PARTIAL


def test_a_bomb_ends() -> None:
    data = samples.raw_png(header(1 << 30, 1 << 30, depth=1, colour=0), bytes(1 << 24))
    assert len(data) < 1 << 16
    assert grade(data) is Grade.PARTIAL


def test_chunks_that_lie_about_their_length_end_the_walk() -> None:
    data = samples.png()
    liar = struct.pack(">I", 0x7FFFFFF0) + b"IDAT"
    assert grade(data[:33] + liar * 3000 + data[33:]) is Grade.PARTIAL
    assert zlib.crc32(b"") == 0
