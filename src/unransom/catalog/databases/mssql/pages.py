"""SQL Server pages wherever they lie: in data files, uncompressed backups, disk images and carved runs.

A page says its own number, so no page is found by following links. Pages may start at any multiple of
512 bytes: in a backup they are shifted by its headers.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.coherence import coherent
from unransom.catalog.databases.table import Page, PageVerdict
from unransom.catalog.formats.mssql import HEADER, PAGE, holds, protections, restore
from unransom.core.streams import CHUNK, Reader

SECTOR = 512
FIRST_RECORD = 96  # bytes of the page header with its reserved part
SLOT_LIMIT = (PAGE - FIRST_RECORD) // 2
EXTENT = 8  # pages
INTERVAL = 511232  # pages that one page of bits for extents tells of


class Kind(enum.IntEnum):
    """What a page is used for."""

    DATA = 1
    INDEX = 2
    TEXT_MIX = 3
    TEXT_TREE = 4
    SORT = 7
    GAM = 8
    SGAM = 9
    IAM = 10
    PFS = 11
    BOOT = 13
    FILE_HEADER = 15
    DIFFERENCES = 16
    MINIMALLY_LOGGED = 17


class Soundness(enum.IntEnum):
    """Verdicts on pages in order of worth: of two copies the higher one wins."""

    LOST = 0
    BLANK = 1
    TORN = 2
    UNCHECKED = 3
    VALID = 4


_VERDICT = {
    Soundness.LOST: PageVerdict.LOST,
    Soundness.BLANK: PageVerdict.BLANK,
    Soundness.TORN: PageVerdict.TORN,
    Soundness.UNCHECKED: PageVerdict.UNCHECKED,
    Soundness.VALID: PageVerdict.VALID,
}

_KINDS = {int(kind): kind.name.lower() for kind in Kind}

ENTRY = np.dtype(  # one found page; 61 bytes, so that 10 GiB of pages take some 80 MB
    [
        ("file", "<u2"),
        ("page", "<i8"),  # -1 where nothing tells its number
        ("source", "<u4"),
        ("offset", "<i8"),
        ("soundness", "u1"),
        ("summed", "u1"),  # 0 nothing, 1 checksum, 2 torn-page bits
        ("type", "u1"),
        ("type_flags", "u1"),
        ("object", "<u4"),
        ("index", "<u2"),
        ("fixed", "<u2"),
        ("slots", "<u2"),
        ("previous", "<u4"),
        ("previous_file", "<u2"),
        ("next", "<u4"),
        ("next_file", "<u2"),
        ("lsn_file", "<u4"),
        ("lsn_block", "<u4"),
        ("lsn_slot", "<u2"),
    ]
)
_COPIED = tuple(set(ENTRY.names or ()) & set(HEADER.names or ()) - {"file", "page"})


def headers_of(pages: NDArray[np.uint8]) -> NDArray[np.void]:
    """Return the headers of ``pages``, one page a row."""
    return pages[:, : HEADER.itemsize].copy().view(HEADER)[:, 0]


def plausible(headers: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which headers make sense; random bytes do with a chance of about 2**-28."""
    sane = (headers["version"] == 1) & (headers["type"] >= 1) & (headers["type"] <= 20)
    sane &= (
        (headers["slots"] <= SLOT_LIMIT) & (headers["free"] <= PAGE) & (headers["free_count"] <= PAGE - 96)
    )
    sane &= (headers["file"] > 0) & (headers["file"] < 32768) & (headers["page"] < 1 << 31)
    return sane & (headers["level"] < 32)


def judge(pages: NDArray[np.uint8], headers: NDArray[np.void]) -> NDArray[np.uint8]:
    """Return the ``Soundness`` of each page."""
    sane = plausible(headers)
    summed, torn = protections(headers)
    verdict = np.where(summed | torn, Soundness.VALID, Soundness.UNCHECKED)
    verdict = np.where(holds(pages, headers), verdict, Soundness.TORN)
    verdict = np.where(sane, verdict, Soundness.LOST)
    for row in np.flatnonzero(~sane):
        if not pages[row].any():
            verdict[row] = Soundness.BLANK
    unproven = np.flatnonzero((verdict >= Soundness.UNCHECKED) & ~summed & (headers["type"] == Kind.DATA))
    if len(unproven):
        verdict[unproven[~_holds_together(pages[unproven], headers[unproven])]] = Soundness.TORN
    return verdict.astype(np.uint8)


