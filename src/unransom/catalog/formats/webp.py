"""WebP images: the RIFF chunks, the frames in them, and the partitions of lossy frames."""

from __future__ import annotations

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._riff import Chunk, check_extent, chunks_between, recognise_form, riff_end
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

FRAMES = (b"VP8 ", b"VP8L")
FIRST = (*FRAMES, b"VP8X")
LOSSY_START = b"\x9d\x01\x2a"
LOSSLESS_START = 0x2F


def recognise(head: bytes) -> int:
    """Return the bits of the header and of the first chunk that hold."""
    bits = recognise_form(head, b"WEBP", FIRST)
    if not bits or len(head) < 30:
        return 0
    if head[12:16] == b"VP8 ":
        return bits + 24 if head[23:26] == LOSSY_START else 0
    if head[12:16] == b"VP8L":
        return bits + 11 if head[20] == LOSSLESS_START and head[24] >> 5 == 0 else 0
    return bits + 56 if head[16:20] == b"\x0a\0\0\0" and head[21:24] == b"\0\0\0" else 0


def _size_of(reader: Reader, chunk: Chunk) -> tuple[int, int] | None:
    """Return width and height of the frame in a chunk; None where it is no frame."""
    data = reader.read_at(chunk.start, 10)
    if len(data) < 10 and chunk.name == b"VP8 ":
        return None
    if chunk.name == b"VP8 ":
        key_frame = data[0] & 1 == 0 and data[3:6] == LOSSY_START
        width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
        fits = 10 + (int.from_bytes(data[:3], "little") >> 5) <= chunk.size
        return (width & 0x3FFF, height & 0x3FFF) if key_frame and fits else None
    bits = int.from_bytes(data[1:5], "little")
    if len(data) < 5 or data[0] != LOSSLESS_START or bits >> 29:
        return None
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


class _Walk:
    """The walk over the chunks of a file, and over those in the frames of an animation."""

    def __init__(self, reader: Reader) -> None:
        self._reader = Cached(reader)
        self._canvas: tuple[int, int] | None = None
        self.findings = Findings(reader.size)
        self.frames = 0

    def run(self, end: int) -> None:
        """Walk the chunks up to ``end``."""
        for chunk in chunks_between(self._reader, 12, end, self.findings):
            if chunk.name == b"VP8X":
                data = self._reader.read_at(chunk.start, 10)
                self._canvas = (
                    int.from_bytes(data[4:7], "little") + 1,
                    int.from_bytes(data[7:10], "little") + 1,
                )
            elif chunk.name == b"ANMF":
                self._animated(chunk)
            elif chunk.name in FRAMES:
                self._frame(chunk, self._canvas)

    def _animated(self, chunk: Chunk) -> None:
        """Check a frame of an animation, which has a header and chunks of its own."""
        header = self._reader.read_at(chunk.start, 16)
        size = (int.from_bytes(header[6:9], "little") + 1, int.from_bytes(header[9:12], "little") + 1)
        for inner in chunks_between(self._reader, chunk.start + 16, chunk.end, self.findings):
            if inner.name in FRAMES:
                self._frame(inner, size)

    def _frame(self, chunk: Chunk, expected: tuple[int, int] | None) -> None:
        """Check the header of a frame against the size that it should have."""
        size = _size_of(self._reader, chunk)
        self.frames += 1
        if size is None or size != (expected or size):
            why = say(
                "the frame of the WebP image at byte {offset} has an impossible header", offset=chunk.start
            )
            self.findings.fault(chunk.start, chunk.start + chunk.size, why)
        else:
            self.findings.hold(24 + (28 if expected else 0))


def measure(reader: Reader) -> Measure:
    """Take the size from the header where the chunks fill it."""
    end, walk = riff_end(reader), _Walk(reader)
    if recognise(reader.read_at(0, HEAD)) and end <= reader.size:
        walk.run(end)
    if not walk.frames or not walk.findings.clean:
        return Measure(None, say("the RIFF chunks do not fill the size that the header says"))
    return Measure(end, say("the RIFF chunks fill the size that the header says"))


def validate(reader: Reader) -> Validation:
    """Walk the chunks and the headers of the frames."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no WebP image"), reader.size)
    end, walk = riff_end(reader), _Walk(reader)
    walk.findings.hold(64)
    walk.run(end)
    if not walk.frames:
        walk.findings.fault(12, reader.size, say("the WebP image has no frame"))
    check_extent(reader, end, walk.findings)
    check_trailer(reader, end, walk.findings)
    return walk.findings.verdict(
        say("the chunks and frame headers of the WebP image hold"), min(end, reader.size)
    )


FORMAT = Format(
    name="webp",
    title="WebP image",
    extensions=("webp",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"RIFF", 1.0), Known(8, b"WEBPVP8", 1.0)),
    compressed=True,
    references=("RFC 9649", "RFC 6386"),
    limitations=("Pixels are not decoded: damage within a frame behind its header is not seen.",),
)
