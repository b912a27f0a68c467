from __future__ import annotations

import pytest

from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import gif
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return gif.validate(BytesReader(data)).grade


@pytest.mark.parametrize("colours", [2, 5, 16, 200, 256])
@pytest.mark.parametrize("interlace", [0, 1])
def test_pictures_of_all_depths_decode(colours: int, interlace: int) -> None:
    for size in ((1, 1), (70, 50), (400, 300)):
        image = samples.picture(*size).quantize(colours)
        verdict = gif.validate(BytesReader(samples.saved("GIF", image, interlace=interlace)))
        assert verdict.grade is Grade.GOOD, str(verdict.why)


def test_one_locked_block_anywhere_is_noticed() -> None:
    data = samples.gif()
    for start in range(0, len(data) - 4096, 4096):
        assert grade(scramble(data, (start, start + 4096))) in {Grade.PARTIAL, Grade.BAD}


def test_a_wrong_code_is_located() -> None:
    data = samples.saved("GIF", samples.picture(300, 300, "P"))
    start = len(data) // 2
    verdict = gif.validate(BytesReader(scramble(data, (start, start + 40))))
    assert verdict.grade is Grade.PARTIAL
    assert start - 600 < verdict.damage[0].start < start + 4096


def test_missing_pixels_and_a_missing_trailer_are_noticed() -> None:
    data = samples.saved("GIF", samples.picture(60, 40, "P"))
    at = data.index(b"\x2c\0\0\0\0")
    taller = data[: at + 7] + b"\x80\0" + data[at + 9 :]
    assert grade(data) is Grade.GOOD
    assert grade(taller) is Grade.PARTIAL
    assert grade(data[:-1]) is Grade.PARTIAL


def test_comments_and_application_data_are_stepped_over() -> None:
    data = samples.gif()
    comment = b"\x21\xfe\x05hello\x03you\0" + b"\x21\xff\x0bPROGRAM 1.0\x02ab\0"
    assert grade(data[:-1] + comment + b";") is Grade.GOOD
    assert grade(data[:-1] + comment.replace(b"\xff\x0b", b"\xff\x0c") + b";") is Grade.PARTIAL
