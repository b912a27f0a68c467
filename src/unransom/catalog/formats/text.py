"""Plain text in any encoding: logs, scripts, configuration, exports, mail."""

from __future__ import annotations

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import (
    TEXT_BYTES,
    WINDOW,
    note_text,
    scan_text,
    text_bits,
    text_verdict,
)
from unransom.catalog.formats.format import Format, Measure, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader

WEAK = 24  # bits that a head counts for at most: any format with a signature of its own goes first


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` reads as text, capped so that formats made of text win."""
    return min(text_bits(head), WEAK)


def measure(reader: Reader) -> Measure:
    """Return the length up to the first bytes that are no text."""
    scan = scan_text(reader)
    if scan is None or not scan.text:
        return Measure(None, say("no text in any known encoding"))
    if scan.damage:
        end = _exact_end(reader, scan.damage[0].start)
        return Measure(end or None, say("the text ends where other bytes begin"))
    return Measure(reader.size, say("all of it is text"))


def _exact_end(reader: Reader, window: int) -> int:
    """Return the first control character around the start of the first ``window`` that is no text."""
    near = reader.read_at(max(0, window - WINDOW), 2 * WINDOW)
    return max(0, window - WINDOW) + len(near) - len(near.lstrip(TEXT_BYTES))


def validate(reader: Reader) -> Validation:
    """Check that every 64 bytes read as text."""
    if not reader.size:
        return Validation(Grade.GOOD, 0, say("an empty file"), 0)
    scan = scan_text(reader)
    if scan is None:
        return bad(say("no text in any known encoding"), reader.size)
    findings = Findings(reader.size)
    note_text(scan, reader, findings)
    whole = say("text in {encoding}", encoding=scan.encoding.name)
    return text_verdict(scan, findings, whole, reader.size)


FORMAT = Format(
    name="text",
    title="Plain text",
    extensions=(
        "txt",
        "log",
        "ini",
        "cfg",
        "conf",
        "md",
        "sql",
        "bat",
        "cmd",
        "ps1",
        "sh",
        "py",
        "js",
        "css",
        "c",
        "h",
        "cpp",
        "java",
        "php",
        "yml",
        "yaml",
        "toml",
        "reg",
        "inf",
        "vcf",
        "ics",
        "eml",
        "tex",
        "rst",
        "srt",
    ),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=("https://www.unicode.org/versions/latest/", "https://encoding.spec.whatwg.org/"),
    limitations=(
        "A text that was cut off is still a text.",
        "Encrypted pieces of fewer than about 32 bytes are not noticed.",
        "UTF-16 without a byte order mark is only seen where some characters are Latin; UTF-32 is not.",
    ),
)
