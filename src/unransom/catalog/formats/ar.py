"""ar archives: libraries (.a) and Debian packages, whose members are looked into."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats import bzip2, gzip, xz, zstd
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader, Window

MAGIC = b"!<arch>\n"
THIN = b"!<thin>\n"  # members' data lie in other files
HEADER = 60
HEADER_BITS = 16 + 60  # the end mark, and digits and blanks in their places
INSIDE = {b".gz": gzip.FORMAT, b".xz": xz.FORMAT, b".bz2": bzip2.FORMAT, b".zst": zstd.FORMAT}

_HEADER = re.compile(rb".{16}[0-9 ]{12}[0-9 -]{6}[0-9 -]{6}[0-7 ]{8}([0-9]{1,10}) {0,9}`\n", re.DOTALL)


class Member(msgspec.Struct):
    """A member: its name as in the header, and where its data is."""

    name: bytes
    start: int
    size: int


def recognise(head: bytes) -> int:
    """Return the bits of the magic and the first header that hold."""
    if not head.startswith((MAGIC, THIN)):
        return 0
    if len(head) == len(MAGIC):
        return 64
    return 64 + HEADER_BITS if _HEADER.match(head, len(MAGIC)) else 0


def members(reader: Reader) -> Iterator[Member]:
    """Yield the members whose headers hold, up to the first that does not."""
    thin = reader.read_at(0, len(MAGIC)) == THIN
    position = len(MAGIC)
    while found := _HEADER.fullmatch(reader.read_at(position, HEADER)):
        member = Member(found[0][:16].rstrip(b" /"), position + HEADER, int(found[1]))
        yield member
        stored = 0 if thin and member.name else member.size
        position = member.start + stored + stored % 2


def _end(reader: Reader, last: Member | None) -> int:
    if last is None:
        return len(MAGIC)
    thin = reader.read_at(0, len(MAGIC)) == THIN
    end = last.start + (0 if thin and last.name else last.size)
    return end + 1 if end % 2 and reader.read_at(end, 1) == b"\n" else end


def measure(reader: Reader) -> Measure:
    """Go from header to header; the archive ends behind the last one that holds."""
    cached = Cached(reader)
    if not recognise(cached.read_at(0, 128)):
        return Measure(None, say("no ar header"))
    last = None
    for member in members(cached):
        last = member
    end = _end(cached, last)
    if end > reader.size:
        return Measure(None, say("the last member of the ar archive is cut off"))
    return Measure(end, say("the last member of the ar archive"))


def validate(reader: Reader) -> Validation:
    """Check every header, and the members that are compressed by their own format."""
    cached = Cached(reader)
    magic = cached.read_at(0, len(MAGIC))
    if magic not in {MAGIC, THIN}:
        return bad(say("no ar header"), reader.size)
    findings = Findings(reader.size)
    findings.hold(64)
    count, last = 0, None
    for member in members(cached):
        count, last = count + 1, member
        findings.hold(HEADER_BITS)
        _look_inside(reader, member, findings)
    end = _end(cached, last)
    if end > reader.size:
        findings.fault(reader.size, reader.size, say("the last member of the ar archive is cut off"))
    elif reader.size - end >= HEADER:
        why = say("there is no header of the ar archive at byte {offset}", offset=end)
        findings.fault(end, reader.size, why)
    else:
        check_trailer(cached, end, findings)
    return findings.verdict(say("the headers of {count} members hold", count=count), end)


def _look_inside(reader: Reader, member: Member, findings: Findings) -> None:
    """Validate a member that is compressed."""
    inside = next((form for end, form in INSIDE.items() if member.name.endswith(end)), None)
    if inside is None or member.start + member.size > reader.size:
        return
    verdict = inside.validate(Window(reader, member.start, member.size))
    if verdict.grade is Grade.GOOD:
        findings.hold(verdict.bits)
        return
    name = member.name.decode("ascii", "replace")
    for span in verdict.damage:
        findings.fault(
            member.start + span.start, member.start + span.end, say("member {name} is damaged", name=name)
        )
    findings.fault(member.start, member.start, say("member {name} is damaged", name=name))


FORMAT = Format(
    name="ar",
    title="ar archive: Debian package or library",
    extensions=("deb", "a", "udeb", "lib"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(0, MAGIC + b"debian-binary   ", 0.3)),
    references=("deb(5)", "https://en.wikipedia.org/wiki/Ar_(Unix)"),
    limitations=("Members that are not compressed are not checked.",),
)
