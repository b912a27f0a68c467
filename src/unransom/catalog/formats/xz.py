"""xz: streams of LZMA2 blocks with a checksum each, and an index of the blocks."""

from __future__ import annotations

import lzma
import zlib

import msgspec

from unransom.catalog.formats._deflate import STEP, Budget, End, Expansion, expand
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import BytesReader, Reader

MAGIC = b"\xfd7zXZ\0"
FOOTER_MAGIC = b"YZ"
HEADER = FOOTER = 12
MEMORY = 1 << 29  # the largest preset takes 65 MiB
INDEX_CAP = 1 << 24
BLOCK_BITS = 32  # the weakest checksum in use


class _Block(msgspec.Struct, frozen=True):
    """A block by the index: where it is, and bytes that it decompresses to."""

    start: int
    end: int
    length: int


def recognise(head: bytes) -> int:
    """Return the bits of the stream header that hold, which has a CRC-32 of its own."""
    if len(head) < HEADER or not head.startswith(MAGIC) or head[6] or head[7] > 15:
        return 0
    return 48 + 12 + 32 if zlib.crc32(head[6:8]) == int.from_bytes(head[8:12], "little") else 0


def _stream(reader: Reader, start: int, budget: Budget) -> Expansion | None:
    """Decompress the stream at ``start``; None where there is none."""
    if not recognise(reader.read_at(start, HEADER)):
        return None
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    return expand(decoder, reader, start, reader.size, budget)


def _behind_padding(reader: Reader, position: int) -> int:
    """Return where the next stream may start: zeros in fours may stand between streams."""
    start = position
    while reader.read_at(position, 4) == bytes(4) and position - start < STEP:
        position += 4
    return position


def measure(reader: Reader) -> Measure:
    """Decompress stream after stream; the file ends behind the last that holds."""
    budget = Budget(reader.size)
    position = end = 0
    while (stream := _stream(reader, position, budget)) is not None and stream.end is End.WHOLE:
        end = stream.position
        position = _behind_padding(reader, end)
    if end == 0:
        return Measure(None, say("the xz stream does not reach its end"))
    return Measure(end, say("the xz stream ends with its index and footer"))


def validate(reader: Reader) -> Validation:
    """Decompress every stream, which checks headers, blocks and index against their checksums."""
    findings = Findings(reader.size)
    budget = Budget(reader.size)
    streams = position = end = 0
    while (stream := _stream(reader, position, budget)) is not None:
        streams += 1
        if stream.end is End.CAPPED:
            return findings.verdict(say("the xz stream decompresses as far as it was followed"))
        if stream.end is not End.WHOLE:
            findings.hold(92)
            _blame(reader, position, stream, budget, findings)
            return findings.verdict(say("no xz header"))
        # Header, footer, index and at least one block have checksums.
        findings.hold(92 + 80 + 32 + (BLOCK_BITS if stream.length else 0))
        end = stream.position
        position = _behind_padding(reader, end)
    if not streams:
        return bad(say("no xz header"), reader.size)
    check_trailer(reader, end, findings)
    return findings.verdict(say("{count} xz streams have the right checksums", count=streams), end)


def _blame(reader: Reader, start: int, stream: Expansion, budget: Budget, findings: Findings) -> None:
    """Find the damaged blocks by the index, where that is whole; else blame from the failure on."""
    blocks = _index(reader, start)
    if blocks is None:
        if stream.end is End.CUT:
            findings.fault(reader.size, reader.size, say("the xz stream is cut off"))
        else:
            why = say("the xz stream does not decompress near byte {offset}", offset=stream.position)
            findings.fault(max(start, stream.position - STEP), reader.size, why)
        return
    findings.hold(80 + 32)
    header = reader.read_at(start, HEADER)
    for number, block in enumerate(blocks):
        if budget.exceeded:
            return
        if _block_holds(reader, header, block, budget):
            findings.hold(BLOCK_BITS)
        else:
            why = say("block {number} of the xz stream is damaged", number=number)
            findings.fault(block.start, block.end, why)
    if findings.clean:
        findings.fault(start, start + HEADER, say("the xz stream's blocks hold, but not what joins them"))


def _block_holds(reader: Reader, header: bytes, block: _Block, budget: Budget) -> bool:
    """Return whether a block decompresses: behind a stream header it needs nothing of the other blocks."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    expand(decoder, BytesReader(header), 0, HEADER, budget)
    result = expand(decoder, reader, block.start, block.end, budget, block.length)
    return result.end is End.CUT and result.length == block.length


def _index(reader: Reader, start: int) -> list[_Block] | None:
    """Return the blocks that the index at the reader's end lists; None where it does not hold.

    Only for a stream that reaches from ``start`` to the end.
    """
    end = reader.size - FOOTER
    footer = reader.read_at(end, FOOTER)
    if len(footer) < FOOTER or footer[10:] != FOOTER_MAGIC:
        return None
    if zlib.crc32(footer[4:10]) != int.from_bytes(footer[:4], "little"):
        return None
    size = (int.from_bytes(footer[4:8], "little") + 1) * 4
    index_start = end - size
    data = reader.read_at(index_start, size) if size <= INDEX_CAP and index_start > start else b"\1"
    if data[0] or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    return _read_index(data, start + HEADER, index_start)


def _read_index(data: bytes, position: int, end: int) -> list[_Block] | None:
    """Parse the index; the blocks must fill the space from ``position`` to ``end``."""
    count, at = _number(data, 1)
    blocks = []
    for _ in range(min(count, len(data) // 2)):
        size, at = _number(data, at)
        length, at = _number(data, at)
        blocks.append(_Block(position, position + size, length))
        position += size + -size % 4
    return blocks if position == end and len(blocks) == count else None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, seven bits a byte, and where the next starts."""
    value = 0
    for shift in range(0, 63, 7):
        byte = data[at] if at < len(data) else 0
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            break
    return value, at


FORMAT = Format(
    name="xz",
    title="xz",
    extensions=("xz", "txz"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(0, MAGIC + b"\0\4\xe6\xd6\xb4F", 0.9), Known(-2, FOOTER_MAGIC)),
    compressed=True,
    references=("The .xz File Format 1.2.1, https://xz.tukaani.org/xz-file-format.txt",),
    limitations=(
        "Damage in a stream of one block is located by where decoding fails.",
        "Streams that need more than 512 MiB of memory do not decompress here.",
    ),
)
