"""The boxes of ISO base media files (MP4, MOV, HEIF) and what the tables in them say."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import say
from unransom.core.streams import Reader

NAME = re.compile(rb"[ -~\xa9][ -~]{3}")
TOP = frozenset(
    b"ftyp moov mdat free skip wide uuid moof mfra sidx styp meta pdin emsg prft ssix pnot PICT udta".split()
)
CONTAINERS = frozenset(b"moov trak mdia minf stbl mvex moof traf edts dinf iprp ipco".split())
DEPTH = 8
TABLE_CAP = 1 << 26  # bytes of a table that are read


class Box(msgspec.Struct, frozen=True):
    """A box: its name, where it begins, where its content begins and ends."""

    name: bytes
    begin: int
    start: int
    end: int


def box_at(reader: Reader, position: int, end: int) -> Box | None:
    """Return the box at ``position``, that may claim to go on behind ``end``; None where there is none."""
    head = reader.read_at(position, 16)
    if len(head) < 8 or not NAME.fullmatch(head[4:8]):
        return None
    size, header = int.from_bytes(head[:4]), 8
    if size == 1:
        size, header = int.from_bytes(head[8:16]), 16
    elif size == 0:
        size = max(end - position, 8)
    return Box(head[4:8], position, position + header, position + size) if size >= header else None


def children(reader: Reader, box: Box, findings: Findings) -> Iterator[Box]:
    """Yield the boxes in ``box``, which they must fill; record a fault where they do not."""
    position, end = box.start, min(box.end, reader.size)
    if box.name == b"meta" and reader.read_at(box.start, 4) == bytes(4):
        position += 4  # version and flags, which QuickTime leaves out
    while position + 8 <= end:
        child = box_at(reader, position, end)
        if child is None or child.end > end:
            if reader.read_at(position, end - position).strip(b"\0"):  # QuickTime ends lists by zeros
                why = say(
                    "no box is at byte {offset}, or it does not fit into the one around it", offset=position
                )
                findings.fault(position, end, why)
            return
        findings.hold(16)
        yield child
        position = child.end


class Table:
    """The rows of a full box: version, flags, a count, and numbers.

    Attributes:
        version, flags: As the box has them.
        data: What follows them.
    """

    def __init__(self, reader: Reader, box: Box) -> None:
        head = reader.read_at(box.start, 4)
        self.version = head[0] if head else 0
        self.flags = int.from_bytes(head[1:4])
        size = min(box.end, reader.size) - box.start - 4
        self.data = reader.read_at(box.start + 4, max(0, min(size, TABLE_CAP)))

    def number(self, at: int, size: int = 4) -> int:
        """Return the number of ``size`` bytes at ``at``; 0 behind the end."""
        return int.from_bytes(self.data[at : at + size])

    def rows(self, at: int, count: int, layout: str) -> list[tuple[int, ...]] | None:
        """Return ``count`` rows of struct ``layout`` from ``at``; None where they do not fit."""
        size = struct.calcsize(">" + layout)
        if count * size > len(self.data) - at:
            return None
        return list(struct.iter_unpack(">" + layout, self.data[at : at + count * size]))
