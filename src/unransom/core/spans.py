"""Spans of bytes, and the byte map that tells for every byte of an output where it came from."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

import msgspec


class Span(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A half-open range of bytes, ``start <= offset < end``."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


class Origin(enum.StrEnum):
    """Where a byte of an output came from."""

    PLAIN = "plain"  # never locked: copied as it stands in the evidence
    UNLOCKED = "unlocked"  # decrypted with a proven key
    GUESSED = "guessed"  # rebuilt, or decrypted with a key that is not proven
    LOST = "lost"  # unreadable or undecryptable; filled with zeros


class Run(msgspec.Struct, frozen=True, array_like=True):
    """A run of bytes of one origin, ``start <= offset < end``."""

    start: int
    end: int
    origin: Origin


class ByteMap:
    """The origin of every byte of an output: sorted runs without gaps, neighbours merged."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.runs: list[Run] = []
        for run in runs:
            self.append(run.end - run.start, run.origin)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByteMap) and self.runs == other.runs

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    @property
    def size(self) -> int:
        """Bytes described so far."""
        return self.runs[-1].end if self.runs else 0

    def append(self, length: int, origin: Origin) -> None:
        """Describe the next ``length`` bytes."""
        if length <= 0:
            return
        start = end = self.size
        if self.runs and self.runs[-1].origin is origin:
            start = self.runs.pop().start
        end += length
        self.runs.append(Run(start, end, origin))

    def between(self, start: int, end: int) -> Iterator[Run]:
        """Yield the runs from ``start`` to ``end``, cut off there."""
        for run in self.runs:
            if run.start < end and start < run.end:
                yield Run(max(run.start, start), min(run.end, end), run.origin)

    def totals(self) -> dict[Origin, int]:
        """Return bytes per origin; every origin is a key."""
        totals = dict.fromkeys(Origin, 0)
        for run in self.runs:
            totals[run.origin] += run.end - run.start
        return totals


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` sorted, with touching and overlapping ones joined and empty ones dropped."""
    merged: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def gaps(spans: Iterable[Span], size: int) -> Iterator[Span]:
    """Yield the parts of ``[0, size)`` that no span covers, in order."""
    position = 0
    for span in merge(spans):
        if span.start > position:
            yield Span(position, min(span.start, size))
        position = max(position, span.end)
        if position >= size:
            return
    if position < size:
        yield Span(position, size)
