"""RTF documents: groups in braces, the outermost of which is the document."""

from __future__ import annotations

import re

import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import note_text, scan_text
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, Window, chunks

MAGIC = b"{\\rtf"
NEXT = re.compile(rb"\{\\rtf1?[\\ \r\n{]")
ESCAPED = re.compile(rb"\\[\\{}]")
GROUP_BITS = 2
ENDINGS = (b"\r\n\0", b"\r\n", b"\n", b"")  # what writers put behind the last brace


def recognise(head: bytes) -> int:
    """Return the bits of the signature."""
    return 44 if NEXT.match(head) else 0  # behind five bytes one of many


def _end(reader: Reader) -> tuple[int | None, int]:
    """Return the end of the outermost group, None where it is not closed, and how many groups there are."""
    depth = groups = start = 0
    carried = b""
    for piece in chunks(reader):
        data = ESCAPED.sub(b"  ", carried + piece)
        carried = b"\\" if data.endswith(b"\\") else b""
        values = np.frombuffer(data, np.uint8, len(data) - len(carried))
        places = np.flatnonzero((values == 0x7B) | (values == 0x7D))
        depths = depth + np.cumsum(np.where(values[places] == 0x7B, 1, -1))
        ends = np.flatnonzero(depths <= 0)
        if len(ends):
            return start + int(places[ends[0]]) + 1, groups + int(ends[0] // 2) + 1
        depth = int(depths[-1]) if len(depths) else depth
        groups += len(places) // 2
        start += len(values)
    return None, groups


def measure(reader: Reader) -> Measure:
    """Find the brace that closes the outermost group; a line's end or a zero behind it belongs to it."""
    if not recognise(reader.read_at(0, 8)):
        return Measure(None, say("this is no RTF document"))
    end, _ = _end(reader)
    if end is None:
        return Measure(None, say("the outermost group of the RTF document is not closed"))
    behind = reader.read_at(end, 3)
    added = next(each for each in ENDINGS if behind.startswith(each))
    others = (end,) if added else ()
    return Measure(end + len(added), say("the outermost group ends there"), others)


def validate(reader: Reader) -> Validation:
    """Check that all groups are closed, and that the document is text."""
    if not recognise(reader.read_at(0, 8)):
        return bad(say("this is no RTF document"), reader.size)
    findings = Findings(reader.size)
    end, groups = _end(reader)
    scan = scan_text(Window(reader, 0, end or reader.size))
    if scan is not None:
        note_text(scan, Window(reader, 0, end or reader.size), findings)
    findings.hold(48 + GROUP_BITS * groups)
    if end is None:
        why = say("the outermost group of the RTF document is not closed")
        findings.fault(reader.size - 1, reader.size, why)
    else:
        check_trailer(reader, end, findings)
    length = measure(reader).length
    return findings.verdict(say("{count} groups of the RTF document are closed", count=groups), length)


FORMAT = Format(
    name="rtf",
    title="Rich text document",
    extensions=("rtf",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC),),
    references=("Rich Text Format (RTF) Specification, version 1.9.1",),
    limitations=(
        "Words inside of groups are not checked.",
        "Documents with bytes as they are (\\bin) may seem cut off.",
    ),
)
