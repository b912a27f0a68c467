"""PDF documents."""

from __future__ import annotations

import re
from array import array

import numpy as np

from unransom.catalog.formats import _pdf_xref as xref
from unransom.catalog.formats import jpeg
from unransom.catalog.formats._deflate import ZLIB, Budget, End, broken_from, inflate
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._pdf_walk import Kind, Part, odd_bytes, parts
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import looks_random, random_between
from unransom.catalog.formats._uniform import uniform_stretches
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Reader, Window, chunks

MAGIC = b"%PDF-"
HEADER_WINDOW = 1024  # readers accept a header that starts this late
BLOCK = 4096
BEGINNING = 64  # bytes that tell text from numbers
FLUSH = b"\0\0\xff\xff"  # deflate's mark behind all that was put in so far
FEW = 4  # bytes outside of strings that are no text; some producers write such names
MOST_LOST = 1 << 16  # entries that point at no object and are looked at
OBJECT_BITS = 16  # a cross-reference entry that points at an object

_VERSION = re.compile(rb"%PDF-[12]\.\d")
_FILTER = re.compile(rb"/Filter[\s\0]*\[?[\s\0]*/(\w+)")
_ENCRYPT = re.compile(rb"/Encrypt[\s\0]*(?:\d+[\s\0]+\d+[\s\0]+R|<<)")
_SAMPLED = (b"/Image", b"/FunctionType", b"/ShadingType")  # numbers, which may be those of letters
_WRITTEN = re.compile(rb"[\t\n\f\r -~]+")
_WIPED = bytes(16)  # white space, but nobody writes so much of it in zeros
_TEXT_FILTERS = {
    b"ASCII85Decode": re.compile(rb"[^!-uz~\s\0<>]|\0{16}"),
    b"ASCIIHexDecode": re.compile(rb"[^0-9A-Fa-f\s\0<>]|\0{16}"),
}
_OPAQUE = (b"/EmbeddedFile", b"/Length1")  # attachments; fonts, whose Type 1 encryption looks random
_TABLE = re.compile(rb"[^\s\0\dnfxre]")


def recognise(head: bytes) -> int:
    """Return the bits of the header at the first byte that hold."""
    return 40 + 16 if _VERSION.match(head) else 0


