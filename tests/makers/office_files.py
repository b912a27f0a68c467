"""Files of the kinds that a company has, made here: the same in every run."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests.catalog.formats.compound_maker import biff, make_compound
from tests.catalog.formats.pdf_maker import make_pdf
from tests.makers.raw_image import File
from unransom.run.demo.documents import letter, orders, paper, workbook


def photo(number: int, kind: str, width: int = 400, **options: object) -> bytes:
    """Return a picture with grain, as ``kind``."""
    draw = np.random.default_rng(number)
    rows, columns = np.mgrid[0 : width * 3 // 4, 0:width] / width
    colours = draw.uniform(0, 6, (3, 2))
    planes = [128 + 80 * np.sin(rows * 5 * a + columns * 4 * b) for a, b in colours]
    pixels = np.stack(planes, 2) + draw.normal(0, 9, (*rows.shape, 3))
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, kind, **options)
    return out.getvalue()


def archive(number: int, members: int = 6) -> bytes:
    """Return a ZIP archive of texts and of random bytes."""
    draw = random.Random(number)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for member in range(members):
            info = zipfile.ZipInfo(f"{number}/{member}.txt")
            info.compress_type = zipfile.ZIP_DEFLATED if member % 3 else zipfile.ZIP_STORED
            words = " ".join(str(draw.randrange(10**6)) for _ in range(2500))
            made.writestr(info, words)
    return out.getvalue()


def document(number: int) -> bytes:
    """Return an OLE2 workbook."""
    return make_compound({"Workbook": biff(number, 700), "\x05SummaryInformation": b"author" * 40})


def scanned(number: int) -> bytes:
    """Return a PDF document with a scanned picture."""
    draw = np.random.default_rng(number)
    return paper(f"Bill {number}", 4, draw.integers(0, 255, (60, 80, 3)).astype(np.uint8))


def linked(number: int) -> bytes:
    """Return a PDF document with compressed text, and a cross-reference of either kind."""
    return make_pdf(table="stream" if number % 3 else "table", trailer=b"/Number %d" % number)


def packed(number: int) -> bytes:
    """Return a gzip file."""
    return gzip.compress(letter(f"{number} {number**7}", 400), mtime=0)


def table(number: int) -> bytes:
    """Return a workbook."""
    return workbook(orders(1 + number % 12, 900 + 7 * number))


MAKERS: tuple[tuple[str, str, Callable[[int], bytes]], ...] = (
    ("ooxml", "xlsx", table),
    ("png", "png", lambda number: photo(number, "png", 180)),
    ("pdf", "pdf", scanned),
    ("jpg", "jpg", lambda number: photo(number, "jpeg", quality=88)),
    ("zip", "zip", archive),
    ("ole2", "xls", document),
    ("gz", "gz", packed),
    ("pdf", "pdf", linked),
)


def files(count: int) -> Iterator[File]:
    """Yield files, of eight kinds in turn."""
    for number in range(count):
        kind, extension, make = MAKERS[number % len(MAKERS)]
        yield File(f"{kind}/{number}.{extension}", make(number))
