"""Fonts: TrueType and OpenType with the checksums of their tables, collections, WOFF; WOFF2 by its header."""

from __future__ import annotations

import struct

import msgspec
import numpy as np

from unransom.catalog.formats._deflate import ZLIB, Budget, End, inflate
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer, random_between
from unransom.catalog.formats._uniform import uniform_blocks
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Reader, chunks

PLAIN = (b"\0\1\0\0", b"OTTO", b"true", b"typ1")
COLLECTION, WOFF, WOFF2 = b"ttcf", b"wOFF", b"wOF2"
TABLES_CAP, FONTS_CAP = 512, 1024
SMALL = 8192  # bytes: such a table need not hold a whole block
ADJUSTED = b"head"  # its checksum is taken with the adjustment as zero


class Table(msgspec.Struct, frozen=True):
    """A table of a font; ``packed`` is its length in the file."""

    tag: bytes
    checksum: int
    offset: int
    packed: int
    length: int

    @property
    def end(self) -> int:
        """Where its bytes in the file end."""
        return self.offset + self.packed


def recognise(head: bytes) -> int:
    """Return the bits of the signature and the fields that follow from others."""
    if len(head) < 12:
        return 0
    if head[:4] in PLAIN:
        return 64 if _directory_head(head) else 0
    if head[:4] == COLLECTION:
        major, minor, count = struct.unpack_from(">HHI", head, 4)
        return 64 if major in (1, 2) and minor == 0 and 0 < count <= FONTS_CAP else 0
    if head[:4] in (WOFF, WOFF2) and len(head) >= 44:
        known = head[4:8] in (*PLAIN, COLLECTION)
        return 72 if known and struct.unpack_from(">H", head, 14)[0] == 0 else 0
    return 0


def _directory_head(head: bytes) -> bool:
    count, search, selector, _ = struct.unpack_from(">4H", head, 4)
    printable = all(32 <= code < 127 for code in head[12:16])
    return (
        0 < count <= TABLES_CAP and printable and (search == 0 or search == 16 << selector or selector < 16)
    )


def _tables(reader: Reader, at: int) -> list[Table]:
    count = int.from_bytes(reader.read_at(at + 4, 2), "big")
    raw = reader.read_at(at + 12, min(count, TABLES_CAP) * 16)
    rows = struct.iter_unpack(">4sIII", raw[: len(raw) // 16 * 16])
    return [Table(tag, checksum, offset, length, length) for tag, checksum, offset, length in rows]


def _all_tables(reader: Reader) -> list[Table]:
    """Return the tables of all fonts in the file, each once."""
    head = reader.read_at(0, 44)
    if head[:4] == WOFF:
        raw = reader.read_at(44, min(int.from_bytes(head[12:14], "big"), TABLES_CAP) * 20)
        rows = struct.iter_unpack(">4sIIII", raw[: len(raw) // 20 * 20])
        return [
            Table(tag, checksum, offset, packed, length) for tag, offset, packed, length, checksum in rows
        ]
    if head[:4] != COLLECTION:
        return _tables(reader, 0)
    raw = reader.read_at(12, min(int.from_bytes(head[8:12], "big"), FONTS_CAP) * 4)
    fonts = struct.unpack(f">{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
    return list(dict.fromkeys(table for at in fonts for table in _tables(reader, at)))


def _end(reader: Reader, tables: list[Table]) -> int:
    head = reader.read_at(0, 12)
    if head[:4] in (WOFF, WOFF2):
        return int.from_bytes(head[8:12], "big")
    last = max((table.end for table in tables), default=0)
    return last if last == reader.size else -(-last // 4) * 4


def measure(reader: Reader) -> Measure:
    """Return the end of the last table, or the length in a WOFF header."""
    if not recognise(reader.read_at(0, 64)):
        return Measure(None, say("no font header"))
    end = _end(reader, _all_tables(reader))
    return Measure(end if 0 < end <= reader.size else None, say("by the last table of the font"))


def validate(reader: Reader) -> Validation:
    """Check the checksum of every table, inflated where need be."""
    head = reader.read_at(0, 64)
    findings = Findings(reader.size)
    findings.hold(recognise(head))
    if not findings.bits:
        return bad(say("no font header"), reader.size)
    tables = [] if head[:4] == WOFF2 else _all_tables(reader)
    end = _end(reader, tables)
    if end > reader.size + 3:
        findings.fault(reader.size, reader.size, say("the font is cut off: its tables end at {end}", end=end))
    elif end < reader.size:
        check_trailer(reader, end, findings)
    if head[:4] == WOFF2:
        if findings.clean:
            return Validation(
                Grade.UNKNOWN, findings.bits, say("only the header of a WOFF2 font can be checked"), end
            )
        return findings.verdict(say("the tables hold"), end)
    budget = Budget(reader.size)
    for table in tables:
        if table.end <= reader.size:
            _check_table(reader, table, budget, findings)
    return findings.verdict(say("{tables} tables of the font hold", tables=len(tables)), end)


def _check_table(reader: Reader, table: Table, budget: Budget, findings: Findings) -> None:
    name = table.tag.decode("latin-1")
    if not budget.spend(table.packed, 0):  # tables that overlap would take long to sum
        findings.doubt()
        return
    if table.packed < table.length:
        done = inflate(reader, table.offset, table.end, budget, table.length, ZLIB)
        if done.end is End.WHOLE and done.length == table.length:
            findings.hold(32)
        elif done.end is not End.CAPPED:
            findings.fault(table.offset, table.end, say("table {name} of the font does not hold", name=name))
    elif table.checksum == _checksum(reader, table):
        findings.hold(32)
    else:  # some tools leave wrong checksums: then only random bytes count as damage
        findings.doubt()
        whole = Span(table.offset, table.end)
        small = len(whole) < SMALL and random_between(reader, whole.start, whole.end)
        for span in [whole] if small else uniform_blocks(reader, whole.start, whole.end):
            findings.fault(span.start, span.end, say("table {name} of the font does not hold", name=name))


def _checksum(reader: Reader, table: Table) -> int:
    """Return the sum of the table's 32-bit words."""
    total = 0
    for piece in chunks(reader, table.offset, table.end):
        total += int(np.frombuffer(piece + bytes(-len(piece) % 4), ">u4").sum(dtype=np.uint64))
    if table.tag == ADJUSTED:
        total -= int.from_bytes(reader.read_at(table.offset + 8, 4), "big")
    return total & 0xFFFFFFFF


FORMAT = Format(
    name="font",
    title="Font",
    extensions=("ttf", "otf", "ttc", "otc", "woff", "woff2"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"\0\1\0\0\0", 0.7), Known(0, WOFF2, 0.1), Known(0, b"OTTO\0", 0.1)),
    references=("https://learn.microsoft.com/en-us/typography/opentype/spec/", "https://www.w3.org/TR/WOFF/"),
    limitations=("The Brotli stream of WOFF2 is not read: such a font is never called good.",),
)
