"""Keeps the blocks that were read last: headers and trailers of a remote file are asked for many times."""

from __future__ import annotations

import threading
from collections import OrderedDict

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader

BLOCK = 256 * 1024  # bytes
BLOCKS = 16


class CachedReader:
    """A reader that asks the one inside for whole blocks and keeps some.

    Reads of more than a block pass by: they are streams, which would push the header out.
    """

    def __init__(self, reader: Reader, block: int = BLOCK, blocks: int = BLOCKS) -> None:
        """Keep at most ``blocks`` blocks of ``block`` bytes of ``reader``."""
        self._reader = reader
        self._block = block
        self._blocks = blocks
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the reader ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        if length > self._block:
            return self._reader.read_at(offset, length)
        first, last = offset // self._block, (offset + length - 1) // self._block
        try:
            data = b"".join([self._fetch(number) for number in range(first, last + 1)])
        except UnreadableError:  # perhaps only beside what was asked for
            return self._reader.read_at(offset, length)
        begin = offset - first * self._block
        return data[begin : begin + length]

    def _fetch(self, number: int) -> bytes:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        data = self._reader.read_at(number * self._block, self._block)
        with self._lock:
            self._kept[number] = data
            while len(self._kept) > self._blocks:
                self._kept.popitem(last=False)
        return data
