"""Writes unransom's own image: chunk after chunk, each a frame; goes on behind the last one that is whole."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import zstandard

from unransom.acquire.careful import Careful
from unransom.acquire.progress import Copying
from unransom.acquire.rescue_map import RescueMap, Status
from unransom.core.errors import UsageError
from unransom.core.hashing import Digests, Hasher
from unransom.core.messages import say
from unransom.core.outputs import FileReader, write_at
from unransom.core.spans import Span
from unransom.core.streams import ZEROS
from unransom.evidence.containers import packed

WAITING = 8  # chunks that are compressed at a time


class Packing:
    """An image that is being written."""

    def __init__(self, path: Path, described: packed.Description, level: int) -> None:
        """Write to ``path``, which may hold what an earlier run has written."""
        self._path = path
        self._described = described
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._entries: list[tuple[int, int, int]] = []
        self._position = packed.HEADER
        self._waiting: deque[tuple[int, Future[bytes]]] = deque()
        self._local = threading.local()
        self._level = level
        self._zeros = self._compress(ZEROS)
        self._threads = ThreadPoolExecutor(max(1, os.cpu_count() or 1), "compress")
        self.written = 0  # bytes of the disk

    def resume(self, hasher: Hasher, limit: int) -> int:
        """Check what an earlier run has written, at most ``limit`` bytes of the disk; hash and keep it.

        Returns:
            Bytes of the disk that are there.

        Raises:
            UsageError: It is the image of another disk.
        """
        with FileReader(self._path) as reader:
            found = packed.parse_header(reader.read_at(0, packed.HEADER))
            if found is not None and found != self._described:
                raise UsageError(
                    say("{file} is the unfinished image of another source", file=str(self._path)),
                    detail=f"{found.source}, {found.size:,}",
                    hint=say("move it away, or give the source that it was begun with"),
                )
            if found is not None:
                for frame, chunk in packed.whole_frames(reader, self._described.size):
                    if self.written + len(chunk) > limit:
                        break
                    hasher.update(chunk)
                    self._list(frame, len(chunk))
        os.ftruncate(self._file, self._position if self.written else 0)
        write_at(self._file, 0, packed.header(self._described))
        return self.written

    def add(self, chunk: bytes) -> None:
        """Append the next chunk."""
        whole_zeros = chunk is ZEROS or (len(chunk) == packed.CHUNK and chunk == ZEROS)
        job: Future[bytes] = Future()
        if whole_zeros:
            job.set_result(self._zeros)
        else:
            job = self._threads.submit(self._compress, chunk)
        self._waiting.append((len(chunk), job))
        while len(self._waiting) > WAITING:
            self._drain()

    def flush(self) -> None:
        """Write what is waiting, and make it last."""
        while self._waiting:
            self._drain()
        os.fsync(self._file)

    def finish(self, digests: Digests, lost: list[Span]) -> None:
        """Write what comes behind the chunks."""
        self.flush()
        values = {"md5": digests.md5, "sha256": digests.sha256, "blake3": digests.blake3}
        said = json.dumps({"digests": values, "lost": [[span.start, span.end] for span in lost]}).encode()
        content = zstandard.ZstdCompressor().compress(said)
        end = packed.SKIPPED.pack(packed.ENDED, len(content)) + content
        entries = [(packed.HEADER, 0, 0), *self._entries, (len(end), 0, 0)]
        table = np.array(entries, packed.ENTRY).tobytes()
        footer = packed.FOOTER.pack(len(entries), packed.WITH_CHECKSUMS, packed.FOOTER_MAGIC)
        listed = packed.SKIPPED.pack(packed.LISTED, len(table) + len(footer))
        write_at(self._file, self._position, end + listed + table + footer)
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; what is waiting is thrown away."""
        self._threads.shutdown(cancel_futures=True)
        os.close(self._file)

    def _compress(self, chunk: bytes) -> bytes:
        if not hasattr(self._local, "compressor"):
            self._local.compressor = zstandard.ZstdCompressor(level=self._level, write_checksum=True)
        return bytes(self._local.compressor.compress(chunk))

    def _drain(self) -> None:
        size, job = self._waiting[0]
        frame = job.result()
        write_at(self._file, self._position, frame)
        self._waiting.popleft()
        self._list(frame, size)

    def _list(self, frame: bytes, size: int) -> None:
        self._entries.append((len(frame), size, int.from_bytes(frame[-4:], "little")))
        self._position += len(frame)
        self.written += size


def pack(
    careful: Careful, path: Path, described: packed.Description, copying: Copying, level: int
) -> tuple[Digests, RescueMap, int]:
    """Copy a source into an image of our own; return digests, map, and what was there before.

    Raises:
        SourceGoneError: The source has vanished; what is written stays.
        OSError: The image cannot be written; what is written stays.
    """
    chart = copying.load()
    hasher = Hasher()
    packing = Packing(path, described, level)
    try:
        resumed = offset = packing.resume(hasher, _tried(chart))
        copying.begin(resumed)
        while offset < described.size:
            chunk, lost = careful.read(offset, min(packed.CHUNK, described.size - offset))
            hasher.update(chunk)
            packing.add(chunk)
            span = Span(offset, offset + len(chunk))
            chart.mark(span, Status.DONE)
            for bad in lost:
                chart.mark(bad, Status.BAD)
            offset = span.end
            if copying.tell(offset, len(lost)):
                packing.flush()
                copying.save(chart)
        packing.flush()
        digests = hasher.digests()
        packing.finish(digests, chart.spans(Status.BAD))
        copying.save(chart)
    except BaseException:
        with contextlib.suppress(OSError):  # as much as can be written is there for the next run
            packing.flush()
        chart.mark(Span(packing.written, described.size), Status.UNTRIED)
        with contextlib.suppress(OSError):
            copying.save(chart)
        raise
    finally:
        hasher.wait()
        packing.close()
    return digests, chart, resumed


def _tried(chart: RescueMap) -> int:
    """Return how many bytes from the start on were read, or tried in vain."""
    left = chart.spans(Status.UNTRIED, Status.UNTRIMMED, Status.UNSCRAPED)
    return left[0].start if left else chart.size
