from __future__ import annotations

import struct

import pytest

from tests.catalog.formats import media_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import jpeg
from unransom.catalog.formats._jpeg_image import JpegImage
from unransom.catalog.formats._jpeg_markers import SOS, Tables
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

END = b"\xff\xd9"


def grade(data: bytes) -> Grade:
    return jpeg.validate(BytesReader(data)).grade


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_all_kinds_of_pictures_decode(mode: str, progressive: bool, subsampling: int) -> None:
    for width, height in ((1, 1), (17, 33), (100, 70)):
        data = samples.saved(
            "JPEG", samples.picture(width, height, mode), progressive=progressive, subsampling=subsampling
        )
        verdict = jpeg.validate(BytesReader(data))
        assert verdict.grade is Grade.GOOD, str(verdict.why)


@pytest.mark.parametrize("progressive", [False, True])
def test_restart_markers_are_followed_and_their_order_is_checked(progressive: bool) -> None:
    data = samples.jpeg(restart_marker_rows=1, progressive=progressive)
    assert data.count(b"\xff\xd3") >= 1
    assert grade(data) is Grade.GOOD
    assert grade(data.replace(b"\xff\xd3", b"\xff\xd5", 1)) is Grade.PARTIAL
    assert grade(data.replace(b"\xff\xd2", b"", 1)) is Grade.PARTIAL


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [20, 95])
def test_damage_of_one_block_is_noticed_and_located(progressive: bool, quality: int) -> None:
    data = samples.saved("JPEG", samples.picture(640, 480), quality=quality, progressive=progressive)
    for start in range(4096, len(data) - 4096, max(4096, len(data) // 12) & ~4095):
        verdict = jpeg.validate(BytesReader(scramble(data, (start, start + 4096), seed=start)))
        assert verdict.grade is Grade.PARTIAL
        assert verdict.damage[0].start <= start + 1024
        assert verdict.damage[0].end > start
        assert verdict.damage[0].start > start - 1024


def test_damage_without_bad_markers_is_noticed_by_decoding() -> None:
    data = samples.jpeg()
    start = len(data) // 2
    noise = samples.random_bytes(600).replace(b"\xff", b"\xfe")
    verdict = jpeg.validate(BytesReader(data[:start] + noise + data[start + 600 :]))
    assert verdict.grade is Grade.PARTIAL
    assert start - 1024 < verdict.damage[0].start < start + 1024


def test_rows_that_are_missing_or_too_many_are_noticed() -> None:
    data = samples.jpeg()
    assert grade(data[: len(data) * 3 // 4] + END) is Grade.PARTIAL
    header = data.index(b"\xff\xc0")
    height = struct.pack(">H", 120)
    assert grade(data[: header + 5] + height + data[header + 7 :]) is Grade.PARTIAL
    height = struct.pack(">H", 200)
    assert grade(data[: header + 5] + height + data[header + 7 :]) is Grade.PARTIAL


def test_a_missing_end_marker_is_told() -> None:
    verdict = jpeg.validate(BytesReader(samples.jpeg()[:-2]))
    assert verdict.grade is Grade.PARTIAL
    assert "end marker" in str(verdict.why)


def test_fill_bytes_comments_and_unknown_segments_are_legal() -> None:
    data = samples.jpeg()
    comment = b"\xff\xfe\0\x0bI am text" + b"\xff\xff\xff\xed\0\5abc"
    assert grade(data[:2] + comment + data[2:]) is Grade.GOOD
    assert grade(data[:-2] + b"\xff\xff\xff" + END) is Grade.GOOD
    assert grade(data[:-2] + bytes(10) + END) is Grade.GOOD


def test_images_that_follow_are_checked_too() -> None:
    first, second = samples.jpeg(), samples.saved("JPEG", samples.picture(120, 90, seed=9))
    joined = first + bytes(7) + second
    verdict = jpeg.validate(BytesReader(joined))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(joined))
    assert grade(joined[:-3000] + samples.random_bytes(1000) + joined[-2000:]) is Grade.PARTIAL
    assert jpeg.measure(BytesReader(joined)).length == len(first)


def test_announced_images_belong_to_the_file() -> None:
    several = samples.saved(
        "MPO", samples.picture(100, 80), save_all=True, append_images=[samples.picture(100, 80, seed=8)]
    )
    measure = jpeg.measure(BytesReader(several + bytes(999)))
    assert measure.length == len(several)
    assert len(measure.alternatives) == 1
    assert grade(several) is Grade.GOOD


def test_arithmetic_coding_is_checked_by_markers_alone() -> None:
    data = samples.jpeg().replace(b"\xff\xc0", b"\xff\xc9", 1)
    assert grade(data) is Grade.GOOD
    assert grade(scramble(data, (4096, 8192))) is Grade.PARTIAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\xff\xdb\0\x43\0", b"\xff\xdb\0\x43\x07"),  # table that does not exist
        (b"\xff\xdb\0\x43\0", b"\xff\xdb\0\x44\0"),
        (b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x60"),  # 96 bits per sample
        (b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x12\x08"),
        (b"\xff\xda\0\x0c\x03", b"\xff\xda\0\x0c\x09"),
        (b"\xff\xc4\0\x1f\0", b"\xff\xc4\0\x1f\x23"),
        (b"\xff\xc4\0\x1f\0\0\1", b"\xff\xc4\0\x1f\0\3\1"),  # three codes of one bit
    ],
)
def test_impossible_tables_and_headers_are_noticed(old: bytes, new: bytes) -> None:
    data = samples.jpeg()
    assert old in data
    assert grade(data.replace(old, new, 1)) in {Grade.PARTIAL, Grade.BAD}


def test_a_decoder_can_be_fed_in_any_pieces_and_forked() -> None:
    from unransom.catalog.formats import _jpeg_scan as scans

    data = samples.saved("JPEG", samples.picture(400, 300), quality=92)
    tables, position = Tables(), 2
    while data[position + 1] != SOS:
        length = int.from_bytes(data[position + 2 : position + 4])
        tables.take(data[position + 1], data[position + 4 : position + 2 + length])
        position += 2 + length
    length = int.from_bytes(data[position + 2 : position + 4])
    scan = tables.scan(data[position + 4 : position + 2 + length])
    body = data[position + 2 + length :]
    assert tables.frame
    decoder = scans.ScanDecoder(tables, scan, scans.History(tables.frame))
    assert len(body) > 60_000
    assert decoder.feed(body[:40_000]) is scans.Outcome.MORE
    assert 0 < decoder.done < decoder.units
    wrong = decoder.fork()
    assert wrong.feed(samples.random_bytes(20_000)) not in {scans.Outcome.MORE, scans.Outcome.DONE}
    for at in range(40_000, len(body), 7001):
        outcome = decoder.feed(body[at : at + 7001])
    if outcome is scans.Outcome.MORE:
        outcome = decoder.feed(b"", final=True)
    assert outcome is scans.Outcome.DONE
    assert decoder.done == decoder.units
    assert len(body) - 4 <= decoder.consumed <= len(body) - 2


def test_a_huge_header_takes_no_memory_and_no_time() -> None:
    data = samples.jpeg(progressive=True)
    header = data.index(b"\xff\xc2")
    verdict = jpeg.validate(BytesReader(data[: header + 5] + b"\xff\xff\xff\xff" + data[header + 9 :]))
    assert verdict.grade is Grade.PARTIAL


def test_the_walk_alone_needs_no_decoder() -> None:
    data = samples.jpeg()
    image = JpegImage(BytesReader(data + data), len(data), decode=False)
    assert image.walk()
    assert image.end == 2 * len(data)
