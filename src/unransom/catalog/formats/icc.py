"""Colour profiles: the size, the signature, the table of tags, the MD5 that newer ones carry."""

from __future__ import annotations

import hashlib
import struct

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import uniform_blocks
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks

HEADER = 128
TAGS_CAP = 1024


def recognise(head: bytes) -> int:
    """Return the bits of the signature, the sizes and the reserved bytes, which old profiles use."""
    if len(head) < 144 or head[36:40] != b"acsp":
        return 0
    size, count, first = (int.from_bytes(head[at : at + 4], "big") for at in (0, 128, 136))
    if not 0 < count <= TAGS_CAP or not 132 + 12 * count <= first < size:
        return 0
    return 64 if any(head[100:128]) else 96


def measure(reader: Reader) -> Measure:
    """Return the size in the header."""
    head = reader.read_at(0, 144)
    if not recognise(head):
        return Measure(None, say("no colour profile"))
    size = int.from_bytes(head[:4], "big")
    return Measure(size if size <= reader.size else None, say("by the size in the header"))


def validate(reader: Reader) -> Validation:
    """Check the table of tags, and the MD5 where there is one."""
    head = reader.read_at(0, 144)
    bits = recognise(head)
    if not bits:
        return bad(say("no colour profile"), reader.size)
    findings = Findings(reader.size)
    findings.hold(bits)
    size = int.from_bytes(head[:4], "big")
    if size > reader.size:
        findings.fault(reader.size, reader.size, say("the profile is cut off"))
        return findings.verdict(say("the tags of the profile hold"), size)
    check_trailer(reader, size, findings)
    count = int.from_bytes(head[128:132], "big")
    table = reader.read_at(132, min(count, TAGS_CAP) * 12)
    wrong = [
        row for row in struct.iter_unpack(">4sII", table[: len(table) // 12 * 12]) if sum(row[1:]) > size
    ]
    if wrong or len(table) < count * 12:
        findings.fault(
            132, min(132 + count * 12, reader.size), say("the tags of the profile lie outside of it")
        )
    if any(head[84:100]) and _identity(reader, head, size) == head[84:100]:
        findings.hold(128)
    else:  # some tools change a profile and leave its MD5
        for span in uniform_blocks(reader, HEADER, size):
            why = say("random bytes in the profile at offset {at}", at=span.start)
            findings.fault(span.start, span.end, why)
    return findings.verdict(say("the tags of the profile hold"), size)


def _identity(reader: Reader, head: bytes, size: int) -> bytes:
    """Return the MD5 of the profile, taken with its flags, its intent and itself as zero."""
    digest = hashlib.md5(usedforsecurity=False)
    blank = bytearray(head[:HEADER])
    for start, end in ((44, 48), (64, 68), (84, 100)):
        blank[start:end] = bytes(end - start)
    digest.update(blank)
    for piece in chunks(reader, HEADER, size):
        digest.update(piece)
    return digest.digest()


FORMAT = Format(
    name="icc",
    title="Colour profile",
    extensions=("icc", "icm"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(36, b"acsp"), Known(100, bytes(28))),
    references=("https://www.color.org/specification/ICC.1-2022-05.pdf",),
    limitations=("Without an MD5 that fits only whole random blocks of 4 KiB are noticed.",),
)
