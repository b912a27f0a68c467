"""The strips and tiles of a TIFF image, each checked by its compression."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unransom.catalog.formats._deflate import ZLIB, Budget, End, inflate
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._jpeg_image import JpegImage
from unransom.catalog.formats._jpeg_markers import Tables
from unransom.catalog.formats._packbits import unpacked_length
from unransom.catalog.formats._tiff_directory import Directories, Directory
from unransom.core.messages import say
from unransom.core.streams import BytesReader, Reader, Window, chunks

WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, SAMPLES, ROWS, PLANES = 256, 257, 258, 259, 262, 277, 278, 284
TILE_WIDTH, TILE_HEIGHT, JPEG_TABLES = 322, 323, 347
YCBCR = 6
PART_CAP = 1 << 26  # bytes of a part that is read whole: PackBits


class Picture(msgspec.Struct, frozen=True):
    """What the tags of a directory say about its pixels.

    Attributes:
        compression: As in tag 259.
        row: Bytes of a row of a part, 0 where that cannot be said.
        rows: Rows of a part.
        height: Rows of the picture; of tiles, of one.
        tables: The JPEG tables that all parts share.
    """

    compression: int
    row: int
    rows: int
    height: int
    tables: bytes

    def expected(self, number: int) -> int:
        """Return how many bytes part ``number`` must give."""
        per_plane = max(1, -(-self.height // self.rows))
        left = self.height - number % per_plane * self.rows
        return self.row * min(self.rows, left)


def picture_of(reader: Reader, directories: Directories, directory: Directory, *, tiled: bool) -> Picture:
    """Return what ``directory`` says about its strips or tiles."""

    def first(tag: int, default: int) -> int:
        values = directories.values(directory.entries.get(tag))
        return values[0] if values else default

    bits = first(BITS, 1)
    samples = 1 if first(PLANES, 1) == 2 else first(SAMPLES, 1)
    width = first(TILE_WIDTH, 0) if tiled else first(WIDTH, 0)
    height = first(TILE_HEIGHT, 1) if tiled else first(HEIGHT, 1)
    rows = height if tiled else min(first(ROWS, height), height)
    subsampled = first(COLOURS, 0) == YCBCR
    tables = directory.entries.get(JPEG_TABLES)
    return Picture(
        compression=first(COMPRESSION, 1),
        row=0 if subsampled else -(-width * bits * samples // 8),
        rows=max(rows, 1),
        height=max(height, 1),
        tables=reader.read_at(tables.position, min(tables.count, 1 << 16)) if tables else b"",
    )


class Parts:
    """Checks the parts of a file's pictures one by one."""

    def __init__(self, reader: Reader, findings: Findings) -> None:
        self._reader = reader
        self._findings = findings
        self._budget = Budget(reader.size)
        self._checks: dict[int, Callable[[int, int, int, Picture], bool]] = {
            1: self._plain,
            5: self._lzw,
            7: self._jpeg,
            8: self._deflate,
            32946: self._deflate,
            32773: self._packbits,
        }

    def check(self, number: int, start: int, size: int, picture: Picture) -> None:
        """Check part ``number``, which lies whole in the file."""
        check = self._checks.get(picture.compression)
        if (
            check
            and self._budget.spend(size, 0)
            and not check(start, start + size, picture.expected(number), picture)
        ):
            why = say("the pixels of the TIFF image at byte {offset} are damaged", offset=start)
            self._findings.fault(start, start + size, why)

    def _plain(self, start: int, end: int, expected: int, _: Picture) -> bool:
        return end - start >= expected

    def _lzw(self, start: int, end: int, expected: int, _: Picture) -> bool:
        from unransom.catalog.formats._lzw import LzwCheck, Outcome  # noqa: PLC0415  numba is slow to import

        if self._reader.read_at(start, 2) == b"\0\1":
            return True  # an old variant with the bits in the other order
        check = LzwCheck(8, chained=False, high_first=True)
        for piece in chunks(self._reader, start, end):
            if check.feed(piece) is Outcome.BAD:
                return False
        self._findings.hold((end - start) // 32 + 8)
        return check.produced >= expected

    def _deflate(self, start: int, end: int, expected: int, _: Picture) -> bool:
        expansion = inflate(self._reader, start, end, self._budget, window_bits=ZLIB)
        if expansion.end is End.WHOLE:
            self._findings.hold(32)
        return expansion.end is End.CAPPED or (expansion.end is End.WHOLE and expansion.length >= expected)

    def _packbits(self, start: int, end: int, expected: int, _: Picture) -> bool:
        if end - start > PART_CAP:
            return True
        length, last = unpacked_length(self._reader.read_at(start, end - start))
        self._findings.hold(8)
        return (length == expected or not expected) and last <= end - start

    def _jpeg(self, start: int, end: int, _: int, picture: Picture) -> bool:
        tables = Tables()
        JpegImage(BytesReader(picture.tables), 0, decode=False, tables=tables).walk()
        image = JpegImage(Window(self._reader, start, end - start), 0, decode=True, tables=tables)
        sound = image.walk()
        self._findings.hold(image.bits)
        return sound
