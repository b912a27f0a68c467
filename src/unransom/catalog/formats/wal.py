"""Write-ahead logs of SQLite: the newest pages of a database, in frames with salts and running checksums.

A log is written again from its beginning and not cut: behind the frames of this round stand those of the one
before. Each frame's checksum goes on from the one before it, so that older frames can be checked too.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats._chain import Link, follow
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGICS = (0x377F0682, 0x377F0683)  # the checksums read words of the one or the other byte order
VERSION = 3007000
HEADER, FRAME = 32, 24
FRAME_BITS = 64


class Log(NamedTuple):
    """What the header says: bytes of a page, the byte order of the checksums, and its own checksum."""

    page: int
    order: str
    sums: tuple[int, int]


def summed(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Return both sums after ``data``, going on from ``sums``; ``order`` is numpy's name of its words."""
    from unransom.catalog.formats._wal_kernel import running_sum  # noqa: PLC0415  numba is slow to import

    words = np.frombuffer(data, order).astype(np.uint32)
    first, second = running_sum(words, *sums)
    return int(first), int(second)


def read_log(head: bytes) -> Log | None:
    """Return what the header of a log says, None where its checksum does not hold."""
    if len(head) < HEADER:
        return None
    magic, version, page, *_, first, second = struct.unpack_from(">8I", head)
    page = 65536 if page == 1 else page
    if magic not in MAGICS or version != VERSION or not 512 <= page <= 65536 or page & (page - 1):
        return None
    order = ">u4" if magic & 1 else "<u4"
    sums = first, second
    return Log(page, order, sums) if summed(head[:FRAME], order, (0, 0)) == sums else None


def recognise(head: bytes) -> int:
    """Return the bits of the header: what is fixed, and its checksum."""
    return 64 + 64 if read_log(head) else 0


class _Frames:
    """The frames of a log, in turn."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._sums = {HEADER: log.sums}  # what the frame at an offset goes on from
        self._salts = b""  # of the frame before

    def at(self, reader: Reader, offset: int) -> Link | None:
        """Return the frame at ``offset``, None where its checksum goes on from none before it."""
        frame = reader.read_at(offset, FRAME + self._log.page)
        end = offset + FRAME + self._log.page
        if len(frame) < FRAME + self._log.page:
            return Link(end, 0) if any(frame) else None
        number, *_, first, second = struct.unpack_from(">6I", frame)
        if not number:
            return None
        sums = self._sums.pop(offset, None)
        self._sums[end] = first, second
        content = frame[:8] + frame[FRAME:]
        before, self._salts = self._salts, frame[8:16]
        if sums is not None and summed(content, self._log.order, sums) == (first, second):
            return Link(end, FRAME_BITS)
        return self._first_of_older(reader, end, (first, second)) if self._salts != before else None

    def _first_of_older(self, reader: Reader, end: int, sums: tuple[int, int]) -> Link | None:
        """Return the first frame of the round before, which ends at ``end``: the next one goes on from it."""
        frame = reader.read_at(end, FRAME + self._log.page)
        if len(frame) < FRAME + self._log.page:
            return None
        following = struct.unpack_from(">II", frame, 16)
        content = frame[:8] + frame[FRAME:]
        return Link(end, 0) if summed(content, self._log.order, sums) == following else None


def measure(reader: Reader) -> Measure:
    """Go from frame to frame, those of the round before included."""
    log = read_log(reader.read_at(0, HEADER))
    if log is None:
        return Measure(None, say("this is no write-ahead log of SQLite"))
    chain = follow(reader, HEADER, _Frames(log).at, Findings(reader.size))
    return Measure(chain.end, say("the checksums of {count} frames go on from each other", count=chain.parts))


def validate(reader: Reader) -> Validation:
    """Check the checksum of every frame."""
    log = read_log(reader.read_at(0, HEADER))
    if log is None:
        return bad(say("this is no write-ahead log of SQLite"), reader.size)
    findings = Findings(reader.size)
    findings.hold(128)
    chain = follow(reader, HEADER, _Frames(log).at, findings)
    check_trailer(reader, chain.end, findings)
    if (reader.size - chain.end) >= FRAME + log.page and any(reader.read_at(chain.end, FRAME)):
        why = say("the checksum of the frame at byte {offset} does not hold", offset=chain.end)
        findings.fault(chain.end, reader.size, why)
    why = say("the checksums of {count} frames go on from each other", count=chain.parts)
    return findings.verdict(why, chain.end)


FORMAT = Format(
    name="wal",
    title="Write-ahead log of SQLite",
    extensions=("sqlite-wal", "db-wal", "sqlite3-wal", "wal"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"\x37\x7f\x06"), Known(4, VERSION.to_bytes(4))),
    references=("https://www.sqlite.org/fileformat2.html#the_write_ahead_log",),
    limitations=("Frames behind a damaged one are not checked.",),
)
