"""Partly locked pictures show what is left of them, in an image of the same size."""

import io

import pytest
from PIL import Image, ImageDraw, ImageFile

from tests.catalog.formats.repair.damage import chance, damaged, holes, written
from unransom.catalog.formats import png as png_format
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


def test_the_preview_is_taken_out():
    small = io.BytesIO()
    picture().resize((160, 120)).save(small, "JPEG")
    preview = small.getvalue()
    segment = b"Exif\0\0MM\0*" + b"\0" * 40 + preview
    data = saved("JPEG", quality=92)
    data = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + data[2:]
    repaired = jpeg.repair(damaged(data, [Span(20000, len(data))]))
    assert repaired.beside[0].data == preview
