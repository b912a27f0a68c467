"""MPEG program streams (MPEG-1 and MPEG-2, VOB): packs of packets, each with a start code and its length."""

from __future__ import annotations

from unransom.catalog.formats._chain import Chain, Link, follow
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

CODE = b"\0\0\1"
PACK, END, SYSTEM = 0xBA, 0xB9, 0xBB
PACK_BITS, PACKET_BITS = 40, 24


def recognise(head: bytes) -> int:
    """Return the bits of the first pack's header and of the start code behind it."""
    size = _pack_size(head)
    following = head[size : size + 4]
    return PACK_BITS + 25 if size and following[:3] == CODE and following[3:] >= bytes([SYSTEM]) else 0


def _pack_size(head: bytes) -> int:
    """Return the bytes of the pack header that ``head`` begins with, 0 where its marker bits are wrong."""
    if len(head) < 14 or head[:4] != CODE + bytes([PACK]):
        return 0
    if head[4] >> 6 == 1:  # MPEG-2
        marked = head[4] & 4 and head[6] & 4 and head[8] & 4 and head[9] & 1 and head[12] & 3 == 3
        return 14 + (head[13] & 7) if marked and head[13] >> 3 == 31 else 0
    odd = all(head[at] & 1 for at in (4, 6, 8, 11))
    return 12 if odd and head[4] >> 4 == 2 and head[9] & 0x80 else 0


def packet_at(reader: Reader, offset: int) -> Link | None:
    """Return the pack header, packet or end code at ``offset``, None where there is none."""
    head = reader.read_at(offset, 14)
    if head[:3] != CODE or len(head) < 4:
        return None
    if head[3] == END:
        return Link(offset + 4, PACKET_BITS, reader.read_at(offset + 4, 4) != CODE + bytes([PACK]))
    if head[3] == PACK:
        size = _pack_size(head)
        return Link(offset + size, PACK_BITS) if size else None
    if head[3] < SYSTEM or len(head) < 6:
        return None
    return Link(offset + 6 + int.from_bytes(head[4:6]), PACKET_BITS)


def measure(reader: Reader) -> Measure:
    """Go from packet to packet, to the end code where there is one."""
    if not recognise(reader.read_at(0, 64)):
        return Measure(None, say("this is no MPEG program stream"))
    chain = follow(reader, 0, packet_at, Findings(reader.size))
    return Measure(chain.end or None, _told(chain))


def validate(reader: Reader) -> Validation:
    """Check that every packet follows the one before."""
    bits = recognise(reader.read_at(0, 64))
    if not bits:
        return bad(say("this is no MPEG program stream"), reader.size)
    findings = Findings(reader.size)
    chain = follow(reader, 0, packet_at, findings, CODE)
    check_trailer(reader, chain.end, findings)
    return findings.verdict(_told(chain), chain.end)


def _told(chain: Chain) -> Message:
    return say("{count} packets of the MPEG stream follow each other", count=chain.parts)


FORMAT = Format(
    name="mpeg",
    title="MPEG film (program stream)",
    extensions=("mpg", "mpeg", "vob", "m2p", "mod"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, CODE + bytes([PACK])),),
    compressed=True,
    references=("ISO/IEC 11172-1", "ISO/IEC 13818-1, section 2.5"),
    limitations=(
        "Sound and pictures inside of packets are not decoded.",
        "Without an end code, a film that is cut off between two packets looks whole.",
    ),
)
