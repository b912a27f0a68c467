"""JPEG images: marker segments, then every scan decoded down to its last coefficient."""

from __future__ import annotations

import re

from unransom.catalog.formats import _jpeg_markers as markers
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._jpeg_image import JpegImage
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"\xff\xd8\xff"
IMAGES_CAP = 64  # images in one file: previews and views that follow the first
STARTS = markers.KNOWN - {markers.DNL, markers.SOS}
GAP = 1 << 16  # zeros between images at most
NEXT = re.compile(rb"\0*(?=\xff\xd8\xff)")
# What phones and cameras append: a film, a preview (some without its first byte), an archive of settings.
APPENDED = re.compile(
    rb"\0*(?:PK\x03\x04|RIFF|GIF8|\x89PNG|.{4}ftyp|<\?xpacket|.{0,16}\xd8\xff[\xdb\xc4\xe0-\xef])", re.DOTALL
)


def recognise(head: bytes) -> int:
    """Return the bits of the first segments that hold: magic, and a marker behind each length."""
    if not head.startswith(MAGIC) or len(head) < 6 or head[3] not in STARTS:
        return 0
    bits, position = 24 + 2, 2
    while position + 4 <= len(head) and head[position] == 0xFF and head[position + 1] in STARTS:
        position += 2 + max(2, int.from_bytes(head[position + 2 : position + 4]))
        if position < len(head):
            if head[position] != 0xFF:
                return 0
            bits += 8
    return bits


def _images(reader: Reader, *, decode: bool, only_announced: bool) -> list[JpegImage]:
    """Walk the image and those that follow it at once; the last may be broken."""
    images: list[JpegImage] = []
    start = 0
    while len(images) < IMAGES_CAP:
        image = JpegImage(reader, start, decode=decode)
        sound = image.walk()
        images.append(image)
        start = image.end
        gap = NEXT.match(reader.read_at(start, GAP))
        if not sound or gap is None or (only_announced and not images[0].more):
            break
        start += gap.end()
    return images


def measure(reader: Reader) -> Measure:
    """Walk the segments and scans to the end marker, and on where the image says that others follow it."""
    images = _images(Cached(reader), decode=False, only_announced=True)
    ends = [image.end for image in images if image.first is None]
    if not ends:
        return Measure(None, images[0].first or say("the JPEG image ends without its end marker"))
    return Measure(ends[-1], say("the end marker of the JPEG image"), tuple(reversed(ends[:-1])))


def validate(reader: Reader) -> Validation:
    """Check marker grammar and tables, and decode every scan of every image in the file."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no JPEG image"), reader.size)
    findings = Findings(reader.size)
    images = _images(Cached(reader), decode=True, only_announced=False)
    for image in images:
        findings.hold(image.bits)
        if image.first:
            findings.fault(image.broken, image.broken, image.first)
            for span in image.damage():
                findings.fault(span.start, span.end, image.first)
    end = images[-1].end
    if findings.clean and not APPENDED.match(reader.read_at(end, GAP)):
        check_trailer(reader, end, findings)
    return findings.verdict(
        say("every scan of the JPEG image decodes to its end"), end if findings.clean else None
    )


FORMAT = Format(
    name="jpeg",
    title="JPEG image",
    extensions=("jpg", "jpeg", "jpe", "jfif", "mpo"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC, 1.0), Known(-2, b"\xff\xd9", 0.97)),
    compressed=True,
    references=("ITU-T T.81 (1992)", "ITU-T T.871 (2011)", "CIPA DC-007 (2009)"),
    limitations=(
        "Metadata segments (Exif, ICC, thumbnails) are checked by their lengths only.",
        "Arithmetic-coded, lossless and hierarchical images are checked by their markers only.",
        "Known appendices of phones and cameras are not checked.",
    ),
)
