"""Reads what can be read: failures are narrowed down to sectors, and a source that is gone is noticed."""

from __future__ import annotations

import itertools
from typing import overload

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span, merge
from unransom.core.streams import CHUNK, ZEROS, Reader, file_of
from unransom.evidence.descriptors import DescriptorReader
from unransom.evidence.presence import gone

SECTOR = 512  # bytes; the smallest part that is given up
BLOCK = 64 * 1024  # bytes that are tried at once where a chunk fails


class Careful:
    """Reads a source part by part."""

    def __init__(self, reader: Reader, sector: int = SECTOR, retries: int = 0) -> None:
        """Read ``reader``.

        Args:
            reader: The source.
            sector: Bytes that an error is about.
            retries: How often a sector that fails is tried again.
        """
        self.reader = reader
        self.sector = sector
        self._retries = retries
        self._file = file_of(reader)
        self._exact = reader.read_past_cache if isinstance(reader, DescriptorReader) else reader.read_at
        self._good = -1  # a sector that could be read

    @overload
    def attempt(self, offset: int, length: int) -> bytes | None: ...
    @overload
    def attempt(self, offset: int, length: int, buffer: memoryview) -> bytes | memoryview | None: ...
    def attempt(
        self, offset: int, length: int, buffer: memoryview | None = None
    ) -> bytes | memoryview | None:
        """Return ``length`` bytes from ``offset``, None where any of them cannot be read.

        They are in ``buffer``, which may be overwritten in any case, where it has that length and the source
        can fill it.
        """
        if self._file and length <= CHUNK and self._file.hole_at(offset) >= length:
            return ZEROS[:length] if length < CHUNK else ZEROS
        try:
            if buffer is not None and len(buffer) == length and isinstance(self.reader, DescriptorReader):
                self.reader.read_into(buffer, offset)
                self._good = offset
                return buffer
            data = (self.reader.read_at if length > self.sector else self._exact)(offset, length)
        except UnreadableError:
            return None
        if len(data) < length:
            return None
        self._good = offset
        return data

    def read(self, offset: int, length: int) -> tuple[bytes, list[Span]]:
        """Return ``length`` bytes from ``offset``, with zeros for what cannot be read, and that.

        Raises:
            SourceGoneError: The source has vanished.
        """
        data = self.attempt(offset, length)
        if data is not None:
            return data, []
        out, lost = bytearray(length), []
        for block in parts(offset, offset + length, BLOCK):
            piece = self.attempt(block.start, len(block))
            steps = [block] if piece is not None else parts(block.start, block.end, self.sector)
            for step in steps:
                found = piece if piece is not None else self.insist(step)
                if found is None:
                    lost.append(step)
                else:
                    out[step.start - offset : step.end - offset] = found
        if sum(map(len, lost)) == length:
            self.check()
        return bytes(out), merge(lost)

    def insist(self, sector: Span) -> bytes | None:
        """Return a sector, None where it cannot be read however often it is tried."""
        tries = (self.attempt(sector.start, len(sector)) for _ in range(1 + self._retries))
        return next((found for found in tries if found is not None), None)

    def check(self) -> None:
        """Look whether what could be read before still can.

        Raises:
            SourceGoneError: It cannot.
        """
        if self._good < 0:
            return
        try:
            self._exact(self._good, min(self.sector, self.reader.size - self._good))
        except UnreadableError as error:
            raise gone(error) from error


def parts(start: int, end: int, step: int) -> list[Span]:
    """Return the span in parts that end at multiples of ``step``."""
    edges = [start, *range(start // step * step + step, end, step), end]
    return [Span(first, last) for first, last in itertools.pairwise(edges)]
