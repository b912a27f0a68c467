"""PNG and APNG images: every chunk's CRC-32, and all pixel data inflated to the size that the headers say."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

import msgspec

from unransom.catalog.formats._deflate import STEP, Budget
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._png_rows import PixelCheck, PixelState, Shape
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks

MAGIC = b"\x89PNG\r\n\x1a\n"
HEADER = b"\0\0\0\rIHDR"
END = b"\0\0\0\0IEND\xaeB`\x82"
TYPE = re.compile(rb"[A-Za-z]{4}")
LONGEST = (1 << 31) - 1
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DATA = {b"IDAT": 0, b"fdAT": 4}  # chunks with pixel data, and how many bytes stand before it
FRAME = struct.Struct(">IIIIIHHBB")  # fcTL
MARGIN = 1 << 12  # damaged data may decode to nonsense for about this long before a row shows it
FRAMES_CAP = 1 << 12  # frames of an animation whose pixels are checked


def recognise(head: bytes) -> int:
    """Return the bits of signature and header that hold, with the header's CRC."""
    if len(head) < 33 or not head.startswith(MAGIC + HEADER) or shape_of(head[16:29]) is None:
        return 0
    return 128 + 16 + 32 if zlib.crc32(head[12:29]) == int.from_bytes(head[29:33]) else 0


def shape_of(header: bytes) -> Shape | None:
    """Return the shape of the picture that the 13 bytes of an IHDR chunk describe; None for nonsense."""
    width, height, depth, colour, method, filtering, interlace = struct.unpack(">IIBBBBB", header)
    legal = depth in DEPTHS.get(colour, ()) and method == filtering == 0 and interlace <= 1
    if not legal or not 0 < width <= LONGEST or not 0 < height <= LONGEST:
        return None
    return Shape(width, height, depth * CHANNELS[colour], bool(interlace))


class _Chunk(msgspec.Struct, frozen=True):
    """A chunk: its type, where its data lies, and whether its CRC is right."""

    type: bytes
    start: int
    length: int
    sound: bool

    @property
    def end(self) -> int:
        """Offset behind its CRC."""
        return self.start + self.length + 4


Taker = Callable[[bytes, int], None]


def _chunk_at(reader: Reader, position: int, take: Taker | None = None) -> _Chunk | None:
    """Return the chunk at ``position``, None where there is none; ``take`` gets its data and the offset."""
    head = reader.read_at(position, 8)
    start, length = position + 8, int.from_bytes(head[:4])
    if len(head) < 8 or length > LONGEST or not TYPE.fullmatch(head[4:]):
        return None
    crc, offset = zlib.crc32(head[4:]), start
    for piece in chunks(reader, start, start + length, STEP):
        crc = zlib.crc32(piece, crc)
        if take:
            take(piece, offset)
        offset += len(piece)
    stored = reader.read_at(start + length, 4)
    return _Chunk(head[4:], start, length, len(stored) == 4 and crc == int.from_bytes(stored))


def measure(reader: Reader) -> Measure:
    """Walk the chunks, CRC by CRC, to IEND."""
    cached = Cached(reader)
    position = len(MAGIC)
    if not recognise(cached.read_at(0, HEAD)):
        return Measure(None, say("this is no PNG image"))
    while (chunk := _chunk_at(cached, position)) is not None and chunk.sound:
        position = chunk.end
        if chunk.type == b"IEND":
            return Measure(position, say("the IEND chunk of the PNG image"))
    return Measure(None, say("the chunk at byte {offset} of the PNG image is damaged", offset=position))


