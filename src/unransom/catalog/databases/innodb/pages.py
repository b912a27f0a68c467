"""The pages of a tablespace file: what each says of itself, and whether its checksum holds.

A file of 10 GiB has 655,360 pages, so what is kept of each is a row of a numpy table, and no bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.table import Page, PageVerdict
from unransom.catalog.formats._innodb_checksums import MARIADB_COMPRESSED, RULES, rule_of
from unransom.core.streams import Reader

SIZES = (16384, 8192, 4096, 32768, 65536, 2048, 1024)  # of pages in the file, the usual ones first
SPACE_HEADER, INDEX, RTREE, SDI, INSTANT = 8, 17855, 17854, 17853, 18
INDEXES = (INDEX, SDI, INSTANT)
NIL = 0xFFFFFFFF
PLACES = 1024  # pages that are looked at to tell their size
BATCH = 4 << 20  # bytes that are looked at together
KINDS = {
    0: "ALLOCATED", 2: "UNDO_LOG", 3: "INODE", 4: "IBUF_FREE_LIST", 5: "IBUF_BITMAP", 6: "SYS", 7: "TRX_SYS",
    8: "FSP_HDR", 9: "XDES", 10: "BLOB", 11: "ZBLOB", 12: "ZBLOB2", 13: "UNKNOWN", 14: "COMPRESSED",
    15: "ENCRYPTED", 16: "COMPRESSED_AND_ENCRYPTED", 17: "ENCRYPTED_RTREE", 18: "INSTANT", 22: "LOB_INDEX",
    23: "LOB_DATA", 24: "LOB_FIRST", 25: "ZLOB_FIRST", 26: "ZLOB_DATA", 27: "ZLOB_INDEX", 28: "ZLOB_FRAG",
    29: "ZLOB_FRAG_ENTRY", 17853: "SDI", 17854: "RTREE", 17855: "INDEX", 34354: "PAGE_COMPRESSED",
    37401: "PAGE_COMPRESSED_ENCRYPTED",
}  # fmt: skip
VALID, TORN, BLANK, LOST = range(4)
UNPACKED = -2  # instead of a rule: none holds, but the page could be unpacked, and damage be all over it
VERDICTS = (PageVerdict.VALID, PageVerdict.TORN, PageVerdict.BLANK, PageVerdict.LOST)

TABLE = np.dtype(
    [
        ("offset", np.int64),
        ("number", np.uint32),
        ("previous", np.uint32),
        ("next", np.uint32),
        ("lsn", np.uint64),
        ("kind", np.uint16),
        ("space", np.uint32),
        ("level", np.uint16),
        ("index", np.uint64),
        ("records", np.uint16),
        ("source", np.uint16),
        ("verdict", np.uint8),
        ("rule", np.int8),
    ]
)


def page_size(flags: int) -> int:
    """Return the size of a page in the file by the space flags, 0 where they make no sense."""
    full_crc32 = flags & 0x10
    power = flags & 15 if full_crc32 else flags >> 1 & 15 or flags >> 6 & 15 or 5
    size = 512 << power
    return size if size in SIZES else 0


def logical_size(flags: int) -> int:
    """Return the size of a page in memory: larger than in the file for ROW_FORMAT=COMPRESSED."""
    if flags & 0x10:
        return page_size(flags)
    return 512 << (flags >> 6 & 15 or 5)


def is_zipped(flags: int) -> bool:
    """Return whether the pages are those of ROW_FORMAT=COMPRESSED."""
    return not flags & 0x10 and bool(flags >> 1 & 15)


def space_flags(head: bytes) -> int | None:
    """Return the space flags of page 0, None where this is no page 0."""
    if len(head) < 64:
        return None
    number, kind, space, again, pages, flags = struct.unpack_from(">4xI16xH8xII4xI4xI", head)
    if number or kind != SPACE_HEADER or space != again or not pages or not page_size(flags):
        return None
    return int(flags)


def first_page(reader: Reader) -> tuple[int, bytes] | None:
    """Return the space flags and page 0, as far as it is there; None where there is none."""
    flags = space_flags(reader.read_at(0, 64))
    return None if flags is None else (flags, reader.read_at(0, page_size(flags)))


def guess_size(reader: Reader) -> int:
    """Return the page size by which most pages all over the file have their own numbers, 0 where none has."""
    best, most = 0, 0
    for size in SIZES:
        pages = reader.size // size
        step = max(pages // PLACES, 1) | 1  # odd: off the rhythm of lockers that skip by powers of two
        fits = 0
        for place in range(1, pages, step):
            head = reader.read_at(place * size, 26)
            kind = int.from_bytes(head[24:26], "big")
            fits += head[4:8] == place.to_bytes(4, "big") and (kind in KINDS or kind > MARIADB_COMPRESSED)
        if fits > most:
            best, most = size, fits
    return best


def scan(reader: Reader, size: int, source: int = 0) -> NDArray[np.void]:
    """Return the table of the pages of ``reader``, one row for each ``size`` bytes.

    Args:
        reader: The file.
        size: Bytes of a page.
        source: Number that is put into the column ``source``.
    """
    count = reader.size // size
    table = np.zeros(count, TABLE)
    rule = 0
    for first, data in batches(reader, size):
        pages = len(data) // size
        part = table[first : first + pages]
        _fill(part, np.frombuffer(data, np.uint8, pages * size).reshape(pages, size), first, size)
        part["source"] = source
        rule = _check(part, data, size, rule)
    return table


def batches(reader: Reader, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of the first page and the bytes of some whole pages."""
    step = max(BATCH // size, 1)
    for first in range(0, reader.size // size, step):
        data = reader.read_at(first * size, min(step * size, reader.size // size * size - first * size))
        yield first, data


def _fill(part: NDArray[np.void], pages: NDArray[np.uint8], first: int, size: int) -> None:
    def field(at: int, width: int) -> NDArray[np.generic]:
        return np.ascontiguousarray(pages[:, at : at + width]).view(f">u{width}")[:, 0]

    part["offset"] = (np.arange(len(pages), dtype=np.int64) + first) * size
    for name, at in (("number", 4), ("previous", 8), ("next", 12), ("space", 34)):
        part[name] = field(at, 4)
    part["lsn"] = field(16, 8)
    part["index"] = field(66, 8)
    for name, at in (("kind", 24), ("level", 64), ("records", 54)):
        part[name] = field(at, 2)


def _check(part: NDArray[np.void], data: bytes, size: int, rule: int) -> int:
    """Fill in rule and verdict; returns the rule that held last, to be tried first next time."""
    first = int(part["offset"][0]) // size if len(part) else 0
    rules, verdicts, blank = [], [], bytes(size)
    rows = zip(part["number"].tolist(), part["kind"].tolist(), strict=True)
    for row, (number, kind) in enumerate(rows):
        page = data[row * size : (row + 1) * size]
        found = -1 if page == blank else rule_of(page, rule)
        if found >= 0 and number == 0 and not _meant(page, first + row):
            found = -1
        rules.append(found)
        if found >= 0:
            rule = found
            verdicts.append(VALID)
        elif page == blank:
            verdicts.append(BLANK)
        else:
            verdicts.append(TORN if number == first + row and kind in KINDS else LOST)
    part["rule"], part["verdict"] = rules, verdicts
    return rule


def _meant(page: bytes, number: int) -> bool:
    """Return whether a page that calls itself number 0 is one; zeros, or nearly, satisfy some checksums."""
    return number == 0 or page[24:26] == SPACE_HEADER.to_bytes(2, "big")


def pages_of(table: NDArray[np.void]) -> Iterator[Page]:
    """Yield the pages of ``table`` as every engine's readers describe them."""
    for row in table:
        kind, rule, verdict = int(row["kind"]), int(row["rule"]), VERDICTS[row["verdict"]]
        known = verdict in {PageVerdict.VALID, PageVerdict.TORN}
        yield Page(
            offset=int(row["offset"]),
            number=int(row["number"]) if known else -1,
            file=int(row["space"]) if known else -1,
            owner=int(row["index"]) if kind in INDEXES else 0,
            kind=KINDS.get(kind, str(kind)),
            verdict=verdict,
            algorithm=RULES[rule][0] if rule >= 0 else "",
            lsn=int(row["lsn"]) if known else 0,
        )
