"""Android's compiled classes: an Adler-32 and a SHA-1 over the whole file."""

from __future__ import annotations

import hashlib
import struct
import zlib

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks

SUMMED, HASHED = 12, 32  # where the Adler-32 and the SHA-1 begin to count


def recognise(head: bytes) -> int:
    """Return the bits of the signature, the size of the header and the byte order."""
    fixed = len(head) >= 112 and head[:4] == b"dex\n" and head[4:7].isdigit() and head[7] == 0
    return 128 if fixed and struct.unpack_from("<II", head, 36) == (112, 0x12345678) else 0


def measure(reader: Reader) -> Measure:
    """Return the size in the header."""
    head = reader.read_at(0, 112)
    size = struct.unpack_from("<I", head, 32)[0] if recognise(head) else 0
    return Measure(size if 112 <= size <= reader.size else None, say("by the size in the header"))


def validate(reader: Reader) -> Validation:
    """Check both sums."""
    head = reader.read_at(0, 112)
    if not recognise(head):
        return bad(say("no compiled classes of Android"), reader.size)
    findings = Findings(reader.size)
    findings.hold(128)
    adler, size = struct.unpack_from("<I20xI", head, 8)
    if not 112 <= size <= reader.size:
        findings.fault(reader.size, reader.size, say("the classes are cut off"))
        return findings.verdict(say("both sums fit"), size)
    check_trailer(reader, size, findings)
    total = zlib.adler32(head[SUMMED:HASHED])
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in chunks(reader, HASHED, size):
        total = zlib.adler32(piece, total)
        digest.update(piece)
    if total == adler or digest.digest() == head[SUMMED:HASHED]:  # optimisers renew only one of them
        findings.hold(32)
    else:
        findings.fault(0, size, say("neither the Adler-32 nor the SHA-1 of the classes fits"))
    return findings.verdict(say("both sums fit"), size)


FORMAT = Format(
    name="dex",
    title="Compiled classes of Android",
    extensions=("dex",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"dex\n03"), Known(36, struct.pack("<II", 112, 0x12345678))),
    references=("https://source.android.com/docs/core/runtime/dex-format",),
)
