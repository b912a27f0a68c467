"""RIFF, the chunks of AVI, WAV and WebP: identifiers, sizes that must fit, and padding to even offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import say
from unransom.core.streams import Reader

NAME = re.compile(rb"[ -~]{4}")
SLACK = 8  # some writers count their own header in
ENDLESS = 0x7FFFF000  # sizes from here on, and 0, are of files that were written as a stream


class Chunk(msgspec.Struct, frozen=True):
    """A chunk: its name, the list type of a ``RIFF`` or ``LIST`` else "", and where its data lies."""

    name: bytes
    form: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Offset behind its data and the padding."""
        return self.start + self.size + self.size % 2


def recognise_form(head: bytes, form: bytes, first: tuple[bytes, ...]) -> int:
    """Return the bits of a RIFF header of type ``form`` that hold, with the name of its first chunk."""
    if len(head) < 20 or head[:4] not in {b"RIFF", b"RF64"} or head[8:12] != form or head[12:16] not in first:
        return 0
    return 32 + 32 + 24


def riff_end(reader: Reader, position: int = 0) -> int:
    """Return where the RIFF chunk at ``position`` ends by its header; the reader's end where that is open."""
    head = reader.read_at(position, 8)
    size = int.from_bytes(head[4:], "little")
    if not size or size >= ENDLESS:
        return reader.size
    return position + 8 + size + size % 2


def chunk_at(reader: Reader, position: int) -> Chunk | None:
    """Return the chunk at ``position``, None where there is none."""
    head = reader.read_at(position, 12)
    if len(head) < 8 or not NAME.fullmatch(head[:4]):
        return None
    size = int.from_bytes(head[4:8], "little")
    form = head[8:12] if head[:4] in {b"LIST", b"RIFF"} and size >= 4 else b""
    return Chunk(head[:4], form, position + 8, size)


def chunks_between(
    reader: Reader, start: int, end: int, findings: Findings, endless: bytes = b""
) -> Iterator[Chunk]:
    """Yield the chunks from ``start`` to ``end``; record a fault where their chain breaks.

    A chunk named ``endless`` takes all the rest where its writer did not know its size.
    """
    end = min(end, reader.size)
    while start + 8 <= end:
        chunk = chunk_at(reader, start)
        if chunk is None:
            why = say("no RIFF chunk is at byte {offset}", offset=start)
            findings.fault(start, end, why)
            return
        if chunk.name == endless and (not chunk.size or chunk.size >= ENDLESS):
            chunk = Chunk(chunk.name, chunk.form, chunk.start, end - chunk.start)
        if chunk.start + chunk.size > end + SLACK:
            why = say("the RIFF chunk at byte {offset} goes on behind the end", offset=start)
            # Where it is the file that ends, it is cut off; else the size is wrong.
            findings.fault(end if end == reader.size else start, end, why)
            return
        findings.hold(12)
        yield chunk
        start = chunk.end


def check_extent(reader: Reader, end: int, findings: Findings) -> None:
    """Record a fault where the file ends well before ``end``, the RIFF chunk's own."""
    if end > reader.size + SLACK:
        why = say("the file ends {count} bytes before its RIFF header says", count=end - reader.size)
        findings.fault(reader.size, reader.size, why)
