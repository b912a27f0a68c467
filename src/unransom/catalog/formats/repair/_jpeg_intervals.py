"""What stands between the restart markers of a JPEG scan: found one by one, and put in its place.

Each interval is coded by itself, and its markers are numbered modulo 8. Those that are left count from the
beginning of the scan or from its end; one between two holes is placed by how many bytes lie in front of it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.formats import _jpeg_markers as markers
from unransom.catalog.formats._jpeg_markers import Frame, GrammarError, Huffman, Scan, Tables
from unransom.core.spans import Span, merge
from unransom.core.streams import CHUNK, Reader, chunks

MARKER = re.compile(rb"\xff[\xd0-\xd7\xd9]")
NUMBERS = 8
MOST = 1 << 18  # intervals of a scan, and markers that are looked at
LARGEST = 1 << 22  # bytes of an interval
UNITS = 1 << 24  # that are decoded in all


class Head(NamedTuple):
    """An image up to its only scan's data: the bytes, what they define, and the scan.

    Attributes:
        units: Of the scan.
        total: Intervals of the scan.
        last: Units of the last of them.
    """

    data: bytes
    tables: Tables
    frame: Frame
    scan: Scan
    units: int

    @property
    def total(self) -> int:
        return -(-self.units // self.tables.interval)

    @property
    def last(self) -> int:
        return self.units - (self.total - 1) * self.tables.interval


class Interval(NamedTuple):
    """A sound interval: its number in the scan, and where its data lies in the file."""

    number: int
    start: int
    end: int


class Placed(NamedTuple):
    """The intervals that are left.

    Attributes:
        head: How they are coded.
        found: In the order of the scan.
        guessed: How many of them are placed by the bytes in front of them.
    """

    head: Head
    found: tuple[Interval, ...]
    guessed: int

    @property
    def left(self) -> int:
        """Bytes of all."""
        return sum(each.end - each.start for each in self.found)


def head_of(data: bytes) -> Head | None:
    """Return what the head of an image says, None where its scan has no restart intervals to be read here."""
    from unransom.catalog.formats import _jpeg_scan as scans  # noqa: PLC0415  numba is slow to import

    tables, scan, position = Tables(), None, 2
    try:
        while scan is None:
            marker = data[position + 1]
            size = int.from_bytes(data[position + 2 : position + 4])
            payload = data[position + 4 : position + 2 + size]
            tables.take(marker, payload)
            scan = tables.scan(payload) if marker == markers.SOS else None
            position += 2 + max(size, 2)
    except (GrammarError, IndexError):
        return None
    frame = tables.frame
    if frame is None or frame.marker == markers.PROGRESSIVE or len(scan.planes) < len(frame.components):
        return None
    if not tables.interval or not scans.decodable(tables, scan):
        return None
    units = scans.ScanDecoder(tables, scan, scans.History(frame)).units
    head = Head(data, tables, frame, scan, units)
    return head if 1 < head.total <= MOST and units <= UNITS else None


def placed(reader: Reader, start: int, head: Head, lost: tuple[Span, ...], *, whole: bool) -> Placed | None:
    """Return the intervals of a scan that are left and where they belong, None if they contradict the head.

    Args:
        reader: The file.
        start: Where the scan's data begins, or what is left of it.
        head: How it is coded.
        lost: Ranges that hold nothing of it.
        whole: The scan begins at ``start``.
    """
    runs = _runs(reader, start, head, lost, whole=whole)
    if not runs:
        return None
    sizes = [each.end - each.start for run in runs for each in run.intervals]
    mean = sum(sizes) / len(sizes) + 2
    found: list[Interval] = []
    guessed, limit = 0, head.total
    ends = runs[-1].last
    if ends:
        limit -= len(runs[-1].intervals)
    number, at = (0, start) if whole else (0, min(start, len(head.data)))
    for run in runs:
        count, first = len(run.intervals), run.intervals[0].number
        if run is runs[0] and run.first:
            place = 0
        elif run is runs[-1] and ends:
            place = limit
        else:
            wanted = number + (run.intervals[0].start - at) / mean
            place = number + (first - number) % NUMBERS
            most = (limit - count - place) // NUMBERS
            place += max(min(round((wanted - place) / NUMBERS), most), 0) * NUMBERS
            guessed += count
        if place < number or place % NUMBERS != first or place + count > (head.total if ends else limit):
            return None
        found += [each._replace(number=place + index) for index, each in enumerate(run.intervals)]
        number, at = place + count, run.intervals[-1].end
    return Placed(head, tuple(found), guessed)


class _Run(NamedTuple):
    """Sound intervals one behind the other, numbered modulo 8; whether they begin the scan, or end it."""

    intervals: list[Interval]
    first: bool
    last: bool


def _runs(reader: Reader, start: int, head: Head, lost: tuple[Span, ...], *, whole: bool) -> list[_Run]:
    """Return the runs of sound intervals from ``start`` to the end of the scan."""
    from unransom.catalog.formats import _jpeg_scan as scans  # noqa: PLC0415  numba is slow to import

    history = scans.History(head.frame)
    usual = scans.ScanDecoder(head.tables, head.scan, history, head.tables.interval)
    last = scans.ScanDecoder(head.tables, head.scan, history, head.last)
    holes = merge(lost)
    ends = [each.end for each in holes]
    left = 4 * head.units  # hostile files cost as much as four images

    def sound(begin: int, end: int, decoder: scans.ScanDecoder) -> bool:
        nonlocal left
        reached = bisect(ends, begin)  # the first hole that ends behind the beginning
        holed = reached < len(holes) and holes[reached].start < end
        if holed or not 0 < end - begin <= LARGEST or left < 0:
            return False
        left -= decoder.units
        data, fork = reader.read_at(begin, end - begin), decoder.fork()
        return fork.feed(data, final=True) is scans.Outcome.DONE and fork.consumed == len(data)

    runs: list[_Run] = []
    before, number = start, -1 if whole else -2  # of the marker in front; -2 for none
    tied = False
    for position, code in _markers(reader, start):
        final, due = code == markers.EOI, (number + 1) % NUMBERS
        fits = (
            number > -2 and (final or code & 7 == due) and sound(before, position, last if final else usual)
        )
        if fits:
            interval = Interval(due, before, position)
            if tied:
                runs[-1].intervals.append(interval)
            else:
                runs.append(_Run([interval], number == -1, False))
            if final:
                runs[-1] = runs[-1]._replace(last=True)
                break
        tied = fits
        if not final:
            before, number = position + 2, code & 7
    return runs


def _markers(reader: Reader, start: int) -> Iterator[tuple[int, int]]:
    """Yield the places and codes of what may be restart markers or the end mark."""
    base, tail, count = start, b"", 0
    for piece in chunks(reader, start, step=CHUNK):
        data = tail + piece
        for found in MARKER.finditer(data):
            yield base - len(tail) + found.start(), data[found.start() + 1]
            count += 1
            if count == MOST:
                return
        tail = data[-1:] if data[-1] == 0xFF else b""
        base += len(piece)


def flat(placed: Placed) -> tuple[bytes, bytes] | None:
    """Return an interval of one colour, and the last one so; None where the image has no codes for that."""
    head = placed.head
    unit = ""
    for index, dc, ac in head.scan.planes:
        codes = _code(head.tables.huffman[0, dc]), _code(head.tables.huffman[1, ac])
        if not all(codes):
            return None
        one = head.frame.components[index]
        unit += "".join(map(str, codes)) * (one.wide * one.high if len(head.scan.planes) > 1 else 1)
    return _coded(unit * head.tables.interval), _coded(unit * head.last)


def _coded(bits: str) -> bytes:
    """Return bits as a scan has them: filled up with ones, zeros behind bytes of ones."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")


def _code(table: Huffman) -> str | None:
    """Return the code of the symbol 0: no change, or the end of a block."""
    code = index = 0
    for length, count in enumerate(table.counts, 1):
        for _ in range(count):
            if table.symbols[index] == 0:
                return f"{code:0{length}b}"
            code += 1
            index += 1
        code <<= 1
    return None
