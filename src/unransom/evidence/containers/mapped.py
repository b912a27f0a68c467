"""Disks whose bytes lie in pieces: tables of blocks, with holes between them and parents below them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.openfile import ENDLESS, OpenFile
from unransom.core.spans import Span
from unransom.core.streams import HOLE, Reader, file_of

MOST_PIECES = 65_536  # that one question about a hole looks at
SECTOR = 512
UNKNOWN = 4096  # bytes that are given up at a time where the table that places them cannot be read

Key = TypeVar("Key")
Value = TypeVar("Value")


class Piece(NamedTuple):
    """A run of a disk's bytes that lies in one place.

    Attributes:
        length: Bytes, at least 1.
        source: What holds them; None for zeros that nothing stores.
        offset: Of the first of them in ``source``.
    """

    length: int
    source: Reader | None = None
    offset: int = 0


class Mapped:
    """A reader over pieces; a format says in ``piece_at`` where they are."""

    size: int
    _known_hole = Span(0, 0)  # the last one: a disk is copied in chunks much shorter than its holes

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` of the disk is, and how many bytes from it on lie there too."""
        raise NotImplementedError

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the disk ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read, or the image ends before them.
        """
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        parts = []
        while offset < end:
            piece = self._piece(offset)
            take = min(piece.length, end - offset)
            parts.append(_read(piece, offset, take))
            offset += take
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def hole_at(self, offset: int, most: int = ENDLESS) -> int:
        """Return how many bytes from ``offset`` on are zeros that nothing stores; perhaps not all of them.

        Args:
            offset: Of the first byte.
            most: Bytes that matter: a disk that builds on this one asks for a piece only.
        """
        start, end = offset, min(self.size, offset + most)
        known = self._known_hole
        begin = start
        if known.start <= start < known.end:
            begin, offset = known.start, known.end
        for _ in range(MOST_PIECES):
            if offset >= end:
                break
            piece = self._piece(offset)
            length, hole = _hole(piece._replace(length=min(piece.length, end - offset)))
            offset += hole
            if hole < length:
                break
        self._known_hole = Span(begin, offset)
        return max(0, min(offset, end) - start)

    def extents(self) -> Iterator[Span]:
        """Yield what is stored of the disk, in order; neighbours are joined. All else is zeros."""
        offset = begin = 0
        while offset < self.size:
            hole = self.hole_at(offset)
            if hole and offset > begin:
                yield Span(begin, offset)
            if hole:
                begin = offset = offset + hole
            else:
                piece = self._piece(offset)
                known = piece.source is None or file_of(piece.source) is None
                offset += piece.length if known else min(piece.length, HOLE)  # its source may have holes
        if self.size > begin:
            yield Span(begin, self.size)

    @property
    def file(self) -> OpenFile:
        """Its holes, for whoever passes over those of files."""
        return _Holes(self)

    def _piece(self, offset: int) -> Piece:
        """Return the piece at ``offset``, an unreadable one where that cannot be found out."""
        try:
            return self.piece_at(offset)
        except UnreadableError as error:
            length = UNKNOWN - offset % UNKNOWN
            return Piece(length, Missing(length, str(error)))


class _Holes(OpenFile):
    """What a disk in a container has of an open file: holes, and nothing that could be shared."""

    def __init__(self, disk: Mapped) -> None:
        self._disk = disk

    def hole_at(self, offset: int) -> int:
        """Return how many bytes from ``offset`` on are zeros that are not stored."""
        return self._disk.hole_at(offset)

    def share(self, offset: int, length: int, target: int, position: int) -> bool:
        """Share nothing: the disk's bytes are not the container's."""
        return False


class Joined(Mapped):
    """Readers one after the other, as one disk."""

    def __init__(self, parts: list[Reader]) -> None:
        self._parts = parts
        self._starts = [0]
        for part in parts:
            self._starts.append(self._starts[-1] + part.size)
        self.size = self._starts[-1]

    def piece_at(self, offset: int) -> Piece:
        """Return the part that byte ``offset`` is in."""
        low, high = 0, len(self._parts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= offset else (low, middle)
        start = self._starts[low]
        return Piece(self._starts[low + 1] - offset, self._parts[low], offset - start)


class Part(Mapped):
    """A part of a reader; what it should have behind the reader's end cannot be read."""

    def __init__(self, reader: Reader, start: int, size: int) -> None:
        self._reader = reader
        self._start = start
        self.size = size

    def piece_at(self, offset: int) -> Piece:
        """Return all that follows byte ``offset``."""
        return Piece(self.size - offset, self._reader, self._start + offset)


class Zeros(Mapped):
    """A disk, or part of one, that nothing stores."""

    def __init__(self, size: int) -> None:
        self.size = size

    def piece_at(self, offset: int) -> Piece:
        """Return a hole up to the end."""
        return Piece(self.size - offset)


class Missing:
    """Bytes that lie in a file which is not there."""

    def __init__(self, size: int, name: str) -> None:
        """Stand for ``size`` bytes of what ``name`` says."""
        self.size = size
        self._name = name

    def read_at(self, offset: int, length: int) -> bytes:
        """Raise: there is nothing to read.

        Raises:
            UnreadableError: Always, but behind the end.
        """
        if min(length, self.size - offset) <= 0:
            return b""
        raise UnreadableError(offset, length, self._name)


class Recent(Generic[Key, Value]):
    """Keeps what was made last, such as tables and blocks that were unpacked."""

    def __init__(self, make: Callable[[Key], Value], most: int) -> None:
        """Keep at most ``most`` values, each made by ``make`` of its key."""
        self._make = make
        self._most = most
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, key: Key) -> Value:
        """Return the value of ``key``, made anew where it is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = self._make(key)
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


def same(table: np.ndarray, index: int) -> int:
    """Return how many entries of ``table`` from ``index`` on are the same; perhaps not all of them."""
    differs = np.flatnonzero(table[index : index + MOST_PIECES] != table[index])
    return int(differs[0]) if len(differs) else min(MOST_PIECES, len(table) - index)


def _hole(piece: Piece) -> tuple[int, int]:
    """Return the length of a piece, and how much of it from its start on is a hole."""
    if piece.source is None:
        return piece.length, piece.length
    if isinstance(piece.source, Mapped):
        return piece.length, min(piece.source.hole_at(piece.offset, piece.length), piece.length)
    file = file_of(piece.source)
    return piece.length, min(file.hole_at(piece.offset), piece.length) if file else 0


def _read(piece: Piece, offset: int, length: int) -> bytes:
    if piece.source is None:
        return bytes(length)
    try:
        data = piece.source.read_at(piece.offset, length)
    except UnreadableError as error:
        bad = max(offset, offset + error.offset - piece.offset)
        raise UnreadableError(bad, error.length, "in the image") from error
    if len(data) < length:
        raise UnreadableError(offset + len(data), length - len(data), "the image ends before")
    return data
