"""One process works on a case at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from unransom.core.errors import CaseLockedError
from unransom.core.messages import say


class Lock:
    """An advisory lock on a case folder, held until ``release`` or the end of the process.

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
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise CaseLockedError(
                say("another unransom works on this case"),
                detail=f"{folder}, process {holder}" if holder else str(folder),
                hint=say("wait until it is done, or stop it; a stopped run goes on where it was"),
            ) from error
        self.stopped = os.fstat(self._fd).st_size > 0
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

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
