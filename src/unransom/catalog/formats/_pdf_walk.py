"""Walk a PDF from its first byte to its last: every byte belongs to a part, or is junk."""

from __future__ import annotations

import enum
import re
import string
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._reading import find
from unransom.core.streams import Reader

WINDOW = 1 << 12
OBJECT_CAP = 1 << 24  # bytes of an object without its stream; page trees of large documents reach 1 MiB
RESYNC_WINDOW = 1 << 16

_OBJECT = rb"(?P<number>\d{1,10})[\s\0]+\d{1,5}[\s\0]+obj\b"
_TOKEN = re.compile(
    rb"[\s\0]*+(?:(?P<object>" + _OBJECT + rb")"
    rb"|(?P<startxref>startxref[\s\0]*\d*)|(?P<xref>xref\b)|(?P<trailer>trailer\b)"
    rb"|(?P<eof>%%EOF(?:\r\n|\r|\n)?)|(?P<header>%PDF-[^\r\n]*)|(?P<comment>%[^\r\n]*)"
    rb"|(?P<stray>endobj|endstream))"
)
_SPACE = re.compile(rb"[\s\0]*")
# What is searched for through whole documents begins with plain bytes in every branch, and looks back for
# what must not stand before them: a search then tries only where one of these bytes stands, and is several
# times as fast.
_OBJECT_END = re.compile(
    rb">>[\s\0]*(?:%[^\r\n]*[\r\n]+[\s\0]*)?stream(?:\r\n|\r|\n|(?=[^\w\r\n]))(?P<stream>)"
    rb"|endobj"
    rb"|\r(?=\d{1,10} \d{1,5} obj\b|xref\b|trailer\b|startxref\b)"
    rb"|\n(?=\d{1,10} \d{1,5} obj\b|xref\b|trailer\b|startxref\b)"
)
_TABLE_END = re.compile(rb"trailer|startxref|o(?<!\wo)bj\b")
_TRAILER_END = re.compile(rb"startxref|%%EOF|o(?<!\wo)bj\b|x(?<!\wx)ref\b")
_RESYNC = re.compile(
    rb"[\dxts%](?:(?<=\d)(?<!\d\d)\d{0,9}[ \r\n\t]+\d{1,5}[ \r\n\t]+obj\b"
    rb"|(?<=x)(?<!\wx)ref\b|(?<=t)(?<!\wt)railer\b|(?<=s)(?<!\ws)tartxref\b|(?<=%)%EOF)"
)
_LENGTH = re.compile(rb"/Length\b[\s\0]*(\d{1,12})\b(?![\s\0]+\d+[\s\0]+R)")
_ENDSTREAM = re.compile(rb"[\s\0]{0,8}endstream")

_TEXT = string.printable.encode() + b"\0"
_STRINGS = re.compile(rb"\((?>[^()\\]|\\.|\((?>[^()\\]|\\.)*+\))*+\)|/[^\s()<>\[\]{}/%]{1,60}", re.DOTALL)


class Kind(enum.Enum):
    """What a part of a PDF is."""

    OBJECT = enum.auto()
    STREAM = enum.auto()  # an object with a stream
    XREF = enum.auto()
    TRAILER = enum.auto()
    STARTXREF = enum.auto()
    EOF = enum.auto()
    OTHER = enum.auto()  # headers, comments and stray keywords
    JUNK = enum.auto()


class Part(msgspec.Struct):
    """A part of a PDF.

    Attributes:
        kind: What it is.
        start, end: First byte, and just behind the last.
        number: Number of the object.
        text: Up to ``OBJECT_CAP`` bytes of an object, table or trailer; of a stream's object its dictionary.
        data: First byte of the stream.
        data_end: Behind its last byte, perhaps with an end of line.
        declared: Bytes of the stream as its dictionary says, 0 where it does not say.
        exact: The stream is as long as its dictionary says; otherwise its end was searched for.
        whole: The part has the end that it should have.
    """

    kind: Kind
    start: int
    end: int
    number: int = 0
    text: bytes = b""
    data: int = 0
    data_end: int = 0
    declared: int = 0
    exact: bool = False
    whole: bool = True


