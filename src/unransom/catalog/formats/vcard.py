"""Contacts and calendars (vCard, iCalendar): objects from BEGIN to END, with others inside of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import note_text, scan_text
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, Window, chunks

OBJECT = rb"(?:\xef\xbb\xbf)?BEGIN:(VCARD|VCALENDAR|VNOTE|VMSG)[ \t]*\r?\n"
START = re.compile(OBJECT + rb"[A-Za-z][A-Za-z0-9.-]*[;:]", re.IGNORECASE)
LINE = re.compile(
    rb"^(?:\xef\xbb\xbf)?(BEGIN|END):([A-Za-z0-9-]{1,64})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
LINE_END = re.compile(rb"[ \t]*\r?\n?")
BLANKS = b" \t\r\n"
DEEPEST = 16  # objects in each other
OBJECT_BITS = 16
LONGEST_LINE = 1 << 26  # bytes: a photo on one line


class _Objects(NamedTuple):
    """What was read of a file: the end of its last whole object, how many there are, and what breaks it."""

    end: int
    closed: int
    broken: int | None


def recognise(head: bytes) -> int:
    """Return the bits of the first line and of the name of the first property."""
    return 80 if START.match(head) else 0


def _objects(reader: Reader) -> _Objects:
    """Go from object to object, until something else follows or an object is not closed."""
    open_names: list[bytes] = []
    end = count = base = 0
    carried = b""
    for piece in chunks(reader):
        data = carried + piece
        last = base + len(data) >= reader.size
        zero = data.find(b"\0")
        stop = zero if zero >= 0 else len(data) if last else data.rfind(b"\n") + 1
        for line in LINE.finditer(data, 0, stop):
            if not open_names and data[max(end - base, 0) : line.start()].strip(BLANKS):
                return _Objects(end, count, None)
            if not _takes(open_names, line[1].upper(), line[2].upper()):
                return _Objects(end, count, base + line.start() if open_names else None)
            if not open_names:
                behind = LINE_END.match(data, line.end())
                end, count = base + (behind.end() if behind else line.end()), count + 1
        if zero >= 0 or last or (not open_names and data[max(end - base, 0) : stop].strip(BLANKS)):
            return _Objects(end, count, base + stop if open_names else None)
        carried, base = data[stop:], base + stop
        if len(carried) > LONGEST_LINE:
            break
    return _Objects(end, count, base if open_names else None)


def _takes(open_names: list[bytes], word: bytes, name: bytes) -> bool:
    """Open or close an object; return whether that may be here."""
    if word == b"BEGIN":
        open_names.append(name)
        return len(open_names) <= DEEPEST
    return bool(open_names) and open_names.pop() == name


def measure(reader: Reader) -> Measure:
    """Find the end of the last object in a row."""
    if not recognise(reader.read_at(0, HEAD)):
        return Measure(None, say("neither contacts nor a calendar begin here"))
    objects = _objects(reader)
    if not objects.closed or objects.broken is not None:
        return Measure(None, say("a contact or a calendar is not closed"))
    return Measure(objects.end, say("the last contact or calendar is closed there"))


def validate(reader: Reader) -> Validation:
    """Check that every object is closed by its own name, and that all of it is text."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("neither contacts nor a calendar begin here"), reader.size)
    findings = Findings(reader.size)
    objects = _objects(reader)
    whole = Window(reader, 0, reader.size if objects.broken is not None else objects.end)
    scan = scan_text(whole)
    if scan is not None:
        note_text(scan, whole, findings)
    findings.hold(48 + OBJECT_BITS * objects.closed)
    if objects.broken is not None:
        at = min(objects.broken, reader.size - 1)
        findings.fault(at, reader.size, say("a contact or a calendar is not closed"))
    else:
        check_trailer(reader, objects.end, findings)
    return findings.verdict(
        say("{count} contacts or calendars are closed", count=objects.closed), objects.end or None
    )


FORMAT = Format(
    name="vcard",
    title="Contacts or calendar (vCard, iCalendar)",
    extensions=("vcf", "vcard", "ics", "ical", "ifb", "vcs"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"BEGIN:VC", 0.98),),
    references=("RFC 6350", "RFC 5545", "RFC 2426"),
    limitations=("Properties inside of objects are not checked.",),
)
