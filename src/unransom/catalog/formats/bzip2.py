"""bzip2: one or more streams of blocks, each with a CRC-32."""

from __future__ import annotations

import bz2

from unransom.catalog.formats._deflate import STEP, Budget, End, Expansion, expand
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

BLOCK_MARK = bytes.fromhex("314159265359")
END_MARK = bytes.fromhex("177245385090")
HEADER = 10
BLOCK = 900_000  # bytes of text in the largest block


def recognise(head: bytes) -> int:
    """Return the bits of the stream header and the first block's mark that hold."""
    if head[:3] != b"BZh" or head[3:4] not in b"123456789" or head[4:HEADER] not in {BLOCK_MARK, END_MARK}:
        return 0
    return 24 + 4 + 48


def _stream(reader: Reader, start: int, budget: Budget) -> Expansion | None:
    """Decompress the stream at ``start``; None where there is none."""
    if not recognise(reader.read_at(start, HEADER)):
        return None
    return expand(bz2.BZ2Decompressor(), reader, start, reader.size, budget)


def measure(reader: Reader) -> Measure:
    """Decompress stream after stream; the file ends behind the last that holds."""
    budget = Budget(reader.size)
    end = 0
    while (stream := _stream(reader, end, budget)) is not None and stream.end is End.WHOLE:
        end = stream.position
    if end == 0:
        return Measure(None, say("the bzip2 stream does not reach its end"))
    return Measure(end, say("the bzip2 stream ends with its checksum"))


def validate(reader: Reader) -> Validation:
    """Decompress every stream, which checks the CRC-32 of each block and of the stream."""
    findings = Findings(reader.size)
    budget = Budget(reader.size)
    streams = end = 0
    while (stream := _stream(reader, end, budget)) is not None:
        streams += 1
        start, end = end, stream.position
        if stream.end is End.WHOLE:
            findings.hold(76 + 32 * -(-stream.length // BLOCK))
            continue
        if stream.end is End.CAPPED:
            return findings.verdict(say("the bzip2 stream decompresses as far as it was followed"))
        findings.hold(76 + 32 * (stream.length // BLOCK))
        if stream.end is End.CUT:
            findings.fault(reader.size, reader.size, say("the bzip2 stream is cut off"))
        else:
            why = say("the bzip2 stream does not decompress near byte {offset}", offset=stream.position)
            findings.fault(max(start, stream.position - BLOCK), min(stream.position + STEP, reader.size), why)
        return findings.verdict(say("no bzip2 header"))
    if not streams:
        return bad(say("no bzip2 header"), reader.size)
    check_trailer(reader, end, findings)
    return findings.verdict(say("{count} bzip2 streams have the right checksums", count=streams), end)


FORMAT = Format(
    name="bzip2",
    title="bzip2",
    extensions=("bz2", "tbz2", "tbz"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"BZh91AY&SY", 0.98),),
    compressed=True,
    references=("https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf",),
    limitations=(
        "Blocks behind a damaged one are not checked.",
        "At most 64 times the file's size plus 256 MiB is decompressed.",
    ),
)
