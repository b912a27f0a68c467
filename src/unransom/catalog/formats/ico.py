"""ICO and CUR icons: the directory, and the PNG image or bitmap that each entry points at."""

from __future__ import annotations

import struct

import msgspec

from unransom.catalog.formats import png
from unransom.catalog.formats._deflate import Budget
from unransom.catalog.formats._dib import PLAIN, bitmap_of
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import check_samples
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader, Window

ENTRY = 16
ICONS_CAP = 1024


class _Icon(msgspec.Struct, frozen=True):
    """An entry of the directory: width and height in pixels, and where its image lies."""

    width: int
    height: int
    start: int
    end: int


def _icons(head: bytes) -> list[_Icon]:
    """Return the entries of the directory; none where it does not hold."""
    if len(head) < 6 + ENTRY or head[:2] != b"\0\0" or head[2:4] not in {b"\1\0", b"\2\0"}:
        return []
    count = int.from_bytes(head[4:6], "little")
    if not 0 < count <= ICONS_CAP or len(head) < 6 + ENTRY * count:
        return []
    icons = []
    for at in range(6, 6 + ENTRY * count, ENTRY):
        width, height, _, _, planes, depth, size, start = struct.unpack_from("<BBBBHHII", head, at)
        if start < 6 + ENTRY * count or size < 16 or (head[2] == 1 and (planes > 4 or depth > 32)):
            return []
        icons.append(_Icon(width or 256, height or 256, start, start + size))
    return icons


def recognise(head: bytes) -> int:
    """Return the bits of the directory that hold."""
    icons = _icons(head)
    return 31 + 8 + 20 * min(len(icons), 8) if icons else 0


def _directory(reader: Reader) -> bytes:
    return reader.read_at(0, 6 + ENTRY * ICONS_CAP)


def measure(reader: Reader) -> Measure:
    """Take the end of the last image from the directory."""
    icons = _icons(_directory(reader))
    end = max((icon.end for icon in icons), default=0)
    if not icons or end > reader.size:
        return Measure(None, say("the directory of the icon does not hold"))
    return Measure(end, say("the last image of the icon"))


def _check(reader: Reader, icon: _Icon, findings: Findings) -> None:
    """Check the image that an entry points at."""
    window = Window(reader, icon.start, icon.end - icon.start)
    head = window.read_at(0, HEAD)
    why = say("the image at byte {offset} of the icon is damaged", offset=icon.start)
    if head.startswith(png.MAGIC):
        verdict = png.validate(window)
        findings.hold(verdict.bits)
        if verdict.grade is not Grade.GOOD:
            findings.fault(icon.start, icon.end, why)
        return
    bitmap = bitmap_of(head)
    size = (bitmap.header + bitmap.palette + bitmap.pixels // 2) if bitmap else 0
    if bitmap is None or bitmap.compression not in PLAIN or size > window.size:
        findings.fault(icon.start, icon.end, why)
        return
    findings.hold(40 + (16 if bitmap.height == 2 * icon.height else 0))
    samples = icon.start + bitmap.header + bitmap.palette
    check_samples(reader, samples, icon.end, findings, say("uncompressed pixels of the icon look encrypted"))


def validate(reader: Reader) -> Validation:
    """Check the directory and every image."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no icon"), reader.size)
    findings, icons = Findings(reader.size), _icons(_directory(reader))
    findings.hold(39 + 8 * len(icons))
    budget = Budget(reader.size)  # entries may share an image
    for icon in icons:
        if icon.end > reader.size:
            findings.fault(
                reader.size, reader.size, say("an image of the icon lies behind the end of the file")
            )
        elif budget.spend(icon.end - icon.start, 0):
            _check(reader, icon, findings)
    end = max((icon.end for icon in icons), default=0)
    check_trailer(reader, end, findings)
    return findings.verdict(
        say("all {count} images of the icon hold", count=len(icons)), min(end, reader.size)
    )


FORMAT = Format(
    name="ico",
    title="Icon",
    extensions=("ico", "cur"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"\0\0\1\0", 0.95),),
    references=("Microsoft Windows: Icons, by John Hornick (1995)",),
    limitations=("Bitmaps in it are checked by their headers and statistics only.",),
)
