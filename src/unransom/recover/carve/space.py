"""The bytes that are searched: parts of an image in its order, as if nothing lay between them.

On a file system these are its free clusters. A file that was written around others that are still there is
whole again in this view, so that of all fragmented files only those must be put together whose gaps are free.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from unransom.core.openfile import OpenFile
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader, file_of

BLOCK = 1 << 14  # bytes that are read at once where little is wanted
KEPT = 1024  # blocks that are kept
NOWHERE = 1 << 62  # spans from here on stand for bytes that were not found; they read as zeros


class BlockReader:
    """A reader that keeps the last blocks that it read: pieces are looked for in small reads near each other.

    Meant for one thread: what is kept is state.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[int, bytes] = {}
        self.size = reader.size

    @property
    def file(self) -> OpenFile | None:
        """The open file that it reads, None where there is none."""
        return file_of(self._reader)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the reader ends."""
        if length > BLOCK:
            return self._reader.read_at(offset, length)
        number, start = divmod(offset, BLOCK)
        block = self._kept.get(number)
        if block is None:
            block = self._fetched(number)
        if start + length <= BLOCK:
            return block[start : start + length]
        return block[start:] + self.read_at((number + 1) * BLOCK, start + length - BLOCK)

    def _fetched(self, number: int) -> bytes:
        if len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        block = self._kept[number] = self._reader.read_at(number * BLOCK, BLOCK)
        return block


class Space:
    """A reader over parts of an image."""

    def __init__(self, image: Reader, spans: Sequence[Span] | None = None) -> None:
        """Look at ``spans`` of ``image`` only; at all of it where there are none."""
        self._image = image
        whole = merge([Span(0, image.size)] if spans is None else spans)
        clipped = [Span(span.start, min(span.end, image.size)) for span in whole if span.start < image.size]
        self._starts = [span.start for span in clipped]
        self._ends = list(accumulate(map(len, clipped)))
        self.size = self._ends[-1] if clipped else 0
        self._last = 0, 0, 0  # where the span of the last read begins and ends, and its shift

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the space ends."""
        end = offset + length
        first, last, shift = self._last
        if first <= offset < end <= last:
            return self._image.read_at(offset + shift, length)  # nearly every read
        index = bisect_right(self._ends, offset)
        if 0 <= offset < end and index < len(self._ends) and end <= self._ends[index]:
            shift = self._shift(index)
            self._last = self._ends[index - 1] if index else 0, self._ends[index], shift
            return self._image.read_at(offset + shift, length)
        offset, end = max(offset, 0), min(end, self.size)
        pieces = []
        while offset < end:
            index = bisect_right(self._ends, offset)
            stop = min(end, self._ends[index])
            pieces.append(self._image.read_at(offset + self._shift(index), stop - offset))
            offset = stop
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def inside(self, spans: Iterable[Span]) -> list[Span] | None:
        """Return where ``spans`` of the image lie in the space; None where a part of them does not."""
        found: list[Span] = []
        for span in spans:
            if span.start >= NOWHERE:
                found.append(span)
                continue
            start = span.start
            while start < span.end:
                index = bisect_right(self._starts, start) - 1
                shift = self._shift(index) if index >= 0 else 0
                if index < 0 or start - shift >= self._ends[index]:
                    return None
                end = min(span.end, self._ends[index] + shift)
                if found and found[-1].end == start - shift:
                    found[-1] = Span(found[-1].start, end - shift)
                else:
                    found.append(Span(start - shift, end - shift))
                start = end
        return found

    def extents(self, spans: Iterable[Span]) -> list[Span]:
        """Return where ``spans`` of the space lie in the image, in their order; neighbours are joined."""
        found: list[Span] = []
        for span in spans:
            if span.start >= NOWHERE:
                found.append(span)
                continue
            start, end = max(span.start, 0), min(span.end, self.size)
            while start < end:
                index = bisect_right(self._ends, start)
                stop, shift = min(end, self._ends[index]), self._shift(index)
                if found and found[-1].end == start + shift:
                    found[-1] = Span(found[-1].start, stop + shift)
                else:
                    found.append(Span(start + shift, stop + shift))
                start = stop
        return found

    def hole_at(self, offset: int) -> int:
        """Return how many bytes from ``offset`` on are known to be zeros that nobody stores."""
        file = file_of(self._image)
        index = bisect_right(self._ends, offset)
        if file is None or index >= len(self._ends):
            return 0
        return min(file.hole_at(offset + self._shift(index)), self._ends[index] - offset)

    def _shift(self, index: int) -> int:
        """Return how far the image is ahead of the space in span ``index``."""
        return self._starts[index] - (self._ends[index - 1] if index else 0)


class Spliced:
    """A reader over spans of another reader, strung together."""

    def __init__(self, reader: Reader, spans: Sequence[Span]) -> None:
        """Read ``spans`` of ``reader`` in the order in which they are given."""
        self._reader = reader
        self._spans = spans
        self._ends = list(accumulate(map(len, spans)))
        self.size = self._ends[-1] if spans else 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the spans end."""
        offset, end = max(offset, 0), min(offset + length, self.size)
        pieces = []
        index = bisect_right(self._ends, offset)
        while offset < end:
            span, behind = self._spans[index], self._ends[index]
            start, length = span.end - (behind - offset), min(end, behind) - offset
            pieces.append(self._reader.read_at(start, length) if start < NOWHERE else bytes(length))
            offset, index = behind, index + 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def cut(spans: Iterable[Span], length: int) -> list[Span]:
    """Return the first ``length`` bytes of ``spans``, neighbours joined."""
    kept: list[Span] = []
    for span in spans:
        if length <= 0:
            break
        end = min(span.end, span.start + length)
        length -= end - span.start
        if kept and kept[-1].end == span.start:
            kept[-1] = Span(kept[-1].start, end)
        elif end > span.start:
            kept.append(Span(span.start, end))
    return kept
