"""Small reads and searches over a reader, without reading the same bytes from the source twice."""

from __future__ import annotations

from unransom.core.streams import CHUNK, Reader

BLOCK = 1 << 18  # bytes fetched for a small read


class Cached:
    """A reader that keeps the last block it fetched; for walks that read small pieces in rough order.

    Meant for one walk in one thread: the cache is state.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._base = 0
        self._block = b""
        self.size = reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the reader ends."""
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        start = offset - self._base
        if start >= 0 and start + length <= len(self._block):
            return self._block[start : start + length]
        if length > BLOCK // 2:
            return self._reader.read_at(offset, length)
        self._base = offset
        self._block = self._reader.read_at(offset, min(BLOCK, self.size - offset))
        return self._block[:length]


def find(reader: Reader, needle: bytes, start: int, end: int | None = None) -> int:
    """Return where ``needle`` first lies wholly in ``start <= offset < end``, -1 where it does not."""
    end = reader.size if end is None else min(end, reader.size)
    step = 1 << 12  # most searches end soon
    while start + len(needle) <= end:
        piece = reader.read_at(start, min(step, end - start))
        found = piece.find(needle)
        if found >= 0:
            return start + found
        if len(piece) < len(needle):
            return -1
        start += len(piece) - len(needle) + 1
        step = min(step * 4, CHUNK)
    return -1


def rfind(reader: Reader, needle: bytes, start: int, end: int) -> int:
    """Return where ``needle`` last lies wholly in ``start <= offset < end``, -1 where it does not."""
    end = min(end, reader.size)
    start = max(start, 0)
    while end - start >= len(needle):
        low = max(start, end - CHUNK)
        found = reader.read_at(low, end - low).rfind(needle)
        if found >= 0:
            return low + found
        if low == start:
            return -1
        end = low + len(needle) - 1
    return -1
