"""Keys and certificates: values of ASN.1 in DER, nested so that lengths fit; PEM is these as text."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import BYTEWISE, note_text, scan_text
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

LARGEST = 64 * CHUNK  # bytes that are read as a whole: keys and certificates are small, lists are not
SEQUENCE, CONSTRUCTED = 0x30, 0x20
DEEPEST = 64
BEGIN, FINISH, DASHES = b"-----BEGIN ", b"-----END ", b"-----"
LINE = re.compile(rb"(?:^|\n)-----BEGIN [A-Z0-9 #]+-----\r?\n")


def recognise(head: bytes) -> int:
    """Return the bits of the first tags and lengths, or of the line that begins a PEM block."""
    if BEGIN in head and LINE.search(head):  # most heads are asked the cheap question only
        return 88
    outer = _tag(head, 0, 1 << 40)
    if outer is None or head[0] != SEQUENCE or outer[0] >= len(head):
        return 0
    inner = _tag(head, outer[0], outer[1])
    return 16 if inner and head[outer[0]] in (0x02, SEQUENCE, 0x06) and outer[1] > 8 else 0


def _tag(data: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """Return (start, end) of the content of the value at ``at``, None where it does not fit."""
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        return None
    length = data[at + 1]
    start = at + 2
    if length > 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        if size > 5 or length < 0x80 or start + size > len(data):
            return None
        start += size
    end = start + length
    return (start, end) if end <= limit and data[at + 1] != 0x80 else None


def walk(data: bytes) -> tuple[int, int]:
    """Walk the value at the start of ``data``.

    Returns:
        (end of the value, values in it); where it breaks, (-offset, values before).
    """
    ends, at, values = [len(data)], 0, 0
    while True:
        found = _tag(data, at, ends[-1]) if len(ends) < DEEPEST else None
        if found is None:
            return -at or -1, values
        values += 1
        start, end = found
        if data[at] & CONSTRUCTED and end > start:
            ends.append(end)
            at = start
        else:
            at = end
        while len(ends) > 1 and at == ends[-1]:
            ends.pop()
        if len(ends) == 1:
            return at, values


def measure(reader: Reader) -> Measure:
    """Return the end of the outermost value, or of the last PEM block."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    if LINE.search(data[:HEAD]):
        ends = [block.end for block in _blocks(data) if block.closed]
        return Measure(ends[-1] if ends else None, say("by the last PEM block"))
    end = walk(data)[0] if recognise(data) else -1
    return Measure(end if end > 0 else None, say("by the outermost value"))


def validate(reader: Reader) -> Validation:
    """Walk all values; of PEM each block."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    findings = Findings(reader.size)
    if LINE.search(data):
        return _validate_blocks(reader, data, findings)
    if not recognise(data):
        return bad(say("no value of ASN.1"), reader.size)
    findings.hold(32)
    end, values = walk(data)
    if end < 0:
        findings.fault(-end, reader.size, say("the values break at offset {offset}", offset=-end))
        return findings.verdict(say("{values} values hold", values=values))
    findings.hold(8 * values)
    check_trailer(reader, end, findings)
    return findings.verdict(say("{values} values hold", values=values), end)


class Block(msgspec.Struct, frozen=True):
    """A PEM block; without an end where it is followed by another or by nothing."""

    start: int
    end: int
    label: bytes
    body: bytes
    closed: bool


def _blocks(data: bytes) -> Iterator[Block]:
    """Yield all blocks of ``data``, in one pass however many begin and do not end."""
    start, finish = data.find(BEGIN), -1
    while start >= 0:
        following = data.find(BEGIN, start + 1)
        if finish <= start:
            finish = data.find(FINISH, start) if finish < len(data) else finish
            finish = len(data) if finish < 0 else finish
        closed = finish < len(data) and (following < 0 or finish < following)
        stop = finish if closed else following if following >= 0 else len(data)
        label, _, body = data[start + len(BEGIN) : stop].partition(DASHES)
        last = FINISH + label + DASHES
        closed = closed and data.startswith(last, stop)
        end = stop + len(last) if closed else stop
        line_end = data[end : end + 2]
        end += len(line_end) - len(line_end.lstrip(b"\r\n")) if closed else 0
        yield Block(start, end, label, body, closed)
        start = following


def _validate_blocks(reader: Reader, data: bytes, findings: Findings) -> Validation:
    if scan := scan_text(reader, BYTEWISE[0]):
        note_text(scan, reader, findings)
    findings.bits = 0  # only blocks that hold count
    for block in _blocks(data):
        if block.closed and _decodes(block):
            findings.hold(128)
        else:
            why = say("the PEM block at offset {offset} does not hold", offset=block.start)
            findings.fault(block.start, block.end, why)
    return findings.verdict(say("all PEM blocks hold"), len(data))


def _decodes(block: Block) -> bool:
    """Tell whether the body is Base64 of one value of ASN.1; PGP and SSH only borrow the lines of dashes."""
    if b"PGP" in block.label or b"SSH" in block.label:
        return True
    headed = b": " in block.body
    body = block.body.replace(b"\r\n", b"\n").rpartition(b"\n\n")[2] if headed else block.body
    try:
        decoded = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
    except binascii.Error:
        return False
    return bool(decoded) and (b"ENCRYPTED" in block.body or walk(decoded)[0] == len(decoded))


FORMAT = Format(
    name="der",
    title="Key or certificate",
    extensions=("pem", "crt", "cer", "der", "key", "p12", "pfx", "p7b", "p7s", "csr", "crl"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"-----BEGIN CERTIFICATE-----", 0.6), Known(0, b"\x30\x82", 0.3)),
    references=("https://www.itu.int/rec/T-REC-X.690", "https://www.rfc-editor.org/rfc/rfc7468"),
    limitations=("Contents of values, such as keys and signatures, are not checked.",),
)
