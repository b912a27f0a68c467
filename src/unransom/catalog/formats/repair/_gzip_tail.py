"""The end of a gzip stream whose beginning is lost: from the first block that leads to its trailer."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats.repair._holes import MOST, UNKNOWN, Symbols, inflate_end
from unransom.catalog.formats.repair.tar import PARTIAL, REGULAR, info_of, longer_name
from unransom.catalog.formats.tar import BLOCK, read_header
from unransom.core.streams import Reader

TRAILER = 8  # bytes of CRC-32 and size
EXPANDED = 1032  # bytes of output that one compressed byte makes at most
SIZES = 1 << 32  # sizes are told modulo this
USTAR = 257  # offset of the magic in a header
NAMED = 1 << 16  # members looked at


class Tail(NamedTuple):
    """What is left of a stream behind its lost beginning.

    Attributes:
        start: Offset in the file of the first compressed byte that was used.
        symbols: Bytes, or 256 and more for copies of lost ones.
        front: Bytes of output lost in front, None where the trailer does not tell.
    """

    start: int
    symbols: Symbols
    front: int | None

    @property
    def copies(self) -> int:
        """How many bytes are copies of lost ones."""
        return int((self.symbols >= UNKNOWN).sum())

    def filled(self) -> bytes:
        """Return the content, zeros for lost bytes, each byte in its own place where that is told."""
        known = np.where(self.symbols < UNKNOWN, self.symbols, 0).astype(np.uint8).tobytes()
        front = self.front or 0
        return bytes(front if front + len(known) <= MOST else 0) + known


def read_tail(reader: Reader, begin: int, end: int) -> Tail | None:
    """Return what is left from ``begin`` on of the member that ends at ``end``, None where nothing is.

    The last block ends where the trailer begins, and the size in that is one that the lost bytes can make.
    """
    begin = max(begin, end - MOST // 4)
    data = reader.read_at(begin, end - begin)
    found = inflate_end(data, 0, TRAILER)
    if found is None:
        return None
    start, symbols = begin + found[0], found[1]
    front = (int.from_bytes(data[-4:], "little") - len(symbols)) % SIZES
    if front > EXPANDED * start:
        return None
    return Tail(start, symbols, front if front + SIZES > EXPANDED * start else None)


class Members(NamedTuple):
    """A new archive of the members that are left of an old one, and how many are whole."""

    data: bytes
    whole: int
    total: int


def members(tail: Tail) -> Members | None:
    """Return the members of a tar archive whose headers are left; None where there are none.

    Those of which bytes are lost have zeros there, and stand in a folder of their own.
    """
    out = io.BytesIO()
    whole = total = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in _members(tail.symbols):
            left = bool((content < UNKNOWN).all()) and len(content) == info.size
            info.name = info.name if left else PARTIAL + info.name
            info.size = len(content)
            data = np.where(content < UNKNOWN, content, 0).astype(np.uint8).tobytes()
            archive.addfile(info, io.BytesIO(data))
            whole, total = whole + left, total + 1
    return Members(out.getvalue(), whole, total) if total else None


def _members(symbols: Symbols) -> Iterator[tuple[tarfile.TarInfo, Symbols]]:
    """Yield header and content of each regular file; a header counts that is whole, by its checksum."""
    plain = np.where(symbols < UNKNOWN, symbols, 0xFF).astype(np.uint8).tobytes()
    at, longer = 0, ""
    for _ in range(NAMED):
        hit = plain.find(b"ustar", at + USTAR)
        if hit < 0:
            return
        at = hit - USTAR
        begin = at + BLOCK
        block = plain[at:begin]
        member = read_header(block) if (symbols[at:begin] < UNKNOWN).all() else None
        info = info_of(block) if member else None
        if member is None or info is None:
            at += 1
            continue
        content = symbols[begin : begin + member.size]
        at = begin + -(-len(content) // BLOCK) * BLOCK
        if member.kind in REGULAR and not member.sparse:
            info.name = longer or info.name
            yield info, content
        longer = _longer(member.kind, plain[begin : begin + len(content)], content)


def _longer(kind: bytes, data: bytes, content: Symbols) -> str:
    """Return the name that a member without content of its own gives the next one, "" for none."""
    return longer_name(kind, data).decode("utf-8", "surrogateescape") if (content < UNKNOWN).all() else ""
