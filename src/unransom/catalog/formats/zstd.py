"""Zstandard: frames of blocks, walked without decompressing them."""

from __future__ import annotations

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x2a\x4d\x18"  # behind a byte 0x50 to 0x5f
LARGEST = 128 << 10  # bytes of a block
RAW, RLE, COMPRESSED, RESERVED = range(4)
BLOCK_BITS = 4  # three in 64 random block headers have a legal type and size
COMPRESSED_BITS = 6  # more for a compressed block whose sections fit


class _Frame(msgspec.Struct):
    """A frame: where it ends, its blocks, bits that held and the first fault, if any, at ``fault_at``."""

    end: int
    blocks: int = 0
    bits: int = 0
    fault: Message | None = None
    fault_at: int = 0


def recognise(head: bytes) -> int:
    """Return the bits of the frame header that hold."""
    if head.startswith(MAGIC) and len(head) > 6:
        return 32 + 1 if not head[4] & 8 else 0
    return 28 if head[1:4] == SKIPPABLE and head[0] & 0xF0 == 0x50 else 0


def _header_size(descriptor: int) -> int:
    """Return the size of a frame header with this descriptor byte, the magic included."""
    single = descriptor >> 5 & 1
    content = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    return 5 + (1 - single) + dictionary + content


def _frame(reader: Reader, start: int) -> _Frame | None:
    """Walk the frame at ``start``; None where there is none."""
    head = reader.read_at(start, 16)
    bits = recognise(head)
    if not bits:
        return None
    if not head.startswith(MAGIC):
        return _Frame(start + 8 + int.from_bytes(head[4:8], "little"), 0, bits)
    frame = _Frame(start + _header_size(head[4]), 0, bits)
    last = False
    while not last and frame.fault is None:
        last = _block(reader, frame)
    if last and head[4] & 4:
        frame.end += 4  # XXH64 of the content
    return frame


def _block(reader: Reader, frame: _Frame) -> bool:
    """Take the block at the frame's end; return whether it is the last one."""
    start = frame.end
    header = reader.read_at(start, 3)
    if len(header) < 3:
        frame.fault, frame.fault_at = say("the Zstandard frame is cut off"), start
        return False
    value = int.from_bytes(header, "little")
    kind, size = value >> 1 & 3, value >> 3
    stored = 1 if kind == RLE else size
    if kind == RESERVED or size > LARGEST:
        why = say("there is no block of the Zstandard frame at byte {offset}", offset=start)
        frame.fault, frame.fault_at = why, start
        return False
    frame.end += 3 + stored
    frame.blocks += 1
    frame.bits += BLOCK_BITS
    if frame.end > reader.size:
        frame.fault, frame.fault_at = say("the Zstandard frame is cut off"), reader.size
    elif kind == COMPRESSED:
        if _sections_fit(reader.read_at(start + 3, min(size, 32)), reader.read_at(frame.end - 1, 1), size):
            frame.bits += COMPRESSED_BITS
        else:
            why = say("the block of the Zstandard frame at byte {offset} is damaged", offset=start)
            frame.fault, frame.fault_at = why, start
    return bool(value & 1)


def _sections_fit(head: bytes, last: bytes, size: int) -> bool:
    """Return whether the literals of a compressed block fit into it, and its bit stream has an end mark."""
    if size < 2 or not last:
        return False
    kind, form = head[0] & 3, head[0] >> 2 & 3
    if kind < 2:  # literals as they are, or one repeated
        width = (1, 2, 1, 3)[form]
        literals = int.from_bytes(head[:width], "little") >> (3 if width == 1 else 4)
        used = width + (literals if kind == 0 else 1)
        return literals <= LARGEST and used < size
    width = (3, 3, 4, 5)[form]
    bits = (10, 10, 14, 18)[form]
    value = int.from_bytes(head[:width], "little") >> 4
    literals, packed = value & (1 << bits) - 1, value >> bits
    # Sequences follow, if only their number 0; otherwise their bit stream ends with a mark.
    return (
        literals <= LARGEST
        and width + packed < size
        and packed <= literals + 256
        and bool(last[0] or width + packed + 1 == size)
    )


def measure(reader: Reader) -> Measure:
    """Walk frame after frame; the file ends behind the last whole one."""
    cached = Cached(reader)
    end = 0
    while (frame := _frame(cached, end)) is not None and frame.fault is None and frame.end <= reader.size:
        end = frame.end
    if end == 0:
        return Measure(None, say("the Zstandard frame does not reach its end"))
    return Measure(end, say("the last block of the Zstandard frame"))


def validate(reader: Reader) -> Validation:
    """Walk the blocks of every frame and check that their sections fit."""
    cached = Cached(reader)
    findings = Findings(reader.size)
    frames = blocks = end = 0
    while (frame := _frame(cached, end)) is not None:
        frames += 1
        blocks += frame.blocks
        findings.hold(frame.bits)
        end = frame.end
        if frame.fault is not None:
            findings.fault(frame.fault_at, reader.size, frame.fault)
            return findings.verdict(frame.fault)
    if not frames:
        return bad(say("no Zstandard header"), reader.size)
    if end > reader.size:
        findings.fault(reader.size, reader.size, say("the Zstandard frame is cut off"))
    check_trailer(cached, end, findings)
    whole = say(
        "{frames} Zstandard frames of {blocks} blocks hold, not decompressed", frames=frames, blocks=blocks
    )
    return findings.verdict(whole, min(end, reader.size))


FORMAT = Format(
    name="zstd",
    title="Zstandard",
    extensions=("zst", "tzst"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC),),
    compressed=True,
    references=("RFC 8878",),
    limitations=(
        "Blocks, of up to 128 KiB, are not decompressed: damage inside one is not noticed.",
        "The XXH64 of the content is not checked.",
    ),
)
