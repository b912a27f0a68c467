"""MP3 sounds as a check: every frame says where the next one begins, and the first how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

from unransom.catalog.formats.mp3 import SAME, SIZES, frame_at, tag_end
from unransom.core.streams import Reader
from unransom.recover.carve.reassembly.seams import Part

TITLES = (b"Xing", b"Info")
HEADER = 4
ANNOUNCED = 200  # bytes of the first frame in which it says how many follow


def begin(reader: Reader) -> Iterator[Part]:
    """Yield the frames of the sound that begins ``reader``, where it says how many follow."""
    start = tag_end(reader, 0)
    first = reader.read_at(start, ANNOUNCED)
    kind = frame_at(first, 0)
    at = max(first.find(title) for title in TITLES)
    if kind and at >= 0 and len(first) == ANNOUNCED and first[at + 7] & 1:
        count = int.from_bytes(first[at + 8 : at + 12])  # some count the first one, too
        yield Part(start, reader.size, Frames(kind, max(count, 1)))


class Frames:
    """Frames that follow each other."""

    def __init__(self, kind: int, count: int) -> None:
        """Expect ``count`` frames of one ``kind``: second and third byte of their headers."""
        self._kind = kind
        self._left = count
        self._skip = 0  # bytes up to the next header
        self._cut = b""  # of a header that is not there whole yet
        self.ended = False

    def feed(self, data: bytes) -> bool:
        """Take what follows; return whether it may still be right."""
        data = self._cut + data
        at, self._cut = self._skip, b""
        while at < len(data) and not self.ended:
            if at + HEADER > len(data):
                self._cut = data[at:]
                self._skip = 0
                return self._cut[0] == 0xFF
            kind = frame_at(data, at)
            if not kind or (kind ^ self._kind) & SAME:
                return False
            at += SIZES[kind]
            self._left -= 1
            self.ended = not self._left
        self._skip = at - len(data)
        return True

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each piece whether it may follow."""
        return [copy(self).feed(piece) for piece in pieces]

    def fork(self) -> Frames:
        """Return a copy that goes on by itself."""
        return copy(self)

    def holds(self) -> bool:
        """Return whether all frames have come."""
        return self.ended
