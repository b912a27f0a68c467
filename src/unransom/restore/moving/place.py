"""What a target must be able to do. Each act can be done again after a death: it finds what it has done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from unransom.core.messages import Message
from unransom.restore.moving.plan import Entry

NOTHING = "nothing"  # is there
SAME = "same"  # content is there already: it stays, and an undo leaves it
OTHER = "other"  # content is there: it is kept aside until an undo


class Found(msgspec.Struct, frozen=True):
    """What a target had where a file goes, before the file went there.

    Attributes:
        kind: ``NOTHING``, ``SAME`` or ``OTHER``.
        mark: What the target tells that content by.
        folders: Folders that are not there yet.
        fresh: This was seen just now, not by an earlier run.
    """

    kind: str
    mark: str = ""
    folders: tuple[bytes, ...] = ()
    fresh: bool = True


class Room(NamedTuple):
    """What is free: bytes, and how many files; None where that is not known."""

    size: int | None
    files: int | None


class MoveError(Exception):
    """A file does not move, or not back; the others may. ``why`` is for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


class KeptError(MoveError):
    """Somebody has changed the file since it was moved: an undo leaves it."""


class FullError(Exception):
    """The target takes no more."""


class Throttle:
    """Lets so many bytes a second pass, for all threads together."""

    def __init__(self, rate: int, sleep: Callable[[float], None] = time.sleep) -> None:
        """Allow ``rate`` bytes a second, 0 for any number."""
        self._rate = rate
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = 0.0  # seconds of the monotonic clock from which on more may pass

    def __call__(self, size: int) -> None:
        """Wait until ``size`` bytes more may pass."""
        if not self._rate:
            return
        with self._lock:
            start = max(self._free_at, time.monotonic())
            self._free_at = start + size / self._rate
            wait = start - time.monotonic()
        if wait > 0:
            self._sleep(wait)


class Place(Protocol):
    """A target, open for one plan."""

    location: str

    def room(self) -> Room:
        """Return what is free."""
        ...

    def survey(self, entries: Sequence[Entry]) -> None:
        """Get ready to look at what is where these go, if that is quicker for all at once."""
        ...

    def look(self, entry: Entry, source: Path) -> Found:
        """Return what is where ``entry`` goes, compared with its bytes in ``source``.

        Raises:
            MoveError: It cannot go there.
        """
        ...

    def put(self, number: int, entry: Entry, source: Path, before: Found) -> str:
        """Bring the file there, read it back, and return the mark of what is there now.

        Args:
            number: Of the entry in the plan.
            entry: The file.
            source: Its bytes.
            before: What ``look`` has found; other content is kept aside first.

        Raises:
            MoveError: It did not go, or is not what it must be.
            FullError: There is no room.
        """
        ...

    def back(self, number: int, entry: Entry, before: Found, mark: str) -> None:
        """Bring back what was there before.

        Raises:
            KeptError: Somebody has changed it since.
            MoveError: It did not work; it may be tried again.
        """
        ...

    def forget(self, number: int, entry: Entry, before: Found) -> None:
        """Remove what was kept aside, after ``back`` was written down."""
        ...

    def digest(self, entry: Entry, source: Path) -> str | None:
        """Return the SHA-256 of what is there, None where nothing is; a table has its script's."""
        ...

    def settle(self) -> None:
        """Let what was done so far outlast a power failure."""
        ...

    def remove_folders(self, folders: Iterable[bytes]) -> None:
        """Remove folders that are empty, those below others first."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...