def parts(reader: Reader, position: int = 0) -> Iterator[Part]:
    """Yield the parts from ``position`` to the reader's end, in order and without a gap but white space."""
    while position < reader.size:
        window = reader.read_at(position, WINDOW)
        found = _TOKEN.match(window)
        if found is None:
            space = _SPACE.match(window)
            skipped = space.end() if space else 0
            if skipped < len(window):
                yield (junk := Part(Kind.JUNK, position + skipped, resync(reader, position + skipped)))
                skipped = junk.end - position
            position += skipped
            continue
        part = _part(reader, position + found.start(found.lastgroup or 0), position + found.end(), found)
        yield part
        position = part.end


def resync(reader: Reader, start: int) -> int:
    """Return where behind ``start`` something starts that belongs into a PDF; the size where nothing does."""
    position = start + 1
    while position < reader.size:
        window = reader.read_at(position, RESYNC_WINDOW)
        if found := _RESYNC.search(window):
            return position + found.start()
        position += max(len(window) - 32, 1) if position + len(window) < reader.size else len(window)
    return reader.size


def _part(reader: Reader, start: int, end: int, found: re.Match[bytes]) -> Part:
    match found.lastgroup:
        case "object":
            return _object(reader, start, end, int(found["number"]))
        case "xref":
            return _until(reader, Kind.XREF, start, _TABLE_END)
        case "trailer":
            return _until(reader, Kind.TRAILER, start, _TRAILER_END)
        case "startxref":
            return Part(
                Kind.STARTXREF, start, end, number=int(found["startxref"][9:].strip(b"\0 \t\r\n\f\v") or 0)
            )
        case "eof":
            return Part(Kind.EOF, start, end)
        case _:
            return Part(Kind.OTHER, start, end)


def _search(reader: Reader, start: int, pattern: re.Pattern[bytes]) -> tuple[bytes, re.Match[bytes] | None]:
    """Search ``pattern`` from ``start``, in windows that grow up to ``OBJECT_CAP``."""
    size = WINDOW
    while True:
        text = reader.read_at(start, size)
        found = pattern.search(text)
        # A match at the window's edge might go on behind it.
        if (found and found.end() + 32 < len(text)) or len(text) < size or size >= OBJECT_CAP:
            return text, found
        size *= 8


def _until(reader: Reader, kind: Kind, start: int, pattern: re.Pattern[bytes]) -> Part:
    text, found = _search(reader, start, pattern)
    end = found.start() if found else len(text)
    return Part(kind, start, start + end, text=text[:end], whole=found is not None)


def _object(reader: Reader, start: int, body: int, number: int) -> Part:
    """Follow the object at ``start`` whose content starts at ``body``."""
    text, found = _search(reader, body, _OBJECT_END)
    if found is None:
        return Part(Kind.OBJECT, start, body + len(text), number, text, whole=False)
    end = body + found.end()
    if found.lastgroup != "stream":
        return Part(Kind.OBJECT, start, end, number, text[: found.start()])
    part = Part(Kind.STREAM, start, end, number, text[: found.start() + 2], data=end)
    if declared := _LENGTH.search(part.text):
        part.declared = int(declared[1])
        part.data_end = end + part.declared
        if closing := _ENDSTREAM.match(reader.read_at(part.data_end, 32)):
            part.exact = True
            part.end = part.data_end + closing.end()
            return part
    part.data_end = find(reader, b"endstream", end)
    part.whole = part.data_end >= 0
    part.data_end = part.data_end if part.whole else reader.size
    part.end = min(part.data_end + len(b"endstream"), reader.size)
    return part


def odd_bytes(text: bytes) -> int:
    """Return how many bytes of an object's text stand outside of strings and names and are no text."""
    if not text.translate(None, _TEXT):
        return 0
    return len(_STRINGS.sub(b"", text).translate(None, _TEXT))
