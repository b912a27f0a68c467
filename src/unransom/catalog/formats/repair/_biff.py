"""The records of an Excel workbook of 1997 to 2003: sheets, shared texts, formats and cells that are left."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._ole2_contents import biff_step
from unransom.catalog.formats.repair._new_office import Cells, Value
from unransom.core.spans import Span

BOF, EOF, SHEET, SST, CONTINUE, FORMAT, XF = 0x809, 0x0A, 0x85, 0xFC, 0x3C, 0x41E, 0xE0
RK, NUMBER, MULRK, LABELSST, LABEL, FORMULA, STRING, BOOLERR = (
    *(0x27E, 0x203, 0xBD, 0xFD, 0x204, 0x06),
    *(0x207, 0x205),
)
BLOCK = 32  # rows whose cells some programs write in any order
SHEET_OF_CELLS = b"\x10\0"
LISTED = 1 << 22  # cells at most
ROWS, COLUMNS = 1 << 16, 1 << 8
# Lengths that records of a kind have; others may have any.
SIZES = {RK: {10}, NUMBER: {14}, LABELSST: {10}, BOOLERR: {8}, 0x208: {16}, 0x201: {6}, EOF: {0}, XF: {20}}
ENTRY = re.compile(  # the first bytes of records that are told among any bytes
    rb"\x7e\x02\x0a\x00|\x03\x02\x0e\x00|\xfd\x00\x0a\x00|\x08\x02\x10\x00|\x09\x08\x10\x00|\xbd\x00[\x00-\xff]\x00"
    rb"|\x06\x00[\x16-\xff]\x00|\x01\x02\x06\x00|\xbe\x00[\x00-\xff]\x00",
    re.DOTALL,
)
CHAIN = 4  # records that must follow each other where one was found by its bytes


class Record(msgspec.Struct, frozen=True):
    """A record: its kind, where it is in the stream, and its content."""

    kind: int
    start: int
    data: bytes


class Book(msgspec.Struct):
    """What is left of a workbook.

    Attributes:
        titles: Of the sheets, by where they begin in the stream.
        sheets: Cells by sheet: by row and column, both from 0, the format and value.
        texts: Shared texts by number.
        total: How many shared texts there were.
        formats: Number of the number format of each cell format.
        codes: Number formats by number.
        lost: Cells whose text is lost: sheet, row, column, number of the text.
    """

    titles: dict[int, str] = msgspec.field(default_factory=dict)
    sheets: list[Cells] = msgspec.field(default_factory=list)
    texts: dict[int, str] = msgspec.field(default_factory=dict)
    total: int = 0
    formats: list[int] = msgspec.field(default_factory=list)
    codes: dict[int, str] = msgspec.field(default_factory=dict)
    lost: list[tuple[int, int, int, int]] = msgspec.field(default_factory=list)


def _record_at(data: bytes, at: int, end: int) -> Record | None:
    size = biff_step(data, at) if at + 4 <= end else None
    if size is None or at + size > end:
        return None
    kind = int.from_bytes(data[at : at + 2], "little")
    return Record(kind, at, data[at + 4 : at + size]) if size - 4 in SIZES.get(kind, {size - 4}) else None


def _chained(data: bytes, at: int, end: int) -> bool:
    for _ in range(CHAIN):
        record = _record_at(data, at, end)
        if record is None:
            return at == end
        at += 4 + len(record.data)
        if record.kind == EOF:
            return True
    return True


def records(data: bytes, left: list[Span]) -> Iterator[Record]:
    """Yield the whole records in the parts of a stream that are ``left``."""
    for span in left:
        at = span.start
        while at < span.end:
            record = _record_at(data, at, span.end)
            if record is not None and (at == 0 or record.start != span.start or _chained(data, at, span.end)):
                yield record
                at += 4 + len(record.data)
                continue
            at = next(
                (
                    found.start()
                    for found in ENTRY.finditer(data, at + 1, span.end)
                    if _chained(data, found.start(), span.end)
                ),
                span.end,
            )


def number_of_rk(raw: int) -> float:
    """Return the number in an RK value."""
    if raw & 2:
        value = float((raw - (1 << 32) if raw >> 31 else raw) >> 2)
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (raw & 0xFFFFFFFC) << 32))
    return value / 100 if raw & 1 else value


class _Text:
    """Reads strings from the parts of a record that goes on in others."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.part = 0
        self.at = 0

    def _take(self, size: int) -> bytes:
        piece = self.parts[self.part][self.at : self.at + size]
        self.at += len(piece)
        if self.at >= len(self.parts[self.part]) and self.part + 1 < len(self.parts):
            self.part, self.at = self.part + 1, 0
        return piece

    def skip(self, size: int) -> bool:
        """Skip bytes; return whether they were there."""
        while size > 0:
            piece = self._take(size)
            if not piece:
                return False
            size -= len(piece)
        return True

    def next(self) -> str | None:
        """Return the next string; None where the parts end."""
        head = self._take(3)
        if len(head) < 3:
            return None
        count, flags = int.from_bytes(head[:2], "little"), head[2]
        runs = int.from_bytes(self._take(2), "little") if flags & 8 else 0
        more = int.from_bytes(self._take(4), "little") if flags & 4 else 0
        pieces: list[str] = []
        while count > 0:
            part = self.part
            width = 2 if flags & 1 else 1
            raw = self._take(count * width)
            if len(raw) < width:
                return None
            pieces.append(raw.decode("utf-16-le" if width == 2 else "latin-1", "replace"))
            count -= len(raw) // width
            if count > 0:
                if self.part == part:
                    return None
                flags = flags & ~1 | (self._take(1) or b"\0")[0] & 1
        return "".join(pieces) if self.skip(4 * runs + more) else None


