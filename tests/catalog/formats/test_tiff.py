from __future__ import annotations

import struct

import pytest

from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import tiff
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return tiff.validate(BytesReader(data)).grade


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"]
)
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK"])
def test_all_compressions_are_good(compression: str, mode: str) -> None:
    if (compression == "group4") != (mode == "1") and "jpeg group4".find(compression) >= 0:
        return
    verdict = tiff.validate(
        BytesReader(samples.saved("TIFF", samples.picture(101, 67, mode), compression=compression))
    )
    assert verdict.grade is Grade.GOOD, str(verdict.why)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_one_locked_block_anywhere_is_noticed(compression: str) -> None:
    data = samples.saved("TIFF", samples.picture(300, 200), compression=compression)
    for start in range(0, len(data) - 4096, 4096):
        damaged = scramble(data, (start, start + 4096), seed=start)
        assert grade(damaged) in {Grade.PARTIAL, Grade.BAD}, start


def test_uncompressed_damage_is_located_to_the_block() -> None:
    data = samples.tiff("raw")
    verdict = tiff.validate(BytesReader(scramble(data, (40960, 45056))))
    assert [(span.start, span.end) for span in verdict.damage] == [(40960, 45056)]


def test_wide_offsets_are_understood() -> None:
    data = samples.saved("TIFF", samples.picture(80, 60), big_tiff=True)
    assert data[2:4] == b"+\0"
    verdict = tiff.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD
    assert verdict.bits >= 100
    assert tiff.measure(BytesReader(data + bytes(50))).length == len(data)


def test_several_pages_and_big_endian_are_understood() -> None:
    frames = [samples.picture(60, 40, seed=number) for number in range(4)]
    data = samples.saved("TIFF", frames[0], save_all=True, append_images=frames[1:], compression="tiff_lzw")
    assert grade(data) is Grade.GOOD
    assert grade(data[:-400]) is Grade.PARTIAL
    row = bytes(range(200)) * 3
    entries = [
        (256, 4, 1, 200),
        (257, 4, 1, 3),
        (258, 4, 1, 8),
        (259, 4, 1, 1),
        (273, 4, 1, 200),
        (278, 4, 1, 3),
        (279, 4, 1, 600),
    ]
    directory = (
        struct.pack(">H", len(entries))
        + b"".join(struct.pack(">HHII", *entry) for entry in entries)
        + bytes(4)
    )
    data = (b"MM\0*" + struct.pack(">I", 8) + directory).ljust(200, b"\0") + row
    verdict = tiff.validate(BytesReader(data))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, 800)


def test_directories_in_a_circle_end() -> None:
    loop = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<HHHII", 1, 256, 3, 1, 5) + struct.pack("<I", 8)
    assert grade(loop) is Grade.GOOD


def test_strips_that_are_too_short_are_noticed() -> None:
    data = samples.saved("TIFF", samples.picture(90, 90), compression="tiff_lzw")
    taller = data.replace(struct.pack("<HHII", 257, 4, 1, 90), struct.pack("<HHII", 257, 4, 1, 99))
    taller = taller.replace(struct.pack("<HHIHH", 257, 3, 1, 90, 0), struct.pack("<HHIHH", 257, 3, 1, 99, 0))
    taller = taller.replace(struct.pack("<HHIHH", 278, 3, 1, 90, 0), struct.pack("<HHIHH", 278, 3, 1, 99, 0))
    taller = taller.replace(struct.pack("<HHII", 278, 4, 1, 90), struct.pack("<HHII", 278, 4, 1, 99))
    assert taller != data
    assert grade(taller) is Grade.PARTIAL
