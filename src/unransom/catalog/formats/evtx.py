"""Windows event logs: the file header's, the chunks' and the events' CRC-32."""

from __future__ import annotations

import struct
import zlib

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC, CHUNK_MAGIC, RECORD = b"ElfFile\0", b"ElfChnk\0", b"**\0\0"
HEADER, CHUNK = 4096, 65536  # bytes
DATA = 512  # offset of the first record in a chunk
DIRTY = 1  # flag: the log was not closed


def recognise(head: bytes) -> int:
    """Return the bits of the signature, the fixed sizes and the header's CRC-32."""
    if len(head) < 128 or not head.startswith(MAGIC):
        return 0
    size, _, major, block = struct.unpack_from("<IHHH", head, 32)
    fixed = size == 128 and major == 3 and block == HEADER
    return (96 if zlib.crc32(head[:120]) == struct.unpack_from("<I", head, 124)[0] else 64) if fixed else 0


def measure(reader: Reader) -> Measure:
    """Return the header and all chunks behind it, used ones and those of zeros that it counts."""
    head = reader.read_at(0, HEADER)
    if not recognise(head):
        return Measure(None, say("no event log header"))
    end, counted = HEADER, struct.unpack_from("<H", head, 42)[0]
    while reader.read_at(end, 8) == CHUNK_MAGIC and end + CHUNK <= reader.size:
        end += CHUNK
    end = max(end, HEADER + counted * CHUNK)
    return Measure(end if end <= reader.size else None, say("by the chunks"))


def validate(reader: Reader) -> Validation:
    """Check the header and every chunk; chunks of zeros are not yet in use."""
    head = reader.read_at(0, HEADER)
    findings = Findings(reader.size)
    dirty = False
    if bits := recognise(head):
        findings.hold(bits)
        dirty = bool(struct.unpack_from("<I", head, 120)[0] & DIRTY)
    if bits < 96 and not dirty:
        findings.fault(0, min(HEADER, reader.size), say("the header of the event log does not hold"))
    whole = (reader.size - HEADER) // CHUNK if reader.size > HEADER else 0
    for index in range(whole):
        _check_chunk(reader.read_at(HEADER + index * CHUNK, CHUNK), HEADER + index * CHUNK, dirty, findings)
    counted = struct.unpack_from("<H", head, 42)[0] if bits else 0
    if counted > whole:
        findings.fault(reader.size, reader.size, say("the event log is cut off"))
    check_trailer(reader, min(reader.size, HEADER + whole * CHUNK), findings)
    if not findings.bits:
        return bad(say("neither the header nor a chunk of an event log"), reader.size)
    return findings.verdict(say("{chunks} chunks of events hold", chunks=whole), HEADER + whole * CHUNK)


def _check_chunk(chunk: bytes, start: int, dirty: bool, findings: Findings) -> None:
    if not any(chunk):
        return
    why = say("the chunk of events at offset {offset} does not hold", offset=start)
    if not chunk.startswith(CHUNK_MAGIC):
        findings.fault(start, start + CHUNK, why)
        return
    if chunk_holds(chunk):
        findings.hold(128)
        return
    end = _records(chunk)
    if dirty and end > DATA:  # the chunk that was being written
        findings.hold(64)
    else:
        findings.fault(start, start + CHUNK, why)


def chunk_holds(chunk: bytes) -> bool:
    """Return whether the CRC-32 of a chunk's header and that of its events are right."""
    if len(chunk) < DATA or not chunk.startswith(CHUNK_MAGIC):
        return False
    free, events = struct.unpack_from("<II", chunk, 48)
    header_crc = struct.unpack_from("<I", chunk, 124)[0]
    holds = header_crc == zlib.crc32(chunk[128:DATA], zlib.crc32(chunk[:120])) and DATA <= free <= CHUNK
    return bool(holds and zlib.crc32(chunk[DATA:free]) == events)


def _records(chunk: bytes) -> int:
    """Return where the chain of sound records ends."""
    at = DATA
    while chunk[at : at + 4] == RECORD:
        size = struct.unpack_from("<I", chunk, at + 4)[0] if at + 8 <= CHUNK else 0
        if size < 28 or at + size > CHUNK or chunk[at + size - 4 : at + size] != chunk[at + 4 : at + 8]:
            break
        at += size
    return at


FORMAT = Format(
    name="evtx",
    title="Windows event log",
    extensions=("evtx",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + bytes(8)), Known(32, b"\x80\0\0\0"), Known(HEADER, CHUNK_MAGIC)),
    references=("https://github.com/libyal/libevtx/blob/main/documentation/",),
    limitations=("What lies behind the last event of a chunk may be anything.",),
)