def _shared(book: Book, parts: list[bytes]) -> None:
    """Read the shared texts from the first whole parts of their record."""
    if len(parts[0]) < 8:
        return
    book.total = min(int.from_bytes(parts[0][4:8], "little"), LISTED)
    text = _Text([parts[0][8:], *parts[1:]])
    for number in range(book.total):
        found = text.next()
        if found is None:
            return
        book.texts[number] = found


class _Reader:
    """Takes records one by one."""

    def __init__(self) -> None:
        self.book = Book()
        self.cells: Cells | None = None
        self.row = 0  # of the last cell
        self.refers: list[tuple[int, int, int, int]] = []  # cells of shared texts
        self.formula: tuple[int, int, int] | None = None
        self.shared: list[bytes] = []
        self.shared_end = 0
        self.count = 0

    def take(self, record: Record) -> None:
        """Take a record."""
        if record.kind in CELLS:
            self._cells(record)
        elif record.kind in {SST, CONTINUE}:
            self._text(record)
        elif record.kind == BOF:
            self.cells = {} if record.data[2:4] == SHEET_OF_CELLS else None
            if self.cells is not None:
                self.book.sheets.append(self.cells)
                self.row = 0
        elif record.kind == STRING and self.formula and (text := _Text([record.data]).next()) is not None:
            self._put(*self.formula, text)
        else:
            self._describe(record)

    def _text(self, record: Record) -> None:
        """Take a part of the shared texts, where the part in front of it is there."""
        end = record.start + 4 + len(record.data)
        if record.kind == SST and not self.shared:
            self.shared, self.shared_end = [record.data], end
        elif record.kind == CONTINUE and self.shared and record.start == self.shared_end:
            self.shared.append(record.data)
            self.shared_end = end

    def _describe(self, record: Record) -> None:
        """Take what is told of sheets and formats."""
        if record.kind == SHEET and len(record.data) >= 8:
            self._title(record.data)
        elif record.kind == XF:
            self.book.formats.append(int.from_bytes(record.data[2:4], "little"))
        elif record.kind == FORMAT and len(record.data) >= 5:
            code = _Text([record.data[2:]]).next()
            if code:
                self.book.codes[int.from_bytes(record.data[:2], "little")] = code

    def _title(self, data: bytes) -> None:
        place, count, wide = int.from_bytes(data[:4], "little"), data[6], data[7] & 1
        raw = data[8 : 8 + count * (1 + wide)]
        if data[5] == 0:  # a sheet of cells
            self.book.titles[place] = raw.decode("utf-16-le" if wide else "latin-1", "replace")

    def _cells(self, record: Record) -> None:
        data = record.data
        if len(data) < 6 or self.count >= LISTED:
            return
        row, column, style = struct.unpack_from("<HHH", data)
        if column >= COLUMNS:
            return
        if self.cells is None or row < self.row - BLOCK:  # the beginning of the sheet is lost
            self.cells = {}
            self.book.sheets.append(self.cells)
        self.row = row
        self.formula = None
        if record.kind == MULRK:
            for number in range((len(data) - 6) // 6):
                xf, raw = struct.unpack_from("<HI", data, 4 + 6 * number)
                self._put(row, column + number, xf, number_of_rk(raw))
        elif record.kind == LABELSST:
            number = int.from_bytes(data[6:10], "little")
            self.refers.append((len(self.book.sheets) - 1, row, column, number))
            self._put(row, column, style, "")
        else:
            value = _value(record.kind, data)
            if value is None:
                self.formula = (row, column, style)
            else:
                self._put(row, column, style, value)

    def _put(self, row: int, column: int, style: int, value: Value) -> None:
        assert self.cells is not None  # noqa: S101  only cells are put
        if column < COLUMNS:
            self.cells[row, column] = (style, value)
            self.count += 1

    def done(self) -> Book:
        """Return the book, with the shared texts in its cells."""
        book = self.book
        if self.shared:
            _shared(book, self.shared)
        for sheet, row, column, number in self.refers:
            style, value = book.sheets[sheet].pop((row, column), (0, None))
            if value is None:
                continue  # a second record for the same cell
            if number in book.texts:
                book.sheets[sheet][row, column] = (style, book.texts[number])
            else:
                book.lost.append((sheet, row, column, number))
        return book


CELLS = frozenset({RK, NUMBER, MULRK, LABELSST, LABEL, FORMULA, BOOLERR})


def _value(kind: int, data: bytes) -> Value | None:
    """Return the value in a record of one cell; None where a string follows it, or there is none."""
    if kind == RK:
        return number_of_rk(int.from_bytes(data[6:10], "little"))
    if kind == LABEL:
        return _Text([data[6:]]).next()
    if kind == BOOLERR:
        return bool(data[6]) if not data[7] else f"#ERR{data[6]}"
    if len(data) < 14:
        return None
    if kind == FORMULA and data[12:14] == b"\xff\xff":
        return bool(data[8]) if data[6] == 1 else None
    (value,) = struct.unpack_from("<d", data, 6)
    return float(value)


def book_in(data: bytes, left: list[Span]) -> Book:
    """Return what is left of the workbook in the stream ``data``.

    Args:
        data: The stream.
        left: The parts of it that are left.
    """
    reader = _Reader()
    for record in records(data, left):
        reader.take(record)
    return reader.done()
