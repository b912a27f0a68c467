"""FLV films: tags, behind each of which its size stands again."""

from __future__ import annotations

from unransom.catalog.formats._chain import Chain, Link, follow
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"FLV\1"
FIRST = 13  # bytes before the first tag: the header, and the size of no tag
HEAD, AGAIN = 11, 4  # bytes of a tag before its data, and of its size behind them
SOUND, PICTURE, SCRIPT = 8, 9, 18
TAG_BITS = 5 + 24 + 32  # type, stream number and the size that stands again
FIXED_BITS = 32 + 6 + 32 + 32


def recognise(head: bytes) -> int:
    """Return the bits of the header."""
    fixed = head[:4] == MAGIC and len(head) >= FIRST and not head[4] & ~5
    return FIXED_BITS if fixed and head[5:FIRST] == b"\0\0\0\x09\0\0\0\0" else 0


def tag_at(reader: Reader, offset: int) -> Link | None:
    """Return the tag at ``offset``, None where there is none."""
    head = reader.read_at(offset, HEAD)
    if len(head) < HEAD or head[0] & 0x1F not in {SOUND, PICTURE, SCRIPT} or any(head[8:]):
        return None
    size = HEAD + int.from_bytes(head[1:4])
    end = offset + size + AGAIN
    if end > reader.size:
        return Link(end, TAG_BITS)
    again = int.from_bytes(reader.read_at(offset + size, AGAIN))
    return Link(end, TAG_BITS) if again == size else None


def _walk(reader: Reader, findings: Findings, mark: bytes = b"") -> Chain:
    return follow(reader, FIRST, tag_at, findings, mark)


def measure(reader: Reader) -> Measure:
    """Go from tag to tag."""
    chain = _walk(reader, Findings(reader.size)) if recognise(reader.read_at(0, FIRST)) else Chain(0)
    return Measure(chain.end if chain.parts else None, say("by the chain of {count} tags", count=chain.parts))


def validate(reader: Reader) -> Validation:
    """Check every tag against the size that follows it."""
    bits = recognise(reader.read_at(0, FIRST))
    if not bits:
        return bad(say("this is no FLV film"), reader.size)
    findings = Findings(reader.size)
    findings.hold(bits)
    chain = _walk(reader, findings, b"\0\0\0")
    check_trailer(reader, chain.end, findings)
    if not chain.parts:
        findings.fault(FIRST, reader.size, say("the FLV film has no tag"))
    return findings.verdict(say("{count} tags have the sizes that follow them", count=chain.parts), chain.end)


FORMAT = Format(
    name="flv",
    title="FLV film",
    extensions=("flv",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(5, b"\0\0\0\x09\0\0\0\0")),
    compressed=True,
    references=("Adobe Flash Video File Format Specification 10.1, Annex E",),
    limitations=(
        "Sound and pictures inside of tags are not decoded.",
        "A film that is cut off between two tags looks whole.",
    ),
)
