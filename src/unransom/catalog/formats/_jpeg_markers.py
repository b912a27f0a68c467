"""The marker segments of JPEG: which there are, and what the tables and headers in them must be."""

from __future__ import annotations

import struct
from itertools import accumulate

import msgspec

from unransom.core.messages import Message, say

SOI, EOI, SOS, DQT, DHT, DRI, DNL, DAC, COM, TEM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xCC, 0xFE, 0x01
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
ALONE = frozenset({EOI, TEM, *range(0xD0, 0xD8)})  # markers without a segment
KNOWN = FRAMES | {DHT, DAC, SOS, DQT, DRI, DNL, COM, 0xDE, 0xDF} | set(range(0xE0, 0xFE))


class GrammarError(Exception):
    """A segment is not as the standard demands; the message is for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


class Component(msgspec.Struct, frozen=True):
    """A colour plane: its identifier, sampling factors and quantisation table."""

    id: int
    wide: int
    high: int
    quantiser: int


class Frame(msgspec.Struct, frozen=True):
    """A frame header (SOF): the marker that it came with, bits per sample, and the planes."""

    marker: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]


class Scan(msgspec.Struct, frozen=True):
    """A scan header (SOS).

    Attributes:
        planes: Index in the frame, DC table and AC table of each component.
        first, last: Band of coefficients in zigzag order.
        high_bit, low_bit: Successive approximation.
    """

    planes: tuple[tuple[int, int, int], ...]
    first: int
    last: int
    high_bit: int
    low_bit: int


class Huffman(msgspec.Struct, frozen=True):
    """A Huffman table: how many codes there are of each length from 1 to 16, and their symbols."""

    counts: tuple[int, ...]
    symbols: bytes


class Tables:
    """What the segments of an image have defined so far.

    Attributes:
        quantisers: By identifier, 64 steps in zigzag order.
        huffman: By class (0 DC, 1 AC) and identifier.
        interval: Units between restart markers, 0 for none.
        frame: The frame header, None before it.
    """

    def __init__(self) -> None:
        self.quantisers: dict[int, tuple[int, ...]] = {}
        self.huffman: dict[tuple[int, int], Huffman] = {}
        self.interval = 0
        self.frame: Frame | None = None

    def take(self, marker: int, payload: bytes) -> int:
        """Take in a segment; return how many bits of it are as they must be.

        Raises:
            GrammarError: It contradicts the standard or what came before.
        """
        if marker == DQT:
            return self._take_quantisers(payload)
        if marker == DHT:
            return self._take_huffman(payload)
        if marker == DRI:
            if len(payload) != 2:
                raise GrammarError(say("the restart interval of the JPEG image has a wrong length"))
            self.interval = int.from_bytes(payload)
            return 16
        if marker in FRAMES:
            return self._take_frame(marker, payload)
        return 0

    def _take_quantisers(self, payload: bytes) -> int:
        position = 0
        while position < len(payload):
            wide, number = payload[position] >> 4, payload[position] & 15
            size = 128 if wide else 64
            body = payload[position + 1 : position + 1 + size]
            if wide > 1 or number > 3 or len(body) < size:
                raise GrammarError(say("a quantisation table of the JPEG image is malformed"))
            steps = struct.unpack(">64H", body) if wide else tuple(body)
            if 0 in steps:
                raise GrammarError(say("a quantisation table of the JPEG image has a step of zero"))
            self.quantisers[number] = steps
            position += 1 + size
        return 8

    def _take_huffman(self, payload: bytes) -> int:
        position = bits = 0
        while position < len(payload):
            kind, number = payload[position] >> 4, payload[position] & 15
            counts = tuple(payload[position + 1 : position + 17])
            symbols = payload[position + 17 : position + 17 + sum(counts)]
            if kind > 1 or number > 3 or len(counts) < 16 or len(symbols) < sum(counts) or len(symbols) > 256:
                raise GrammarError(say("a Huffman table of the JPEG image is malformed"))
            space = list(accumulate(counts, lambda left, count: 2 * left - count, initial=1))
            if min(space) < 0 or (kind == 0 and max(symbols, default=0) > 16):
                raise GrammarError(say("a Huffman table of the JPEG image has impossible codes"))
            self.huffman[kind, number] = Huffman(counts, symbols)
            position += 17 + len(symbols)
            bits += 24
        return bits

    def _take_frame(self, marker: int, payload: bytes) -> int:
        if self.frame or len(payload) < 9 or len(payload) != 6 + 3 * payload[5]:
            raise GrammarError(say("the frame header of the JPEG image is malformed or comes twice"))
        precision, height, width, _ = struct.unpack_from(">BHHB", payload)
        components = tuple(
            Component(payload[at], payload[at + 1] >> 4, payload[at + 1] & 15, payload[at + 2])
            for at in range(6, len(payload), 3)
        )
        sampled = all(
            0 < each.wide <= 4 and 0 < each.high <= 4 and each.quantiser <= 3 for each in components
        )
        if not sampled or not width or not 2 <= precision <= 16:
            raise GrammarError(say("the frame header of the JPEG image has impossible values"))
        self.frame = Frame(marker, precision, height, width, components)
        return 24 + 6 * len(components)

    def scan(self, payload: bytes) -> Scan:
        """Return the scan that a SOS segment announces.

        Raises:
            GrammarError: It does not fit the frame.
        """
        count = payload[0] if payload else 0
        if self.frame is None or not 1 <= count <= 4 or len(payload) != 4 + 2 * count:
            raise GrammarError(say("a scan header of the JPEG image is malformed"))
        order = {each.id: index for index, each in enumerate(self.frame.components)}
        planes = []
        for at in range(1, 1 + 2 * count, 2):
            identifier, tables = payload[at], payload[at + 1]
            if identifier not in order or tables >> 4 > 3 or tables & 15 > 3:
                raise GrammarError(say("a scan of the JPEG image names a component that does not exist"))
            planes.append((order[identifier], tables >> 4, tables & 15))
        first, last, approximation = payload[-3:]
        if self.frame.marker in {BASELINE, EXTENDED}:
            first, last, approximation = 0, 63, 0  # decoders do not look at them: some writers leave zeros
        if first > last or last > 63 or (first and count > 1):
            raise GrammarError(say("a scan of the JPEG image has an impossible band of coefficients"))
        return Scan(tuple(planes), first, last, approximation >> 4, approximation & 15)
