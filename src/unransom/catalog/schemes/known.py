"""Content under a keystream of which only some bytes are known, as searches find it out byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.schemes.data import BytesName, Data, Length
from unransom.catalog.schemes.extents import Extents, Facts, Whole
from unransom.catalog.schemes.family import BadMarkError, FileKey, Keep, Lost, Mark, Piece, Plan, Unlock
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.ciphers.xor import Xor

MOST_PIECES = 1 << 18  # of a file


class KnownStream(Data, frozen=True, tag="known-stream"):
    """The locked spans, one after the other, are under one keystream; what is not known of it is lost.

    Attributes:
        extents: What is locked.
        key: The keystream from its beginning.
        known: Which bytes of it are known, a bit for each, that of the first byte highest; "" for all.
        repeats: Whether it begins again at its end; else what lies behind its end is lost.
        anew: Locked bytes after which it begins anew, wherever it is by then; 0 where it never does.
        skip: Bytes before the original's first one: metadata at the head of the file.
    """

    extents: Extents = Whole()
    key: BytesName = "key"
    known: BytesName = ""
    repeats: bool = False
    anew: Length = 0
    skip: Length = 0

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan.

        Raises:
            BadMarkError: The metadata contradicts itself, or too many bytes are not known.
        """
        del locked
        facts = Facts.of(mark, key)
        size, stream = mark.plain_size or 0, np.frombuffer(facts.fields[self.key], np.uint8)
        if not len(stream):
            raise BadMarkError(say("the keystream has no bytes"))
        runs = [(0, len(stream), True)]
        if self.known:
            runs = edges(known_of(facts.fields[self.known], len(stream)))
        turns = size // len(stream) + 1 if self.repeats and len(runs) > 1 else 1
        if len(runs) * turns + (size // self.anew if self.anew else 0) > MOST_PIECES:
            raise BadMarkError(say("too little of the keystream is known for a file as large as this"))
        return Plan(size, self._pieces(size, self.extents.spans(size, facts), stream, runs))

    def _pieces(
        self, size: int, spans: Iterator[Span], stream: NDArray[np.uint8], runs: list[tuple[int, int, bool]]
    ) -> Iterator[Piece]:
        position = used = 0
        for span in self._turns(spans):
            if span.start > position:
                yield Keep(self.skip + position, span.start - position)
            position = span.start
            used = used % self.anew if self.anew else used
            if self.repeats and len(runs) == 1:
                yield Unlock(self.skip + position, len(span), Xor(stream.tobytes(), used))
                position, used = span.end, used + len(span)
                continue
            for start, length, known in self._parts(used, len(span), stream, runs):
                if known:
                    yield Unlock(self.skip + position, length, Slice(stream, start))
                else:
                    yield Lost(length)
                position += length
            used += len(span)
        if position < size:
            yield Keep(self.skip + position, size - position)

    def _turns(self, spans: Iterator[Span]) -> Iterator[Span]:
        """Yield ``spans``, cut where the keystream begins anew."""
        left = self.anew
        for span in spans:
            start = span.start
            while self.anew and span.end - start > left:
                yield Span(start, start + left)
                start, left = start + left, self.anew
            yield Span(start, span.end)
            left -= span.end - start

    def _parts(
        self, used: int, length: int, stream: NDArray[np.uint8], runs: list[tuple[int, int, bool]]
    ) -> Iterator[tuple[int, int, bool]]:
        """Yield place, length and whether they are known of the next ``length`` bytes of the keystream."""
        end = used + length
        while used < end:
            place = used % len(stream) if self.repeats else used
            if place >= len(stream):
                yield place, end - used, False
                return
            turn = used - place
            for low, high, known in runs:
                first, last = max(turn + low, used), min(turn + high, end)
                if first < last:
                    yield first - turn, last - first, known
            used = min(turn + len(stream), end)


class Slice:
    """XOR with a keystream from one of its bytes on."""

    spill = 0

    def __init__(self, stream: NDArray[np.uint8], start: int) -> None:
        self._stream = stream
        self._used = start

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data``, which the keystream must be long enough for, into ``out``."""
        source = np.frombuffer(data, np.uint8)
        end = self._used + len(source)
        np.bitwise_xor(source, self._stream[self._used : end], out=np.frombuffer(out, np.uint8))
        self._used = end


def edges(known: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """Return the runs of what is known, or not: their first byte and that behind their last."""
    borders = [0, *(np.flatnonzero(known[1:] != known[:-1]) + 1).tolist(), len(known)]
    return [(low, high, bool(known[low])) for low, high in pairwise(borders) if low < high]


def known_of(bitmap: bytes, length: int) -> NDArray[np.bool_]:
    """Return which bytes are known, by a bit for each, that of the first byte highest.

    Raises:
        BadMarkError: There are fewer bits than bytes.
    """
    known = np.unpackbits(np.frombuffer(bitmap, np.uint8))[:length].astype(bool)
    if len(known) < length:
        raise BadMarkError(say("the keystream has no bytes"))
    return known


def bitmap_of(known: NDArray[np.bool_]) -> bytes:
    """Return which bytes are known, as ``KnownStream.known`` takes it."""
    return np.packbits(known).tobytes()
