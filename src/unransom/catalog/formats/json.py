"""JSON in one value or one on each line: a structural automaton reads it in bounded memory."""

from __future__ import annotations

import codecs
import re

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import Encoding, note_text, scan_text, text_bits, text_verdict
from unransom.catalog.formats.format import HEAD, Format, Measure, Validation
from unransom.catalog.formats.xml import head_text
from unransom.core.messages import Message, say
from unransom.core.streams import Reader, chunks

START = re.compile(r"\s*(?:\{\s*[\"}/]|\[\s*(?:[\"{\[\]/\d-]|true|false|null))")


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` starts an object or an array."""
    return min(text_bits(head), 30) if START.match(head_text(head)) else 0


def measure(reader: Reader) -> Measure:
    """Return the length up to the end of the last complete value, and the line end behind it."""
    from unransom.catalog.formats._json_kernel import Automaton  # noqa: PLC0415  numba is slow to import

    automaton = Automaton()
    for piece in chunks(reader, step=1 << 16):
        if automaton.feed(piece) >= 0:
            break
    if not automaton.values:
        return Measure(None, say("no JSON value is complete"))
    tail = reader.read_at(automaton.end, 2)
    return Measure(
        automaton.end + len(tail) - len(tail.lstrip(b"\r\n")), say("by the last complete JSON value")
    )


def read(reader: Reader, encoding: Encoding) -> tuple[int, Message] | None:
    """Read everything; return where and why it is not JSON, None where all of it is."""
    from unransom.catalog.formats._json_kernel import Automaton  # noqa: PLC0415  numba is slow to import

    automaton = Automaton()
    same = encoding.name in ("utf-8", "latin-1")
    transcode = None if same else codecs.getincrementaldecoder(encoding.name)("replace")
    offset = 0
    for piece in chunks(reader):
        data = transcode.decode(piece).encode() if transcode else piece
        fault = automaton.feed(data.removeprefix(codecs.BOM_UTF8) if offset == 0 else data)
        if fault >= 0:
            place = min(offset + fault, reader.size)
            return place, say("no JSON at offset {offset}", offset=place)
        offset += len(piece)
    automaton.feed(b"\n")  # ends a number
    if not automaton.done:
        return reader.size, say("the JSON value is cut off")
    return None if automaton.values else (0, say("there is no JSON value"))


def validate(reader: Reader) -> Validation:
    """Check that all of it reads as text and that brackets, strings, numbers and commas fit."""
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings = Findings(reader.size)
    note_text(scan, reader, findings)
    fault = read(reader, scan.encoding) if findings.clean else None
    if fault and fault[0] < reader.size and not recognise(reader.read_at(0, HEAD)):
        return bad(fault[1], reader.size)
    if fault:
        findings.fault(fault[0], min(fault[0] + 64, reader.size), fault[1])
    return text_verdict(scan, findings, say("JSON in {encoding}", encoding=scan.encoding.name), reader.size)


FORMAT = Format(
    name="json",
    title="JSON",
    extensions=("json", "jsonl", "ndjson", "geojson", "ipynb", "har", "map", "webmanifest"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=("https://www.rfc-editor.org/rfc/rfc8259", "https://jsonlines.org/"),
    limitations=(
        "Comments, trailing commas, NaN and Infinity are let pass.",
        "JSON lines that were cut off at a line's end are still JSON lines.",
        "The first fault is located, later ones only where they are no text.",
    ),
)