class _Walk:
    """The walk over the chunks of one file, with the check of its pictures.

    Attributes:
        end: Offset behind what was walked.
        complete: The IEND chunk was reached.
    """

    def __init__(self, reader: Reader, shape: Shape) -> None:
        self._reader = Cached(reader)
        self._budget = Budget(reader.size)
        self._shape = shape
        self._picture = PixelCheck(shape, self._budget)  # the one whose data comes
        self._frames = 0
        self._skip = -1  # bytes before the pixel data in the present chunk, -1 where it has none
        self._broken = -1  # where the pixel data of the present chunk fails
        self.findings = Findings(reader.size)
        self.end = len(MAGIC)
        self.complete = False

    def run(self) -> None:
        """Walk to IEND or to the end of the file, over gaps where a chunk is found behind them."""
        while not self.complete and self.end < self._reader.size:
            start, self._broken = self.end, -1
            self._skip = DATA.get(self._reader.read_at(start + 4, 4), -1)
            chunk = _chunk_at(self._reader, start, self._take if self._skip >= 0 else None)
            if chunk is None or chunk.end > self._reader.size:
                self._picture.abandon()
                self.end = self._resume(start)
            else:
                self._judge(chunk)
                self.end = chunk.end
                self.complete = chunk.type == b"IEND" and chunk.sound
        if not self.complete:
            self.findings.fault(self.end, self.end, say("the PNG image ends without its IEND chunk"))
        self._count_rows()

    def _take(self, piece: bytes, offset: int) -> None:
        """Take pixel data that stands at ``offset``."""
        if offset == self.end + 8:
            piece = piece[self._skip :]
        if self._picture.state is PixelState.GOING:
            self._picture.feed(piece)
            if self._picture.state in {PixelState.BROKEN, PixelState.FILTER}:
                fault = self._picture.fault
                self._broken = self.end if fault is None else offset + fault

    def _judge(self, chunk: _Chunk) -> None:
        """Record what the chunk's CRC and its pixel data tell."""
        start = chunk.start - 8
        if self._broken >= 0:
            why = say("the pixel data of the PNG image is damaged at byte {offset}", offset=self._broken)
            self.findings.fault(max(start, self._broken - MARGIN), chunk.end, why)
        elif not chunk.sound:
            name = chunk.type.decode("ascii")
            why = say("the CRC of the {name} chunk at byte {offset} is wrong", name=name, offset=start)
            self.findings.fault(start, chunk.end, why)
        else:
            self.findings.hold(32)
            if chunk.type == b"fcTL" and chunk.length == FRAME.size:
                self._begin_frame(chunk)
        if not chunk.sound and self._skip >= 0:
            self._picture.abandon()  # else its failure would show, and be blamed, further on

    def _begin_frame(self, chunk: _Chunk) -> None:
        """Expect the pixel data of the frame that an fcTL chunk announces."""
        _, width, height, *_ = FRAME.unpack(self._reader.read_at(chunk.start, FRAME.size))
        if not self._picture.begun:
            return  # the frame is the default image, whose data has not come yet
        self._count_rows()
        self._frames += 1
        shape = msgspec.structs.replace(self._shape, width=width, height=height)
        self._picture = PixelCheck(shape, self._budget)
        if self._frames > FRAMES_CAP:
            self._picture.abandon()

    def _resume(self, start: int) -> int:
        """Record that the chain of chunks breaks at ``start``; return where it goes on, else the end."""
        size, found = self._reader.size, start
        if self._reader.read_at(start + 4, 4) in DATA and self._broken < 0:
            start = size  # what there is of the chunk inflates: the file is cut off
        while (found := find(self._reader, b"IDAT", found + 5)) >= 0:
            chunk = _chunk_at(self._reader, found - 4)
            if chunk and chunk.sound:
                break
            if not self._budget.spend(chunk.length if chunk else 1, 0):
                found = -1
                break
        if found < 0:
            found = find(self._reader, END, start + 1)
            found = found + 4 if found >= 0 else size + 4
        why = say("the chain of chunks of the PNG image breaks at byte {offset}", offset=start)
        self.findings.fault(start, found - 4, why)
        return found - 4

    def _count_rows(self) -> None:
        """Record whether all pixel data of the present picture was there."""
        state = self._picture.state
        if state is PixelState.WHOLE:
            self.findings.hold(32)  # Adler-32
        elif state in {PixelState.SHORT, PixelState.GOING} and self.findings.clean:
            why = say("the pixel data of the PNG image has fewer rows than its header says")
            self.findings.fault(self.end, self.end, why)


def validate(reader: Reader) -> Validation:
    """Check every CRC and inflate the pixel data of the image and of its frames."""
    head = reader.read_at(0, HEAD)
    if not recognise(head):
        return bad(say("this is no PNG image"), reader.size)
    shape = shape_of(head[16:29])
    if shape is None:
        return bad(say("this is no PNG image"), reader.size)
    walk = _Walk(reader, shape)
    walk.findings.hold(64)
    walk.run()
    if walk.complete:
        check_trailer(reader, walk.end, walk.findings)
    why = say("every CRC of the PNG image holds and its pixels inflate to the size it says")
    return walk.findings.verdict(why, walk.end if walk.complete else None)


FORMAT = Format(
    name="png",
    title="PNG image",
    extensions=("png", "apng"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + HEADER, 1.0), Known(-12, END, 0.99)),
    compressed=True,
    references=("ISO/IEC 15948:2004", "W3C Portable Network Graphics (PNG) Specification, Third Edition"),
    limitations=(
        "Of an animation the pixels of the first 4096 frames are checked; the CRCs of all.",
        "At most 64 times the file's size plus 256 MiB is inflated.",
    ),
)
