"""Reads no faster than a given rate, so that a source that is in use stays usable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from unransom.core.records import FileRef
from unransom.core.streams import Reader
from unransom.evidence.store import Store
from unransom.evidence.wrap.store import WrappedStore


class Allowance:
    """Bytes that may be read per second; several readers can share one."""

    def __init__(
        self,
        bytes_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._free_from = clock()  # when what was granted so far has been used up
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Wait until ``size`` more bytes may be read."""
        with self._lock:
            now = self._clock()
            begin = max(now, self._free_from)
            self._free_from = begin + size / self._rate
        if begin > now:
            self._sleep(begin - now)


class ThrottledReader:
    """A reader that keeps to an allowance."""

    def __init__(self, reader: Reader, allowance: Allowance) -> None:
        self._reader = reader
        self._allowance = allowance

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the reader ends."""
        self._allowance.take(max(0, min(length, self.size - offset)))
        return self._reader.read_at(offset, length)


def throttled(store: Store, bytes_per_second: float) -> WrappedStore:
    """Return ``store`` with readers that together read at most ``bytes_per_second``."""
    allowance = Allowance(bytes_per_second)

    def wrap(reader: Reader, _: FileRef) -> Reader:
        return ThrottledReader(reader, allowance)

    return WrappedStore(store, wrap)
