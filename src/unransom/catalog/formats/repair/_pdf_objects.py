"""The objects of a damaged PDF, found by walking it: whole ones, streams cut off at a hole, packed ones."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np

from unransom.catalog.formats._pdf_walk import Kind, Part, odd_bytes, parts
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats.repair._holes import MOST, PRINTABLE, inflate_rest
from unransom.catalog.formats.repair._pdf_plain import cleaned
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.streams import chunks

COUNT = 1 << 20  # objects at most
LONGEST = 1 << 26  # bytes of a stream that is looked into
FEW = 4  # bytes outside of strings that are no text
NUMBER = re.compile(rb"(\d{1,10})[\s\0]+(\d{1,5})[\s\0]+obj\b")
INSIDE = re.compile(rb"[\r\n](\d{1,10}) (\d{1,5}) obj\b[\s\0]*<<")
FLATE = re.compile(
    rb"/Filter\s*(?:\[\s*)?(?P<letters>/(?:ASCII85Decode|A85)\s*)?/(?:FlateDecode|Fl)\b\s*\]?\s*(?=/|>>|\s)"
)
OTHER_FILTER = re.compile(rb"/Filter\b")
NO_CONTENT = re.compile(rb"/Length1\b|/Subtype\s*/(?!Form\b)|/Type\s*/(?!XObject\b)|/FunctionType\b")
PARMS = re.compile(rb"/DecodeParms\b|/DP\b")
PACKED = re.compile(rb"/Type\s*/ObjStm\b")
TABLE = re.compile(rb"/Type\s*/XRef\b")
FIRST = re.compile(rb"/First\s+(\d{1,9})")
ASCII85 = re.compile(rb"[!-uz\s\0]*")
BLANK = b"\0\t\n\f\r "
LENGTH = re.compile(rb"/Length\s+\d+(?:\s+\d+\s+R)?")


class Object(msgspec.Struct):
    """An object of a PDF.

    Attributes:
        number, generation: Its name.
        text: Its dictionary or value; of a stream with the brackets of the dictionary.
        start, end: Where its stream's data is in the file, both 0 without a stream.
        data: The stream where it was cut off, unpacked; None where it stands in the file.
        whole: Nothing of it is lost.
    """

    number: int
    generation: int
    text: bytes
    start: int = 0
    end: int = 0
    data: bytes | None = None
    whole: bool = True


def objects(damaged: Damaged) -> Iterator[Object]:
    """Yield the objects in the order of the file, those of packed streams behind their stream."""
    reader = Cached(damaged.reader)
    position = count = 0
    while position < reader.size and count < COUNT:
        part = next(parts(reader, position), None)
        if part is None:
            return
        position = max(part.end, position + 1)
        if part.kind not in {Kind.OBJECT, Kind.STREAM}:
            continue
        if not part.exact and (inner := _swallowed(damaged, part)):
            position, part.whole = inner, False
            part.data_end = min(part.data_end, inner) if part.data else 0
            part.end = inner
        for found in _taken(damaged, part):
            count += 1
            yield found


def _swallowed(damaged: Damaged, part: Part) -> int:
    """Return where an object begins within one whose end is lost, 0 for nowhere."""
    start = part.data or part.start + 8
    position = start
    for piece in chunks(damaged.reader, start, part.end):
        if found := INSIDE.search(piece):
            return position + found.start() + 1
        position += len(piece)
    return 0


def _taken(damaged: Damaged, part: Part) -> Iterator[Object]:
    head = NUMBER.match(damaged.reader.read_at(part.start, 40))
    if head is None or odd_bytes(part.text) > FEW + len(part.text) // 20 or TABLE.search(part.text):
        return
    number, generation = int(head[1]), int(head[2])
    if part.kind is Kind.OBJECT:
        if part.whole:
            yield Object(number, generation, part.text.strip(b"\0 \r\n\t"))
        return
    found = _stream(damaged, part, number, generation)
    if not PACKED.search(part.text):
        yield found
    elif found.data is not None:
        yield from _unpacked(part.text, found.data, whole=found.whole)


def _stream(damaged: Damaged, part: Part, number: int, generation: int) -> Object:
    """Return the object of a stream, unpacked where it is damaged or holds objects."""
    found = Object(number, generation, part.text, part.data, max(part.data_end, part.data), whole=part.whole)
    size = found.end - found.start
    packed = FLATE.search(part.text)
    if size > LONGEST or packed is None:
        stop = damaged.lost_from(found.start, found.end)
        found.whole = part.whole and stop == found.end
        if size <= LONGEST and not OTHER_FILTER.search(part.text) and not NO_CONTENT.search(part.text):
            found.data = cleaned(damaged.reader.read_at(found.start, size), found.start, damaged.lost)
            found.whole = found.whole and found.data is None
        return found
    data = damaged.reader.read_at(found.start, size)
    stop = damaged.lost_from(found.start, found.end)
    lost = damaged.lost
    if packed["letters"]:
        data, lost = letters_of(data[: stop - found.start]), ()  # a hole shows by what is no letter
    whole = _inflated(data) if stop == found.end else None
    if whole is None:
        found.whole = False
        predicted = PARMS.search(part.text) is not None
        grammar = None if predicted or b"/Image" in part.text or b"/Length1" in part.text else PRINTABLE
        rest = inflate_rest(data[2:], found.start + 2, damaged.reader.size, lost, grammar)
        found.data = rest.head
    elif PACKED.search(part.text):
        found.data = whole
    return found


def letters_of(data: bytes) -> bytes:
    """Return what the letters at the beginning of ``data`` stand for in ASCII85: five for four bytes."""
    text = ASCII85.match(data)
    letters = (text[0] if text else b"").translate(None, BLANK).replace(b"z", b"!!!!!")
    digits = np.frombuffer(letters + b"u" * (-len(letters) % 5), np.uint8).astype(np.int64) - 33
    numbers = digits.reshape(-1, 5) @ 85 ** np.arange(4, -1, -1)
    return numbers.astype(">u4").tobytes()[: len(letters) * 4 // 5]


def _inflated(data: bytes) -> bytes | None:
    """Return what a zlib stream holds, None where it does not end well."""
    decoder = zlib.decompressobj()
    try:
        out = decoder.decompress(data, MOST)
    except zlib.error:
        return None
    return out if decoder.eof else None


def _unpacked(text: bytes, data: bytes, *, whole: bool) -> Iterator[Object]:
    """Yield the objects in an object stream, as far as they are left."""
    first = FIRST.search(text)
    start = int(first[1]) if first else len(data)
    pairs = [int(number) for number in re.findall(rb"\d{1,10}", data[:start])]
    places = list(zip(pairs[::2], pairs[1::2], strict=False))[:COUNT]
    ends = sorted({place for _, place in places})
    following = dict(pairwise(ends))
    for number, place in places:
        end = following.get(place, len(data) - start)
        if start + end <= len(data) and (whole or place in following):
            yield Object(number, 0, data[start + place : start + end].strip(b"\0 \r\n\t"))
