"""One process works on a case at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from unransom.case import seal
from unransom.core.errors import CaseLockedError
from unransom.core.messages import say


class Lock:
    """An advisory lock on a case folder, held until ``release`` or the end of the process.

    The file has the process and the seal that it found, so that no file made up later passes for a run
    that was stopped.

    Attributes:
        stopped: Whether the process that held it before ended without giving it back.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            CaseLockedError: Another process has it.
        """
        self._fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").split(" ")[0]
            os.close(self._fd)
            raise CaseLockedError(
                say("another unransom works on this case"),
                detail=f"{folder}, process {holder}" if holder else str(folder),
                hint=say("wait until it is done, or stop it; a stopped run goes on where it was"),
            ) from error
        self.stopped = was_stopped(folder)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()} {seal.mark(folder)}".encode(), 0)
        os.fsync(self._fd)  # a power cut must not leave changes of ours without it

    def release(self, *, whole: bool = True) -> None:
        """Give the lock back; a second call does nothing.

        Args:
            whole: Whether the work was brought to its end; else the next holder finds ``stopped``.
        """
        if self._fd >= 0:
            if whole:
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def was_stopped(folder: Path) -> bool:
    """Return whether a run that began at the seal as it is now ended without giving the lock back."""
    try:
        held = (folder / "lock").read_bytes()[:128]
    except OSError:
        return False
    process, _, mark = held.decode("ascii", "replace").partition(" ")
    return process.isdecimal() and mark == seal.mark(folder)
