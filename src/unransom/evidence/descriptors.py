"""Open files of the machine that unransom runs on, read-only and without leaving a trace where allowed."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
from types import TracebackType
from typing import Self

from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.messages import say
from unransom.core.openfile import OpenFile
from unransom.core.records import FileRef
from unransom.core.text import shown

READ = os.O_RDONLY | os.O_CLOEXEC
NO_ATIME = getattr(os, "O_NOATIME", 0)  # Linux only
DIRECT = getattr(os, "O_DIRECT", 0)
SHORTER = "the file has become shorter"


def open_quietly(path: bytes, flags: int = 0, folder: int | None = None) -> int:
    """Return a descriptor for reading ``path`` that leaves its access time alone.

    Only the owner of a file and the administrator may ask for that; others get a plain descriptor.

    Args:
        path: Absolute, or relative to ``folder``.
        flags: Further flags of ``open(2)``.
        folder: Descriptor of the folder that ``path`` is relative to.
    """
    try:
        return os.open(path, READ | NO_ATIME | flags, dir_fd=folder)
    except PermissionError:
        return os.open(path, READ | flags, dir_fd=folder)


class DescriptorReader:
    """A reader over an open file or device, which it closes at the end."""

    def __init__(self, descriptor: int, size: int | None = None) -> None:
        """Take over ``descriptor``; ``size`` in bytes is asked from the system where it is not given."""
        self._descriptor = descriptor
        self.size = os.lseek(descriptor, 0, os.SEEK_END) if size is None else size
        self.file = OpenFile.of(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends.

        Raises:
            UnreadableError: The device fails, or the file has become shorter than ``size``.
        """
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        data = self._read(offset, length)
        while len(data) < length:
            more = self._read(offset + len(data), length - len(data))
            if not more:
                raise UnreadableError(offset + len(data), length - len(data), SHORTER)
            data += more
        return data

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``: memory that is used again costs less than new memory.

        Raises:
            UnreadableError: The device fails, or the file has become shorter.
        """
        filled = 0
        while filled < len(buffer):
            try:
                got = os.preadv(self._descriptor, [buffer[filled:]], offset + filled)
            except OSError as error:
                raise _unreadable(error, offset, len(buffer)) from error
            if not got:
                raise UnreadableError(offset + filled, len(buffer) - filled, SHORTER)
            filled += got

    def read_past_cache(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` as the device gives them now.

        The cache of the system reads pages: one sector that fails takes its neighbours along, and what was
        read before is still there when the device is gone.

        Raises:
            UnreadableError: The device fails.
        """
        data = self._direct(offset, length)
        if data is None:
            with contextlib.suppress(OSError):  # a pipe or the like
                os.posix_fadvise(self._descriptor, *_pages(offset, length), os.POSIX_FADV_DONTNEED)
            return self.read_at(offset, length)
        return data

    def _direct(self, offset: int, length: int) -> bytes | None:
        """Return bytes that no cache has seen; None where the system cannot, or not from or up to there."""
        try:
            descriptor = os.open(f"/proc/self/fd/{self._descriptor}", READ | DIRECT | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            with mmap.mmap(-1, length) as page:  # its start is aligned as the device wants it
                return page[:length] if os.preadv(descriptor, [page], offset) == length else None
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise _unreadable(error, offset, length) from error
        finally:
            os.close(descriptor)

    def stat(self) -> os.stat_result:
        """Return what the system knows of the file."""
        return os.fstat(self._descriptor)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise _unreadable(error, offset, length) from error


def _unreadable(error: OSError, offset: int, length: int) -> UnreadableError:
    return UnreadableError(offset, length, error.strerror or str(error))


def _pages(offset: int, length: int) -> tuple[int, int]:
    """Return start and length of the pages that bytes are in: the system drops whole ones only."""
    start = offset // mmap.PAGESIZE * mmap.PAGESIZE
    return start, -(-(offset + length - start) // mmap.PAGESIZE) * mmap.PAGESIZE


def checked_reader(descriptor: int, ref: FileRef) -> DescriptorReader:
    """Return a reader over ``descriptor``, which it takes over, if the file is what ``ref`` says.

    Raises:
        EvidenceChangedError: It is not a regular file, or has another size or modification time.
    """
    found = os.fstat(descriptor)
    same = stat.S_ISREG(found.st_mode) and found.st_size == ref.size
    if not same or (ref.modified is not None and ref.modified != found.st_mtime_ns):
        os.close(descriptor)
        raise changed(ref)
    return DescriptorReader(descriptor, ref.size)


def changed(ref: FileRef, detail: str = "") -> EvidenceChangedError:
    """Return the error that says that the file ``ref`` is not what it was when it was listed."""
    return EvidenceChangedError(
        say("{item} has changed since it was listed", item=f"{ref.source}:{shown(ref.path)}"),
        detail=detail,
        causes=(
            say("the source is in use"),
            say("the locker still runs on this machine"),
        ),
        hint=say("work on an image of the disk, or on a copy that nothing else writes to"),
    )
