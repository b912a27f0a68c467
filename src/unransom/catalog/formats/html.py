"""HTML pages: text with tags, held to no more than what real pages keep."""

from __future__ import annotations

import re

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import note_text, scan_text, text_verdict
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.catalog.formats.xml import behind_comments, head_text
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

START = re.compile(r"<!doctype\s+html\b|<html[\s>]", re.I)
OPENED = re.compile(rb"<\0?h\0?t\0?m\0?l[\0\s>]", re.I)
CLOSED = re.compile(rb"<\0?/\0?(?:h\0?t\0?m\0?l|b\0?o\0?d\0?y)\0?\s*\0?>", re.I)
END = re.compile(rb"(?:</body\s*>\s*)?</html\s*>|</body\s*>", re.I)


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` starts a page."""
    return 56 if START.match(behind_comments(head_text(head))) else 0


def measure(reader: Reader) -> Measure:
    """Return the length up to and with the closing tag of the page, and the line end behind it."""
    position, carry = 0, b""
    while piece := reader.read_at(position, CHUNK):
        if match := END.search(carry + piece):
            end = position - len(carry) + match.end()
            tail = reader.read_at(end, 2)
            return Measure(end + len(tail) - len(tail.lstrip(b"\r\n")), say("by the closing tag of the page"))
        carry = piece[-32:]
        position += len(piece)
    return Measure(None, say("the page has no closing tag"))


def validate(reader: Reader) -> Validation:
    """Check that all of it is text, and that a page that opens is closed near its end."""
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings = Findings(reader.size)
    note_text(scan, reader, findings)
    opened = OPENED.search(reader.read_at(0, HEAD))
    if opened and findings.clean and not CLOSED.search(reader.read_at(max(0, reader.size - HEAD), HEAD)):
        findings.fault(reader.size, reader.size, say("the closing tag of the page is missing"))
    return text_verdict(scan, findings, say("a page in {encoding}", encoding=scan.encoding.name), reader.size)


FORMAT = Format(
    name="html",
    title="HTML page",
    extensions=("html", "htm", "xhtml", "mht"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"<!DOCTYPE html", 0.5), Known(0, b"<!doctype html", 0.2)),
    references=("https://html.spec.whatwg.org/",),
    limitations=(
        "Tags are not checked, as browsers accept any.",
        "A page without an html tag may be cut off unnoticed.",
    ),
)
