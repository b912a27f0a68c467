"""SQL Server data files (.mdf, .ndf) and logs (.ldf): page headers, checksums and torn-page bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._mssql_log import check_log, is_log
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

PAGE = 8192
FILEHEADER = 15  # type of page 0
CHECKSUM, TORN = 0x200, 0x100  # bits of m_flagBits
FREE_SPACE, FREE_SPACE_STEP = 1, 8088  # the pages that tell which pages are allocated
ALLOCATED = 0x40
SUMMED = 80  # bits of a sound page with a checksum
SURE = 3  # pages with their own numbers that show a data file where page 0 is lost
HEADER = np.dtype(
    [
        ("version", "u1"),
        ("type", "u1"),
        ("type_flags", "u1"),
        ("level", "u1"),
        ("flags", "<u2"),
        ("index", "<u2"),
        ("previous", "<u4"),
        ("previous_file", "<u2"),
        ("fixed", "<u2"),  # bytes of a record's fixed part
        ("next", "<u4"),
        ("next_file", "<u2"),
        ("slots", "<u2"),
        ("object", "<u4"),
        ("free_count", "<u2"),
        ("free", "<u2"),
        ("page", "<u4"),
        ("file", "<u2"),
        ("reserved", "<u2"),
        ("lsn_file", "<u4"),
        ("lsn_block", "<u4"),
        ("lsn_slot", "<u2"),
        ("transaction", "V8"),
        ("ghosts", "<u2"),
        ("sum", "<u4"),
    ]
)
_TURNS = np.arange(15, -1, -1, dtype=np.uint32)  # by how many bits each sector's XOR is rotated


def recognise(head: bytes) -> int:
    """Return the bits of page 0 that are fixed: version, type, its number, reserved bytes."""
    if len(head) < 96 or head[:2] != bytes((1, FILEHEADER)):
        return 0
    header = np.frombuffer(head, HEADER, 1)[0]
    sane = header["page"] == 0 and 0 < header["file"] < 32768 and 0 < header["slots"] <= 8
    return 80 if sane and not any(head[64:96]) else 0


def measure(reader: Reader) -> Measure:
    """Return the length up to the last page that has the number of its place."""
    if not recognise(reader.read_at(0, 96)):
        return Measure(None, say("no SQL Server file header"))
    if is_log(reader):
        end = check_log(reader, Findings(reader.size))
        return Measure(end if end <= reader.size else None, say("by the virtual log files"))
    pages = stated_pages(reader)
    return Measure(pages * PAGE or None, say("by the number of pages in the file header"))


def stated_pages(reader: Reader) -> int:
    """Return the pages that the file header's record counts, 0 where that does not fit."""
    page = _restored(reader.read_at(0, PAGE))
    record = int.from_bytes(page[-2:], "little")
    fixed = record + int.from_bytes(page[record + 2 : record + 4], "little")
    columns = int.from_bytes(page[fixed : fixed + 2], "little")
    ends = fixed + 2 + (columns + 7) // 8 + 2  # of variable columns; the fifth is the size
    start = record + (int.from_bytes(page[ends + 6 : ends + 8], "little") & 0x7FFF)
    end = record + (int.from_bytes(page[ends + 8 : ends + 10], "little") & 0x7FFF)
    pages = int.from_bytes(page[start:end], "little") if end - start == 4 else 0
    return pages if pages * PAGE <= reader.size else 0


def _restored(page: bytes) -> bytes:
    """Return ``page`` with the bits that torn-page detection has replaced."""
    if len(page) < PAGE:
        return page
    out = np.frombuffer(page, np.uint8).reshape(1, PAGE).copy()
    restore(out)
    return out.tobytes()


