"""Writes a raw image as ddrescue does: what reads well first, then the edges of failures, then sectors."""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
from pathlib import Path

from unransom.acquire.careful import BLOCK, Careful, parts
from unransom.acquire.progress import Copying
from unransom.acquire.rescue_map import RescueMap, Status
from unransom.core.hashing import Digests, Hasher
from unransom.core.outputs import FileReader, WriteBack, write_at
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, ZEROS, stretches

BUFFERS = 1 + Hasher.AHEAD  # one that is filled while the hashes read the others
LARGEST_SKIP = 64 << 20  # bytes behind a failure that are left for later


class Copy:
    """A raw image that is being written."""

    def __init__(self, careful: Careful, path: Path, copying: Copying) -> None:
        """Copy what ``careful`` reads to ``path``, which may hold what an earlier run has written."""
        self._careful = careful
        self._path = path
        self._copying = copying
        self._chart = copying.load() if path.exists() else RescueMap(copying.size)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._back = WriteBack(self._file)
        self._size = copying.size
        self._done = self._chart.total(Status.DONE)
        self.resumed = self._done
        self._hasher = Hasher(BUFFERS)
        # Whole pages: Intel's processors copy out of the page cache into what begins a few bytes behind one,
        # as the memory of a bytearray does, at a third of the speed.
        self._buffers = itertools.cycle([memoryview(mmap.mmap(-1, CHUNK)) for _ in range(BUFFERS)])
        self._buffer = next(self._buffers)  # that no hash reads
        self._hashed = 0  # bytes from the start on
        copying.begin(self._done)

    def run(self) -> tuple[Digests, RescueMap]:
        """Copy; return the digests of what is there, with zeros for what could not be read, and the map.

        Raises:
            SourceGoneError: The source has vanished; what is written stays.
            OSError: The image cannot be written; what is written stays.
        """
        try:
            os.ftruncate(self._file, self._size)
            self._sweep(skipping=True)
            self._sweep(skipping=False)
            for span in self._chart.spans(Status.UNTRIMMED):
                self._trim(span)
            for span in self._chart.spans(Status.UNSCRAPED):
                self._scrape(span)
            self._save()
        except BaseException:
            with contextlib.suppress(OSError):  # for the next run
                self._save()
            raise
        return self._digests(), self._chart

    def close(self) -> None:
        """Close the file."""
        self._hasher.wait()
        os.close(self._file)

    def _sweep(self, *, skipping: bool) -> None:
        """Read what was not tried, in large pieces; on failure pass over more and more of what follows."""
        for span in self._chart.spans(Status.UNTRIED):
            offset, skip = span.start, 0
            while offset < span.end:
                room = min(span.end - offset, CHUNK - offset % CHUNK)
                if self._copy(offset, room):
                    offset, skip = offset + room, 0
                    continue
                failed = [each for each in parts(offset, offset + room, BLOCK) if not self._copy(*_at(each))]
                for each in failed:
                    self._mark(each, Status.UNTRIMMED)
                if sum(map(len, failed)) == room:
                    self._careful.check()
                    skip = min(LARGEST_SKIP, 2 * skip + CHUNK) if skipping else 0
                offset += room + skip

    def _trim(self, span: Span) -> None:
        """Read sectors from both ends of a span up to the first that fails."""
        sectors = parts(span.start, span.end, self._careful.sector)
        first, last = 0, len(sectors)
        while first < last and self._copy(*_at(sectors[first])):
            first += 1
        while last > first + 1 and self._copy(*_at(sectors[last - 1])):
            last -= 1
        if first == last:
            return
        self._insist(sectors[first])
        if last - 1 > first:
            self._insist(sectors[last - 1])
            self._mark(Span(sectors[first].end, sectors[last - 1].start), Status.UNSCRAPED)

    def _scrape(self, span: Span) -> None:
        for sector in parts(span.start, span.end, self._careful.sector):
            self._insist(sector)

    def _insist(self, sector: Span) -> None:
        data = self._careful.insist(sector)
        if data is None:
            self._mark(sector, Status.BAD)
        else:
            self._keep(sector, data)

    def _copy(self, offset: int, length: int) -> bool:
        """Copy a part; return whether it could be read."""
        data = self._careful.attempt(offset, length, self._buffer)
        if data is not None:
            self._keep(Span(offset, offset + length), data)
        return data is not None

    def _keep(self, span: Span, data: bytes | memoryview) -> None:
        if span.start == self._hashed:
            self._hasher.update(data)
            self._hashed = span.end
            self._buffer = next(self._buffers)
        if data is not ZEROS and not ZEROS.startswith(data):
            write_at(self._file, span.start, data)
            self._back.reach(span.end)
        self._done += len(span)
        self._mark(span, Status.DONE)

    def _mark(self, span: Span, status: Status) -> None:
        self._chart.mark(span, status)
        if self._copying.tell(self._done, status is Status.BAD):
            self._save()

    def _save(self) -> None:
        os.fsync(self._file)
        self._copying.save(self._chart)

    def _digests(self) -> Digests:
        """Return the digests; what was not hashed while it was copied is read again."""
        with FileReader(self._path) as reader:
            for piece, _ in stretches(reader, self._hashed):
                self._hasher.update(piece)
        return self._hasher.digests()


def _at(span: Span) -> tuple[int, int]:
    return span.start, len(span)
