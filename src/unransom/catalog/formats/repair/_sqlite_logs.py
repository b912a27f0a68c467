"""Pages of SQLite databases in their own logs: write-ahead logs, and journals of transactions to be undone.

A log is written again from its beginning, so that what is behind its newest frames is older; a journal whose
transaction ended is left with a head of zeros. https://www.sqlite.org/fileformat2.html sections 3 and 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats.sqlite import SIZES
from unransom.catalog.formats.wal import FRAME, HEADER, Log, read_log, summed
from unransom.core.streams import CHUNK, Reader

MOST = 1 << 24  # frames or records of a log that are looked at
PLACES = 32  # in a log without a head at which frames are looked for,
TRIED = 64  # so many one behind the other
ORDERS = ("<u4", ">u4")
JOURNAL = bytes.fromhex("d9d505f920a163d7")
UNCOUNTED = 0xFFFFFFFF  # records of a journal that were never synced: they go to its end
SECTORS = range(512, 65537)
SPARSE = 200  # bytes from one that is summed to the next


class Logged(NamedTuple):
    """Pages of a database in a log.

    Attributes:
        reader: The log.
        page: Bytes of a page.
        pages: Of the database, as the log leaves it.
        places: Offset in the log of the content that counts, by page number.
        gaps: Frames or records that are lost in front of others that count.
        ahead: The pages are newer than those of the database, else older.
    """

    reader: Reader
    page: int
    pages: int
    places: dict[int, int]
    gaps: int
    ahead: bool

    def content(self, number: int) -> bytes:
        """Return a page that the log has."""
        return self.reader.read_at(self.places[number], self.page)


def read_logged(reader: Reader) -> Logged | None:
    """Return the pages that count in a log or a journal; None where it is neither, or has none."""
    return _read_journal(reader) if reader.read_at(0, 8) == JOURNAL else _read_wal(reader)


class _Frame(NamedTuple):
    number: int  # of the page
    pages: int  # of the database where a transaction ends here, else 0
    salts: bytes
    sums: tuple[int, int]
    summed: bytes
    at: int  # offset of the page


def _frames(reader: Reader, page: int, start: int, most: int) -> Iterator[_Frame]:
    stride = FRAME + page
    step = max(CHUNK // stride, 1) * stride
    end = min(start + most * stride, start + (reader.size - start) // stride * stride)
    for offset in range(start, end, step):
        data = reader.read_at(offset, min(step, end - offset))
        for at in range(0, len(data) - stride + 1, stride):
            number, pages, salts, first, second = struct.unpack_from(">II8sII", data, at)
            content = data[at : at + 8] + data[at + FRAME : at + stride]
            yield _Frame(number, pages, salts, (first, second), content, offset + at + FRAME)


def _read_wal(reader: Reader) -> Logged | None:
    """Return the newest pages of transactions that were committed.

    A frame counts whose checksum goes on from that of the frame before. SQLite stops at the first that does
    not. Behind frames that were lost since it goes on at those with the same salts, up to the last end of a
    transaction: what a transaction left that was taken back has no end, and frames in front of an end are
    never written over.
    """
    head = reader.read_at(0, HEADER)
    log, salts = read_log(head), head[16:24]
    if log is None:
        found = _without_head(reader)
        if found is None:
            return None
        log, salts = found
    sums: tuple[int, int] | None = log.sums if log.sums != (0, 0) else None
    places: dict[int, int] = {}
    pending: dict[int, int] = {}
    pages = gaps = unread = 0
    for frame in _frames(reader, log.page, HEADER, MOST):
        holds = frame.number > 0 and frame.salts == salts and sums is not None
        if holds and summed(frame.summed, log.order, sums or (0, 0)) == frame.sums:
            pending[frame.number] = frame.at
            if frame.pages:
                places.update(pending)
                pending.clear()
                pages, gaps = frame.pages, unread
        else:
            unread += 1
        sums = frame.sums
    places = {number: at for number, at in places.items() if number <= pages}
    return Logged(reader, log.page, pages, places, gaps, True) if places else None


def _without_head(reader: Reader) -> tuple[Log, bytes] | None:
    """Return size, byte order and salts of a log whose head is lost, by the first two frames that agree."""
    for page in SIZES:
        count = (reader.size - HEADER) // (FRAME + page)
        for first in sorted({max(count - TRIED, 0) * part // PLACES for part in range(PLACES + 1)}):
            before: _Frame | None = None
            for frame in _frames(reader, page, HEADER + first * (FRAME + page), TRIED):
                if before and before.salts == frame.salts and any(frame.salts) and frame.number:
                    for order in ORDERS:
                        if summed(frame.summed, order, before.sums) == frame.sums:
                            return Log(page, order, (0, 0)), frame.salts
                before = frame
    return None


class _Segment(NamedTuple):
    """A part of a journal that has a head of its own.

    Attributes:
        records: How many there are.
        nonce: What their checksums begin with.
        pages: Of the database before the transaction.
        start: Offset of the first record.
        sector: The next segment begins at a multiple of it.
        page: Bytes of a page.
        open: How many records count was never written, nor anything to the database since.
    """

    records: int
    nonce: int
    pages: int
    start: int
    sector: int
    page: int
    open: bool


def _segment(reader: Reader, start: int) -> _Segment | None:
    head = reader.read_at(start, 28)
    if len(head) < 28 or head[:8] != JOURNAL:
        return None
    count, nonce, pages, sector, page = struct.unpack_from(">5I", head, 8)
    if page not in SIZES or sector not in SECTORS or sector & (sector - 1):
        return None
    room = max(reader.size - start - sector, 0) // (page + 8)
    counted = room if count in {0, UNCOUNTED} else min(count, room)
    return _Segment(min(counted, MOST), nonce, pages, start + sector, sector, page, count == 0)


def _read_journal(reader: Reader) -> Logged | None:
    """Return the pages as they were before the transaction that a journal is to undo.

    One with the name of a journal above it is left alone: that transaction may have ended elsewhere.
    """
    if reader.read_at(reader.size - 8, 8) == JOURNAL:
        return None
    first = following = _segment(reader, 0)
    places: dict[int, int] = {}
    gaps = seen = 0
    while first and following and following.page == first.page and seen < MOST:
        segment = following
        found = _records(reader, segment, first.pages)
        gaps += 0 if segment.open else segment.records - len(found)
        places = {**dict(found), **places}
        seen += segment.records + 1
        end = segment.start + segment.records * (segment.page + 8)
        following = None if segment.open else _segment(reader, -(-end // segment.sector) * segment.sector)
    return Logged(reader, first.page, first.pages, places, gaps, False) if first and places else None


def _records(reader: Reader, segment: _Segment, pages: int) -> list[tuple[int, int]]:
    """Return (number, offset) of the pages of a segment whose checksums hold."""
    found: list[tuple[int, int]] = []
    size = segment.page + 8
    for at in range(segment.start, segment.start + segment.records * size, size):
        record = reader.read_at(at, size)
        number, checksum = int.from_bytes(record[:4]), int.from_bytes(record[-4:])
        if 1 <= number <= pages and _sparse_sum(record[4:-4], segment.nonce) == checksum:
            found.append((number, at + 4))
        elif segment.open:
            break
    return found


def _sparse_sum(page: bytes, nonce: int) -> int:
    values = np.frombuffer(page, np.uint8)[len(page) - SPARSE : 0 : -SPARSE]
    return (nonce + int(values.sum(dtype=np.uint64))) & 0xFFFFFFFF
