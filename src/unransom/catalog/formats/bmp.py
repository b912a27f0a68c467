"""BMP images: headers and sizes that must agree, coded rows, and statistics of plain pixels."""

from __future__ import annotations

from unransom.catalog.formats._dib import PLAIN, RLE4, RLE8, Bitmap, bitmap_of
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import check_samples
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"BM"
HEADER = 14
GAP_CAP = 1 << 16  # bytes between colour table and pixels
RUNS_CAP = 1 << 24  # bytes of coded pixels that are followed


def _header(head: bytes) -> tuple[Bitmap, int] | None:
    """Return the bitmap and where its pixels begin; None where the headers do not agree."""
    if len(head) < HEADER + 12 or head[:2] != MAGIC:
        return None
    bitmap = bitmap_of(head[HEADER:])
    start = int.from_bytes(head[10:14], "little")
    least = HEADER + (bitmap.header if bitmap else 0)
    if bitmap is None or not least <= start <= least + bitmap.palette + GAP_CAP:
        return None
    return bitmap, start


def recognise(head: bytes) -> int:
    """Return the bits of the headers that hold."""
    if _header(head) is None:
        return 0
    return 16 + 24 + 16 + (16 if head[6:10] == bytes(4) else 0)


def _end(bitmap: Bitmap, start: int, head: bytes) -> int:
    """Return where the file ends by its headers."""
    profile = HEADER + bitmap.profile if bitmap.profile else 0
    if bitmap.compression in PLAIN:
        return max(start + bitmap.pixels, profile)
    return max(start + bitmap.stated if bitmap.stated else int.from_bytes(head[2:6], "little"), profile)


def measure(reader: Reader) -> Measure:
    """Take the size of the pixels from the header, and the file's size where it agrees."""
    head = reader.read_at(0, HEAD)
    header = _header(head)
    if header is None:
        return Measure(None, say("this is no BMP image"))
    end, stated = _end(*header, head), int.from_bytes(head[2:6], "little")
    if end > reader.size:
        return Measure(None, say("the pixels of the BMP image go on behind the end"))
    if end < stated <= min(end + 4, reader.size):  # some writers fill up
        return Measure(stated, say("the size in the header of the BMP image"), (end,))
    return Measure(end, say("the size of the pixels of the BMP image"))


def _runs_hold(reader: Reader, start: int, end: int, bitmap: Bitmap) -> bool:
    """Return whether the run-length coded rows fit into the picture and end as they must."""
    data = reader.read_at(start, min(end - start, RUNS_CAP))
    position = column = row = 0
    while position + 2 <= len(data):
        count, value = data[position], data[position + 1]
        position += 2
        if count:
            column += count
        elif value == 0:
            column, row = 0, row + 1
        elif value == 1:
            return row <= bitmap.height
        elif value == 2:
            column += data[position] if position < len(data) else 0
            row += data[position + 1] if position + 1 < len(data) else 0
            position += 2
        else:
            column += value
            width = value if bitmap.compression == RLE8 else (value + 1) // 2
            position += width + width % 2
        if column > bitmap.width + 1 or row > bitmap.height:
            return False
    return row + 1 >= bitmap.height


def validate(reader: Reader) -> Validation:
    """Check that the headers agree with the file's size, and look at the pixels."""
    head = reader.read_at(0, HEAD)
    header = _header(head)
    if header is None:
        return bad(say("this is no BMP image"), reader.size)
    findings = Findings(reader.size)
    findings.hold(recognise(head))
    bitmap, start = header
    end = _end(bitmap, start, head)
    if end > reader.size:
        findings.fault(reader.size, reader.size, say("the pixels of the BMP image go on behind the end"))
    elif int.from_bytes(head[2:6], "little") in {reader.size, end}:
        findings.hold(16)
    if bitmap.compression in PLAIN:
        why = say("uncompressed pixels of the BMP image look encrypted")
        check_samples(reader, start, start + bitmap.pixels, findings, why)
    elif bitmap.compression in {RLE4, RLE8} and not _runs_hold(reader, start, end, bitmap):
        findings.fault(start, end, say("the coded rows of the BMP image do not fit into it"))
    check_trailer(reader, end, findings)
    return findings.verdict(say("the headers of the BMP image agree with its size"), min(end, reader.size))


FORMAT = Format(
    name="bmp",
    title="BMP image",
    extensions=("bmp", "dib"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC, 1.0), Known(6, bytes(4), 0.99)),
    references=("Microsoft Windows GDI: BITMAPV5HEADER",),
    limitations=("Uncompressed pixels are checked by their statistics, in blocks of 4096 bytes.",),
)