class _Check:
    """The check of one document, part by part."""

    def __init__(self, reader: Reader, start: int) -> None:
        self.reader = Cached(reader)
        self.findings = Findings(reader.size)
        self.budget = Budget(reader.size)
        self.encrypted = _is_encrypted(self.reader)
        self.end = 0
        self.closed = False  # startxref was seen behind the last object
        self.streams = 0
        self._start = max(0, start)
        self._objects = array("q")
        self._listed: list[xref.Offsets] = []
        if start < 0:
            self.findings.fault(0, len(MAGIC), say("no PDF header"))
        elif looks_random(self.reader.read_at(0, start)):
            self.findings.fault(0, start, say("bytes that look encrypted lie in front of the PDF header"))
        else:
            self.findings.hold(40)
        for part in parts(self.reader, self._start):
            self._take(part)
        self._finish()

    def _take(self, part: Part) -> None:
        match part.kind:
            case Kind.OBJECT | Kind.STREAM:
                self.closed = False
                self._objects.append(part.start)
                self._check_text(part)
                if part.kind is Kind.STREAM:
                    self._check_stream(part)
            case Kind.XREF:
                self._check_table(part)
            case Kind.TRAILER:
                self._check_text(part)
            case Kind.STARTXREF:
                self.closed = True
            case Kind.JUNK:
                self._check_junk(part)
        if part.kind in {Kind.EOF, Kind.STARTXREF}:
            self.end = part.end

    def _check_junk(self, part: Part) -> None:
        trailing = self.closed and part.end == self.reader.size
        if random_between(self.reader, part.start, part.end) or (
            not trailing and part.end - part.start > BLOCK
        ):
            why = say("bytes {start} to {end} are no part of a PDF document", start=part.start, end=part.end)
            self.findings.fault(part.start, part.end, why)

    def _check_text(self, part: Part) -> None:
        odd = odd_bytes(part.text)
        if not part.whole and part.kind is Kind.OBJECT:
            why = say("object {number} at byte {offset} has no end", number=part.number, offset=part.start)
            self.findings.fault(part.start, part.end, why)
        elif odd > FEW + len(part.text) // 20 or _WIPED in part.text:
            end = part.data or part.end
            why = say("object {number} at byte {offset} is not text", number=part.number, offset=part.start)
            self.findings.fault(part.start, end, why)

    def _check_table(self, part: Part) -> None:
        if _TABLE.search(part.text) or _WIPED in part.text:
            why = say("the cross-reference table at byte {offset} is damaged", offset=part.start)
            self.findings.fault(part.start, part.end, why)
        self._listed.append(xref.table_offsets(part))

    def _check_stream(self, part: Part) -> None:
        self.streams += 1
        if not part.whole:
            why = say("the stream of object {number} has no end", number=part.number)
            self.findings.fault(part.data, part.data_end, why)
            return
        is_table = xref.is_stream(part)
        if is_table and part.data_end - part.data <= xref.TABLE_CAP:
            data = self.reader.read_at(part.data, part.data_end - part.data)
            self._listed.append(xref.stream_offsets(part, data))
        if not self.encrypted or is_table:
            self._check_data(part)

    def _check_data(self, part: Part) -> None:
        if not part.exact and part.declared:
            self._check_rest(part, min(part.data + part.declared, part.data_end))
        filtered = _FILTER.search(part.text)
        name = filtered[1] if filtered else b""
        if name == b"FlateDecode":
            self._check_flate(part)
        elif name == b"DCTDecode":
            self._check_jpeg(part)
        elif name in _TEXT_FILTERS:
            self._check_coded_text(part, _TEXT_FILTERS[name])
        elif not name and not any(word in part.text for word in _OPAQUE):
            self._check_plain(part)

    def _check_flate(self, part: Part) -> None:
        result = inflate(self.reader, part.data, part.data_end, self.budget, window_bits=ZLIB)
        flushed = self.reader.read_at(result.position - 4, 4) == FLUSH  # Acrobat leaves streams open
        if result.end is End.WHOLE or (result.end is End.CUT and flushed):
            self.findings.hold(32 if result.length else 0)
            self._check_rest(part, result.position)
        elif result.end in {End.BROKEN, End.CUT} and part.data_end - part.data > 2:
            why = say(
                "the stream of object {number} does not inflate at byte {offset}",
                number=part.number,
                offset=result.position,
            )
            self.findings.fault(broken_from(result, part.data), part.data_end, why)

    def _check_rest(self, part: Part, start: int) -> None:
        """Between a stream's data and the mark of its end is an end of line, not an encrypted stretch."""
        if random_between(self.reader, start, part.data_end):
            why = say("bytes that look encrypted follow the stream of object {number}", number=part.number)
            self.findings.fault(start, part.data_end, why)

    def _check_jpeg(self, part: Part) -> None:
        verdict = jpeg.validate(Window(self.reader, part.data, part.data_end - part.data))
        if verdict.grade in {Grade.GOOD, Grade.UNKNOWN}:
            self.findings.hold(verdict.bits)
            return
        why = say("the picture of object {number} is damaged", number=part.number)
        for span in verdict.damage or (Span(0, part.data_end - part.data),):
            self.findings.fault(part.data + span.start, part.data + span.end, why)

    def _check_coded_text(self, part: Part, illegal: re.Pattern[bytes]) -> None:
        position = part.data
        for piece in chunks(self.reader, part.data, part.data_end):
            if broken := illegal.search(piece):
                why = say("the stream of object {number} is damaged", number=part.number)
                self.findings.fault(position + broken.start(), part.data_end, why)
                return
            position += len(piece)

    def _check_plain(self, part: Part) -> None:
        """A stream without a filter is text or raw pixels: never uniformly random for a whole block."""
        if self._is_written(part) and 0 <= (wiped := find(self.reader, _WIPED, part.data)) < part.data_end:
            why = say("the text in the stream of object {number} has zeros", number=part.number)
            self.findings.fault(wiped, part.data_end, why)
        for start, end in uniform_stretches(self.reader, part.data, part.data_end):
            why = say("the stream of object {number} looks encrypted", number=part.number)
            self.findings.fault(start, end, why)

    def _is_written(self, part: Part) -> bool:
        """Return whether a stream without a filter is text, as its beginning or its end shows."""
        size = min(BEGINNING, part.data_end - part.data)
        ends = (self.reader.read_at(start, size) for start in (part.data, part.data_end - size))
        return not any(word in part.text for word in _SAMPLED) and any(map(_WRITTEN.fullmatch, ends))

    def _finish(self) -> None:
        """Compare the cross-reference entries with the objects that the walk met."""
        if not self.closed:
            why = say("the PDF document is cut off: no cross-reference follows its last object")
            self.findings.fault(self.reader.size, self.reader.size, why)
        listed = np.concatenate([xref.NONE, *self._listed])
        objects = np.frombuffer(self._objects, np.int64)
        # Producers that put bytes in front of the header count from either place.
        counts = {shift: int(np.isin(listed + shift, objects).sum()) for shift in (0, self._start)}
        shift = max(counts, key=counts.__getitem__)
        agreeing = counts[shift]
        self.findings.hold(OBJECT_BITS * agreeing)
        self._check_wiped(np.setdiff1d(listed + shift, objects)[:MOST_LOST])
        if not agreeing and len(listed) and not self.findings.clean:
            why = say("no cross-reference entry points at an object")
            self.findings.fault(self.reader.size, self.reader.size, why)

    def _check_wiped(self, places: xref.Offsets) -> None:
        """Between objects zeros are white space, but not where an object should begin."""
        for place in places[(places >= 0) & (places < self.reader.size)].tolist():
            if self.reader.read_at(place, len(_WIPED)) == _WIPED:
                why = say("zeros at byte {offset} where an object should be", offset=place)
                self.findings.fault(place, place + len(_WIPED), why)

    def whole(self) -> Message:
        """Return the sentence for a document in which everything holds."""
        if self.encrypted:
            return say("all objects are in place; their streams need a password and are not inflated")
        if self.budget.exceeded:
            return say("all objects are in place; not all streams were inflated")
        return say("all objects are in place and {count} streams hold", count=self.streams)


