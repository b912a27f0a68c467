"""Outlook's folders of mail (PST, OST): two trees of pages, and blocks; each page and block has a CRC-32."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC, CLIENTS = b"!BDN", (b"SM", b"AB", b"SO")  # the second: PST, address book, OST
SUMMED = slice(8, 8 + 471)  # bytes of the header that its first checksum is over
HEADER = 564
ANSI, UNICODE, LARGE = (14, 15), (20, 23), 36  # versions; from the last on pages have 4096 bytes
PAGE = 512
BLOCKS, NODES = 0x80, 0x81  # types of the pages of both trees
DEEPEST = 16  # levels of a tree
MOST_PAGES = 1 << 20


class Layout(NamedTuple):
    """Where things stand in files of one width of numbers.

    Attributes:
        root: Offset of the root in the header.
        number: How `struct` calls an identifier or offset.
        width: Bytes of one.
        counts: Offset in a page of its counts: entries, most entries, bytes of an entry, level.
        trailer: Bytes behind a block.
        crc: Offset in the trailer of the checksum.
    """

    root: int
    number: str
    width: int
    counts: int
    trailer: int
    crc: int


NARROW = Layout(164, "I", 4, 496, 12, 8)
WIDE = Layout(180, "Q", 8, 488, 16, 4)


class File(NamedTuple):
    """What the header says.

    Attributes:
        layout: Where things stand.
        size: Bytes of the file.
        roots: Where the trees of nodes and of blocks begin; none where pages are not read.
    """

    layout: Layout
    size: int
    roots: tuple[int, ...]


def crc_of(data: bytes) -> int:
    """Return the CRC-32 that begins with zeros and is not turned over."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def read_header(head: bytes) -> File | None:
    """Return what a header says, None where its checksum does not hold."""
    if len(head) < HEADER or head[:4] != MAGIC or head[8:10] not in CLIENTS:
        return None
    version = int.from_bytes(head[10:12], "little")
    if crc_of(head[SUMMED]) != int.from_bytes(head[4:8], "little") or version < ANSI[0]:
        return None
    layout = NARROW if version in ANSI else WIDE
    size, _, _, _, _, nodes, _, blocks = struct.unpack_from("<8" + layout.number, head, layout.root + 4)
    return File(layout, size, () if version >= LARGE else (nodes, blocks))


def recognise(head: bytes) -> int:
    """Return the bits of the header with its checksum."""
    return 48 + 32 if read_header(head) else 0


def measure(reader: Reader) -> Measure:
    """Take the size in the header."""
    file = read_header(reader.read_at(0, HEADER))
    fits = file is not None and HEADER <= file.size <= reader.size
    return Measure(file.size if file and fits else None, say("by the size in the header"))


def validate(reader: Reader) -> Validation:
    """Check every page of both trees and every block, by their checksums."""
    file = read_header(reader.read_at(0, HEADER))
    if file is None:
        return bad(say("no header of an Outlook file"), reader.size)
    findings = Findings(reader.size)
    findings.hold(80)
    if file.size > reader.size:
        findings.fault(reader.size, reader.size, say("the Outlook file is cut off"))
    walk = _Walk(Cached(reader), file, findings)
    for root, kind in zip(file.roots, (NODES, BLOCKS), strict=False):
        walk.tree(root, kind)
    check_trailer(reader, min(file.size, reader.size), findings)
    why = say(
        "{pages} pages and {blocks} blocks of the Outlook file have their checksums",
        pages=walk.pages,
        blocks=walk.blocks,
    )
    return findings.verdict(why, file.size)


class _Walk:
    """The walk down both trees.

    Attributes:
        pages, blocks: How many hold.
    """

    def __init__(self, reader: Reader, file: File, findings: Findings) -> None:
        self._reader = reader
        self._layout = file.layout
        self._findings = findings
        self.pages = 0
        self.blocks = 0

    def tree(self, root: int, kind: int) -> None:
        """Check the pages below ``root``, level by level downwards, and the blocks that they name."""
        seen, waiting = {root}, [(root, DEEPEST)]
        while waiting and len(seen) < MOST_PAGES:
            at, above = waiting.pop()
            page = self._page(at, kind)
            level = page[self._layout.counts + 3] if page else above
            if level >= above:
                continue
            for entry in self._entries(page):
                if level:
                    below = struct.unpack_from("<" + self._layout.number, entry, 2 * self._layout.width)[0]
                    if below not in seen:
                        seen.add(below)
                        waiting.append((below, level))
                elif kind == BLOCKS:
                    self._block(entry)

    def _page(self, at: int, kind: int) -> bytes:
        """Return the page at ``at``, b"" where its checksum does not hold."""
        page = self._reader.read_at(at, PAGE)
        trailer = PAGE - self._layout.trailer
        crc = int.from_bytes(page[trailer + self._layout.crc :][:4], "little")
        if len(page) == PAGE and page[trailer] == page[trailer + 1] == kind and crc_of(page[:trailer]) == crc:
            self.pages += 1
            self._findings.hold(48)
            return page
        why = say("the page of the Outlook file at byte {offset} is damaged", offset=at)
        self._findings.fault(at, at + PAGE, why)
        return b""

    def _entries(self, page: bytes) -> Iterator[bytes]:
        count, _, size, _ = page[self._layout.counts : self._layout.counts + 4]
        if size >= 3 * self._layout.width and count * size <= self._layout.counts:
            yield from (page[at : at + size] for at in range(0, count * size, size))

    def _block(self, entry: bytes) -> None:
        """Check the block that an entry of a leaf names, by the checksum behind it."""
        layout = self._layout
        _, at, size = struct.unpack_from(f"<{layout.number}{layout.number}H", entry)
        whole = -(-(size + layout.trailer) // 64) * 64
        block = self._reader.read_at(at, whole)
        crc = int.from_bytes(block[whole - layout.trailer + layout.crc :][:4], "little")
        if len(block) == whole and crc_of(block[:size]) == crc:
            self.blocks += 1
            self._findings.hold(32)
            return
        why = say("the block of the Outlook file at byte {offset} is damaged", offset=at)
        self._findings.fault(at, at + whole, why)


FORMAT = Format(
    name="pst",
    title="Outlook folders of mail",
    extensions=("pst", "ost", "pab"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC),),
    compressed=True,
    references=("[MS-PST]: Outlook Personal Folders (.pst) File Format",),
    limitations=(
        "Messages inside of blocks are not read.",
        "Of files with pages of 4096 bytes (OST of Outlook 2013 and later) only the header is checked.",
        "What no tree names may be anything.",
    ),
)