def _holds_together(pages: NDArray[np.uint8], headers: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which data pages fit what their headers count; ``pages`` may be changed."""
    restore(pages)
    counts = (headers[name].astype(np.int64) for name in ("slots", "free", "free_count", "reserved"))
    return np.asarray(coherent(pages, *counts))


def scan(reader: Reader, source: int = 0) -> NDArray[np.void]:
    """Return an ``ENTRY`` for every place of a page in ``reader``, in order of offset.

    Args:
        reader: A data file, a backup or any run of bytes that holds pages.
        source: Its number, to be put into the entries.
    """
    found = [_entries(pages, offsets, source) for offsets, pages in _pages(reader)]
    entries = np.concatenate(found) if found else np.zeros(0, ENTRY)
    _number(entries)
    return entries


def _pages(reader: Reader) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    """Yield the offsets and bytes of all places where pages may start."""
    at = 0
    while at + PAGE <= reader.size:
        data = np.frombuffer(reader.read_at(at, CHUNK + PAGE), np.uint8)
        if len(data) < PAGE:
            return
        shift = _shift(data)
        count = min((len(data) - shift) // PAGE, CHUNK // PAGE)
        if count == 0:
            return
        pages = data[shift : shift + count * PAGE].reshape(count, PAGE)
        yield at + shift + PAGE * np.arange(count), pages
        at += shift + count * PAGE


def _shift(data: NDArray[np.uint8]) -> int:
    """Return where the pages in ``data`` start: at 0, unless more headers stand at another shift."""
    sectors = data[: len(data) // SECTOR * SECTOR].reshape(-1, SECTOR)
    candidates = np.flatnonzero((sectors[:, 0] == 1) & (sectors[:, 1] >= 1) & (sectors[:, 1] <= 20))
    if len(candidates) == 0:
        return 0
    headers = sectors[candidates, : HEADER.itemsize].copy().view(HEADER)[:, 0]
    shifts = candidates[plausible(headers)] % (PAGE // SECTOR)
    counts = np.bincount(shifts, minlength=PAGE // SECTOR)
    best = int(counts.argmax())
    return 0 if counts[0] * 4 >= counts[best] or counts[best] < 2 else best * SECTOR


def _entries(pages: NDArray[np.uint8], offsets: NDArray[np.int64], source: int) -> NDArray[np.void]:
    headers = headers_of(pages)
    entries = np.zeros(len(pages), ENTRY)
    entries["soundness"] = judge(pages, headers)
    entries["source"] = source
    entries["offset"] = offsets
    entries["page"] = -1
    known = entries["soundness"] >= Soundness.TORN
    entries["file"][known] = headers["file"][known]
    entries["page"][known] = headers["page"][known]
    for name in _COPIED:
        entries[name][known] = headers[name][known]
    entries["summed"][known] = protection_of(headers)[known]
    return entries


def protection_of(headers: NDArray[np.void]) -> NDArray[np.int64]:
    """Return for each header what protects its page, as an ``ENTRY`` has it."""
    summed, torn = protections(headers)
    return np.asarray(summed * 1 + torn * 2)


def _number(entries: NDArray[np.void]) -> None:
    """Give pages without a header the number that follows from their neighbours, where these agree."""
    known = np.flatnonzero(entries["page"] >= 0)
    missing = np.flatnonzero(entries["page"] < 0)
    if len(known) == 0 or len(missing) == 0:
        return
    after = np.searchsorted(known, missing)
    left = known[np.maximum(after - 1, 0)]
    right = known[np.minimum(after, len(known) - 1)]
    number = np.full(len(missing), -1, np.int64)
    for neighbour, must_share in ((right, True), (left, True), (right, False)):
        step = (entries["offset"][missing] - entries["offset"][neighbour]) // PAGE
        guess = entries["page"][neighbour].astype(np.int64) + step
        other = (entries["offset"][missing] - entries["offset"][left]) // PAGE + entries["page"][left]
        fits = guess // EXTENT == entries["page"][neighbour] // EXTENT if must_share else guess == other
        number[fits & (guess >= 0)] = guess[fits & (guess >= 0)]
    entries["page"][missing] = number
    entries["file"][missing] = entries["file"][left]


def page_of(entry: np.void) -> Page:
    """Return what an ``ENTRY`` says in the words that both engines share."""
    soundness = Soundness(int(entry["soundness"]))
    kind = int(entry["type"])
    return Page(
        offset=int(entry["offset"]),
        number=int(entry["page"]),
        file=int(entry["file"]),
        owner=unit_of(int(entry["object"]), int(entry["index"])),
        kind=_KINDS.get(kind, str(kind)),
        verdict=_VERDICT[soundness],
        algorithm=("", "checksum", "torn bits")[int(entry["summed"])] if soundness is Soundness.VALID else "",
        lsn=int(entry["lsn_file"]) << 48 | int(entry["lsn_block"]) << 16 | int(entry["lsn_slot"]),
    )


def unit_of(object_number: int, index: int) -> int:
    """Return the allocation unit that pages with this object and index number in their header belong to."""
    return index << 48 | object_number << 16
