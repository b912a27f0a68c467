"""How a file was locked, told from the locked file and its original: which bytes, and what was added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.schemes.extents import (
    Behind,
    BySize,
    Extents,
    First,
    Last,
    Repeat,
    Share,
    Spread,
    UpTo,
    Whole,
)
from unransom.catalog.schemes.family import BadMarkError
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader

LARGEST = 16 << 20  # bytes of a file that are compared
SAME = 24  # equal bytes that show that nothing is locked there; a keystream has so many zeros never
OFF = 3  # bytes that the ends of a span may be off: locked bytes can be what they were by chance
MOST_SPANS = 4096
PERCENTS = range(1, 100)


class Compared(msgspec.Struct, frozen=True):
    """What a locked file and its original show.

    Attributes:
        size: Bytes of the original.
        seen: Bytes of it that were compared.
        head, tail: Bytes that the locker put before and behind them.
        spans: What is locked, as far as it was compared.
        sure: Bytes that are not locked show where the original begins.
    """

    size: int
    seen: int
    head: int
    tail: int
    spans: tuple[Span, ...]
    sure: bool


def compared(locked: Reader, plain: Reader) -> Compared | None:
    """Return how ``locked`` differs from ``plain``; None where it is no locked copy of it."""
    added = locked.size - plain.size
    if added < 0 or not plain.size:
        return None
    seen = min(plain.size, LARGEST)
    original = np.frombuffer(plain.read_at(0, seen), np.uint8)
    best: tuple[int, int, tuple[Span, ...]] | None = None
    for head in dict.fromkeys((0, added)):
        there = np.frombuffer(locked.read_at(head, seen), np.uint8)
        if len(there) < seen:
            return None
        spans = _spans(there != original)
        kept = seen - sum(map(len, spans))
        if best is None or kept > best[0]:
            best = (kept, head, spans)
    if best is None or not best[2]:
        return None
    kept, head, spans = best
    return Compared(plain.size, seen, head, added - head, spans, sure=kept > SAME)


def _spans(differs: NDArray[np.bool_]) -> tuple[Span, ...]:
    """Return where bytes differ, without the few between that are equal by chance."""
    places = np.flatnonzero(differs)
    if not len(places):
        return ()
    breaks = np.flatnonzero(np.diff(places) > SAME)
    starts = places[np.concatenate(([0], breaks + 1))]
    ends = places[np.concatenate((breaks, [len(places) - 1]))] + 1
    found = [Span(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    return tuple(found[:MOST_SPANS])


def extents_of(seen: Sequence[Compared]) -> Extents | None:
    """Return the simplest extents that explain every comparison; None where none does."""
    if not seen:
        return None
    largest = max(seen, key=lambda one: one.size)
    for candidate in _candidates(largest, min(one.spans[0].start for one in seen)):
        if all(_fits(candidate, one) for one in seen):
            return candidate
    return _by_size(seen)


def _by_size(seen: Sequence[Compared]) -> Extents | None:
    """Return extents that lock small files whole and larger ones otherwise."""
    small = [one for one in seen if _fits(Whole(), one)]
    large = [one for one in seen if not _fits(Whole(), one)]
    if not small or not large or max(one.size for one in small) >= min(one.size for one in large):
        return None
    above = extents_of(large)
    if above is None:
        return None
    low, high = max(one.size for one in small), min(one.size for one in large)
    return BySize((UpTo(_round_between(low, high), Whole()),), above)


def _round_between(low: int, high: int) -> int:
    """Return the roundest number from ``low`` to below ``high``."""
    for step in (1 << 30, 1 << 20, 1_000_000, 1 << 16, 1 << 12, 1000, 1 << 8):
        if -(-low // step) * step < high:
            return -(-low // step) * step
    return low


def _fits(extents: Extents, one: Compared) -> bool:
    """Return whether ``extents`` lock what was seen to be locked, save for bytes equal by chance."""
    try:
        begun = takewhile(lambda span: span.start < one.seen, extents.spans(one.size))
        cut = (Span(span.start, min(span.end, one.seen)) for span in islice(begun, MOST_SPANS + 1))
        expected = merge(cut)[:MOST_SPANS]
    except BadMarkError:
        return False
    if len(expected) != len(one.spans):
        return False
    return all(
        0 <= found.start - wanted.start <= OFF and 0 <= wanted.end - found.end <= OFF
        for wanted, found in zip(expected, one.spans, strict=True)
    )


def _candidates(one: Compared, begin: int) -> Iterator[Extents]:
    """Yield extents that may explain ``one``; in no file a byte before ``begin`` was seen to be locked."""
    yield Whole()
    yield from _from_the_first(one)
    for start in range(begin, max(begin - OFF - 1, 0), -1):
        spans = tuple(Span(max(span.start - start, 0), span.end - start) for span in one.spans)
        rest = msgspec.structs.replace(one, size=one.size - start, seen=one.seen - start, spans=spans)
        yield Behind(start, Whole())
        for extents in _from_the_first(rest):
            yield Behind(start, extents)


def _from_the_first(one: Compared) -> Iterator[Extents]:
    """Yield extents most of which begin with the first byte."""
    first = one.spans[0]
    if len(one.spans) == 1:
        yield from _single(one, first)
        return
    second = one.spans[1]
    for on in _near(len(first)):
        for step in _near(second.start - first.start, below=True):
            yield Repeat(on=on, off=step - on)
            yield Repeat(on=on, off=step - on, count=len(one.spans))
            yield Repeat(on=on, off=step - on, whole=True)
    for later in _near(len(second)):
        for on in _near(len(first)):
            yield Repeat(on=later, off=max(second.start - on, 0), first=on)
    for length in _near(len(first)):
        yield Spread(length=length, count=len(one.spans))
        yield Spread(length=length, count=len(one.spans), at="steps")
        yield Spread(length=length, count=len(one.spans), at="steps-end")
    yield from _shares(one)


def _single(one: Compared, span: Span) -> Iterator[Extents]:
    for end in _near(span.end):
        yield First(end)
    for percent in PERCENTS:
        if abs(one.size * percent // 100 - span.end) <= OFF:
            yield First(percent=percent)
    for length in _near(one.size - span.start):
        yield Last(length)


def _shares(one: Compared) -> Iterator[Extents]:
    """Yield shares of the file cut into as many chunks as there are spans."""
    count = len(one.spans)
    length = len(one.spans[0])
    for percent in PERCENTS:
        for hundredths in (False, True):
            share = one.size // 100 * percent if hundredths else one.size * percent // 100
            for divide in dict.fromkeys((count, 1)):
                if abs(share // divide - length) > OFF:
                    continue
                for gaps in dict.fromkeys((0, count, count + 1)):
                    yield Share(percent, count, divide, gaps, "between", hundredths)
                    yield Share(percent, count, divide, gaps, "starts", hundredths)


def _near(value: int, *, below: bool = False) -> Iterator[int]:
    """Yield ``value`` and the few numbers behind it that it may be, as bytes are equal by chance."""
    yield from (value + more for more in range(OFF + 1))
    if below:
        yield from (value - less for less in range(1, OFF + 1))
