"""OLE2 compound files: Office documents of 1997 to 2003, installers, Outlook messages, encrypted OOXML."""

from __future__ import annotations

from unransom.catalog.formats import _ole2_contents as contents
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._ole2_structure import HEADER, MAGIC, STREAM, Chained, Compound, read_header
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

WORKBOOKS = frozenset({"Workbook", "Book", "WORKBOOK", "BOOK"})
WORD, POWERPOINT, PICTURES = "WordDocument", "PowerPoint Document", "Pictures"
PROPERTIES = "\x05"  # first in the names of property sets: title, author, dates
TEXTS = ("001F", "001E")  # ends of the names of text properties in Outlook messages
POWERPOINT_ENCRYPTED = 0xF3D1C4DF


def recognise(head: bytes) -> int:
    """Return the bits of the header's fixed fields that hold."""
    return 64 + 16 + 16 + 16 + 48 if read_header(head) else 0


def measure(reader: Reader) -> Measure:
    """Return the end of the last sector in use by the allocation table."""
    cached = Cached(reader)
    header = read_header(cached.read_at(0, HEADER))
    if header is None:
        return Measure(None, say("no OLE2 header"))
    compound = Compound(cached, header, Findings(reader.size))
    if not compound.used or compound.length > reader.size + header.sector:
        return Measure(None, say("the OLE2 allocation table does not hold"))
    shorter = [
        end for end in _stream_ends(compound) if compound.length - header.sector < end < compound.length
    ]
    return Measure(
        min(compound.length, reader.size),
        say("the last sector in use by the OLE2 allocation table"),
        tuple(sorted(set(shorter))),
    )


def _stream_ends(compound: Compound) -> list[int]:
    """Return where the contents of the streams end in the file; some producers write no more."""
    streams = [compound.stream(entry) for entry in compound.entries if entry.kind == STREAM]
    return [stream.place(stream.size - 1) + 1 for stream in streams if stream is not None and stream.size]


def validate(reader: Reader) -> Validation:
    """Follow every chain, check the directory, and look into the streams of Office documents."""
    cached = Cached(reader)
    header = read_header(cached.read_at(0, HEADER))
    if header is None:
        return bad(say("no OLE2 header"), reader.size)
    findings = Findings(reader.size)
    findings.hold(recognise(reader.read_at(0, HEADER)))
    compound = Compound(cached, header, findings)
    _check_links(compound)
    streams: dict[str, Chained] = {}
    for entry in compound.entries:
        stream = compound.stream(entry)
        if stream is not None:
            streams.setdefault(entry.name, stream)
            if entry.name.startswith(PROPERTIES) or (
                entry.name.startswith("__substg") and entry.name.endswith(TEXTS)
            ):
                contents.check_uniform(stream, entry.name, findings)
    _check_contents(streams, findings)
    check_trailer(cached, compound.length, findings)
    return findings.verdict(
        say("all sector chains hold; {count} streams", count=len(streams)), min(compound.length, reader.size)
    )


def _check_links(compound: Compound) -> None:
    """Every entry that a link names must be in use."""
    numbers = {entry.number for entry in compound.entries}
    for entry in compound.entries:
        lost = [link for link in entry.links if link != 0xFFFFFFFF and link not in numbers]
        if lost:
            why = say("directory entry {number} is named but not in use", number=lost[0])
            compound.findings.fault(0, 0, why)


def _check_contents(streams: dict[str, Chained], findings: Findings) -> None:
    for name in WORKBOOKS & streams.keys():
        contents.check_workbook(streams[name], name, findings)
    if WORD in streams:
        flags = streams[WORD].read_at(11, 1)
        table = streams.get("1Table" if flags and flags[0] & 2 else "0Table")
        contents.check_word(streams[WORD], table, findings)
    if POWERPOINT in streams and not _powerpoint_is_encrypted(streams):
        contents.walk_records(streams[POWERPOINT], 8, contents.powerpoint_step, POWERPOINT, findings)
        if PICTURES in streams:
            contents.walk_records(streams[PICTURES], 8, contents.picture_step, PICTURES, findings)


def _powerpoint_is_encrypted(streams: dict[str, Chained]) -> bool:
    user = streams.get("Current User")
    return user is not None and user.read_at(12, 4) == POWERPOINT_ENCRYPTED.to_bytes(4, "little")


FORMAT = Format(
    name="ole2",
    title="Microsoft Office document of 1997 to 2003, or another OLE2 file",
    extensions=(
        "doc",
        "xls",
        "ppt",
        "msi",
        "msg",
        "dot",
        "xlt",
        "pps",
        "pot",
        "vsd",
        "pub",
        "mpp",
        "hwp",
        "wps",
        "et",
    ),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(
        Known(0, MAGIC + bytes(16)),
        Known(24, b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00" + bytes(10), 0.95),
    ),
    references=("MS-CFB", "MS-XLS", "MS-DOC", "MS-PPT"),
    limitations=(
        "The format has no checksums: contents are checked for Excel, Word and PowerPoint by their records.",
        "Pictures, embedded objects and the streams of other programs are checked by their chains only.",
        "Encrypted OOXML documents are checked by their chains only.",
    ),
)
