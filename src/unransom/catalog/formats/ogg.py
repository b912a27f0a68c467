"""Ogg streams (Vorbis, Opus, Theora, FLAC): every page's CRC-32, and the numbers of the pages."""

from __future__ import annotations

import zlib

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"OggS"
HEADER = 27
LONGEST = HEADER + 255 + 255 * 255
FIRST, LAST = 2, 4
SEARCHES_CAP = 1 << 16
# Ogg's CRC takes bits from the other end than zlib's does.
MIRROR = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
ONES = 0xFFFFFFFF


class _Page(msgspec.Struct, frozen=True):
    """A page whose CRC is right."""

    end: int
    flags: int
    serial: int
    number: int


def _crc_holds(data: bytes) -> bool:
    """Return whether the CRC in a page is right."""
    mirrored = (data[:22] + bytes(4) + data[26:]).translate(MIRROR)
    return zlib.crc32(mirrored, ONES) ^ ONES == int.from_bytes(data[22:26].translate(MIRROR))


def recognise(head: bytes) -> int:
    """Return the bits of the first page's header that hold, with its CRC."""
    if len(head) < HEADER + 1 or head[:5] != MAGIC + b"\0" or head[5] & ~7 or not head[5] & FIRST:
        return 0
    size = HEADER + head[26] + sum(head[HEADER : HEADER + head[26]])
    if size > len(head):
        return 40 + 6
    return 40 + 6 + 32 if _crc_holds(head[:size]) else 0


def _page_at(reader: Reader, position: int) -> _Page | None:
    """Return the page at ``position``; None where there is none that holds."""
    head = reader.read_at(position, HEADER + 255)
    if len(head) < HEADER or head[:5] != MAGIC + b"\0":
        return None
    size = HEADER + head[26] + sum(head[HEADER : HEADER + head[26]])
    data = reader.read_at(position, size)
    if len(data) < size or not _crc_holds(data):
        return None
    serial, number = int.from_bytes(data[14:18], "little"), int.from_bytes(data[18:22], "little")
    return _Page(position + size, data[5], serial, number)


class _Walk:
    """The walk from page to page.

    Attributes:
        end: Offset behind the last page that holds.
        gaps: Numbers of pages are missing.
        open: Streams that have not ended.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = Cached(reader)
        self._next: dict[int, int] = {}
        self.findings = Findings(reader.size)
        self.end = 0

    def run(self) -> None:
        """Walk the pages until something else comes."""
        while (page := _page_at(self._reader, self.end)) is not None:
            self._take(page)
            self.end = page.end

    def _take(self, page: _Page) -> None:
        expected = self._next.get(page.serial)
        if expected is not None and page.number != expected and not page.flags & FIRST:
            why = say("pages of the Ogg stream are missing before byte {offset}", offset=self.end)
            self.findings.fault(self.end, self.end, why)
        self._next[page.serial] = page.number + 1
        self.findings.hold(32 + (32 if expected == page.number else 0))

    def search(self) -> bool:
        """Look for a page behind a break; go there and record the damage if there is one."""
        position = self.end
        for _ in range(SEARCHES_CAP):
            position = find(self._reader, MAGIC, position + 1)
            if position < 0:
                return False
            if _page_at(self._reader, position):
                why = say("the page at byte {offset} of the Ogg stream is damaged", offset=self.end)
                self.findings.fault(self.end, position, why)
                self.end = position
                return True
        return False


def measure(reader: Reader) -> Measure:
    """Walk the pages, CRC by CRC."""
    walk = _Walk(reader)
    walk.run()
    if not walk.end or not walk.findings.clean:
        return Measure(None, say("the pages of the Ogg stream do not hold"))
    return Measure(walk.end, say("the last page of the Ogg stream"))


def validate(reader: Reader) -> Validation:
    """Check every page's CRC and number."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no Ogg stream"), reader.size)
    walk = _Walk(reader)
    walk.run()
    while walk.end < reader.size and walk.search():
        walk.run()
    tail = reader.read_at(walk.end, 5)
    if tail and tail == (MAGIC + b"\0")[: len(tail)]:
        cut = reader.size - walk.end < LONGEST
        why = say("the page at byte {offset} of the Ogg stream is damaged", offset=walk.end)
        walk.findings.fault(walk.end, reader.size, why if not cut else say("the Ogg stream is cut off"))
    else:
        check_trailer(reader, walk.end, walk.findings)
    return walk.findings.verdict(say("every page of the Ogg stream holds"), walk.end or None)


FORMAT = Format(
    name="ogg",
    title="Ogg stream",
    extensions=("ogg", "oga", "ogv", "opus", "spx"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + b"\0\2" + bytes(8), 1.0),),
    compressed=True,
    references=("RFC 3533",),
    limitations=("A file that is cut off between two pages looks whole.",),
)
