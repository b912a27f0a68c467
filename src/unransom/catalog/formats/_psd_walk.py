"""The walk over the sections of a PSD file, and the channels of its layers."""

from __future__ import annotations

import struct

import msgspec
import numpy as np

from unransom.catalog.formats._deflate import ZLIB, Budget, End, inflate
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._packbits import unpacked_length
from unransom.catalog.formats._uniform import check_samples
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

RAW, RUNS, ZIP, ZIP_PREDICTED = range(4)
SIGNATURES = {b"8BIM", b"8B64", b"MeSa", b"AgHg", b"PHUT", b"DCSR"}
LONG_KEYS = frozenset(b"LMsk Lr16 Lr32 Layr Mt16 Mt32 Mtrn Alph FMsk lnk2 FEid FXid PxSD".split())
LAYERS_CAP = 1 << 14
ROWS_CAP = 1 << 24  # bytes of row sizes read at once


class Header(msgspec.Struct, frozen=True):
    """The header of a file: whether it is a large one (PSB), channels, size in pixels, bits per sample."""

    large: bool
    channels: int
    height: int
    width: int
    depth: int

    @property
    def word(self) -> int:
        """Bytes of a long size."""
        return 8 if self.large else 4


class _Channel(msgspec.Struct, frozen=True):
    """A channel of a layer: rows and columns, and how many bytes it has."""

    rows: int
    columns: int
    size: int


def header_of(head: bytes) -> Header | None:
    """Return the header that a file begins with; None where it is none."""
    if len(head) < 26:
        return None
    magic, version, zeros, channels, height, width, depth, mode = struct.unpack_from(">4sH6sHIIHH", head)
    legal = (
        magic == b"8BPS" and version in {1, 2} and zeros == bytes(6) and depth in {1, 8, 16, 32} and mode <= 9
    )
    if not legal or not 1 <= channels <= 56 or not 0 < height <= 300_000 or not 0 < width <= 300_000:
        return None
    return Header(version == 2, channels, height, width, depth)