def validate(reader: Reader) -> Validation:
    """Check every page: its number, its sizes and its checksum; free pages may hold anything."""
    findings = Findings(reader.size)
    if recognise(reader.read_at(0, 96)):
        findings.hold(80)
    elif not is_log(reader) and not _numbered(reader):
        return bad(say("neither an SQL Server file header nor numbered pages"), reader.size)
    else:
        findings.fault(0, min(PAGE, reader.size), say("page 0 with the file header is lost"))
    if is_log(reader):
        end = check_log(reader, findings)
        check_trailer(reader, max(end, reader.size // 512 * 512), findings)
        return findings.verdict(say("the virtual log files hold"), min(end, reader.size))
    stated = stated_pages(reader)
    if findings.clean and not stated:
        findings.fault(reader.size, reader.size, say("the data file is cut off"))
    check_trailer(reader, stated * PAGE or reader.size // PAGE * PAGE, findings)
    _check_pages(reader, findings, stated or reader.size // PAGE)
    return findings.verdict(say("{pages} pages hold", pages=reader.size // PAGE), stated * PAGE or None)


def _numbered(reader: Reader) -> bool:
    """Tell whether pages in the middle and at the end have their own numbers."""
    pages = reader.size // PAGE
    places = sorted(
        {*range(pages // 2, min(pages // 2 + 64, pages)), *range(max(0, pages - 64), pages)} - {0}
    )
    headers = [np.frombuffer(reader.read_at(number * PAGE, 64), HEADER)[0] for number in places]
    return (
        sum(
            bool(head["version"] == 1 and head["page"] == number)
            for head, number in zip(headers, places, strict=True)
        )
        >= SURE
    )


def _check_pages(reader: Reader, findings: Findings, count: int) -> None:
    for first, pages in _chunks(reader, count):
        bits = page_bits(pages, first)
        findings.hold(int(bits.sum()))
        for index in np.flatnonzero((bits == 0) & pages.any(axis=1)).tolist():
            number = first + index
            if number % FREE_SPACE_STEP != FREE_SPACE and not is_allocated(reader, number):
                continue
            start = number * PAGE
            findings.fault(
                start, start + PAGE, say("page {number} is no sound SQL Server page", number=number)
            )


def _chunks(reader: Reader, count: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for start in range(0, count * PAGE, CHUNK):
        data = reader.read_at(start, min(CHUNK, count * PAGE - start))
        yield start // PAGE, np.frombuffer(data[: len(data) // PAGE * PAGE], np.uint8).reshape(-1, PAGE)


def is_allocated(reader: Reader, number: int) -> bool:
    """Tell whether page ``number`` is in use; where the free space page is itself broken, it is."""
    place = max(FREE_SPACE, number // FREE_SPACE_STEP * FREE_SPACE_STEP)
    page = np.frombuffer(reader.read_at(place * PAGE, PAGE), np.uint8)
    if len(page) < PAGE or not page_bits(page.reshape(1, PAGE), place)[0]:
        return True
    return bool(page[100 + number % FREE_SPACE_STEP] & ALLOCATED)


def page_bits(pages: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
    """Return the bits by which each page is sound, 0 where it is not.

    Args:
        pages: One page a row.
        first: Number of the first.
    """
    headers = pages[:, : HEADER.itemsize].copy().view(HEADER)[:, 0]
    numbers = first + np.arange(len(pages))
    sane = (headers["version"] == 1) & (headers["type"] >= 1) & (headers["type"] <= 20)
    sane &= (headers["page"] == numbers) & (headers["free"] <= PAGE) & (headers["slots"] <= (PAGE - 96) // 2)
    sane &= holds(pages, headers)
    summed, torn = protections(headers)
    return np.where(sane, 48 + (SUMMED - 48) * summed + 30 * torn, 0)


def is_summed(content: bytes) -> bool:
    """Tell whether most sound pages of a data file carry a checksum, which proves all their bytes."""
    pages = np.frombuffer(content[: len(content) // PAGE * PAGE], np.uint8).reshape(-1, PAGE)
    bits = page_bits(pages, 0)
    return int((bits >= SUMMED).sum()) * 2 > int((bits > 0).sum())


def protections(headers: NDArray[np.void]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pages carry a checksum, and which of the others torn-page bits."""
    summed = headers["flags"] & CHECKSUM > 0
    return summed, (headers["flags"] & TORN > 0) & ~summed


def holds(pages: NDArray[np.uint8], headers: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which pages have the checksum or the torn-page bits that they say; True where they say neither."""
    summed, torn = protections(headers)
    right = ~summed | (checksums(pages) == headers["sum"])
    if torn.any():
        patterns = pages[:, 1023::512] & 3
        right &= ~torn | (patterns == (headers["sum"] & 3)[:, None]).all(axis=1)
    return right


def restore(pages: NDArray[np.uint8]) -> None:
    """Put back, in place, the two bits of each sector but the first that torn-page detection replaced."""
    headers = pages[:, : HEADER.itemsize].copy().view(HEADER)[:, 0]
    torn = np.flatnonzero(protections(headers)[1])
    if len(torn):
        kept = headers["sum"][torn, None] >> np.arange(2, 32, 2, dtype=np.uint32) & 3
        pages[torn, 1023::512] = pages[torn, 1023::512] & 0xFC | kept.astype(np.uint8)


def checksums(pages: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return each page's checksum: the XOR of its sectors' XORs, each turned by its distance to the end."""
    words = pages.view("<u4")
    sectors = np.bitwise_xor.reduce(words.reshape(-1, 16, 128), axis=2)
    sectors[:, 0] ^= words[:, 15]  # the checksum's own place counts as zero
    turned = sectors << _TURNS | sectors >> (32 - _TURNS & 31)  # a turn by 0 is x | x
    return np.bitwise_xor.reduce(turned, axis=1)


FORMAT = Format(
    name="mssql",
    title="SQL Server database file",
    extensions=("mdf", "ndf", "ldf"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, bytes((1, FILEHEADER))), Known(64, bytes(32))),
    references=(
        "https://learn.microsoft.com/en-us/sql/relational-databases/pages-and-extents-architecture-guide",
        "https://github.com/improvedk/OrcaMDF",
    ),
    limitations=(
        "Pages without checksum or torn-page bits are held to their headers only.",
        "Pages encrypted by TDE are held to their headers and checksums, as all are.",
        "Of a log the chain of virtual log files and the marks of sectors are checked, not its records.",
    ),
)
