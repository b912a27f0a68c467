"""SQLite 3 databases: every page's type, cells and pointers, and the free list."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

if TYPE_CHECKING:
    from unransom.catalog.formats._sqlite_links import Links

MAGIC = b"SQLite format 3\0"
SIZES = tuple(1 << power for power in range(9, 17))
FRACTIONS = b"\x40\x20\x20"  # fixed
LOCK_BYTE = 1 << 30  # the page that holds this offset is never used
FREE_CAP = 1 << 22  # free pages whose numbers are kept
SURE = 3  # sound b-tree pages that show the page size where the header is lost


class Header(msgspec.Struct, frozen=True):
    """What the first 100 bytes say.

    Attributes:
        size: Bytes of a page.
        usable: Bytes of it that SQLite uses.
        pages: Pages in the file, 0 where old versions did not write it.
        free: First page of the list of free pages, 0 for none.
        vacuum: Pages with pointers are interspersed.
    """

    size: int
    usable: int
    pages: int
    free: int = 0
    vacuum: bool = False


def recognise(head: bytes) -> int:
    """Return the bits of the signature and the fixed fields."""
    return 152 if read_header(head) else 0


def read_header(head: bytes) -> Header | None:
    """Return what the first 100 bytes say; None where they are no header."""
    if len(head) < 100 or not head.startswith(MAGIC) or head[21:24] != FRACTIONS:
        return None
    size = int.from_bytes(head[16:18], "big")
    size = 65536 if size == 1 else size
    if size not in SIZES or size - head[20] < 480:
        return None
    counter, pages, free = struct.unpack_from(">III", head, 24)
    vacuum, valid_for = struct.unpack_from(">I36xI", head, 52)
    return Header(size, size - head[20], pages if counter == valid_for else 0, free, bool(vacuum))


def measure(reader: Reader) -> Measure:
    """Return pages times page size, or up to the last page that is sound."""
    header = read_header(reader.read_at(0, 100))
    if header is None:
        return Measure(None, say("no SQLite header"))
    if header.pages:
        length = header.pages * header.size
        return Measure(length if length <= reader.size else None, say("by the number of pages in the header"))
    header = msgspec.structs.replace(header, pages=reader.size // header.size)
    for first, kinds, _ in _walk(reader, header):
        broken = np.flatnonzero(kinds == 0)
        if len(broken):
            return Measure(
                (first - 1 + int(broken[0])) * header.size or None, say("up to the first unsound page")
            )
    return Measure(reader.size // header.size * header.size, say("all pages are sound"))


def validate(reader: Reader) -> Validation:
    """Check every page; pages on the free list may hold anything."""
    head = reader.read_at(0, 100)
    header = read_header(head)
    findings = Findings(reader.size)
    if header:
        findings.hold(152)
    else:
        header = _guess(reader)
        if header is None:
            return bad(say("neither an SQLite header nor pages of SQLite"), reader.size)
        findings.fault(0, min(reader.size, header.size), say("the SQLite header is lost"))
    stated = header.pages * header.size
    actual = reader.size // header.size
    header = msgspec.structs.replace(header, pages=header.pages or actual)
    if stated > reader.size:
        findings.fault(reader.size, reader.size, say("the database is cut off"))
    elif stated or actual:
        check_trailer(reader, header.pages * header.size, findings)
    _check_pages(reader, header, findings)
    return findings.verdict(say("{pages} pages hold", pages=header.pages), stated or actual * header.size)


def _check_pages(reader: Reader, header: Header, findings: Findings) -> None:
    from unransom.catalog.formats._sqlite_links import Links  # noqa: PLC0415  numba is slow to import

    free = free_pages(reader, header)
    pages = min(header.pages, reader.size // header.size)
    links = Links(pages, free) if findings.bits and pages <= FREE_CAP else None  # free ones may lead anywhere
    chance = 32 - math.log2(header.pages + 1)  # a random number is not that of a page
    for first, kinds, strong in _walk(reader, header, links):
        numbers = first + np.flatnonzero(kinds == 0)
        for number in numbers[~np.isin(numbers, free)].tolist():
            if not _is_lock(number, header):
                start = (number - 1) * header.size
                findings.fault(
                    start, start + header.size, say("page {number} is no page of SQLite", number=number)
                )
        findings.hold(int(strong.sum()) * 32 + int((kinds == 1).sum() * chance))
    for number in links.wrong(header.usable).tolist() if links else ():
        if not _is_lock(number, header):
            start = (number - 1) * header.size
            findings.fault(
                start,
                start + header.size,
                say("page {number} is not what other pages say that it is", number=number),
            )


def _is_lock(number: int, header: Header) -> bool:
    """Return whether a page is the one that is never used."""
    return (number - 1) * header.size <= LOCK_BYTE < number * header.size


def _walk(
    reader: Reader, header: Header, links: Links | None = None
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield (number of the first page, kinds, which are strong) chunk by chunk; ``links`` looks at them."""
    from unransom.catalog.formats._sqlite_pages import Frame, sort_pages  # noqa: PLC0415  numba is slow to import

    step = header.usable // 5 + 1 if header.vacuum else 0
    end = min(header.pages * header.size, reader.size)
    for start in range(0, end, CHUNK):
        data = reader.read_at(start, min(CHUNK, end - start))
        first = start // header.size + 1
        frame = Frame(first, header.size, header.usable, header.pages, step)
        kinds, strong = sort_pages(data, frame)
        if links:
            links.look(data, frame, kinds)
        yield first, kinds, strong


def free_pages(reader: Reader, header: Header) -> NDArray[np.int64]:
    """Return the numbers of free pages, sorted; they keep what they last held."""
    found: list[NDArray[np.int64]] = []
    trunk, total, seen = header.free, 0, set[int]()
    while 0 < trunk <= header.pages and trunk not in seen and total < FREE_CAP:
        seen.add(trunk)
        page = reader.read_at((trunk - 1) * header.size, header.usable)
        if len(page) < header.usable:
            break
        following, count = struct.unpack_from(">II", page)
        count = min(count, header.usable // 4 - 2)
        found.append(np.frombuffer(page, ">u4", count, 8).astype(np.int64))
        total += count + 1
        trunk = following
    return np.unique(np.concatenate([*found, np.array(sorted(seen), np.int64)]))


def _guess(reader: Reader) -> Header | None:
    """Return the page size by which most pages in the middle and at the end are sound."""
    from unransom.catalog.formats._sqlite_pages import Frame, sort_pages  # noqa: PLC0415  numba is slow to import

    best: tuple[int, Header] | None = None
    for size in SIZES:
        pages, sound = reader.size // size, 0
        for middle in {pages // 2, pages - CHUNK // size}:
            first = max(1, middle)
            data = reader.read_at(first * size, CHUNK)
            _, strong = sort_pages(data, Frame(first + 1, size, size, pages, 0))
            sound += int(strong.sum())
        if sound >= SURE and (best is None or sound * size > best[0]):
            best = sound * size, Header(size, size, pages)
    return best[1] if best else None


FORMAT = Format(
    name="sqlite",
    title="SQLite database",
    extensions=("sqlite", "db", "sqlite3", "db3", "s3db", "gpkg", "mbtiles"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(21, FRACTIONS)),
    references=("https://www.sqlite.org/fileformat2.html",),
    limitations=(
        "Values are not checked, and of overflow pages only the number of the next: the last of a record may "
        "be zeros.",
        "What pages lead to is not checked in databases of more than 4 million pages.",
        "Bytes behind the free list's pages and in the gaps of pages may be anything.",
        "A write-ahead log is not read.",
    ),
)
