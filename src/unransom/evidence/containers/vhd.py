"""Virtual PC and Hyper-V disks of the first generation: fixed, dynamic and differencing.

Source: Microsoft, Virtual Hard Disk Image Format Specification 1.0.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import SECTOR, Mapped, Part, Piece, Recent, same
from unransom.evidence.containers.opening import Opening, invalid

FOOTER_MARK, HEADER_MARK = b"conectix", b"cxsparse"
FOOTER = struct.Struct(">8sIIQI4sI4sQQIII16s")
HEADER = struct.Struct(">8sQQIIII16sI4x512s")
LOCATOR = struct.Struct(">4sIIIQ")
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
UNUSED = 0xFFFFFFFF
LOCATORS = 8
LARGEST_BLOCK = 1 << 28  # bytes
LONGEST_NAME = 4096
KEPT_BITMAPS = 1024


class Footer(NamedTuple):
    """What the last sector says, and its copy in the first one."""

    header: int
    size: int
    kind: int
    identifier: bytes


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether the first or the last sector of a file is a footer."""
    return _footer(head[:SECTOR]) is not None or _footer(tail[-SECTOR:]) is not None


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense.
        UnreadableError: It cannot be read.
    """
    footer = footer_of(opening.reader)
    if footer is None:
        raise invalid("no footer")
    if footer.kind == FIXED:
        return Part(opening.reader, 0, footer.size)
    head = opening.reader.read_at(footer.header, 1024)
    if len(head) < 1024 or head[:8] != HEADER_MARK:
        raise invalid("no header of a dynamic disk")
    if footer.kind == DYNAMIC:
        return Dynamic(opening.reader, footer, head, None)
    return Dynamic(opening.reader, footer, head, _parent(opening, footer, head))


def footer_of(reader: Reader) -> Footer | None:
    """Return what the footer says, or else its copy; None where neither is there."""
    last = max(0, reader.size - SECTOR)
    return _footer(reader.read_at(last, SECTOR)) or _footer(reader.read_at(0, SECTOR))


def _footer(data: bytes) -> Footer | None:
    if len(data) < FOOTER.size or data[:8] != FOOTER_MARK:
        return None
    fields = FOOTER.unpack_from(data)
    header, size, kind, identifier = fields[3], fields[9], fields[11], fields[13]
    return Footer(header, size, kind, identifier) if kind in {FIXED, DYNAMIC, DIFFERENCING} else None


def _parent(opening: Opening, footer: Footer, head: bytes) -> Reader:
    names = list(_names(opening.reader, head))
    name = next((each for each in names if opening.beside(each)), names[0] if names else "?")
    wanted = HEADER.unpack_from(head)[7]

    def opened(lower: Opening) -> Reader:
        found = footer_of(lower.reader)
        if found and found.identifier != wanted:
            lower.note(
                say("it is not the disk that the image was made to build on"),
                say("it was read as if it were; blocks of both may not belong together"),
            )
        return lower.inner(lower)

    return opening.parent(name, footer.size, opened)


def _names(reader: Reader, head: bytes) -> list[str]:
    """Return what the parent is called, the name for other machines first."""
    names = [HEADER.unpack_from(head)[9].decode("utf-16-be", "replace").split("\0")[0]]
    for number in range(LOCATORS):
        code, _, length, _, offset = LOCATOR.unpack_from(head, HEADER.size + number * LOCATOR.size)
        if code in {b"W2ru", b"W2ku"} and 0 < length <= LONGEST_NAME:
            names.append(reader.read_at(offset, length).decode("utf-16-le", "replace").split("\0")[0])
    return [name for name in names if name]


class Dynamic(Mapped):
    """A disk in blocks, each with a bitmap of the sectors that were written."""

    def __init__(self, reader: Reader, footer: Footer, head: bytes, parent: Reader | None) -> None:
        """Open the disk of which ``head`` is the dynamic header; ``parent`` has what it has not.

        Raises:
            OSError: The header makes no sense.
        """
        _, _, table, _, entries, block, *_ = HEADER.unpack_from(head)
        if not SECTOR <= block <= LARGEST_BLOCK or block % SECTOR or not 0 < footer.size < 1 << 52:
            raise invalid("blocks of an impossible size")
        if entries * block < footer.size or table + entries * 4 > reader.size:
            raise invalid("a table of blocks that does not fit")
        self.size = footer.size
        self._reader = reader
        self._parent = parent
        self._block = block
        self._bitmap = -(-block // SECTOR // 8 // SECTOR) * SECTOR  # bytes in front of each block
        self._table = np.frombuffer(reader.read_at(table, entries * 4), ">u4")
        self._written = Recent(self._load_bitmap, KEPT_BITMAPS)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a block, the parent, or nowhere."""
        number, inside = divmod(offset, self._block)
        end = min(self._block, self.size - number * self._block)
        sector = int(self._table[number])
        if sector == UNUSED:
            run = same(self._table, number) * self._block - inside
            return self._below(offset, min(run, self.size - offset))
        start = sector * SECTOR + self._bitmap
        if self._parent is None:  # sectors that were never written are zeros in the block as well
            return Piece(end - inside, self._reader, start + inside)
        written = self._written(number)
        first = inside // SECTOR
        differs = np.flatnonzero(written[first:] != written[first])
        stop = min(end, (first + int(differs[0])) * SECTOR) if len(differs) else end
        if written[first]:
            return Piece(stop - inside, self._reader, start + inside)
        return self._below(offset, stop - inside)

    def _below(self, offset: int, length: int) -> Piece:
        if self._parent is None or offset >= self._parent.size:
            return Piece(length)
        return Piece(min(length, self._parent.size - offset), self._parent, offset)

    def _load_bitmap(self, number: int) -> np.ndarray:
        sectors = self._block // SECTOR
        data = self._reader.read_at(int(self._table[number]) * SECTOR, self._bitmap)
        if len(data) < self._bitmap:
            raise UnreadableError(number * self._block, self._block, "its bitmap is not there")
        return np.unpackbits(np.frombuffer(data, np.uint8))[:sectors]
