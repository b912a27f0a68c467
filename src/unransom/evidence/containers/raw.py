"""Raw images and devices, also split into ``name.001``, ``name.002``, …: the disk's bytes as they are."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import itertools
import os
import re
import stat

from unransom.core.errors import UnreadableError
from unransom.evidence.descriptors import DescriptorReader, open_quietly

FIRST_SEGMENT = re.compile(rb"\.(0{2,}[01])$")
HEAD = 64 * 1024  # bytes that a device is told by, besides its size: it has no modification time


class RawImage:
    """A reader over a device, an image file, or all segments of a split one."""

    def __init__(self, path: bytes) -> None:
        """Open ``path`` and, where it is the first segment of several, those that follow.

        Raises:
            OSError: A segment cannot be opened.
        """
        self._segments: list[DescriptorReader] = []
        self._starts: list[int] = []
        self.size = 0
        try:
            for segment in segments(path):
                reader = DescriptorReader(open_quietly(segment))
                self._segments.append(reader)
                self._starts.append(self.size)
                self.size += reader.size
        except OSError:
            self.close()
            raise

    def fingerprint(self) -> str:
        """Return size and modification time of every segment; for a device, size and digest of its head."""
        return " ".join(self._mark(segment) for segment in self._segments)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the image ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        if offset < 0:
            return b""
        pieces = []
        end = min(offset + length, self.size)
        while offset < end:
            number = bisect.bisect_right(self._starts, offset) - 1
            start = self._starts[number]
            try:
                piece = self._segments[number].read_at(offset - start, end - offset)
            except UnreadableError as error:
                raise UnreadableError(start + error.offset, error.length) from error
            pieces.append(piece)
            offset += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close every segment; a second call does nothing."""
        for segment in self._segments:
            segment.close()

    @staticmethod
    def _mark(segment: DescriptorReader) -> str:
        found = segment.stat()
        if stat.S_ISREG(found.st_mode):
            return f"{found.st_size}@{found.st_mtime_ns}"
        with contextlib.suppress(UnreadableError):
            return f"{segment.size}#{hashlib.sha256(segment.read_at(0, HEAD)).hexdigest()[:16]}"
        return f"{segment.size}#unreadable"


def segments(path: bytes) -> list[bytes]:
    """Return ``path`` and the segments that follow it without a gap, in order."""
    found = FIRST_SEGMENT.search(path)
    if not found:
        return [path]
    digits = found.group(1)
    stem = path[: found.start(1)]
    names = (stem + b"%0*d" % (len(digits), number) for number in itertools.count(int(digits)))
    return [path, *itertools.takewhile(os.path.isfile, itertools.islice(names, 1, None))]


def missing_segments(path: bytes) -> list[bytes]:
    """Return the names of segments that lie beyond a gap: the image ends early, and they are not read."""
    present = segments(path)
    if not FIRST_SEGMENT.search(path):
        return []
    folder, _, name = path.rpartition(b"/")
    stem, _, digits = name.rpartition(b".")
    wanted = re.compile(re.escape(stem) + rb"\.\d{%d}$" % len(digits))
    known = {each.rpartition(b"/")[2] for each in present}
    with os.scandir(folder or b"/") as entries:
        return sorted(
            entry.name
            for entry in entries
            if wanted.match(entry.name) and entry.name not in known and entry.name > name
        )
