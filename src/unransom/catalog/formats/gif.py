"""GIF images and animations: the chain of blocks, and every LZW code in them."""

from __future__ import annotations

import struct

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.streams import Reader, chunks

MAGICS = (b"GIF87a", b"GIF89a")
IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
# Sizes of the first block of extensions: text, graphic control, comment (any), application.
EXTENSIONS = {0x01: 12, 0xF9: 4, 0xFE: None, 0xFF: 11}
SURPLUS_CAP = 255  # bytes behind the end code of an image: a block that some writers fill up
MARGIN = 512  # before the byte where damage shows
PIECE = 1 << 16


def recognise(head: bytes) -> int:
    """Return the bits of signature, screen and first block that hold."""
    if len(head) < 14 or head[:6] not in MAGICS:
        return 0
    width, height, flags, _, _ = struct.unpack_from("<HHBBB", head, 6)
    first = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    if not width or not height or (first < len(head) and head[first] not in {IMAGE, EXTENSION, TRAILER, 0}):
        return 0
    return 47 + (6 if first < len(head) else 0)


class _BrokenError(Exception):
    """The file does not hold from ``position`` on."""

    def __init__(self, position: int, why: Message) -> None:
        super().__init__(str(why))
        self.position = position
        self.why = why


def _cut(reader: Reader) -> _BrokenError:
    return _BrokenError(reader.size, say("the GIF image is cut off"))


class _Walk:
    """The walk from block to block.

    Attributes:
        end: Offset behind what was walked; in the end behind the trailer.
        bits: How many bits are as they must be.
        complete: The trailer was reached.
    """

    def __init__(self, reader: Reader, *, decode: bool) -> None:
        self._reader = Cached(reader)
        self._decode = decode
        self.end = 0
        self.bits = 47
        self.complete = False

    def run(self) -> None:
        """Walk to the trailer.

        Raises:
            _BrokenError: Something does not hold.
        """
        flags = self._reader.read_at(10, 1)[0]
        self.end = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        while True:
            kind = self._byte(self.end)
            if kind == TRAILER:
                self.end += 1
                self.complete = True
                return
            if kind == EXTENSION:
                self._extension()
            elif kind == IMAGE:
                self._image()
            elif kind == 0:
                self.end += 1  # an empty block that some writers leave
            else:
                raise _BrokenError(
                    self.end, say("byte {offset} of the GIF image starts no block", offset=self.end)
                )
            self.bits += 6

    def _byte(self, position: int) -> int:
        data = self._reader.read_at(position, 1)
        if not data:
            raise _cut(self._reader)
        return data[0]

    def _extension(self) -> None:
        size = EXTENSIONS.get(self._byte(self.end + 1))
        first = self._byte(self.end + 2)
        if size is not None and first != size and first:
            raise _BrokenError(
                self.end,
                say("an extension of the GIF image at byte {offset} has a wrong size", offset=self.end),
            )
        self.bits += 8 if size else 0
        self._chain(self.end + 2)

    def _chain(self, position: int) -> None:
        """Step over blocks that begin with their length."""
        while length := self._byte(position):
            position += 1 + length
        self.end = position + 1

    def _image(self) -> None:
        head = self._reader.read_at(self.end, 10)
        if len(head) < 10:
            raise _cut(self._reader)
        _, _, width, height, flags = struct.unpack_from("<HHHHB", head, 1)
        start = self.end + 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        root = self._byte(start)
        if not 1 <= root <= 11:
            raise _BrokenError(
                self.end,
                say("an image header of the GIF image at byte {offset} is impossible", offset=self.end),
            )
        self.bits += 4 if flags & 0x18 else 6
        if self._decode:
            self._pixels(start + 1, root, width * height)
        else:
            self._chain(start + 1)

    def _pixels(self, start: int, root: int, expected: int) -> None:
        """Check the LZW data of an image of ``expected`` pixels."""
        from unransom.catalog.formats._lzw import LzwCheck, Outcome  # noqa: PLC0415  numba is slow to import

        check = LzwCheck(root, chained=True, high_first=False)
        outcome = Outcome.MORE
        for piece in chunks(self._reader, start, step=PIECE):
            outcome = check.feed(piece)
            if outcome is not Outcome.MORE:
                break
        position = start + check.consumed
        self.bits += check.consumed // 32
        if outcome is Outcome.MORE:
            raise _cut(self._reader)
        if outcome is Outcome.BAD or check.surplus > SURPLUS_CAP:
            why = say("the pixels of the GIF image do not decode at byte {offset}", offset=position)
            raise _BrokenError(position, why)
        if check.produced < expected:
            why = say(
                "an image of the GIF image has {count} of {expected} pixels",
                count=check.produced,
                expected=expected,
            )
            raise _BrokenError(position, why)
        self.bits += 16
        self.end = position


def measure(reader: Reader) -> Measure:
    """Walk the blocks to the trailer."""
    if not recognise(reader.read_at(0, HEAD)):
        return Measure(None, say("this is no GIF image"))
    walk = _Walk(reader, decode=False)
    try:
        walk.run()
    except _BrokenError as error:
        return Measure(None, error.why)
    return Measure(walk.end, say("the trailer of the GIF image"))


def validate(reader: Reader) -> Validation:
    """Walk the blocks and decode all pixels."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no GIF image"), reader.size)
    findings, walk = Findings(reader.size), _Walk(reader, decode=True)
    try:
        walk.run()
        check_trailer(reader, walk.end, findings)
    except _BrokenError as error:
        start = max(13, error.position - MARGIN) if error.position < reader.size else reader.size
        findings.fault(start, reader.size, error.why)
    findings.hold(walk.bits)
    length = walk.end if walk.complete else None
    return findings.verdict(say("all blocks of the GIF image hold and all its pixels decode"), length)


FORMAT = Format(
    name="gif",
    title="GIF image",
    extensions=("gif",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"GIF89a", 0.9), Known(-2, b"\0;", 0.97)),
    compressed=True,
    references=("CompuServe GIF89a specification (1990)",),
    limitations=("Colour tables, comments and application data are not checked.",),
)
