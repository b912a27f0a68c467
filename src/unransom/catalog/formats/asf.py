"""ASF films and sounds (WMV, WMA): objects with identifiers and sizes; the header says how long all is."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats._chain import Link, follow
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
OBJECT = 24  # bytes of an object's identifier and size
IN_HEADER, BEFORE_PACKETS = 30, 50  # bytes before the first object of the header, and before the first packet
LONGEST_HEADER = 1 << 24
OBJECT_BITS = 48  # a size that leads to the next object
CORRECTION = 0x82  # what packets begin with, and two zeros


class Facts(NamedTuple):
    """What the properties of a file say.

    Attributes:
        identifier: Of the file.
        size: Its bytes.
        packets: How many it has.
        packet: Bytes of each, 0 where they differ.
    """

    identifier: bytes
    size: int
    packets: int
    packet: int


def recognise(head: bytes) -> int:
    """Return the bits of the header object's identifier and its reserved bytes."""
    return 144 if len(head) >= IN_HEADER and head.startswith(HEADER) and head[28:30] == b"\1\2" else 0


def object_at(reader: Reader, offset: int) -> Link | None:
    """Return the object at ``offset``, None where there is none."""
    head = reader.read_at(offset, OBJECT)
    if len(head) < OBJECT or not any(head[:16]):
        return None
    size = int.from_bytes(head[16:], "little")
    return Link(offset + size, OBJECT_BITS) if OBJECT <= size < 1 << 60 else None


def _facts(reader: Reader) -> tuple[Facts | None, int]:
    """Return what the header says, and where it ends; 0 where that is nowhere."""
    end = int.from_bytes(reader.read_at(16, 8), "little")
    if not IN_HEADER < end <= min(LONGEST_HEADER, reader.size):
        return None, 0
    data, at = reader.read_at(0, end), IN_HEADER
    while at + OBJECT <= end:
        size = int.from_bytes(data[at + 16 : at + OBJECT], "little")
        if size < OBJECT or at + size > end:
            return None, 0
        if data.startswith(PROPERTIES, at) and size >= 104:
            stated, packets = struct.unpack_from("<Q8xQ", data, at + 40)
            least, most = struct.unpack_from("<II", data, at + 92)
            identifier = data[at + OBJECT : at + 40]
            return Facts(identifier, stated, packets, least if least == most else 0), end
        at += size
    return None, end


def measure(reader: Reader) -> Measure:
    """Take the size in the header where the objects end there."""
    if not recognise(reader.read_at(0, IN_HEADER)):
        return Measure(None, say("this is no ASF file"))
    facts, end = _facts(reader)
    if facts is None or not end:
        return Measure(None, say("the header of the ASF file is damaged"))
    at = end
    cached = Cached(reader)
    while at < facts.size and (link := object_at(cached, at)) is not None and link.end <= facts.size:
        at = link.end
    if at != facts.size or at > reader.size:
        return Measure(None, say("the objects of the ASF file do not end where its header says"))
    return Measure(at, say("the objects of the ASF file end where its header says"))


def validate(reader: Reader) -> Validation:
    """Check the objects of the header, those behind it, and the beginnings of all packets."""
    bits = recognise(reader.read_at(0, IN_HEADER))
    if not bits:
        return bad(say("this is no ASF file"), reader.size)
    findings = Findings(reader.size)
    findings.hold(bits)
    facts, end = _facts(reader)
    if facts is None or not end:
        findings.fault(16, reader.size, say("the header of the ASF file is damaged"))
        return findings.verdict(say("the header of the ASF file is damaged"))
    data = reader.read_at(end, BEFORE_PACKETS)
    if data[:16] == DATA and data[OBJECT:40] == facts.identifier:
        findings.hold(256)
        _check_packets(reader, end + BEFORE_PACKETS, facts, findings)
    else:
        findings.fault(end, end + BEFORE_PACKETS, say("no media data follow the header of the ASF file"))
    chain = follow(reader, end, object_at, findings)
    if chain.end < facts.size:
        why = say("the objects of the ASF file do not end where its header says")
        findings.fault(chain.end, min(facts.size, reader.size), why)
    check_trailer(reader, min(facts.size, reader.size), findings)
    why = say("the objects of the ASF file end where its header says")
    return findings.verdict(why, facts.size)


def _check_packets(reader: Reader, start: int, facts: Facts, findings: Findings) -> None:
    """Look at the first bytes of every packet, where all begin alike."""
    size = facts.packet
    if not OBJECT <= size <= CHUNK or reader.read_at(start, 3) != bytes([CORRECTION, 0, 0]):
        return
    end = min(start + facts.packets * size, reader.size)
    step = CHUNK // size * size
    for base in range(start, end, step):
        data = reader.read_at(base, min(step, end - base))
        rows = np.frombuffer(data, np.uint8, len(data) // size * size).reshape(-1, size)
        held = (rows[:, 0] == CORRECTION) & ~rows[:, 1:3].any(1)
        findings.hold(int(held.sum()) * 24)
        for index in np.flatnonzero(~held).tolist():
            why = say("the packet of the ASF file at byte {offset} is damaged", offset=base + index * size)
            findings.fault(base + index * size, base + (index + 1) * size, why)


FORMAT = Format(
    name="asf",
    title="Windows Media film or sound",
    extensions=("wmv", "wma", "asf"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, HEADER), Known(28, b"\1\2")),
    compressed=True,
    references=("Advanced Systems Format (ASF) Specification, revision 01.20.05",),
    limitations=("Sound and pictures inside of packets are not decoded.",),
)
