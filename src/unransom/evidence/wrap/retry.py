"""Tries again where a read fails, and then gives up no more than the sectors that truly fail."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable

import msgspec

from unransom.core.errors import UnreadableError
from unransom.core.openfile import OpenFile
from unransom.core.records import FileRef
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader, file_of
from unransom.evidence.descriptors import DescriptorReader
from unransom.evidence.store import Store
from unransom.evidence.wrap.store import WrappedStore

SECTOR = 4096  # bytes; the smallest range that is given up where nobody asks for less
ROUNDS = 3  # of looking for the sector that fails, where it reads well once it is found


class Patience(msgspec.Struct, frozen=True):
    """How long to try.

    Attributes:
        attempts: Reads of the same range, at least 1.
        pause: Seconds before the second attempt; every further pause is twice as long.
        total: Seconds of pauses that one reader spends in all; a disk with a gigabyte of bad sectors
            would otherwise be waited for a day.
    """

    attempts: int = 3
    pause: float = 0.05
    total: float = 5.0


DISK = Patience()
NETWORK = Patience(attempts=6, pause=0.25, total=60.0)


class RetryReader:
    """A reader that tries again. What it has given up it does not try a second time."""

    def __init__(
        self,
        reader: Reader,
        patience: Patience = DISK,
        sleep: Callable[[float], None] = time.sleep,
        *,
        sector: int = SECTOR,
    ) -> None:
        """Wrap ``reader``; ``sector`` is the smallest range in bytes that is given up."""
        self._reader = reader
        self._sector = sector
        self._exact = reader.read_past_cache if isinstance(reader, DescriptorReader) else reader.read_at
        self._patience = patience
        self._sleep = sleep
        self._left = patience.total
        self._given_up: list[Span] = []
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._reader.size

    @property
    def file(self) -> OpenFile | None:
        """The open file inside, None where there is none."""
        return file_of(self._reader)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the reader ends.

        Raises:
            UnreadableError: Names the first range of at most a sector that cannot be read.
        """
        self._refuse_given_up(offset, length)
        for _ in range(ROUNDS):
            try:
                return self._patiently(offset, length)
            except UnreadableError:
                bad = self._narrow(offset, min(offset + length, self.size))
            try:
                self._patiently(bad.start, len(bad))
            except UnreadableError as error:
                self._give_up(bad)
                raise UnreadableError(bad.start, len(bad), "tried again in vain") from error
        raise UnreadableError(offset, length, "the source fails now and then")

    def _patiently(self, offset: int, length: int) -> bytes:
        read = self._reader.read_at
        for attempt in range(self._patience.attempts - 1):
            try:
                return read(offset, length)
            except UnreadableError:
                self._wait(self._patience.pause * 2**attempt)
                read = self._exact
        return read(offset, length)

    def _wait(self, seconds: float) -> None:
        with self._lock:
            seconds = min(seconds, self._left)
            self._left -= seconds
        if seconds > 0:
            self._sleep(seconds)

    def _narrow(self, start: int, end: int) -> Span:
        """Return the first sector of ``[start, end)``, in which some sector fails, that seems to fail."""
        while True:
            middle = (start + end) // 2 // self._sector * self._sector
            if middle <= start:
                middle = (start // self._sector + 1) * self._sector
            if middle >= end:
                return Span(start, end)
            try:
                self._exact(start, middle - start)
                start = middle
            except UnreadableError:
                end = middle

    def _give_up(self, span: Span) -> None:
        with self._lock:
            self._given_up = merge([*self._given_up, span])

    def _refuse_given_up(self, offset: int, length: int) -> None:
        given_up = self._given_up
        if not given_up:
            return
        first = bisect_right(given_up, offset, key=lambda span: span.end)
        if first < len(given_up) and given_up[first].start < offset + length:
            start = max(offset, given_up[first].start)
            end = min(offset + length, given_up[first].end)
            raise UnreadableError(start, end - start, "it could not be read before")


def retrying(store: Store, patience: Patience = DISK) -> WrappedStore:
    """Return ``store`` with readers that try again."""

    def wrap(reader: Reader, _: FileRef) -> Reader:
        return RetryReader(reader, patience)

    return WrappedStore(store, wrap)
