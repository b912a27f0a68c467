"""Dumps and other leftovers of a locker, cut into pieces, and the keys that a scan finds in a piece."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef
from unransom.crypto.keyfiles import read_keys

if TYPE_CHECKING:
    from unransom.crypto.search.memory import Clues

PIECE = 64 << 20  # bytes
BYTES_PER_SECOND = 100e6  # that one core scans
SMALL = 16 << 20  # bytes of a file in which all that may be a key is tried
TINY = 8192  # bytes of a file that may be a key as it is


class Piece(NamedTuple):
    """A part of a dump.

    Attributes:
        dump: The whole of it.
        start: Where the piece begins.
        data: Its bytes, and some of the next piece.
        overlap: How many are the next piece's.
    """

    dump: FileRef
    start: int
    data: bytes
    overlap: int

    @property
    def small(self) -> bool:
        """Whether the dump is so small that everything in it may be tried."""
        return self.dump.size <= SMALL

    @property
    def length(self) -> int:
        """Bytes of the piece itself."""
        return len(self.data) - self.overlap


def pieces_of(dumps: Sequence[FileRef]) -> int:
    """Return how many pieces there are."""
    return sum(-(-dump.size // PIECE) for dump in dumps)


def piece(dumps: Sequence[FileRef], number: int, context: Context) -> Piece:
    """Return the piece with a number, which counts from 0.

    Raises:
        ValueError: There is no such piece.
    """
    from unransom.crypto.search.memory import OVERLAP  # noqa: PLC0415 numba takes half a second to import

    for dump in dumps:
        pieces = -(-dump.size // PIECE)
        if number < pieces:
            start = number * PIECE
            with context.open(dump) as reader:
                data = reader.read_at(start, PIECE + OVERLAP)
            return Piece(dump, start, data, max(len(data) - PIECE, 0))
        number -= pieces
    raise ValueError("there is no such piece")


def keys_in(part: Piece, clues: Clues) -> tuple[tuple[Key, int, Message], ...]:
    """Return the keys in a piece, each with the bits and the sentence of what shows it."""
    origin = part.dump.name.decode("utf-8", "replace")
    return tuple(
        (Key(kind, body, f"{origin}+0x{part.start + at:x}"), bits, why)
        for kind, body, at, bits, why in _scanned(part.data, clues, part.overlap)
    )


@functools.lru_cache(maxsize=2)
def _scanned(data: bytes, clues: Clues, overlap: int) -> tuple[tuple[KeyKind, bytes, int, int, Message], ...]:
    from unransom.crypto.search.memory import scan  # noqa: PLC0415 numba is slow to load

    whole = say("the file as a whole is one")
    readings = read_keys(data, "") if len(data) <= TINY and clues.guesses else ()
    found = [(each.kind, each.data, 0, 0, whole) for each in readings]
    found += (
        (each.kind, each.data, each.offset, each.bits, each.why)
        for each in scan(data, clues, overlap=overlap)
    )
    return tuple(each for each in found if each[1])
