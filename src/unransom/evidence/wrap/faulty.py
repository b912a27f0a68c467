"""Fails on purpose, as declared: for tests, drills and the damage suite."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.streams import Reader
from unransom.evidence.store import Store
from unransom.evidence.wrap.store import WrappedStore


class Bad(msgspec.Struct, frozen=True):
    """A range that cannot be read: ``start <= offset < end``, the first ``times`` times; None: never."""

    start: int
    end: int
    times: int | None = None


class Faults(msgspec.Struct, frozen=True):
    """What is wrong with a file.

    Attributes:
        bad: Ranges that cannot be read.
        longest: Bytes that one read returns at most, None for no limit.
        delay: Seconds that every read takes longer.
    """

    bad: tuple[Bad, ...] = ()
    longest: int | None = None
    delay: float = 0.0


class FaultyReader:
    """A reader with faults."""

    def __init__(self, reader: Reader, faults: Faults, sleep: Callable[[float], None] = time.sleep) -> None:
        self._reader = reader
        self._faults = faults
        self._sleep = sleep
        self._left = [bad.times for bad in faults.bad]
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, or what the faults make of that.

        Raises:
            UnreadableError: A bad range is among them; the error names it whole, as a device would
                that only knows that its read failed.
        """
        if self._faults.delay:
            self._sleep(self._faults.delay)
        length = max(0, min(length, self.size - offset))
        if self._faults.longest is not None:
            length = min(length, self._faults.longest)
        for number, bad in enumerate(self._faults.bad):
            if bad.start < offset + length and offset < bad.end and self._still_bad(number):
                raise UnreadableError(offset, length, "a fault that was asked for")
        return self._reader.read_at(offset, length)

    def _still_bad(self, number: int) -> bool:
        with self._lock:
            left = self._left[number]
            if left is None:
                return True
            self._left[number] = max(0, left - 1)
            return left > 0


def faulty(store: Store, plan: Mapping[bytes, Faults]) -> WrappedStore:
    """Return ``store`` with the faults that ``plan`` declares per path; other files stay as they are."""

    def wrap(reader: Reader, ref: FileRef) -> Reader:
        return FaultyReader(reader, plan[ref.path]) if ref.path in plan else reader

    return WrappedStore(store, wrap)
