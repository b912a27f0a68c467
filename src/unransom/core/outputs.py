"""Where outputs are written: a temporary name first, flushed, renamed when verified.

A crash leaves either nothing or the whole file (and a temporary file that the next run removes).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from unransom.core.hashing import Digests, Hasher, digest
from unransom.core.openfile import OpenFile, Stored
from unransom.core.paths import safe_path
from unransom.core.streams import HOLE, ZEROS

TEMPORARY = b".unransom-"
SHARED = 64 * 1024  # bytes from which on sharing is worth a call of the system
PIECE = 128 * 1024  # bytes per write; for more the system looks for longer runs of memory, which takes longer


class FileReader:
    """A reader over a file on disk, opened read-only."""

    def __init__(self, path: bytes | str | Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.lseek(self._fd, 0, os.SEEK_END)
        self.file = OpenFile.of(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends."""
        return os.pread(self._fd, length, offset) if offset < self.size else b""

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def write_at(descriptor: int, position: int, data: bytes | memoryview) -> None:
    """Write all of ``data`` to an open file at ``position``."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view[:PIECE], position)
        position += written
        view = view[written:]


class WriteBack:
    """Lets the system begin to write a file to the disk while more is put into it.

    Else all of it would wait for the flush at the end, and whoever flushes would wait for all of it.
    """

    STEP = 8 << 20  # bytes

    def __init__(self, descriptor: int) -> None:
        """Watch ``descriptor``, which stays the caller's."""
        self._descriptor = descriptor
        self._begun = 0  # bytes from the start on

    def reach(self, position: int) -> None:
        """Hear that everything before ``position`` is in the file, and that it will hardly change."""
        if position - self._begun >= self.STEP:
            # What is not on the disk yet cannot be dropped from the cache: it is sent there instead.
            os.posix_fadvise(self._descriptor, self._begun, position - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = position


class Draft:
    """An output that is being written, hashed as it goes; it has no name yet.

    Used as a context manager: leaving it without ``keep`` removes the draft.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._path = os.path.join(outputs.scratch, TEMPORARY + secrets.token_hex(8).encode())  # noqa: PTH118 bytes
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._block = os.fstat(self._fd).st_blksize  # bytes
        self._back = WriteBack(self._fd)
        self._shares = True
        self._hasher = Hasher()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hasher.wait()
        os.close(self._fd)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)  # noqa: PTH108 bytes

    def write(self, data: bytes | bytearray | memoryview, stored: Stored | None = None) -> None:
        """Append ``data``. The buffer must stay unchanged until the next call.

        Args:
            data: The bytes.
            stored: A file that has them already: where the file system can, the output shares its blocks.
        """
        self._hasher.update(data)
        view = memoryview(data)
        position = self.size
        self.size += len(view)
        if len(view) >= HOLE and ZEROS.startswith(view):
            return  # a hole: disk images are mostly holes
        shared = self._share(stored, position, len(view)) if stored and self._shares else range(0)
        write_at(self._fd, position, view[: shared.start])
        write_at(self._fd, position + shared.stop, view[shared.stop :])
        self._back.reach(self.size)

    def _share(self, stored: Stored, position: int, length: int) -> range:
        """Share whole blocks of a piece that belongs at ``position``; return which bytes of it they are."""
        start, end = -position % self._block, length - (position + length) % self._block
        fits = (stored.offset - position) % self._block == 0
        if not fits or end - start < SHARED:
            return range(0)
        self._shares = stored.file.share(stored.offset + start, end - start, self._fd, position + start)
        return range(start, end) if self._shares else range(0)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` of what was written; a draft is a reader."""
        length = min(length, max(self.size - offset, 0))  # offsets in hostile files are beyond any file
        return os.pread(self._fd, length, offset).ljust(length, b"\0") if length else b""

    def keep(self, path: bytes, times: tuple[int, int] | None = None) -> tuple[bytes, Digests]:
        """Flush the draft and give it its name; return the path below the case folder and the digests.

        Args:
            path: Wanted path below the outputs' folder, from any source: it is made safe here.
            times: Access and modification time to set, nanoseconds since 1970.
        """
        digests = self._hasher.digests()
        os.ftruncate(self._fd, self.size)
        if times:
            os.utime(self._fd, ns=times)
        os.fsync(self._fd)
        return self._outputs.place(self._path, path, digests), digests


class Outputs:
    """The folder of recovered files of one case."""

    def __init__(self, folder: Path, scratch: Path, below: Path) -> None:
        """Use ``folder`` for outputs, ``scratch`` on the same file system for drafts.

        Args:
            folder: Where outputs go.
            scratch: Where drafts are.
            below: The folder that the paths in records are relative to.
        """
        self.folder = os.fsencode(folder)
        self.scratch = os.fsencode(scratch)
        self._prefix = os.fsencode(folder.relative_to(below))
        folder.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(parents=True, exist_ok=True)

    def draft(self) -> Draft:
        """Begin an output."""
        return Draft(self)

    def place(self, draft: bytes, path: bytes, digests: Digests) -> bytes:
        """Give ``draft`` its name without ever replacing another output.

        Where the name is taken by a file with the same bytes (a run that was killed after placing it),
        that file is kept. Where it is taken by another, ``name.2``, ``name.3``, … are tried.
        """
        wanted = safe_path(path)
        attempt = 1
        while True:
            name = wanted if attempt == 1 else _numbered(wanted, attempt)
            final = os.path.join(self.folder, name)  # noqa: PTH118 bytes
            os.makedirs(os.path.dirname(final), exist_ok=True)  # noqa: PTH103, PTH120 bytes
            try:
                os.link(draft, final)
            except FileExistsError:
                if not _same(final, digests):
                    attempt += 1
                    continue
            return os.path.join(self._prefix, name)  # noqa: PTH118 bytes

    def clear_scratch(self) -> None:
        """Remove drafts that a killed run left behind."""
        for entry in os.scandir(self.scratch):
            if entry.name.startswith(TEMPORARY):
                os.unlink(entry.path)  # noqa: PTH108 bytes


def _numbered(path: bytes, number: int) -> bytes:
    folder, slash, name = path.rpartition(b"/")
    stem, dot, extension = name.rpartition(b".")
    if not stem:
        stem, dot, extension = name, b"", b""
    return folder + slash + stem + b".%d" % number + dot + extension


def _same(path: bytes, digests: Digests) -> bool:
    if os.path.getsize(path) != digests.size:  # noqa: PTH202 bytes
        return False
    with FileReader(path) as reader:
        return digest(reader) == digests
