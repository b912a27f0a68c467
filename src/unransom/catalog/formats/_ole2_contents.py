"""Look into the streams of Office documents of 1997 to 2003, which have no checksums but much structure."""

from __future__ import annotations

import struct
from collections.abc import Callable

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._ole2_structure import Chained
from unransom.catalog.formats._reading import find
from unransom.catalog.formats._uniform import uniform_stretches
from unransom.core.messages import say

BLOCK = 4096
PIECE = 1 << 18

LONGEST_REST = 512  # bytes of old content in a last sector
BIFF_EOF = b"\x0a\0\0\0"
BIFF_BOFS = frozenset({0x0809, 0x0409, 0x0209, 0x0009})
BIFF_LONGEST = 8224
POWERPOINT_LONGEST = 1 << 28
PICTURES = frozenset({0xF007, *range(0xF018, 0xF02B), 0xF117})
WORD_97 = 0xA5EC
WORD_ENCRYPTED = 0x0100
WORD_TABLES = 154  # offset of the pairs that say where in the table stream each table is

_BIFF = struct.Struct("<HH")
_OFFICE_ART = struct.Struct("<HHI")


def biff_step(data: bytes, at: int) -> int | None:
    """Return how long the BIFF record whose 4-byte head is at ``at`` is in all; None where it is none."""
    kind, length = _BIFF.unpack_from(data, at)
    known = 0 < kind < 0x0900 or 0x1000 <= kind < 0x1100
    return 4 + length if known and length <= BIFF_LONGEST else None


def powerpoint_step(data: bytes, at: int) -> int | None:
    """Return how far the next record is from the PowerPoint record at ``at``; None where there is none.

    Containers (version 15) are entered, so their records are seen too.
    """
    version, kind, length = _OFFICE_ART.unpack_from(data, at)
    known = 0x03E8 <= kind < 0x3000 or 0xF000 <= kind < 0xF200
    if not known or length > POWERPOINT_LONGEST:
        return None
    return 8 if version & 15 == 15 else 8 + length


def picture_step(data: bytes, at: int) -> int | None:
    """Return how long the picture record at ``at`` is in all; None where there is none."""
    _, kind, length = _OFFICE_ART.unpack_from(data, at)
    return 8 + length if kind in PICTURES and length <= POWERPOINT_LONGEST else None


def walk_records(
    stream: Chained,
    head: int,
    step: Callable[[bytes, int], int | None],
    name: str,
    findings: Findings,
    closing: bytes = b"",
) -> None:
    """Follow the records of ``stream``, each with ``head`` bytes in front; zeros may fill its end.

    They must stand behind a record ``closing`` where that is given.
    """
    base, piece = 0, b""
    position = count = last = 0
    while position + head <= stream.size:
        if not base <= position <= base + len(piece) - head:
            base, piece = position, stream.read_at(position, PIECE)
            if len(piece) < head:
                break
        length = step(piece, position - base)
        if length is None:
            break
        last, position = position, position + length
        count += 1
    findings.hold(min(8 * count, 1024))
    filled = closing and stream.size - position > LONGEST_REST
    broken = filled and stream.read_at(last, len(closing)) != closing
    if broken or position > stream.size or _not_zero(stream, position):
        start = stream.place(min(position, stream.size - 1))
        why = say("the records of {name} break off after {count}", name=name, count=count)
        findings.fault(start, start + BLOCK, why)


def _not_zero(stream: Chained, position: int) -> bool:
    """Return whether non-zero bytes follow, more than the old content that may fill a last sector."""
    end = stream.size - LONGEST_REST
    return any(any(stream.read_at(at, min(PIECE, end - at))) for at in range(position, end, PIECE)) or (
        end > position and any(stream.read_at(position, BLOCK))
    )


def check_workbook(stream: Chained, name: str, findings: Findings) -> None:
    """Check an Excel workbook: a chain of BIFF records. Encryption by a password leaves their heads plain."""
    if int.from_bytes(stream.read_at(0, 2), "little") not in BIFF_BOFS:
        start = stream.place(0)
        findings.fault(start, start + 8, say("{name} does not start as it must", name=name))
        return
    walk_records(stream, 4, biff_step, name, findings, BIFF_EOF)


def check_uniform(stream: Chained, name: str, findings: Findings) -> None:
    """Check a stream that holds text or tables: no stretch of it may be uniformly random."""
    for start, end in uniform_stretches(stream, 0, stream.size):
        place = stream.place(start)
        findings.fault(place, place + end - start, say("{name} looks encrypted in part", name=name))


def check_word(stream: Chained, table: Chained | None, findings: Findings) -> None:
    """Check a Word document's head, whose tables must lie in the table stream, and its text."""
    head = stream.read_at(0, 2048)
    if len(head) < WORD_TABLES or int.from_bytes(head[:2], "little") != WORD_97:
        if head[:2] not in {b"\xdc\xa5", b"\xdb\xa5", b"\x31\xbe", b"\x99\xa6"}:  # Word 6, 95, 2, Works
            start = stream.place(0)
            why = say("{name} does not start as it must", name="WordDocument")
            findings.fault(start, start + WORD_TABLES, why)
        return
    findings.hold(16)
    if int.from_bytes(head[10:12], "little") & WORD_ENCRYPTED:
        return
    size = table.size if table else 0
    pairs = min(int.from_bytes(head[152:154], "little"), (len(head) - WORD_TABLES) // 8)
    places = struct.unpack_from(f"<{2 * pairs}I", head, WORD_TABLES)
    inside = [
        start + length <= size for start, length in zip(places[::2], places[1::2], strict=True) if length
    ]
    if inside and sum(inside) < 0.7 * len(inside):
        start = stream.place(0)
        findings.fault(start, start + 2048, say("the head of the Word document does not fit its tables"))
    else:
        findings.hold(8 * sum(inside))
    check_uniform(stream, "WordDocument", findings)
    if table and find(table, b"PK\x03\x04", 0) < 0:  # Word 2007 and later keep a packed theme there
        check_uniform(table, "the Word document's tables", findings)
