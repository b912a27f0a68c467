"""gzip: one or more members of deflate data, each with CRC-32 and length."""

from __future__ import annotations

import zlib

import msgspec

from unransom.catalog.formats._deflate import Budget, End, Expansion, broken_from, inflate
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"\x1f\x8b\x08"
HEADER = 10
FOOTER = 8
HEADER_CRC, EXTRA, NAME, COMMENT = 2, 4, 8, 16
UNUSED_FLAGS = 0xE0
SYSTEMS = frozenset(range(14)) | {255}
PROOF = 1 << 12  # random bytes do not decode for so long
NAME_CAP = 1 << 16


class _Member(msgspec.Struct):
    """One member: where it ends, and what is wrong with it."""

    end: int
    expansion: Expansion
    agrees: bool


def recognise(head: bytes) -> int:
    """Return the bits of the header that hold: magic, method, unused flags, system."""
    if len(head) < HEADER or not head.startswith(MAGIC) or head[3] & UNUSED_FLAGS:
        return 0
    return 24 + 3 + 4 if head[9] in SYSTEMS else 0


def _header_size(reader: Reader, start: int) -> int | None:
    """Return the size of the member header at ``start``; None where there is none that holds."""
    fixed = reader.read_at(start, HEADER)
    if not recognise(fixed):
        return None
    flags = fixed[3]
    position = start + HEADER
    if flags & EXTRA:
        position += 2 + int.from_bytes(reader.read_at(position, 2), "little")
    for flag in (NAME, COMMENT):
        if flags & flag:
            position = find(reader, b"\0", position, position + NAME_CAP) + 1
            if position == 0:
                return None
    if flags & HEADER_CRC:
        crc = zlib.crc32(reader.read_at(start, position - start)) & 0xFFFF
        if crc != int.from_bytes(reader.read_at(position, 2), "little"):
            return None
        position += 2
    return position - start if position < reader.size else None


def _member(reader: Reader, start: int, budget: Budget) -> _Member | None:
    """Inflate the member at ``start``; None where there is no header."""
    header = _header_size(reader, start)
    if header is None:
        return None
    expansion = inflate(reader, start + header, reader.size, budget)
    if expansion.end is not End.WHOLE:
        return _Member(reader.size, expansion, False)
    footer = reader.read_at(expansion.position, FOOTER)
    expected = expansion.crc.to_bytes(4, "little") + (expansion.length & 0xFFFFFFFF).to_bytes(4, "little")
    return _Member(expansion.position + FOOTER, expansion, footer == expected)


def measure(reader: Reader) -> Measure:
    """Inflate member after member; the file ends behind the last that holds."""
    cached = Cached(reader)
    budget = Budget(reader.size)
    end = 0
    while (member := _member(cached, end, budget)) is not None and member.agrees:
        end = member.end
    if end == 0:
        return Measure(None, say("the gzip stream does not end with its checksum"))
    return Measure(end, say("the gzip stream ends with its checksum"))


def validate(reader: Reader) -> Validation:
    """Inflate every member; check CRC-32 and length."""
    cached = Cached(reader)
    findings = Findings(reader.size)
    budget = Budget(reader.size)
    members = end = 0
    while (member := _member(cached, end, budget)) is not None:
        members += 1
        start, end = end, member.end
        if member.expansion.end is End.CAPPED:
            return findings.verdict(say("the gzip stream inflates as far as it was followed"))
        if member.agrees:
            findings.hold(24 + 32 + 32)
        else:
            _blame(member, start, findings)
    if not members:
        return bad(say("no gzip header"), reader.size)
    check_trailer(cached, end, findings)
    return findings.verdict(say("{count} gzip members have the right CRC-32 and length", count=members), end)


def _blame(member: _Member, start: int, findings: Findings) -> None:
    """Record what is wrong with a member that starts at ``start``."""
    expansion = member.expansion
    if expansion.position - start > PROOF:
        findings.hold(64)
    if expansion.end is End.WHOLE:
        findings.fault(start, member.end, say("the gzip stream's CRC-32 or length is wrong"))
    elif expansion.end is End.CUT:
        findings.fault(expansion.position, expansion.position, say("the gzip stream is cut off"))
    else:
        why = say("the gzip stream does not inflate at byte {offset}", offset=expansion.position)
        findings.fault(broken_from(expansion, start), member.end, why)


FORMAT = Format(
    name="gzip",
    title="gzip",
    extensions=("gz", "tgz", "svgz", "dia", "emz", "rds"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC),),
    compressed=True,
    references=("RFC 1952", "RFC 1951"),
    limitations=(
        "A member in which decoding fails hides all that follow it.",
        "At most 64 times the file's size plus 256 MiB is inflated; the rest of a bomb stays unchecked.",
    ),
)
