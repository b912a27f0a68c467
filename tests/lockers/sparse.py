"""Originals and locked files that are larger than the memory: bytes here and there, zeros between."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise

HELD = 128 << 20  # bytes of a slice up to which it is bytes


class Sparse:
    """As many bytes as it is long, of which those that were written are held, and all others are zeros.

    It takes and gives slices like a bytearray, and can be read at any place like a file. A slice that is too
    large to be held is sparse itself.
    """

    def __init__(self, size: int = 0) -> None:
        """Begin with ``size`` zeros."""
        self.size = size
        self._starts: list[int] = []  # of what was written, in order
        self._parts: dict[int, bytes] = {}
        self._last = b""

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: slice) -> bytes | Sparse:
        if place.step == -1 and not self._parts:
            return self.copy()  # zeros are the same from behind
        start, end, _ = place.indices(self.size)
        if end - start <= HELD:
            return self.read_at(start, end - start)
        cut = Sparse(end - start)
        for at, data in self.written(start, end):
            cut.write(at - start, data)
        return cut

    def __setitem__(self, place: slice, data: bytes) -> None:
        start, end, _ = place.indices(self.size)
        if end - start != len(data):
            raise ValueError("a sparse file keeps its length")
        self.write(start, data)

    def __add__(self, other: bytes | Sparse) -> Sparse:
        joined = self.copy()
        joined.size += len(other)
        for at, data in other.extents() if isinstance(other, Sparse) else [(0, bytes(other))]:
            joined.write(self.size + at, data)
        return joined

    def __radd__(self, other: bytes) -> Sparse:
        return Sparse() + other + self

    def copy(self) -> Sparse:
        """Return one that can be written without changing this one."""
        made = Sparse(self.size)
        made._starts, made._parts = list(self._starts), dict(self._parts)
        return made

    def write(self, start: int, data: bytes) -> None:
        """Write ``data``, over all or nothing of what was written before."""
        if not data:
            return
        if start not in self._parts:
            self._starts.insert(bisect_right(self._starts, start), start)
        if data == self._last:  # what a cipher makes of zeros may be the same everywhere: it is held once
            data = self._last
        self._parts[start] = self._last = data

    def extents(self) -> list[tuple[int, bytes]]:
        """Return what was written, in order."""
        found = [(start, self._parts[start]) for start in self._starts]
        assert all(at + len(data) <= behind for (at, data), (behind, _) in pairwise(found))
        return found

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the file ends."""
        out = bytearray(max(0, min(length, self.size - offset)))
        for at, data in self.written(offset, offset + len(out)):
            out[at - offset : at - offset + len(data)] = data
        return bytes(out)

    def written(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield what was written between two places, in order."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        for at in self._starts[first : bisect_left(self._starts, end)]:
            low, data = max(at, start), self._parts[at]
            if kept := data[low - at : max(end - at, 0)]:
                yield low, kept

    def digest(self) -> str:
        """Return a SHA-256 over the length, and over place and bytes of all that was written."""
        total = hashlib.sha256(self.size.to_bytes(8, "little"))
        for start, data in self.extents():
            total.update(start.to_bytes(8, "little") + data)
        return total.hexdigest()


def editable(plain: bytes | Sparse) -> bytearray | Sparse:
    """Return a copy of ``plain`` that can be written."""
    return plain.copy() if isinstance(plain, Sparse) else bytearray(plain)


def finished(locked: bytearray | Sparse) -> bytes | Sparse:
    """Return what was written to, as it is to stay."""
    return locked if isinstance(locked, Sparse) else bytes(locked)
