"""What the system knows about an open file besides its bytes: where nothing is stored, and how to share.

Disks of virtual machines are mostly holes, and lockers take of large files some extents only. What a
file system keeps as a hole need not be read, and where two files can have the same blocks, as on XFS and
Btrfs, bytes that were never locked need not be written a second time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from typing import NamedTuple

CLONE_RANGE = 0x4020940D  # FICLONERANGE of <linux/fs.h>: source, its offset, length, offset in the target
SECTOR = 512  # bytes that st_blocks counts in
ENDLESS = 1 << 62


class OpenFile:
    """A regular file of this machine that is open for reading."""

    def __init__(self, descriptor: int) -> None:
        """Look at ``descriptor``, which stays the caller's."""
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        self._sparse = found.st_blocks * SECTOR < found.st_size

    @classmethod
    def of(cls, descriptor: int) -> OpenFile | None:
        """Return the file of ``descriptor``, None where that is a device or the like."""
        return cls(descriptor) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None

    def hole_at(self, offset: int) -> int:
        """Return how many bytes from ``offset`` on are zeros that are not stored; 0 where it is not known.

        The last hole ends nowhere: it is the caller who knows how much there is to read.
        """
        if not self._sparse:
            return 0
        try:
            return os.lseek(self._descriptor, offset, os.SEEK_DATA) - offset
        except OSError as error:
            return ENDLESS if error.errno == errno.ENXIO else 0

    def share(self, offset: int, length: int, target: int, position: int) -> bool:
        """Let ``target``, a descriptor for writing, have the same blocks from ``position`` on.

        All three numbers must be multiples of the file system's block. The file itself stays as it is, and
        stays so when ``target`` is written to.

        Returns:
            Whether it was done; else nothing was.
        """
        wanted = struct.pack("qQQQ", self._descriptor, offset, length, position)
        try:
            fcntl.ioctl(target, CLONE_RANGE, wanted)
        except OSError:  # another file system, or one that cannot: there is no error that matters
            return False
        return True


class Stored(NamedTuple):
    """Where bytes stand on this machine as they are."""

    file: OpenFile
    offset: int
