"""Which bytes of a file a family locks, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from unransom.catalog.schemes.family import Decryptor, Keep, Piece, Unlock
from unransom.core.spans import Span


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """Every byte."""

    def spans(self, size: int) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        if size:
            yield Span(0, size)


class Repeat(msgspec.Struct, frozen=True, tag="repeat"):
    """``on`` bytes locked, ``off`` bytes left, and again, to the end of the file.

    Attributes:
        first: Bytes of the first locked span where it differs.
    """

    on: int
    off: int
    first: int = 0

    def spans(self, size: int) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        start, length = 0, self.first or self.on
        while start < size:
            yield Span(start, min(start + length, size))
            start += length + self.off
            length = self.on


Extents = Whole | Repeat


def pieces(size: int, spans: Iterable[Span], cipher: Decryptor) -> Iterator[Piece]:
    """Yield the pieces of an output of ``size`` bytes whose ``spans``, sorted, share one cipher stream."""
    position = 0
    for span in spans:
        if span.start > position:
            yield Keep(position, span.start - position)
        yield Unlock(span.start, span.end - span.start, cipher)
        position = span.end
    if position < size:
        yield Keep(position, size - position)
