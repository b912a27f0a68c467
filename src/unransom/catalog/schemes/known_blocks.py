"""Content in blocks that were locked each by itself, of which some are known: ECB without the key."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unransom.catalog.schemes.data import BytesName, Data, Length
from unransom.catalog.schemes.extents import Extents, Facts, Whole
from unransom.catalog.schemes.family import BadMarkError, FileKey, Insert, Keep, Lost, Mark, Piece, Plan
from unransom.catalog.schemes.known import edges
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

BLOCK = 16
ENTRY = 2 * BLOCK  # bytes of a locked block and its original


class KnownBlocks(Data, frozen=True, tag="known-blocks"):
    """Each block of 16 bytes of the locked spans is looked up; what is not found is lost.

    Attributes:
        extents: What is locked; what is no whole block at the end of a span was left as it is.
        key: Pairs of a locked block and its original, sorted.
        skip: Bytes before the original's first one: metadata at the head of the file.
    """

    extents: Extents = Whole()
    key: BytesName = "key"
    skip: Length = 0

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan.

        Raises:
            BadMarkError: The metadata contradicts itself, or the key has no blocks.
        """
        if len(key.parts.get(self.key, b"")) < ENTRY:
            raise BadMarkError(say("the dictionary has no blocks"))
        size = mark.plain_size or 0
        return Plan(size, self._pieces(locked, size, Facts.of(mark, key), key.parts[self.key]))

    def _pieces(self, locked: Reader, size: int, facts: Facts, entries: bytes) -> Iterator[Piece]:
        from unransom.crypto.search.keystream.blocks import looked_up, rows_of  # noqa: PLC0415 slow to import

        book = np.frombuffer(entries[: len(entries) // ENTRY * ENTRY], np.uint8).reshape(-1, ENTRY)
        position = 0
        for span in self.extents.spans(size, facts):
            if span.start > position:
                yield Keep(self.skip + position, span.start - position)
            end = span.end - len(span) % BLOCK
            for start in range(span.start, end, CHUNK):
                data = np.frombuffer(locked.read_at(self.skip + start, min(CHUNK, end - start)), np.uint8)
                plain, found = looked_up(book[:, :BLOCK], book[:, BLOCK:], rows_of(data))
                for low, high, known in edges(found):
                    yield Insert(plain[low:high].tobytes()) if known else Lost((high - low) * BLOCK)
            if end < span.end:
                yield Keep(self.skip + end, span.end - end)
            position = span.end
        if position < size:
            yield Keep(self.skip + position, size - position)
