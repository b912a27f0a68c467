"""Partly locked pictures show what is left of them, in an image of the same size."""

import io
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from tests.catalog.formats.repair.damage import chance, damaged, holes, written
from unransom.catalog.formats import png as png_format
from unransom.catalog.formats.jpeg import FORMAT
from unransom.catalog.formats.repair import jpeg, png
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

SIZE = (640, 480)


def picture(seed=14):
    draw = chance(seed)
    image = Image.frombytes("RGB", (SIZE[0] // 4, SIZE[1] // 4), draw.randbytes(SIZE[0] * SIZE[1] * 3 // 16))
    image = image.resize(SIZE, Image.Resampling.BICUBIC)
    ImageDraw.Draw(image).rectangle((100, 20, 300, 90), fill="red")
    return image


def saved(kind, **options):
    out = io.BytesIO()
    picture().save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("how", ["tail", "odd"])
def test_rows_of_png_in_front_of_the_hole_come_back(how, told):
    data = saved("PNG")
    spans = holes(len(data), how)
    repaired = png.repair(damaged(data, spans, told=told))
    out = written(repaired)
    assert png_format.validate(BytesReader(out)).grade is Grade.GOOD
    image = Image.open(io.BytesIO(out)).convert("RGB")
    rows = repaired.counts[0].left
    assert image.size == SIZE
    assert image.crop((0, 0, SIZE[0], rows)).tobytes() == picture().crop((0, 0, SIZE[0], rows)).tobytes()
    assert rows > SIZE[1] * spans[0].start // len(data) - 20


def raw_rows(data):
    """Return the rows of a PNG as they stand in its stream, by its own chunks alone."""
    parts, position = [], 8
    while position < len(data):
        length = int.from_bytes(data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    raw = zlib.decompress(b"".join(parts))
    return [raw[at : at + 1 + 3 * SIZE[0]] for at in range(0, len(raw), 1 + 3 * SIZE[0])]


def in_chunks(data, size):
    """Return a PNG whose pixels are cut into chunks of another size."""
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    parts, position = [], start
    while position < end:
        length = int.from_bytes(data[position : position + 4])
        parts.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    pixels = b"".join(parts)
    out = data[:start]
    for at in range(0, len(pixels), size):
        body = b"IDAT" + pixels[at : at + size]
        out += (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    return out + data[end:]


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("size", [8192, 65536, 1 << 30])
def test_rows_behind_the_hole_of_a_png_come_back_in_their_places(size, told):
    data = in_chunks(saved("PNG"), size)
    middle = len(data) // 3 // 4096 * 4096
    spans = [Span(middle, middle + 65536)]
    repaired = png.repair(damaged(data, spans, told=told))
    out = written(repaired)
    assert png_format.validate(BytesReader(out)).grade is Grade.GOOD
    counts = {each.what: each.left for each in repaired.counts}
    old, new = raw_rows(data), raw_rows(out)
    same = [row for row, (before, after) in enumerate(zip(old, new, strict=True)) if before == after]
    behind = [row for row in same if row > counts["rows"] + 10]
    assert same[: counts["rows"] - 1] == list(range(counts["rows"] - 1))
    assert len(behind) >= counts["rows behind"] > 20
    # Physically left are the blocks that begin behind the hole: all rows from the first of them on.
    first = int(repaired.lost[0].split("-")[1]) + 1
    assert first < SIZE[1] * (spans[0].end + 50_000) // len(data)
    for row in range(first, SIZE[1]):
        assert all(ours in {theirs, 0} for ours, theirs in zip(new[row][1:], old[row][1:], strict=True))


def test_a_png_whose_end_is_lost_has_no_rows_behind():
    data = saved("PNG")
    repaired = png.repair(damaged(data, holes(len(data), "tail")))
    assert [each.what for each in repaired.counts] == ["rows"]


def test_a_png_without_its_head_is_not_made_up():
    data = saved("PNG")
    assert png.repair(damaged(data, holes(len(data), "head"))) is None


def opened(data):
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        return image.convert("RGB")
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def test_a_jpeg_is_ended_in_front_of_the_hole():
    data = saved("JPEG", quality=92)
    span = Span(len(data) // 2 // 4096 * 4096, len(data))
    whole = opened(data)
    for told in (False, True):
        repaired = jpeg.repair(damaged(data, [span], told=told))
        image = opened(written(repaired))
        assert image.size == SIZE
        rows = SIZE[1] // 3
        assert image.crop((0, 0, SIZE[0], rows)).tobytes() == whole.crop((0, 0, SIZE[0], rows)).tobytes()


def test_the_head_of_a_sibling_serves():
    data = saved("JPEG", quality=92, restart_marker_rows=1)
    sibling = io.BytesIO()
    picture(99).save(sibling, "JPEG", quality=92, restart_marker_rows=1)
    lost = Span(0, 16384)
    harmed = damaged(data, [lost], told=True)
    assert jpeg.repair(harmed) is None
    siblings = (BytesReader(sibling.getvalue()),)
    repaired = jpeg.repair(Damaged(harmed.reader, b"a.jpg", (lost,), siblings))
    assert opened(written(repaired)).size == SIZE


def equal(one, other, size=16):
    """Return the share of the squares of two images that are the same."""
    corners = [(x, y) for y in range(0, SIZE[1], size) for x in range(0, SIZE[0], size)]
    boxes = [(x, y, min(x + size, SIZE[0]), min(y + size, SIZE[1])) for x, y in corners]
    return sum(one.crop(box).tobytes() == other.crop(box).tobytes() for box in boxes) / len(boxes)


@pytest.mark.parametrize(
    "more",
    [{"restart_marker_rows": 1}, {"restart_marker_blocks": 3}, {"restart_marker_rows": 1, "subsampling": 0}],
)
def test_parts_of_a_jpeg_between_restart_markers_stand_in_their_places(more):
    data = saved("JPEG", quality=92, **more)
    whole, step = opened(data), len(data) // 16 // 512 * 512
    holes = [Span(place * step, place * step + step) for place in (4, 10)]
    for told in (False, True):
        repaired = jpeg.repair(damaged(data, holes, told=told))
        out = written(repaired)
        assert opened(out).size == SIZE
        assert equal(opened(out), whole) > 0.65
        assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
        assert repaired.unproven is None
        assert any("between holes" in str(each) for each in repaired.missing)


def test_a_lost_head_is_taken_from_the_sibling_by_which_parts_decode():
    data = saved("JPEG", quality=92, restart_marker_rows=1)
    lost = Span(0, len(data) // 4)
    harmed = damaged(data, [lost], told=True)

    def sibling(**more):
        out = io.BytesIO()
        picture(99).save(out, "JPEG", quality=92, restart_marker_rows=1, **more)
        return BytesReader(out.getvalue())

    wrong, right = sibling(subsampling=0), sibling()
    assert jpeg.repair(msgspec.structs.replace(harmed, siblings=(wrong,))) is None
    repaired = jpeg.repair(msgspec.structs.replace(harmed, siblings=(wrong, right)))
    assert equal(opened(written(repaired)), opened(data)) > 0.6
    assert repaired.unproven


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_damage_of_a_jpeg_with_restart_markers_is_survived(number):
    draw = chance(number)
    data = bytearray(saved("JPEG", quality=80, restart_marker_blocks=draw.choice([1, 5])))
    for _ in range(draw.randrange(1, 12)):
        start = draw.randrange(len(data))
        size = min(draw.choice([1, 2, 64, 4096]), len(data) - start)
        data[start : start + size] = draw.randbytes(size)
    repaired = jpeg.repair(damaged(bytes(data)))
    assert repaired is None or written(repaired)


def test_markers_everywhere_cost_little():
    data = saved("JPEG", quality=92, restart_marker_blocks=1)
    scan = data.index(b"\xff\xda") + 14
    body = b"".join(b"\x00" + bytes((0xFF, 0xD0 + number % 8)) for number in range(1 << 18))
    repaired = jpeg.repair(damaged(data[:scan] + body))
    assert repaired is None or written(repaired)


def test_the_preview_is_taken_out():
    small = io.BytesIO()
    picture().resize((160, 120)).save(small, "JPEG")
    preview = small.getvalue()
    segment = b"Exif\0\0MM\0*" + b"\0" * 40 + preview
    data = saved("JPEG", quality=92)
    data = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + data[2:]
    repaired = jpeg.repair(damaged(data, [Span(20000, len(data))]))
    assert repaired.beside[0].data == preview
