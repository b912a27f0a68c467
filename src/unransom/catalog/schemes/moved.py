"""Bytes of the original that a locker moved away: they stand in its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from unransom.catalog.schemes.data import BytesName, Data, Length
from unransom.catalog.schemes.family import BadMarkError, Insert, Keep, Piece, Unlock
from unransom.core.messages import say


class Moved(Data, frozen=True):
    """Bytes that were moved into the metadata.

    Attributes:
        field: Name of the field, or part of the unwrapped key, that they stand in.
        at: Their place in the original.
    """

    field: BytesName
    at: Length


class Patch(NamedTuple):
    """Bytes, and where in the output they belong."""

    at: int
    data: bytes

    @property
    def end(self) -> int:
        """The byte behind the last one."""
        return self.at + len(self.data)


def put_back(pieces: Iterable[Piece], patches: Sequence[Patch]) -> Iterator[Piece]:
    """Yield ``pieces`` with ``patches`` over what is kept as it is.

    Raises:
        BadMarkError: Patches overlap each other or what is decrypted.
    """
    patches = sorted(patches)
    if any(one.end > two.at for one, two in pairwise(patches)):
        raise BadMarkError(say("the moved pieces overlap or lie outside of the file"))
    position = 0
    for piece in pieces:
        length = len(piece.data) if isinstance(piece, Insert) else piece.length
        over = [patch for patch in patches if patch.at < position + length and position < patch.end]
        if isinstance(piece, Unlock) and over:
            raise BadMarkError(say("the moved pieces overlap what is locked"))
        yield from _patched(piece, position, over) if isinstance(piece, Keep) else (piece,)
        position += length


def _patched(piece: Keep, position: int, patches: Iterable[Patch]) -> Iterator[Piece]:
    """Yield a piece that begins at ``position`` of the output, the patches in the place of its bytes."""
    at, end = position, position + piece.length
    for patch in patches:
        start, stop = max(patch.at, at), min(patch.end, end)
        if start > at:
            yield Keep(piece.offset + at - position, start - at)
        yield Insert(patch.data[start - patch.at : stop - patch.at])
        at = stop
    if at < end:
        yield Keep(piece.offset + at - position, end - at)
