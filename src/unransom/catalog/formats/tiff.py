"""TIFF and BigTIFF images: the directories, and every strip and tile by its own compression."""

from __future__ import annotations

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._tiff_directory import BrokenError, Directories, Directory, Layout, layout_of
from unransom.catalog.formats._tiff_parts import Parts, picture_of
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import check_samples
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader

STRIPS, TILES, PREVIEW = (273, 279), (324, 325), (513, 514)  # tags of offsets and of sizes
MAKER_NOTE = 37500


def recognise(head: bytes) -> int:
    """Return the bits of the header that hold, and of the first directory where it is in ``head``."""
    layout = layout_of(head)
    if layout is None:
        return 0
    bits = 64 if layout.wide else 32
    first = layout.number(head[8:16] if layout.wide else head[4:8])
    counter = 8 if layout.wide else 2
    if first + counter + 2 > len(head):
        return bits if len(head) == HEAD else 0
    count = layout.number(head[first : first + counter])
    tag = layout.number(head[first + counter : first + counter + 2])
    return bits + 8 if first >= 8 and 0 < count < 4096 and tag >= 254 else 0


class _Walk:
    """The walk over all directories of a file.

    Attributes:
        end: Offset behind the last byte that any of them refers to.
        open_ended: The maker of a camera may have put more behind it.
    """

    def __init__(self, reader: Reader, layout: Layout, *, decode: bool) -> None:
        self._reader = reader
        self._directories = Directories(reader, layout)
        self._decode = decode
        self._plain: list[Span] = []
        self.findings = Findings(reader.size)
        self._parts = Parts(reader, self.findings)
        self.end = 0
        self.open_ended = False

    def run(self) -> None:
        """Walk the directories and what they refer to."""
        try:
            for directory in self._directories:
                self.findings.hold(8 * (len(directory.entries) - directory.odd))
                self.end = max([self.end, directory.end, *(each.end for each in directory.entries.values())])
                self.open_ended = self.open_ended or MAKER_NOTE in directory.entries
                for tags in (STRIPS, TILES, PREVIEW):
                    self._pixels(directory, tags)
        except BrokenError as error:
            self.findings.fault(error.position, self._reader.size, error.why)
        why = say("uncompressed pixels of the TIFF image look encrypted")
        for span in merge(self._plain):
            check_samples(self._reader, span.start, span.end, self.findings, why)

    def _pixels(self, directory: Directory, tags: tuple[int, int]) -> None:
        """Check that strips or tiles lie in the file, and what is in them."""
        offsets, sizes = (self._directories.values(directory.entries.get(tag)) for tag in tags)
        if len(offsets) != len(sizes) and offsets and sizes:
            why = say("the TIFF directory at byte {offset} does not hold", offset=directory.start)
            self.findings.fault(directory.start, directory.end, why)
            return
        picture = picture_of(self._reader, self._directories, directory, tiled=tags == TILES)
        for number, (offset, size) in enumerate(zip(offsets, sizes, strict=False)):
            self.end = max(self.end, offset + size)
            if offset + size > self._reader.size:
                why = say("pixels of the TIFF image lie behind the end of the file")
                self.findings.fault(min(offset, self._reader.size), self._reader.size, why)
                continue
            self.findings.hold(8)
            if self._decode and tags != PREVIEW and size:
                self._parts.check(number, offset, size, picture)
                if picture.compression == 1:
                    self._plain.append(Span(offset, offset + size))


def measure(reader: Reader) -> Measure:
    """Follow all directories; the file ends behind the last byte that they refer to."""
    layout = layout_of(reader.read_at(0, 16))
    if layout is None:
        return Measure(None, say("this is no TIFF image"))
    walk = _Walk(Cached(reader), layout, decode=False)
    walk.run()
    if walk.findings.first:
        return Measure(None, walk.findings.first)
    padded = sorted({walk.end + -walk.end % step for step in (2, 4)} - {walk.end})  # as writers may fill up
    alternatives = tuple(end for end in padded if end <= reader.size)
    return Measure(walk.end, say("the last byte that a TIFF directory refers to"), alternatives)


def validate(reader: Reader) -> Validation:
    """Follow all directories and decode all pixels whose compression is known."""
    layout = layout_of(reader.read_at(0, 16))
    if layout is None or not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no TIFF image"), reader.size)
    walk = _Walk(Cached(reader), layout, decode=True)
    walk.findings.hold(64 if layout.wide else 32)
    walk.run()
    sound = walk.findings.clean
    if sound and not walk.open_ended:
        check_trailer(reader, walk.end, walk.findings)
    why = say("all directories of the TIFF image hold, and all its pixels as far as they can be decoded")
    return walk.findings.verdict(why, walk.end if sound else None)


FORMAT = Format(
    name="tiff",
    title="TIFF image",
    extensions=("tif", "tiff", "dng", "nef", "cr2", "arw"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"II*\0", 0.8), Known(0, b"MM\0*", 0.2)),
    compressed=True,
    references=("Adobe TIFF 6.0 (1992)", "BigTIFF proposal (AWare Systems)", "TIFF/EP ISO 12234-2"),
    limitations=(
        "CCITT fax, old-style JPEG, JPEG 2000, LZMA, Zstandard and camera-specific pixels are not decoded.",
        "Uncompressed pixels are checked by their statistics, in blocks of 4096 bytes.",
        "Metadata, private tags and what only a maker note refers to are not checked.",
    ),
)
