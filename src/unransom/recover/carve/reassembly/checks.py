"""Checks that take a part of a file piece by piece, and can be forked to try several continuations."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Protocol, Self

from unransom.catalog.formats._deflate import fastest

RAW, ZLIB, GZIP = -15, 15, 31  # what stands around deflated data
STEP = 1 << 20  # bytes that are inflated at once
SHORT = STEP // 1040  # bytes of which no more come out than are inflated at once: 1,032 for one, and a match
SHOWN = 1 << 16  # bytes of what comes out that are shown


class Check(Protocol):
    """A check of a part of a file."""

    @property
    def ended(self) -> bool:
        """Whether what was fed has come to its own end; parts of a known size have none."""
        ...

    def feed(self, data: bytes) -> bool:
        """Take what follows; return whether it may still be right."""
        ...

    def fork(self) -> Self:
        """Return a copy that goes on by itself."""
        ...

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each of ``pieces``, of one size, whether it may follow."""
        ...

    def holds(self) -> bool:
        """Return whether all that was fed is right, now that nothing follows."""
        ...


class Inflation:
    """Deflated data, with a CRC-32 and a length of what comes out where they are known.

    Attributes:
        length: Bytes that came out.
        used: Bytes that were taken.
        shown: The first bytes that came out of what was fed last.
    """

    def __init__(self, wrap: int, crc: int | None = None, size: int | None = None) -> None:
        self._stream: Any = zlib.decompressobj(wrap)
        self._expected = crc
        self._size = size
        self._crc32 = fastest().crc32
        self._crc = 0
        self.length = 0
        self.used = 0
        self.shown = b""

    def feed(self, data: bytes) -> bool:
        """Take what follows; return whether it inflates."""
        pending = data
        self.shown = b""
        try:
            while pending and not self._stream.eof:
                out = self._stream.decompress(pending, STEP)
                self.shown = self.shown or out[:SHOWN]
                pending = self._stream.unconsumed_tail
                self.length += len(out)
                if self._expected is not None:
                    self._crc = self._crc32(out, self._crc)
                if self._size is not None and self.length > self._size:
                    return False
        except zlib.error:
            return False
        self.used += len(data) - len(self._stream.unused_data)
        return True

    def shown_by(self, data: bytes) -> bytes | None:
        """Return the first bytes that come out of at most ``SHORT`` more; None where these do not inflate.

        The same as a fork shows that is fed, without making one.
        """
        try:
            out: bytes = self._stream.copy().decompress(data, STEP)
        except zlib.error:
            return None
        return None if self._size is not None and self.length + len(out) > self._size else out[:SHOWN]

    def fork(self) -> Inflation:
        """Return a copy that goes on by itself."""
        other = Inflation.__new__(Inflation)
        other.__dict__.update(self.__dict__)
        other._stream = self._stream.copy()
        return other

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each piece whether it may follow."""
        return [self.fork().feed(piece) for piece in pieces]

    @property
    def ended(self) -> bool:
        """Whether the deflated data has come to its end."""
        return bool(self._stream.eof)

    def holds(self) -> bool:
        """Return whether the data has ended, with the sum and the length that were expected."""
        if not self._stream.eof or (self._size is not None and self.length != self._size):
            return False
        return self._expected is None or self._crc == self._expected
