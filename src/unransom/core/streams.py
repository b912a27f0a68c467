"""Readers: read-only random access to bytes, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from unransom.core.errors import UnreadableError
from unransom.core.openfile import OpenFile, Stored
from unransom.core.spans import Span

CHUNK = 1 << 20  # bytes per read of a stream: large enough for the hashes, small enough for the cache
HOLE = 64 * 1024  # bytes of zeros from which on they are not read and not written
ZEROS = bytes(CHUNK)


@runtime_checkable
class Reader(Protocol):
    """Read-only random access to ``size`` bytes.

    Reading is safe from several threads: a reader has no position.
    """

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the reader ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        ...


def file_of(reader: Reader) -> OpenFile | None:
    """Return the open file whose bytes ``reader`` gives, each at its own offset; None where there is none.

    A reader that may have one says so by an attribute ``file``. That is asked once: every reader over
    another asks that one in turn.
    """
    file: OpenFile | None = getattr(reader, "file", None)
    return file


class BytesReader:
    """A reader over bytes in memory."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the data ends."""
        return bytes(self._data[max(offset, 0) : max(offset + length, 0)])


class Window:
    """A part of another reader, seen as a reader of its own."""

    def __init__(self, reader: Reader, start: int, size: int) -> None:
        self._reader = reader
        self._start = start
        self.size = max(0, min(size, reader.size - start))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` of the window; fewer where the window ends."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        try:
            return self._reader.read_at(self._start + offset, length)
        except UnreadableError as error:
            raise UnreadableError(error.offset - self._start, error.length) from error


def chunks(reader: Reader, start: int = 0, end: int | None = None, step: int = CHUNK) -> Iterator[bytes]:
    """Yield the bytes of ``reader`` from ``start`` to ``end`` in pieces of ``step`` bytes."""
    end = reader.size if end is None else min(end, reader.size)
    while start < end:
        piece = reader.read_at(start, min(step, end - start))
        if not piece:
            return
        yield piece
        start += len(piece)


def stretches(
    reader: Reader, start: int = 0, end: int | None = None
) -> Iterator[tuple[memoryview, Stored | None]]:
    """Yield the bytes of ``reader`` from ``start`` to ``end``, and where they are stored.

    Holes of a file are not read. A stretch has at most ``CHUNK`` bytes and ends where a multiple of that
    does, or where zeros begin, so that the next one begins with a block of the file system.
    """
    file = file_of(reader)
    end = reader.size if end is None else min(end, reader.size)
    while start < end:
        room = min(CHUNK - start % CHUNK, end - start)
        hole = min(file.hole_at(start), room) if file else 0
        skips = hole == room or hole >= HOLE
        piece = memoryview(ZEROS)[:hole] if skips else memoryview(_before_zeros(reader, start, room))
        if not piece:
            return
        yield piece, Stored(file, start) if file else None
        start += len(piece)


def _before_zeros(reader: Reader, start: int, length: int) -> bytes:
    """Return bytes of ``reader`` without zeros at their end that are enough for a hole in a copy."""
    data = reader.read_at(start, length)
    used = len(data.rstrip(b"\0"))
    used += -(start + used) % HOLE
    return data[:used] if 0 < used <= len(data) - HOLE else data


class Salvage:
    """Wraps a reader whose ranges may be unreadable: gives zeros for them and remembers where they are."""

    SECTOR = 4096  # the smallest range that is given up

    def __init__(self, reader: Reader, name: bytes = b"", sector: int = SECTOR) -> None:
        """Wrap a reader.

        Args:
            reader: What may be unreadable in places.
            name: The last part of the file's path, where it has one.
            sector: Bytes; the smallest range that is given up.
        """
        self._reader = reader
        self._sector = sector
        self.name = name
        self.lost: list[Span] = []

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._reader.size

    @property
    def file(self) -> OpenFile | None:
        """The open file that it reads, None where there is none."""
        return file_of(self._reader)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, zeros where they cannot be read."""
        length = max(0, min(length, self.size - offset))
        try:
            return self._reader.read_at(offset, length)
        except UnreadableError:
            return self._narrow(offset, length, max(self.SECTOR, self._sector))

    def _narrow(self, offset: int, length: int, block: int) -> bytes:
        """Read block by block, and what fails sector by sector: only sectors that truly fail are lost."""
        out = bytearray()
        while length > 0:
            step = min(length, block - offset % block)
            try:
                out += self._reader.read_at(offset, step)
            except UnreadableError:
                if block > self._sector:
                    out += self._narrow(offset, step, self._sector)
                else:
                    self.lost.append(Span(offset, offset + step))
                    out += bytes(step)
            offset += step
            length -= step
        return bytes(out)
