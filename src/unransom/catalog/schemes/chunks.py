"""Chunks of a file that each have a stream cipher of their own, and may overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unransom.catalog.schemes.family import Decryptor, Keep, Piece, Unlock
from unransom.core.spans import Span


class Layers:
    """Several stream ciphers, one over the other: bytes that were locked more than once."""

    spill = 0

    def __init__(self, ciphers: tuple[Decryptor, ...]) -> None:
        self._ciphers = ciphers

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        for cipher in self._ciphers:
            cipher.decrypt_into(data, out)
            data = out


def chunk_pieces(size: int, chunks: Sequence[tuple[Span, Decryptor]]) -> Iterator[Piece]:
    """Yield the pieces of an output of ``size`` bytes.

    Args:
        size: Bytes of the original.
        chunks: Few spans, each with its own stream cipher; where they overlap, both have been over it.
    """
    chunks = [(span, cipher) for span, cipher in chunks if span.start < min(span.end, size)]
    ends = {min(span.end, size) for span, _ in chunks}
    edges = sorted({0, size, *ends, *(span.start for span, _ in chunks)})
    for low, high in pairwise(edges):
        over = tuple(cipher for span, cipher in chunks if span.start <= low and high <= span.end)
        match over:
            case ():
                yield Keep(low, high - low)
            case (cipher,):
                yield Unlock(low, high - low, cipher)
            case _:
                yield Unlock(low, high - low, Layers(over))
