"""RAR archives, versions 4 and 5: headers with checksums, and data that is stored."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader, chunks

MAGIC4 = b"Rar!\x1a\x07\x00"
MAGIC5 = b"Rar!\x1a\x07\x01\x00"
HEADER_CAP = 1 << 21  # of version 5, by its specification

# Version 4
MAIN4, FILE4, SERVICE4, END4 = 0x73, 0x74, 0x7A, 0x7B
HAS_DATA = 0x8000
HEADERS_ENCRYPTED = 0x80  # of the main header
SPLIT4, PASSWORD4, COMMENT4, LARGE4 = 3, 4, 8, 0x100
OLD_KINDS = range(0x75, 0x7A)  # comments, signatures and owners of versions 1.5 to 2.9; summed in other ways
STORE4 = 0x30
_FILE4 = struct.Struct("<IIBIIBBHI")

# Version 5
FILE5, SERVICE5, ENCRYPTION5, END5 = 2, 3, 4, 5
HAS_EXTRA, HAS_DATA5, SPLIT5 = 1, 2, 0x18
HAS_TIME, HAS_CRC = 2, 4
ENCRYPTION_RECORD = 1


class Block(msgspec.Struct):
    """A header and the data behind it.

    Attributes:
        start, data, end: Of the header, of the data, and behind the data.
        bits: Strength of the header's checksum.
        crc: CRC-32 of the data where it is stored as it is, None where it is packed or encrypted.
        last: The mark of the archive's end.
        opaque: The headers behind this one are encrypted.
    """

    start: int
    data: int
    end: int
    bits: int
    crc: int | None = None
    last: bool = False
    opaque: bool = False


class _Fields:
    """Reads numbers of seven bits a byte from the front of a header; 0 behind its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def number(self) -> int:
        """Return the next number."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._data[self.at] if self.at < len(self._data) else 0
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                break
        return value

    def fixed(self) -> int:
        """Return the next number of four bytes."""
        self.at += 4
        return int.from_bytes(self._data[self.at - 4 : self.at], "little")


def recognise(head: bytes) -> int:
    """Return the bits of the magic that hold."""
    if head.startswith(MAGIC5):
        return 64
    return 56 if head.startswith(MAGIC4) else 0


def _block4(reader: Reader, start: int) -> Block | None:
    """Parse the version-4 block at ``start``; None where its checksum is wrong."""
    fixed = reader.read_at(start, 7)
    if len(fixed) < 7:
        return None
    crc, kind, flags, size = struct.unpack("<HBHH", fixed)
    header = reader.read_at(start, size)
    if size < 7 or len(header) < size or not MAIN4 <= kind <= END4:
        return None
    if crc not in _sums4(header, kind, flags) and kind not in OLD_KINDS:
        return None
    packed = int.from_bytes(header[7:11], "little") if flags & HAS_DATA or kind in {FILE4, SERVICE4} else 0
    bits = 0 if kind in OLD_KINDS else 16
    block = Block(start, start + size, start + size + packed, bits, last=kind == END4)
    block.opaque = kind == MAIN4 and bool(flags & HEADERS_ENCRYPTED)
    if kind in {FILE4, SERVICE4} and size >= 7 + _FILE4.size:
        _, _, _, data_crc, _, _, method, _, _ = _FILE4.unpack_from(header, 7)
        if flags & LARGE4:
            block.end += int.from_bytes(header[32:36], "little") << 32
        if kind == FILE4 and method == STORE4 and not flags & (SPLIT4 | PASSWORD4):
            block.crc = data_crc
    return block


def _sums4(header: bytes, kind: int, flags: int) -> set[int]:
    """Return the checksums that a version-4 header may have: old programs left comments inside out."""
    ends = {len(header)}
    if kind == MAIN4:
        ends.add(13)
    elif kind == FILE4 and flags & COMMENT4:
        ends.add(32 + int.from_bytes(header[26:28], "little"))
    return {zlib.crc32(header[2:end]) & 0xFFFF for end in ends}


def _block5(reader: Reader, start: int) -> Block | None:
    """Parse the version-5 block at ``start``; None where its checksum is wrong."""
    fixed = reader.read_at(start, 8)
    fields = _Fields(fixed[4:])
    size = fields.number()
    if len(fixed) < 7 or not size or size > HEADER_CAP or fields.at > 3:
        return None
    header = reader.read_at(start + 4, fields.at + size)
    if len(header) < fields.at + size or zlib.crc32(header) != int.from_bytes(fixed[:4], "little"):
        return None
    data = start + 4 + len(header)
    fields = _Fields(header)
    fields.number()
    kind, flags = fields.number(), fields.number()
    extra = fields.number() if flags & HAS_EXTRA else 0
    packed = fields.number() if flags & HAS_DATA5 else 0
    block = Block(start, data, data + packed, 32, last=kind == END5, opaque=kind == ENCRYPTION5)
    if kind in {FILE5, SERVICE5} and not flags & SPLIT5:
        block.crc = _stored_crc(fields, header[max(0, len(header) - extra) :] if extra else b"")
    return block


def _stored_crc(fields: _Fields, extra: bytes) -> int | None:
    """Return the CRC-32 of a version-5 file's data if that is stored and not encrypted."""
    flags = fields.number()
    fields.number()  # size
    fields.number()  # attributes
    if flags & HAS_TIME:
        fields.fixed()
    crc = fields.fixed() if flags & HAS_CRC else None
    method = fields.number() >> 7 & 7
    records = _Fields(extra)
    while records.at < len(extra):
        size = records.number()
        following = records.at + size
        if records.number() == ENCRYPTION_RECORD:
            return None
        records.at = max(following, records.at)
    return crc if method == 0 else None


