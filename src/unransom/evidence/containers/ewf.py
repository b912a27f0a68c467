"""Expert Witness images (E01, Ex01): compressed chunks, in files that follow each other.

Chunks are inflated in threads, which the GIL does not hold back, and those behind what is asked for are
begun at once where a disk is read from front to back.

Sources: J. Metz, Expert Witness Compression Format (EWF), versions 1 and 2.
"""

from __future__ import annotations

import functools
import os
import threading
import zlib
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers import ewf2_segments
from unransom.evidence.containers.ewf_segments import (
    MARK,
    PACKED,
    PATTERN,
    SLACK,
    SUMMED,
    Contents,
    Places,
    Unpack,
    contents,
)
from unransom.evidence.containers.mapped import Mapped, Missing, Piece, Recent
from unransom.evidence.containers.opening import Opening, unsupported

WINDOW = 1 << 20  # bytes of the disk that one thread inflates at a time
AHEAD = 3  # windows
STREAM = 128 * 1024  # bytes from which on a read is one of many that follow each other
LOGICAL = (b"LVF\x09\x0d\x0a\xff\x00", b"LEF2\x0d\x0a\x81\x00")
KEPT_TABLES, KEPT_CHUNKS, KEPT_WINDOWS = 64, 256, 8


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file begins like a segment of such an image."""
    return head[:8] in {MARK, ewf2_segments.MARK, *LOGICAL}


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense.
        UnreadableError: It cannot be read.
        UnsupportedImageError: It is encrypted, or holds no disk.
    """
    head = opening.reader.read_at(0, len(MARK))
    if head in LOGICAL:
        raise unsupported(
            say("the image holds single files (L01 or Lx01), not a disk"),
            say("export the files with the program that made it, and name their folder"),
        )
    return ChunkDisk(ewf2_segments.contents(opening) if head == ewf2_segments.MARK else contents(opening))


class ChunkDisk(Mapped):
    """A disk in chunks, each compressed for itself."""

    def __init__(self, found: Contents) -> None:
        self.size = found.size
        self._chunk = found.chunk
        self._tables = found.tables
        self._unpack = found.unpack
        self._firsts = [0]  # chunk that each table begins with, and the one behind the last
        for table in found.tables:
            self._firsts.append(self._firsts[-1] + table.entries)
        self._places = Recent(self._load, KEPT_TABLES)
        self._single = Recent(self._inflate_one, KEPT_CHUNKS)
        self._per_window = max(1, WINDOW // self._chunk)
        self._windows: dict[int, Future[bytes]] = {}
        self._lock = threading.Lock()
        self._next = -1

    def piece_at(self, offset: int) -> Piece:
        """Return the chunk that byte ``offset`` is in."""
        number, inside = divmod(offset, self._chunk)
        left = min(self._chunk - inside, self.size - offset)
        if number >= self._firsts[-1]:
            return Piece(self.size - offset, Missing(self.size, "the image ends before"), offset)
        return Piece(left, _Chunk(self._single, number, self._size_of(number)), inside)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the disk ends.

        Raises:
            UnreadableError: A chunk of these is damaged, or not there.
        """
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        follows = offset == self._next
        self._next = offset + length
        if length < STREAM and not follows:
            return super().read_at(offset, length)
        try:
            return self._stream(offset, length)
        except UnreadableError:  # perhaps only beside what was asked for
            return super().read_at(offset, length)

    def _stream(self, offset: int, length: int) -> bytes:
        span = self._per_window * self._chunk
        first, last = offset // span, (offset + length - 1) // span
        jobs = [self._window(number) for number in range(first, last + 1)]
        end = min(last + 1 + AHEAD, -(-self.size // span))
        for number in range(last + 1, end):
            self._window(number)
        parts = [memoryview(job.result()) for job in jobs]
        begin = offset - first * span
        if len(parts) == 1:
            return bytes(parts[0][begin : begin + length])
        parts[0] = parts[0][begin:]
        parts[-1] = parts[-1][: offset + length - last * span]
        return b"".join(parts)

    def _window(self, number: int) -> Future[bytes]:
        with self._lock:
            job = self._windows.pop(number, None)
            if job is None:
                job = _threads().submit(self._inflate, number)
            self._windows[number] = job
            while len(self._windows) > KEPT_WINDOWS:
                self._windows.pop(next(iter(self._windows)))
        return job

    def _inflate(self, window: int) -> bytes:
        """Return the bytes of a window."""
        chunk = window * self._per_window
        end = min(chunk + self._per_window, -(-self.size // self._chunk))
        parts: list[bytes | memoryview] = []
        while chunk < end:
            table = bisect_right(self._firsts, chunk) - 1
            if table >= len(self._tables):
                raise UnreadableError(chunk * self._chunk, self._chunk, "the image ends before")
            stop = min(end, self._firsts[table + 1])
            parts += self._inflate_run(table, chunk, stop)
            chunk = stop
        return b"".join(parts)

    def _inflate_one(self, chunk: int) -> bytes:
        (data,) = self._inflate_run(bisect_right(self._firsts, chunk) - 1, chunk, chunk + 1)
        return bytes(data)

    def _inflate_run(self, table: int, first: int, stop: int) -> list[bytes | memoryview]:
        """Return chunks that one table has."""
        places = self._places(table)
        low, high = first - self._firsts[table], stop - self._firsts[table]
        starts, sizes, kinds = (column[low:high] for column in places[1:])
        stored = starts[kinds & PATTERN == 0]
        begin = int(stored.min()) if len(stored) else 0
        end = int((starts + sizes)[kinds & PATTERN == 0].max()) if len(stored) else 0
        if end - begin > (high - low) * 2 * (self._chunk + SLACK) or begin < 0 or (sizes < 0).any():
            raise UnreadableError(first * self._chunk, 1, "a table of chunks that makes no sense")
        data = memoryview(places.reader.read_at(begin, end - begin))
        out: list[bytes | memoryview] = []
        for index, (start, size, kind) in enumerate(
            zip(starts.tolist(), sizes.tolist(), kinds.tolist(), strict=True)
        ):
            whole = self._size_of(first + index)
            if kind & PATTERN:
                out.append(memoryview(start.to_bytes(8, "little", signed=True) * -(-whole // 8))[:whole])
            else:
                out.append(_unpack(data[start - begin :][:size], whole, kind, self._unpack))
        return out

    def _load(self, table: int) -> Places:
        return self._tables[table].load(self._chunk)

    def _size_of(self, chunk: int) -> int:
        return min(self._chunk, self.size - chunk * self._chunk)


class _Chunk:
    """A reader over one chunk."""

    def __init__(self, load: Callable[[int], bytes], number: int, size: int) -> None:
        self._load = load
        self._number = number
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the chunk ends."""
        return self._load(self._number)[offset : offset + length]


def _unpack(packed: memoryview, size: int, kind: int, unpack: Unpack) -> bytes | memoryview:
    """Return the ``size`` bytes of a chunk, with its checksum compared.

    Raises:
        UnreadableError: It is damaged.
    """
    if kind & PACKED:
        data: bytes | memoryview = unpack(packed, size)
        sound = True
    else:
        data = packed[:size]
        stored = packed[size : size + 4] if kind & SUMMED else b""
        sound = len(stored) < 4 or zlib.adler32(data) == int.from_bytes(stored, "little")
    if len(data) < size or not sound:
        raise UnreadableError(0, size, "a damaged chunk")
    return data[:size]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads of this process that inflate."""
    return ThreadPoolExecutor(min(8, os.cpu_count() or 1), "inflate")
