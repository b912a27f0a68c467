"""Which bytes of a file are looked at: all of a small one, pieces from everywhere of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.streams import Reader

WHOLE = 4 << 20  # bytes of a file that is read whole
HEAD = 1 << 20
PIECE = 1 << 16
PIECES = 48


class Piece(NamedTuple):
    """Bytes of a file and where they stand."""

    offset: int
    data: bytes


def pieces(content: Reader) -> Iterator[Piece]:
    """Yield a file's head, pieces from everywhere, and its tail; pieces of zeros, as holes have, too.

    A bounded number of bytes however large the file is. Offsets are multiples of the piece.
    """
    size = content.size
    if size <= WHOLE:
        for offset in range(0, size, HEAD):
            yield Piece(offset, content.read_at(offset, HEAD))
        return
    yield Piece(0, content.read_at(0, HEAD))
    blocks = (size - HEAD) // PIECE
    for index in range(PIECES):
        offset = HEAD + blocks * index // PIECES * PIECE
        yield Piece(offset, content.read_at(offset, PIECE))
    last = size // PIECE * PIECE - PIECE
    yield Piece(last, content.read_at(last, 2 * PIECE))