def block_at(reader: Reader, start: int, *, five: bool) -> Block | None:
    """Return the block at ``start`` of an archive of version 5 or 4; None where its checksum is wrong."""
    return (_block5 if five else _block4)(reader, start)


def blocks(reader: Reader) -> Iterator[Block]:
    """Yield the blocks whose headers hold, to the end mark or the first that does not."""
    head = reader.read_at(0, len(MAGIC5))
    version5 = head == MAGIC5
    position = len(MAGIC5) if version5 else len(MAGIC4)
    while position < reader.size:
        block = block_at(reader, position, five=version5)
        if block is None:
            return
        yield block
        if block.last or block.opaque:
            return
        position = block.end


def measure(reader: Reader) -> Measure:
    """Go from header to header to the end mark."""
    end = 0
    if recognise(reader.read_at(0, 8)):
        for block in blocks(Cached(reader)):
            if block.end > reader.size or block.opaque:
                break
            end = block.end
            if block.last:
                return Measure(end, say("the RAR archive ends with its end mark"))
    why = say("no end mark of the RAR archive is found")
    return Measure(end or None, why) if end else Measure(None, why)


def validate(reader: Reader) -> Validation:
    """Check the checksum of every header, and the CRC-32 of data that is stored as it is."""
    cached = Cached(reader)
    if not recognise(cached.read_at(0, 8)):
        return bad(say("no RAR header"), reader.size)
    findings = Findings(reader.size)
    findings.hold(56)
    end, count, last = len(MAGIC4), 0, False
    for block in blocks(cached):
        count += 1
        findings.hold(block.bits)
        if block.opaque:
            why = say("the RAR archive's headers are encrypted by a password")
            return Validation(Grade.UNKNOWN, findings.bits, why)
        end, last = block.end, block.last
        if block.end > reader.size:
            findings.fault(reader.size, reader.size, say("the RAR archive is cut off"))
        elif block.crc is not None:
            _check_stored(cached, block, findings)
    if not last and end < reader.size:
        why = say("there is no header of the RAR archive at byte {offset}", offset=end)
        findings.fault(end, reader.size, why)
    elif last:
        check_trailer(cached, end, findings)
    return findings.verdict(say("the headers of {count} RAR blocks hold", count=count), min(end, reader.size))


def _check_stored(reader: Reader, block: Block, findings: Findings) -> None:
    crc = 0
    for piece in chunks(reader, block.data, block.end):
        crc = zlib.crc32(piece, crc)
    if crc == block.crc:
        findings.hold(32 if block.end > block.data else 0)
    else:
        why = say("the file stored at byte {offset} has a wrong CRC-32", offset=block.data)
        findings.fault(block.data, block.end, why)


FORMAT = Format(
    name="rar",
    title="RAR archive",
    extensions=("rar", "cbr"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"Rar!\x1a\x07"), Known(0, MAGIC5, 0.7)),
    compressed=True,
    references=("https://www.rarlab.com/technote.htm", "technote.txt of RAR 4.20"),
    limitations=(
        "Packed files are not decompressed: damage between two headers is not noticed.",
        "An archive whose headers are encrypted is checked up to its first header.",
    ),
)