class PsdWalk:
    """The walk over a file.

    Attributes:
        end: Offset behind the merged picture, or what was walked.
    """

    def __init__(self, reader: Reader, header: Header) -> None:
        self._reader = reader
        self._header = header
        self._budget = Budget(reader.size)
        self._decode = True
        self.findings = Findings(reader.size)
        self.end = 26

    def run(self, *, decode: bool) -> None:
        """Walk the sections, following the data of channels where ``decode`` says so."""
        self._decode = decode
        colours = self._section(4)
        resources = self._section(4)
        layers = self._section(self._header.word)
        if colours is None or resources is None or layers is None:
            return
        self._resources(*resources)
        self._layers(*layers)
        self._merged()

    def _number(self, position: int, size: int) -> int:
        return int.from_bytes(self._reader.read_at(position, size))

    def _fault(self, start: int, end: int, why: Message) -> None:
        self.findings.fault(min(start, self._reader.size), min(end, self._reader.size), why)

    def _section(self, word: int) -> tuple[int, int] | None:
        """Step over a section that begins with its size; return where its content begins and ends."""
        start = self.end + word
        end = start + self._number(self.end, word)
        if end > self._reader.size:
            self._fault(self._reader.size, end, say("the PSD picture is cut off"))
            return None
        self.findings.hold(8)
        self.end = end
        return start, end

    def _resources(self, start: int, end: int) -> None:
        """Walk the image resources: signature, number, name, size, data."""
        while start + 12 <= end:
            head = self._reader.read_at(start, 7)
            name = head[6] + 1 + (head[6] + 1) % 2
            size = self._number(start + 6 + name, 4)
            following = start + 10 + name + size + size % 2
            if head[:4] not in SIGNATURES or following > end + 1:
                why = say("the image resource at byte {offset} of the PSD picture is damaged", offset=start)
                self._fault(start, end, why)
                return
            self.findings.hold(32)
            start = following

    def _layers(self, start: int, end: int) -> None:
        """Walk the layers and the additional information behind them."""
        word = self._header.word
        if end - start < word:
            return
        info = start + word + self._number(start, word)
        if info > end:
            why = say("the layers of the PSD picture are damaged at byte {offset}", offset=start)
            self._fault(start, end, why)
            return
        if info - start > word + 2:
            self._layer_info(start + word, info)
        mask = info + 4 + self._number(info, 4) if info + 4 <= end else end
        self._additional(mask, end)

    def _layer_info(self, start: int, end: int) -> None:
        """Walk the records of the layers, then the data of their channels."""
        count = abs(struct.unpack(">h", self._reader.read_at(start, 2))[0])
        position = start + 2
        channels: list[_Channel] = []
        for _ in range(min(count, LAYERS_CAP)):
            following = self._record(position, end, channels)
            if following is None:
                why = say("the layers of the PSD picture are damaged at byte {offset}", offset=position)
                self._fault(position, end, why)
                return
            position = following
        for channel in channels:
            if position + channel.size > end:
                why = say("the layers of the PSD picture are damaged at byte {offset}", offset=position)
                self._fault(position, end, why)
                return
            if self._decode and channel.size > 2:
                self._channel(position, channel)
            position += channel.size

    def _record(self, start: int, end: int, channels: list[_Channel]) -> int | None:
        """Take in the record of a layer; return where it ends, None where it does not hold."""
        head = self._reader.read_at(start, 18)
        if len(head) < 18:
            return None
        top, left, bottom, right, count = struct.unpack(">iiiiH", head)
        step = 2 + self._header.word
        behind = start + 18 + count * step
        tail = self._reader.read_at(behind, 16)
        if count > 56 + 3 or behind + 16 > end or tail[:4] not in SIGNATURES:
            return None
        rows, columns = max(bottom - top, 0), max(right - left, 0)
        for at in range(start + 18, behind, step):
            known = (
                struct.unpack(">h", self._reader.read_at(at, 2))[0] >= -1
            )  # masks have a size of their own
            size = self._number(at + 2, step - 2)
            channels.append(_Channel(rows if known else 0, columns, size))
        self.findings.hold(32)
        following = behind + 16 + int.from_bytes(tail[12:16])
        return following if following <= end else None

    def _channel(self, start: int, channel: _Channel) -> None:
        """Check the data of a layer's channel, which begins with its compression."""
        compression, end = self._number(start, 2), start + channel.size
        sound = compression <= ZIP_PREDICTED
        if compression == RUNS and channel.rows:
            sound = self._runs(start + 2, channel.rows, channel.columns) == end
        elif compression in {ZIP, ZIP_PREDICTED}:
            sound = self._zipped(start + 2, end)
        elif compression == RAW:
            self._plain(start + 2, end)
        if not sound:
            why = say("a channel of a layer of the PSD picture is damaged at byte {offset}", offset=start)
            self._fault(start, end, why)

    def _plain(self, start: int, end: int) -> None:
        why = say("uncompressed pixels of the PSD picture look encrypted")
        check_samples(self._reader, start, end, self.findings, why)

    def _zipped(self, start: int, end: int) -> bool:
        expansion = inflate(self._reader, start, end, self._budget, window_bits=ZLIB)
        if expansion.end is End.WHOLE:
            self.findings.hold(32)
        return expansion.end in {End.WHOLE, End.CAPPED}

    def _runs(self, start: int, rows: int, columns: int) -> int:
        """Return where run-length coded rows end; 0 where one does not give what it must."""
        width = 4 if self._header.large else 2
        sizes_at, bytes_wide = start, -(-columns * self._header.depth // 8)
        position = start + rows * width
        if position > self._reader.size:
            return position
        step = ROWS_CAP // width
        for first in range(0, rows, step):
            count = min(step, rows - first)
            data = self._reader.read_at(sizes_at + first * width, count * width)
            sizes = np.frombuffer(data, f">u{width}").astype(np.int64)
            following = position + int(sizes.sum())
            if following > self._reader.size or (
                self._decode and not self._rows(position, sizes, bytes_wide)
            ):
                return following if following > self._reader.size else 0
            position = following
        return position

    def _rows(self, position: int, sizes: np.ndarray, expected: int) -> bool:
        """Return whether the rows of the given sizes each give ``expected`` bytes."""
        if len(sizes) and int(sizes.max()) > 2 * expected + 2:  # single bytes, each with its count
            return False
        for size in sizes.tolist():
            data = self._reader.read_at(position, size)
            length, last = unpacked_length(data)
            if length != expected or last > len(data):
                return False
            position += size
        self.findings.hold(min(8 * len(sizes), 2048))
        return True

    def _additional(self, start: int, end: int) -> None:
        """Walk the blocks of additional information."""
        while start + 12 <= end:
            head = self._reader.read_at(start, 20)
            if head[:4] not in SIGNATURES:
                if head.strip(b"\0"):
                    why = say("the layers of the PSD picture are damaged at byte {offset}", offset=start)
                    self._fault(start, end, why)
                return
            self.findings.hold(32)
            word = 8 if self._header.large and head[4:8] in LONG_KEYS else 4
            size = int.from_bytes(head[8 : 8 + word])
            start += 8 + word + size + -size % 4

    def _merged(self) -> None:
        """Check the merged picture, the last section."""
        header, start = self._header, self.end + 2
        compression = self._number(self.end, 2)
        if start > self._reader.size or compression > ZIP_PREDICTED:
            self._fault(self.end, self._reader.size, say("the merged picture of the PSD file is damaged"))
        elif compression == RAW:
            self.end = start + header.channels * header.height * -(-header.width * header.depth // 8)
            if self._decode:
                self._plain(start, min(self.end, self._reader.size))
        elif compression == RUNS:
            end = self._runs(start, header.channels * header.height, header.width)
            if not end:
                self._fault(start, self._reader.size, say("the merged picture of the PSD file is damaged"))
            self.end = end or self._reader.size
        elif self._zipped(start, self._reader.size):
            self.end = self._reader.size
        if self.end > self._reader.size:
            self._fault(self._reader.size, self.end, say("the PSD picture is cut off"))
