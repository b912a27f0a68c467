"""XML documents of any kind, read with expat: nothing external is fetched, entity bombs end early."""

from __future__ import annotations

import codecs
import re
from xml.parsers import expat

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import Encoding, note_text, scan_text, text_bits, text_verdict
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.streams import Reader, Window, chunks

LONGEST = 1 << 26  # bytes of one tag or comment at most: expat keeps it whole and reads it again and again
NESTED = 1_000_000  # open elements at most: expat keeps some memory for each
NATIVE = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")  # read by expat itself, or by the declaration
DECLARED = re.compile(r"<\?xml\s+[ves]")  # of version, encoding and standalone
ROOT = re.compile(r"<[A-Za-z_][\w:.-]*(\s+[\w:.-]+\s*=\s*[\"'][^<]*|\s*)/?>")
JUNK = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]
UNDEFINED = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
UNREADABLE = (
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_AMPLIFICATION_LIMIT_BREACH],
)


class Stop(msgspec.Struct, frozen=True):
    """Where and why a parse ended before the reader did.

    Attributes:
        code: Of expat; -1 where we stopped it.
        offset: Byte that it ended at; at the end of the reader where the document is cut off.
        why: For people.
    """

    code: int
    offset: int
    why: Message


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` starts an XML document."""
    text = head_text(head)
    if DECLARED.match(text):
        return 48
    if text.startswith(("<!DOCTYPE", "<!--")) or ROOT.match(behind_comments(text)):
        return min(text_bits(head), 28)
    return 0


def head_text(head: bytes) -> str:
    """Return ``head`` as text without byte order mark and leading blanks; Latin-1 stands for all else."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "replace")
    elif head.startswith(b"<\0"):
        text = head.decode("utf-16-le", "replace")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return text.lstrip()


def behind_comments(text: str) -> str:
    """Return ``text`` without the comments, instructions and blanks at its start."""
    while text.startswith(("<!--", "<?")):
        text = text.partition("-->" if text.startswith("<!") else "?>")[2].lstrip()
    return text


def parse(reader: Reader, encoding: Encoding) -> Stop | None:
    """Parse everything; return where that ended early, None for a well-formed document."""
    transcode = None if encoding.name in NATIVE else codecs.getincrementaldecoder(encoding.name)("replace")
    parser = expat.ParserCreate("utf-8" if transcode else None)
    offset, depth = 0, 0
    try:
        for piece in chunks(reader):
            depth += _opened(piece)
            if depth > NESTED:
                return Stop(-1, offset, say("elements are nested too deep"))
            parser.Parse(transcode.decode(piece).encode() if transcode else piece, False)
            offset += len(piece)
            if offset - parser.CurrentByteIndex > LONGEST:
                return Stop(-1, offset, say("a tag or comment is too long"))
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        place = offset if transcode else min(max(0, parser.ErrorByteIndex), reader.size)
        why = say("{fault} at offset {offset}", fault=expat.ErrorString(error.code), offset=place)
        return Stop(error.code, place, why)
    except (ValueError, LookupError):  # an encoding that Python does not know or cannot make a table of
        return Stop(UNREADABLE[0], 0, say("the declared encoding is not known"))
    return None


def _opened(piece: bytes) -> int:
    """Return about how many elements ``piece`` opens and does not close."""
    closed = piece.count(b"</") * 2 + piece.count(b"/>") + piece.count(b"<!") + piece.count(b"<?")
    return piece.count(b"<") - closed


def measure(reader: Reader) -> Measure:
    """Return the length up to what follows the root element."""
    if not recognise(reader.read_at(0, HEAD)):
        return Measure(None, say("no XML document starts here"))
    plain = Encoding("utf-8", 0.0)
    stop = parse(reader, plain)
    if stop is None:
        return Measure(reader.size, say("by the root element"))
    if stop.code == JUNK or (stop.offset and parse(Window(reader, 0, stop.offset), plain) is None):
        return Measure(stop.offset, say("by the root element"))
    return Measure(None, stop.why)


def validate(reader: Reader) -> Validation:
    """Check that all of it reads as text and that the document is well-formed."""
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings = Findings(reader.size)
    note_text(scan, reader, findings)
    stop = parse(reader, scan.encoding) if findings.clean else None
    if stop and stop.code in UNREADABLE:
        return Validation(Grade.UNKNOWN, findings.bits, stop.why)
    if stop and _is_part(reader, stop):
        return text_verdict(
            scan,
            findings,
            say("part of an XML document, read to offset {offset}", offset=stop.offset),
            reader.size,
        )
    if stop:
        if stop.offset < reader.size and not recognise(reader.read_at(0, HEAD)):
            return bad(stop.why, reader.size)
        findings.fault(stop.offset, min(stop.offset + 64, reader.size), stop.why)
    return text_verdict(
        scan, findings, say("well-formed XML in {encoding}", encoding=scan.encoding.name), reader.size
    )


def _is_part(reader: Reader, stop: Stop) -> bool:
    """Tell whether the parse ended at an entity of an outer document, or at the next of several elements."""
    return stop.code == UNDEFINED or (stop.code == JUNK and reader.read_at(stop.offset, 1) == b"<")


FORMAT = Format(
    name="xml",
    title="XML document",
    extensions=("xml", "xsd", "xsl", "xslt", "rss", "atom", "kml", "gpx", "plist", "config", "resx", "xaml"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"<?xml version=", 0.9),),
    references=("https://www.w3.org/TR/xml/",),
    limitations=(
        "A document type is not validated against.",
        "The first fault is located, later ones only where they are no text.",
    ),
)
