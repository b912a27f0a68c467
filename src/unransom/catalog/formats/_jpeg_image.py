"""One JPEG image, walked from marker to marker; also inside TIFF and AVI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from unransom.catalog.formats import _jpeg_markers as markers
from unransom.catalog.formats._jpeg_markers import GrammarError, Scan, Tables
from unransom.core.messages import Message, say
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader, chunks

if TYPE_CHECKING:
    from unransom.catalog.formats._jpeg_scan import History, ScanDecoder

SEGMENTS_CAP = 1 << 16
FILL_CAP = 1 << 12  # fill bytes before a marker
UNITS_CAP = 1 << 27  # units decoded in all scans: a few bytes may stand for millions of empty ones
STRAY = 64  # bytes between the last unit of a scan and the next marker: some writers pad
MARGIN = 512  # damaged data decodes to nonsense for about this long before it fails
BLOCK = 4096
PIECE = 1 << 18

SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# What stands neither in entropy-coded data nor between scans.
VIOLATION = re.compile(rb"\xff[\x01-\xbf\xc0-\xc3\xc5-\xcf\xd8\xdc\xde-\xfd]")


class _BrokenError(Exception):
    """The image does not hold from ``position`` on."""

    def __init__(self, position: int, why: Message) -> None:
        super().__init__(str(why))
        self.position = position
        self.why = why


class JpegImage:
    """The image that starts at an offset of a reader.

    Attributes:
        end: Offset behind what was walked; of a sound image behind its end marker.
        bits: How many bits of it are as they must be.
        first: What is wrong with it, None for a sound image.
        broken: Offset where that showed.
        more: It says that further images follow it.
        scans: Scans that held.
    """

    def __init__(self, reader: Reader, start: int, *, decode: bool, tables: Tables | None = None) -> None:
        self._reader = reader
        self._start = start
        self._decode = decode
        self._tables = tables or Tables()
        self._history: History | None = None
        self._units = UNITS_CAP
        self.end = start
        self.bits = 0
        self.first: Message | None = None
        self.broken = start
        self.more = False
        self.scans = 0

    def walk(self) -> bool:
        """Walk to the end marker; return whether everything up to it holds."""
        try:
            self._segments()
        except _BrokenError as error:
            self.first, self.broken = error.why, error.position
        return self.first is None

    def damage(self) -> list[Span]:
        """Return what is damaged from the fault on, as far as marker grammar tells, in blocks."""
        size = self._reader.size
        if self.broken >= size:
            return []
        start = max(self._start, self.broken - MARGIN)
        bad = sorted(self._violated(start))
        if not bad:
            return [Span(start, size)]
        return [Span(start, min(self.broken + 1, size))] + [
            Span(max(start, block * BLOCK), min((block + 1) * BLOCK, size)) for block in bad
        ]

    def _violated(self, start: int) -> set[int]:
        """Return the numbers of the blocks from ``start`` on that hold what no entropy-coded data holds."""
        blocks: set[int] = set()
        position, last = start, b""
        for piece in chunks(self._reader, start, step=CHUNK):
            data = last + piece
            blocks.update((position + found.start()) // BLOCK for found in VIOLATION.finditer(data))
            position += len(data) - 1
            last = data[-1:]
        return blocks

    def _segments(self) -> None:
        if self._reader.read_at(self._start, 2) != b"\xff\xd8":
            raise _BrokenError(self._start, say("no JPEG image starts at byte {offset}", offset=self._start))
        self.end, self.bits = self._start + 2, 16
        for _ in range(SEGMENTS_CAP):
            marker, position = self._marker(self.end)
            self.end = position
            if marker == markers.EOI:
                return
            if marker != markers.TEM and not 0xD0 <= marker <= 0xD7:
                self._segment(marker, position)
        raise _BrokenError(self.end, say("the JPEG image has more segments than any real one"))

    def _marker(self, position: int) -> tuple[int, int]:
        """Return the marker at ``position``, or behind fill bytes there, and the offset behind it."""
        data = self._reader.read_at(position, 2)
        if data == b"\xff\xff":
            rest = self._reader.read_at(position, FILL_CAP)
            data = b"\xff" + rest.lstrip(b"\xff")[:1]
            position += len(rest) - len(rest.lstrip(b"\xff")) - 1
        if len(data) < 2:
            raise _BrokenError(self._reader.size, say("the JPEG image ends without its end marker"))
        if data[0] != 0xFF or (data[1] not in markers.KNOWN and data[1] not in markers.ALONE):
            raise _BrokenError(
                position, say("byte {offset} of the JPEG image holds no marker", offset=position)
            )
        return data[1], position + 2

    def _segment(self, marker: int, position: int) -> None:
        """Take in the segment whose length field stands at ``position``."""
        length = int.from_bytes(self._reader.read_at(position, 2))
        payload = self._reader.read_at(position + 2, length - 2) if length > 2 else b""
        if length < 2 or len(payload) < length - 2:
            broken = self._reader.size if length >= 2 else position
            raise _BrokenError(
                broken, say("a segment of the JPEG image at byte {offset} is cut off", offset=position)
            )
        try:
            self.bits += 8 + self._tables.take(marker, payload)
            scan = self._tables.scan(payload) if marker == markers.SOS else None
        except GrammarError as error:
            raise _BrokenError(position, error.why) from error
        self.end = position + length
        self.more = self.more or payload.startswith(b"MPF\0")
        if scan:
            self._scan(scan)

    def _scan(self, scan: Scan) -> None:
        """Step over the entropy-coded data behind a scan header, decoding it where that is wanted."""
        start = position = self.end
        if self._decode:
            position = self._decoded(scan, start)
        end = self._scan_end(position)
        if end is None:
            raise _BrokenError(self._reader.size, say("the JPEG image ends without its end marker"))
        decoded = position > start
        if decoded and end - position > STRAY:
            raise _BrokenError(position, say("the image data of the JPEG image goes on behind its last unit"))
        self.bits += 8 + (end - start) // (128 if decoded else 184)
        self.end = end
        self.scans += 1

    def _scan_end(self, position: int) -> int | None:
        """Return where the marker stands that ends the entropy-coded data at ``position``."""
        last = b""
        for piece in chunks(self._reader, position, step=PIECE):
            data = last + piece
            if found := SCAN_END.search(data):
                return position + found.start()
            position += len(data) - 1
            last = data[-1:]
        return None

    def _decoder(self, scan: Scan) -> ScanDecoder | None:
        """Return what decodes a scan; None where it cannot be decoded, or too much was decoded before."""
        from unransom.catalog.formats import _jpeg_scan as scans  # noqa: PLC0415  numba is slow to import

        frame = self._tables.frame
        if frame is None or not scans.decodable(self._tables, scan):
            return None
        self._history = self._history or scans.History(frame)
        decoder = scans.ScanDecoder(self._tables, scan, self._history)
        self._units -= decoder.units
        return decoder if self._history.serves(scan) and self._units >= 0 else None

    def _decoded(self, scan: Scan, start: int) -> int:
        """Decode a scan; return where its data ends, ``start`` where it cannot be decoded.

        Raises:
            _BrokenError: It is not valid.
        """
        from unransom.catalog.formats import _jpeg_scan as scans  # noqa: PLC0415  numba is slow to import

        decoder = self._decoder(scan)
        if decoder is None:
            return start
        outcome = scans.Outcome.MORE
        for piece in chunks(self._reader, start, step=PIECE):
            outcome = decoder.feed(piece)
            if outcome is not scans.Outcome.MORE:
                break
        else:
            outcome = decoder.feed(b"", final=True)
        position = start + decoder.consumed
        if outcome is scans.Outcome.DONE:
            return position
        self.bits += decoder.consumed // 128
        if outcome is scans.Outcome.OVERRUN and position + 1 >= self._reader.size:
            why = say(
                "the image data of the JPEG image ends after {done} of {units} units",
                done=decoder.done,
                units=decoder.units,
            )
            raise _BrokenError(self._reader.size, why)
        raise _BrokenError(
            position,
            say("the image data of the JPEG image does not decode at byte {offset}", offset=position),
        )
