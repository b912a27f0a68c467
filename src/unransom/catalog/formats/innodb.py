"""InnoDB tablespaces of MySQL and MariaDB: page numbers, space ids and every checksum rule there is."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._innodb_checksums import MARIADB_COMPRESSED, full_crc32, rule_of
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

SIZES = (16384, 8192, 4096, 32768, 65536, 2048, 1024)  # of pages in the file, the usual ones first
SPACE_HEADER = 8  # type of page 0
PUNCHED = 34354  # page_compressed before full_crc32: a zlib or other stream, the rest is a hole
ENCRYPTED = (15, 16, 17)  # MySQL: the checksum is of the plain page
SURE = 3  # pages with their own numbers that show the page size where page 0 is lost


class Space(msgspec.Struct, frozen=True):
    """A tablespace.

    Attributes:
        size: Bytes of a page in the file.
        pages: Pages by page 0, 0 where it is lost.
        number: The space id, None where page 0 is lost.
    """

    size: int
    pages: int = 0
    number: int | None = None


def recognise(head: bytes) -> int:
    """Return the bits of page 0 that are fixed: its number, its type, the space id that stands twice."""
    return 80 if space_header(head) else 0


def space_header(head: bytes) -> Space | None:
    """Return what page 0 says of its tablespace, None where ``head`` is not its beginning."""
    if len(head) < 64:
        return None
    number, kind, space, again, pages, flags = struct.unpack_from(">4xI16xH8xII4xI4xI", head)
    size = _page_size(flags)
    if number or kind != SPACE_HEADER or space != again or not size or not 0 < pages < 1 << 32:
        return None
    return Space(size, pages, space)


def _page_size(flags: int) -> int:
    """Return the size of a page in the file by the space flags, 0 where they make no sense."""
    full_crc32 = flags & 0x10
    power = flags & 15 if full_crc32 else flags >> 1 & 15 or flags >> 6 & 15 or 5
    size = 512 << power
    return size if size in SIZES else 0


def measure(reader: Reader) -> Measure:
    """Return the pages that page 0 counts."""
    space = space_header(reader.read_at(0, 64))
    if space is None:
        return Measure(None, say("no InnoDB space header"))
    length = space.pages * space.size
    return Measure(length if length <= reader.size else None, say("by the number of pages in the header"))


def validate(reader: Reader) -> Validation:
    """Check every page: number, space id and checksum; pages of zeros were never written."""
    space = space_header(reader.read_at(0, 64)) or _guess(reader)
    if space is None:
        return bad(say("neither an InnoDB space header nor numbered pages"), reader.size)
    findings = Findings(reader.size)
    if space.number is None:
        findings.fault(0, space.size, say("page 0 with the space header is lost"))
    stated = space.pages * space.size
    if stated > reader.size:
        findings.fault(reader.size, reader.size, say("the tablespace is cut off"))
    check_trailer(reader, reader.size // space.size * space.size, findings)
    for number, page in _pages(reader, space.size):
        bits = page_bits(page, number, space)
        if bits:
            findings.hold(bits)
        elif any(page):
            start = number * space.size
            findings.fault(
                start, start + space.size, say("page {number} is no sound InnoDB page", number=number)
            )
    return findings.verdict(say("{pages} pages hold", pages=reader.size // space.size), stated or None)


def _pages(reader: Reader, size: int) -> Iterator[tuple[int, bytes]]:
    for start in range(0, reader.size // size * size, CHUNK):
        data = reader.read_at(start, CHUNK)
        for at in range(0, len(data) // size * size, size):
            yield (start + at) // size, data[at : at + size]


def page_bits(page: bytes, number: int, space: Space) -> int:
    """Return the bits by which ``page`` is sound, 0 where it is not."""
    own, kind, owner = struct.unpack_from(">4xI16xH8xI", page)
    if own != number:
        return 0
    if kind & MARIADB_COMPRESSED:  # page_compressed with full_crc32: its type is its length
        return 64 if full_crc32(page) and not any(page[(kind & 0x7FFF) * 256 :]) else 0
    if space.number not in (None, owner):
        return 0
    if kind == PUNCHED or kind in ENCRYPTED:
        return 64  # by number and space id alone
    return 96 if rule_of(page) >= 0 else 0


def _guess(reader: Reader) -> Space | None:
    """Return the page size by which pages in the middle and at the end have their own numbers."""
    for size in SIZES:
        pages = reader.size // size
        places = {*range(pages // 2, min(pages // 2 + 16, pages)), *range(max(0, pages - 16), pages)} - {0}
        numbers = [
            reader.read_at(number * size + 4, 4) == number.to_bytes(4, "big") for number in sorted(places)
        ]
        if sum(numbers) >= SURE:
            return Space(size)
    return None


FORMAT = Format(
    name="innodb",
    title="InnoDB tablespace",
    extensions=("ibd", "ibdata1", "ibu"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=(
        "https://dev.mysql.com/doc/dev/mysql-server/latest/page_innodb.html",
        "https://mariadb.com/kb/en/innodb-checksums/",
        "https://github.com/jeremycole/innodb_ruby/wiki",
    ),
    limitations=(
        "Encrypted pages and pages that were compressed before full_crc32 are held to their numbers only.",
        "Records are not read here.",
    ),
)
