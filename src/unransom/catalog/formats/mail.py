"""Mail: one message (EML), or a folder of them behind each other (mbox), each with headers and MIME parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import TEXT_BYTES, note_text, scan_text, text_verdict
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader, Window, chunks

FROM = re.compile(
    rb"From [!-~]{1,320} +(?:[A-Z][a-z]{2},? +)?(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} +[A-Z][a-z]{2}) "
)
FIELD = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|X-[!-9;-~]+|Date|From|To|Cc|Subject|Message-I[Dd]|MIME-Version|"
    rb"Content-[TL][a-z-]+|Reply-To|Sender|DKIM-Signature|Authentication-Results|Thread-[A-Z][a-z]+|"
    rb"ARC-[A-Za-z-]+|References|In-Reply-To|Importance|User-Agent|List-[A-Za-z-]+):(?:[ \t\r]|$)"
)
EMPTY_LINE = re.compile(rb"\n\r?\n")
FOLDED = (b" ", b"\t")
FEWEST = 3  # fields of a header that make a message
FIELD_BITS = 24
ASCII = bytes(code for code in TEXT_BYTES if code < 127)
BEHIND = 4  # bytes behind the last line that may be another file's by chance
LONG = 1 << 16  # bytes of one header that are looked at
BOUNDARY = re.compile(
    rb"(?im)^content-type:[ \t]*multipart/[^;\n]{1,80};(?:[^\n]|\n[ \t]){0,400}?"
    rb"boundary=\"?([^\"\r\n;]{1,70})"
)


def _fields(head: bytes) -> int:
    """Return how many lines of a header that mails have stand at the beginning of ``head``; 0 for none."""
    begun = FROM.match(head)
    at = head.find(b"\n") + 1 if begun else 0
    fields = 0
    *lines, _ = head[at:].split(b"\n")
    for line in lines:
        if FIELD.match(line):
            fields += 1
        elif line in {b"", b"\r"}:
            break
        elif not (fields and line.startswith(FOLDED)) and b":" not in line:
            return 0
    return fields + (2 if begun and fields else 0)


def recognise(head: bytes) -> int:
    """Return the bits of the fields of the first header."""
    fields = _fields(head)
    return FIELD_BITS * fields if fields >= FEWEST else 0


def _text_end(reader: Reader) -> int:
    """Return the end of the last whole line before the first byte that no mail has; 0 where that cuts a line.

    Such a byte is a control character; and in mail of ASCII only, as most is, any other byte.
    """
    allowed = ASCII if reader.read_at(0, HEAD).isascii() else TEXT_BYTES
    last = at = 0
    for piece in chunks(reader):
        strange = piece.translate(None, allowed)
        stop = piece.index(strange[:1]) if strange else len(piece)
        line = piece.rfind(b"\n", 0, stop)
        last = at + line + 1 if line >= 0 else last
        if strange:
            return last if at + stop - last <= BEHIND else 0
        at += len(piece)
    return reader.size


def _closing(head: bytes) -> bytes:
    """Return the line that ends the message which ``head`` begins, b"" where it has no parts."""
    end = EMPTY_LINE.search(head)
    found = BOUNDARY.search(head, 0, end.start() if end else len(head))
    return b"\n--" + found[1] + b"--" if found else b""


def measure(reader: Reader) -> Measure:
    """Return the end of the text; of one message with parts, that of the line that closes them."""
    head = reader.read_at(0, LONG)
    if not recognise(head[:4096]):
        return Measure(None, say("this is no mail"))
    end = _text_end(reader)
    if not end:
        return Measure(None, say("the text of the mail breaks off within a line"))
    closing = b"" if FROM.match(head) else _closing(head)
    places = list(_places(Window(reader, 0, end), closing)) if closing else []
    if places:
        behind = reader.read_at(places[0] + len(closing), 2)
        added = next(each for each in (b"\r\n", b"\n", b"") if behind.startswith(each))
        closed = places[0] + len(closing) + len(added)
        more = (end,) if end != closed else ()
        return Measure(closed, say("the parts of the mail are closed there"), more)
    return Measure(end, say("the text of the mail ends there"))


def _places(reader: Reader, needle: bytes) -> Iterator[int]:
    """Yield where ``needle`` stands."""
    at = 0
    while at < reader.size:
        piece = reader.read_at(at, CHUNK + len(needle))
        found = piece.find(needle)
        while 0 <= found < CHUNK:
            yield at + found
            found = piece.find(needle, found + 1)
        at += CHUNK


def validate(reader: Reader) -> Validation:
    """Check the first header, that all is text, and that the parts of a single message are closed."""
    head = reader.read_at(0, LONG)
    bits = recognise(head[:4096])
    if not bits:
        return bad(say("this is no mail"), reader.size)
    findings = Findings(reader.size)
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings.hold(bits)
    note_text(scan, reader, findings)
    closing = b"" if FROM.match(head) else _closing(head)
    if closing and not any(True for _ in _places(reader, closing)):
        findings.fault(reader.size - 1, reader.size, say("the parts of the mail are not closed"))
    why = say("the header and text of the mail hold")
    return text_verdict(scan, findings, why, reader.size)


FORMAT = Format(
    name="mail",
    title="Mail message or folder (EML, mbox)",
    extensions=("eml", "mbox", "mbx", "emlx"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"Received: ", 0.3), Known(0, b"Return-Path: <", 0.3), Known(0, b"From ", 0.2)),
    references=("RFC 5322", "RFC 2046", "RFC 4155"),
    limitations=(
        "Texts of messages have no checksum.",
        "A folder that was cut off behind a message is still one.",
    ),
)