def _is_encrypted(reader: Reader) -> bool:
    """Return whether a trailer names an encryption dictionary."""
    position = 0
    while (position := find(reader, b"/Encrypt", position)) >= 0:
        if _ENCRYPT.match(reader.read_at(position, 64)):
            return True
        position += 8
    return False


def measure(reader: Reader) -> Measure:
    """Walk the parts up to the first byte that is none; the last end mark before it ends the file."""
    ends: list[int] = []
    closed = False
    for part in parts(Cached(reader)):
        closed = closed or part.kind is Kind.STARTXREF
        if part.kind is Kind.JUNK or not part.whole or (ends and _starts_anew(reader, part)):
            break
        if part.kind is Kind.EOF and closed:
            ends.append(part.end)
    if not ends:
        return Measure(None, say("the PDF document breaks off before its end mark"))
    return Measure(ends[-1], say("the PDF document ends with its end mark"), tuple(ends[-9:-1]))


def _starts_anew(reader: Reader, part: Part) -> bool:
    return part.kind is Kind.OTHER and reader.read_at(part.start, 5) == MAGIC


def validate(reader: Reader) -> Validation:
    """Walk all objects, inflate every Flate stream, and compare the cross-reference with the objects."""
    start = reader.read_at(0, HEADER_WINDOW).find(MAGIC)
    check = _Check(reader, start)
    return check.findings.verdict(check.whole(), check.end or None)


FORMAT = Format(
    name="pdf",
    title="PDF document",
    extensions=("pdf", "ai", "fdf"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"%PDF-1."),),
    compressed=True,
    references=("ISO 32000-1:2008", "ISO 32000-2:2020"),
    limitations=(
        "Streams by CCITT fax, JBIG2, JPEG 2000, LZW and run length are checked by their ends only.",
        "A document with a password: the contents of streams are not checked.",
        "Wrong cross-reference offsets are accepted where every byte of the document is accounted for.",
    ),
)
