"""Leaf pages of ROW_FORMAT=COMPRESSED as they are in memory.

Such a page keeps its header, and behind it a zlib stream of its records without their headers, then a log
of later changes; from the end backwards stand a directory of all records, their transaction numbers and
roll pointers, and their references to values off the page. The stream begins with the lengths of the
fields, so that no definition is needed.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import NamedTuple

DATA, START = 94, 120  # where the stream begins; where records begin in memory
INDEXES = (17855, 17853)
OFFSET, OWNED, DELETED = 0x3FFF, 0x4000, 0x8000  # of a slot of the directory
SYSTEM, REFERENCE, EXTRA = 13, 20, 5  # bytes of transaction and roll pointer, of a reference, of a header
INFIMUM, SUPREMUM = 99, 112
ENDS = bytes.fromhex("0100020000") + b"infimum\0" + bytes.fromhex("01000b0000") + b"supremum"
SMALL, BIG = 0, 0x7FFF  # lengths that stand for variable ones


class _Field(NamedTuple):
    length: int
    nullable: bool


class _BadError(ValueError):
    """The page is damaged."""


def unzip(page: bytes, size: int) -> bytes | None:
    """Return the page of ``size`` bytes that ``page`` is the compressed form of, None where it cannot be.

    Pages of other types than leaves of a clustered index are returned as they are, filled up with zeros.
    """
    kind, level = struct.unpack_from(">H", page, 24)[0], struct.unpack_from(">H", page, 64)[0]
    if kind not in INDEXES or level:
        return page.ljust(size, b"\0")
    try:
        return _Page(page, size).whole()
    except (_BadError, zlib.error, struct.error, IndexError):
        return None


class _Page:
    """A page on its way into memory."""

    def __init__(self, packed: bytes, size: int) -> None:
        self._packed = packed
        self._out = bytearray(size)
        self._out[:DATA] = packed[:DATA]
        self._out[DATA:START] = ENDS
        heap = struct.unpack_from(">H", packed, 42)[0] & 0x7FFF
        self._records = struct.unpack_from(">H", packed, 54)[0]
        self._dense = heap - 2
        if not 0 <= self._records <= self._dense <= len(packed) // 2:
            raise _BadError
        ends = len(packed) - 2 * self._dense
        self._slots = [
            struct.unpack_from(">H", packed, len(packed) - 2 * (place + 1))[0] for place in range(self._dense)
        ]
        self._origins = sorted(slot & OFFSET for slot in self._slots)
        self._system, self._outside = ends, ends - SYSTEM * self._dense
        self._stream = zlib.decompressobj()
        self._rest = packed[DATA : max(self._outside, DATA)]
        self._ended = False
        self._fields: list[_Field] = []
        self._place = 0  # of the field that begins with the transaction number

    def whole(self) -> bytes:
        """Return the page."""
        self._read_fields()
        at = START
        for heap, origin in enumerate(self._origins, 2):
            if not at + EXTRA <= origin < len(self._out) - 8:
                raise _BadError
            self._inflate(at, origin - EXTRA)
            struct.pack_into(">H", self._out, origin - 4, heap << 3)
            if not self._ended:
                at = self._record(origin)
        top = struct.unpack_from(">H", self._packed, 40)[0]
        if at < top < len(self._out):
            self._inflate(at, top)
        self._apply_log()
        self._system_columns()
        self._link()
        return bytes(self._out)

    def _inflate(self, start: int, end: int) -> None:
        """Fill the page from ``start`` to ``end`` out of the stream.

        The stream ends before records that were inserted later: these are in the log as a whole.
        """
        while start < end and not self._ended:
            part = self._stream.decompress(self._rest, end - start)
            self._rest = self._stream.unconsumed_tail
            if not part:
                if not self._stream.eof:
                    raise _BadError
                self._ended = True
            self._out[start : start + len(part)] = part
            start += len(part)

    def _read_fields(self) -> None:
        """Read the lengths of the fields, which end where all of them and the position are read."""
        # The stream is flushed behind them: what can be had from its first block is they and no more, but
        # Python's zlib does not stop at blocks, so they are found on a copy, byte by byte.
        probe, rest, data = zlib.decompressobj(), self._rest, bytearray()
        ends = _block_end(rest)
        data += probe.decompress(rest[:ends])
        if not data:
            raise _BadError
        values, at = [], 0
        while at < len(data):
            value = data[at]
            at += 1
            if value & 0x80:
                value = (value & 0x7F) << 7 | data[at] | 1 << 15
                at += 1
            values.append(value)
        self._stream = probe
        self._rest = rest[ends:]
        self._place = values.pop() & 0x7FFF
        self._fields = [_field(value) for value in values]
        if not 0 < self._place < len(self._fields):
            raise _BadError

    def _lengths(self, start: int, step: int) -> tuple[list[tuple[int, bool]], int]:
        """Return the length of each field and whether it goes on off the page, and where they end.

        The null bits begin at ``start`` and go on with ``step``: -1 in a page, 1 in the log.
        """
        nullable = sum(field.nullable for field in self._fields)
        sizes, bit = start + step * ((nullable + 7) // 8), 0
        source = self._out if step < 0 else self._rest
        out = []
        for field in self._fields:
            if field.nullable:
                isnull = source[start + step * (bit >> 3)] >> (bit & 7) & 1
                bit += 1
                if isnull:
                    out.append((0, False))
                    continue
            length, off = field.length, False
            if field.length in {SMALL, BIG}:
                length = source[sizes]
                sizes += step
                if field.length == BIG and length & 0x80:
                    off, length = bool(length & 0x40), (length & 0x3F) << 8 | source[sizes]
                    sizes += step
            out.append((length, off))
        return out, sizes

    def _gaps(self, lengths: list[tuple[int, bool]]) -> list[tuple[int, int]]:
        """Return the parts of a record, start and end, that the stream holds."""
        parts, at, begin = [], 0, 0
        for place, (length, off) in enumerate(lengths):
            if place == self._place:
                parts.append((begin, at))
                begin = at + SYSTEM
            at += length
            if off:
                parts.append((begin, at - REFERENCE))
                begin = at
        parts.append((begin, at))
        return parts

    def _record(self, origin: int) -> int:
        """Fill in a record; return where it ends."""
        lengths, _ = self._lengths(origin - EXTRA - 1, -1)
        for start, end in self._gaps(lengths):
            self._inflate(origin + start, origin + end)
        return origin + sum(length for length, _ in lengths)

    def _apply_log(self) -> None:
        """Make the changes that were logged behind the stream."""
        if not self._stream.eof:
            self._stream.decompress(self._rest, 1)
        # What is behind the stream is the log; zlib hands it back where it saw the stream end.
        self._rest = self._stream.unused_data
        at = 0
        while at < len(self._rest):
            value = self._rest[at]
            at += 1
            if value & 0x80:
                value = (value & 0x7F) << 8 | self._rest[at]
                at += 1
            if value == 0:
                return
            if value >> 1 > self._dense:
                raise _BadError
            origin = self._origins[(value >> 1) - 1]
            if value & 1:
                self._clear(origin)
                continue
            at = self._logged(origin, at)

    def _clear(self, origin: int) -> None:
        lengths, sizes = self._lengths(origin - EXTRA - 1, -1)
        end = origin + sum(length for length, _ in lengths)
        self._out[sizes + 1 : origin - EXTRA] = bytes(origin - EXTRA - sizes - 1)
        self._out[origin:end] = bytes(end - origin)

    def _logged(self, origin: int, at: int) -> int:
        """Write the record at ``origin`` from the log at ``at``; return where the log goes on."""
        lengths, end = self._lengths(at, 1)
        extra = self._rest[at:end]
        self._out[origin - EXTRA - len(extra) : origin - EXTRA] = extra[::-1]
        for start, stop in self._gaps(lengths):
            if end + stop - start > len(self._rest) or origin + stop > len(self._out):
                raise _BadError
            self._out[origin + start : origin + stop] = self._rest[end : end + stop - start]
            end += stop - start
        return end

    def _system_columns(self) -> None:
        """Put back the transaction numbers, roll pointers and references, which are never compressed."""
        outside = self._outside
        free = {slot & OFFSET for slot in self._slots[self._records :]}
        for place, origin in enumerate(self._origins):
            stored = self._system - SYSTEM * (place + 1)
            lengths, _ = self._lengths(origin - EXTRA - 1, -1)
            at = origin + sum(length for length, _ in lengths[: self._place])
            self._out[at : at + SYSTEM] = self._packed[stored : stored + SYSTEM]
            end = origin
            for length, off in lengths:
                end += length
                if off and origin not in free:
                    outside -= REFERENCE
                    self._out[end - REFERENCE : end] = self._packed[outside : outside + REFERENCE]

    def _link(self) -> None:
        """Chain the records in the order of the directory."""
        chain = [INFIMUM, *(slot & OFFSET for slot in self._slots[: self._records]), SUPREMUM]
        for one, following in itertools.pairwise(chain):
            struct.pack_into(">H", self._out, one - 2, (following - one) & 0xFFFF)
        for slot in self._slots:
            self._out[(slot & OFFSET) - EXTRA] = 0x20 if slot & DELETED else 0
        struct.pack_into(">H", self._out, 44, 0)  # what was freed is not listed again


def _field(value: int) -> _Field:
    """Return the field that a code means."""
    nullable = not value & 1
    if value & 1 << 15:
        return _Field((value & 0x7FFF) >> 1, nullable)
    if value >= 126:
        return _Field(BIG, nullable)
    return _Field(SMALL if value <= 1 else value >> 1, nullable)


def _block_end(stream: bytes) -> int:
    """Return where the first part of a stream ends: behind the empty block that a flush leaves."""
    end = stream.find(b"\x00\x00\xff\xff")
    if not 0 < end < 4096:
        raise _BadError
    return end + 4
