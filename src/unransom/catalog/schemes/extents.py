"""Which bytes of a file a family locks, as data.

Numbers are given outright, or by the name of a number that the file's metadata holds: of the mark, or
of the unwrapped key (a part of at most eight bytes, little-endian). Sizes below are bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from unransom.catalog.schemes.data import (
    LARGEST,
    Amount,
    BytesName,
    Data,
    Fault,
    Length,
    NumberName,
    Percent,
    Size,
)
from unransom.catalog.schemes.family import BadMarkError, Decryptor, FileKey, Keep, Mark, Piece, Unlock
from unransom.core.messages import say
from unransom.core.spans import Span, merge

Count = Annotated[int, Meta(ge=1, le=1 << 16)]
MOST_SPANS = 1 << 24  # of a file; lockers work in megabytes, and in few kilobytes at the least


class Facts(msgspec.Struct, frozen=True):
    """What extents may depend on besides the size.

    Attributes:
        numbers: By name.
        fields: Bytes by name.
        extension: Of the original's name, lower-case and without the dot; "" where it is not known.
    """

    numbers: dict[str, int] = {}
    fields: dict[str, bytes] = {}
    extension: str = ""

    @classmethod
    def of(cls, mark: Mark, key: FileKey) -> Facts:
        """Return the facts of a file; its original name is the field or part ``name``, if any."""
        fields = {**mark.fields, **key.parts}
        parts = {name: int.from_bytes(part, "little") for name, part in key.parts.items() if len(part) <= 8}
        name = fields.get("name", b"").rpartition(b"/")[2]
        extension = name.rpartition(b".")[2].decode("utf-8", "replace").lower() if b"." in name else ""
        return cls({**parts, **mark.numbers}, fields, extension)

    def number(self, amount: Amount) -> int:
        """Return what ``amount`` stands for; numbers beyond what files can have become that."""
        return min(amount if isinstance(amount, int) else self.numbers[amount], LARGEST)


NOTHING = Facts()


class Whole(Data, frozen=True, tag="whole"):
    """Every byte."""

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        del facts
        if size:
            yield Span(0, size)


class First(Data, frozen=True, tag="first"):
    """The first ``length`` bytes, or that ``percent`` of the file."""

    length: Amount = LARGEST
    percent: Percent = 100

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        end = min(facts.number(self.length), size, size * facts.number(self.percent) // 100)
        if end:
            yield Span(0, end)


class Last(Data, frozen=True, tag="last"):
    """The last ``length`` bytes, or the whole of a smaller file."""

    length: Amount

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        length = min(facts.number(self.length), size)
        if length:
            yield Span(size - length, size)


class Repeat(Data, frozen=True, tag="repeat"):
    """``on`` bytes locked, ``off`` bytes left, and again, to the end of the file.

    Attributes:
        first: Bytes of the first locked span where it differs.
        count: How many spans at most; 0 for all.
        whole: Only where ``on`` and ``off`` together still fit, as Babuk does on network storage.
        stop: Byte behind the last one that may be locked; the file's end where it is larger.
    """

    on: Size
    off: Amount
    first: Amount = 0
    count: Amount = 0
    whole: bool = False
    stop: Amount = LARGEST

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes.

        Raises:
            BadMarkError: No locker works in so many spans, or none of them has a byte.
        """
        on, off = facts.number(self.on), facts.number(self.off)
        end = min(size, facts.number(self.stop))
        if on < 1 or off < 0 or end // (on + off) > MOST_SPANS:
            raise BadMarkError(say("the locked areas are too small for the size of the file"))
        most = facts.number(self.count) or MOST_SPANS + 1
        if self.whole:
            most = min(most, end // (on + off))
        start, length = 0, facts.number(self.first) or on
        while start < end and most:
            yield Span(start, min(start + length, end))
            start += length + off
            length, most = on, most - 1


class Share(Data, frozen=True, tag="share"):
    """Chunks that together are a share of the file, spread over it: Conti and what came from it.

    A chunk has ``size * percent / 100 / divide`` bytes, or with ``hundredths`` first ``size / 100`` and
    that times ``percent``; every division drops its rest.

    Attributes:
        percent: Share of the file.
        count: How many chunks.
        divide: Parts that the share is cut into for a chunk.
        gaps: Parts that what is not locked is cut into for a step; 0 for ``count - 1``.
        step: Whether the step is from the end of a chunk to the next or from its start.
        hundredths: Whether a hundredth is taken first.
    """

    percent: Percent
    count: Count
    divide: Count = 1
    gaps: Length = 0
    step: Literal["between", "starts"] = "between"
    hundredths: bool = False

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes; they may overlap only with "starts"."""
        percent = facts.number(self.percent)
        share = size // 100 * percent if self.hundredths else size * percent // 100
        chunk = min(share // self.divide, size)
        gaps = self.gaps or max(self.count - 1, 1)
        step = max(size - chunk * self.count, 0) // gaps + (chunk if self.step == "between" else 0)
        for index in range(self.count):
            start = index * step
            if chunk and start < size:
                yield Span(start, min(start + chunk, size))


class Spread(Data, frozen=True, tag="spread"):
    """Chunks of one length at equal distances: the beginning, the middle and the end, or more of them.

    Attributes:
        length: Bytes of a chunk.
        count: How many.
        at: How the places are found: ``ends`` (the first at the beginning, the last at the end, those
            between centred on equal parts), ``steps`` (every ``size / count`` bytes) or ``steps-end``
            (the same, and the last one at the end).
        align: Steps are rounded up to a multiple of this.
    """

    length: Size
    count: Size = 3
    at: Literal["ends", "steps", "steps-end"] = "ends"
    align: Size = 1

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        length, count = min(facts.number(self.length), size), facts.number(self.count)
        if length < 1 or not 1 <= count <= MOST_SPANS:
            return
        for index in range(count):
            start = self._start(size, index, count, facts)
            if index == count - 1 and self.at != "steps":
                start = size - length
            elif index and self.at == "ends":
                start -= length // 2
            if start < size:
                yield Span(max(start, 0), min(start + length, size))

    def _start(self, size: int, index: int, count: int, facts: Facts) -> int:
        if self.at == "ends":
            return size * index // max(count - 1, 1)
        align = max(facts.number(self.align), 1)
        return index * -(-(size // count) // align) * align


class Listed(Data, frozen=True, tag="listed"):
    """Offsets in the metadata, each with a length or all with the same.

    Attributes:
        field: Name of the field or part with the list, little-endian.
        length: Bytes of every span; 0 where each offset has its own length behind it.
        width: Bytes of a number in the list.
    """

    field: BytesName
    length: Amount = 0
    width: Literal[4, 8] = 8

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes, sorted.

        Raises:
            BadMarkError: A span lies outside of the file.
        """
        data = facts.fields[self.field]
        numbers = [
            int.from_bytes(data[at : at + self.width], "little")
            for at in range(0, len(data) - self.width + 1, self.width)
        ]
        length = facts.number(self.length)
        pairs = (
            [(start, length) for start in numbers]
            if length
            else zip(numbers[::2], numbers[1::2], strict=False)
        )
        for start, long in sorted(pairs):
            if start + long > size:
                raise BadMarkError(say("a locked area lies outside of the file"))
            if long:
                yield Span(start, start + long)


class Behind(Data, frozen=True, tag="behind"):
    """Other ``extents``, of what lies behind the first ``start`` bytes."""

    start: Amount
    extents: Extents

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        start = facts.number(self.start)
        for span in self.extents.spans(max(size - start, 0), facts):
            yield Span(start + span.start, start + span.end)


class Joined(Data, frozen=True, tag="joined"):
    """Several extents at once; where they overlap, a byte is locked once."""

    parts: Annotated[tuple[Extents, ...], Meta(min_length=1, max_length=64)]

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        yield from merge(span for part in self.parts for span in part.spans(size, facts))


class UpTo(Data, frozen=True):
    """The ``extents`` of files of up to ``largest`` bytes."""

    largest: Length
    extents: Extents


class BySize(Data, frozen=True, tag="by-size"):
    """Other extents for other sizes.

    Attributes:
        steps: What is locked of files up to a size; ascending.
        above: What is locked of larger files.
        number: Name of a number to go by, a percentage for example; "" for the bytes of the original.
    """

    steps: tuple[UpTo, ...]
    above: Extents
    number: NumberName = ""

    def faults(self) -> Iterator[Fault]:
        """Yield steps that no size can reach."""
        for index, (before, step) in enumerate(pairwise(self.steps), 1):
            if step.largest <= before.largest:
                why = say("a step must go up to more than the one before it")
                yield Fault(("steps", index, "largest"), why)

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        number = facts.number(self.number) if self.number else size
        fitting = (step.extents for step in self.steps if number <= step.largest)
        return next(fitting, self.above).spans(size, facts)


class OfKind(Data, frozen=True):
    """The ``extents`` of files with one of ``extensions``: lower-case and without the dot."""

    extensions: tuple[Annotated[str, Meta(pattern=r"^[^.\sA-Z]+$")], ...]
    extents: Extents


class ByExtension(Data, frozen=True, tag="by-extension"):
    """Other extents for other kinds of file.

    Attributes:
        cases: The first that has the file's extension counts.
        otherwise: What is locked of all others.
    """

    cases: tuple[OfKind, ...]
    otherwise: Extents

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        fitting = (case.extents for case in self.cases if facts.extension in case.extensions)
        return next(fitting, self.otherwise).spans(size, facts)


class ByNumber(Data, frozen=True, tag="by-number"):
    """Other extents for other values of a number in the metadata, a mode or a percentage.

    Attributes:
        number: Its name.
        cases: What is locked for each value.
    """

    number: NumberName
    cases: dict[Length, Extents]

    def spans(self, size: int, facts: Facts = NOTHING) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes.

        Raises:
            BadMarkError: No locker is known to write this value.
        """
        value = facts.number(self.number)
        if value not in self.cases:
            raise BadMarkError(say("no known version locks in mode {mode}", mode=value))
        return self.cases[value].spans(size, facts)


Extents = (
    Whole
    | First
    | Last
    | Repeat
    | Share
    | Spread
    | Listed
    | Behind
    | Joined
    | BySize
    | ByExtension
    | ByNumber
)


def pieces(size: int, spans: Iterable[Span], cipher: Decryptor) -> Iterator[Piece]:
    """Yield the pieces of an output of ``size`` bytes whose ``spans``, sorted, share one cipher stream."""
    return each_piece(size, spans, lambda _: cipher)


def each_piece(
    size: int, spans: Iterable[Span], start: Callable[[Span], Decryptor], skip: int = 0
) -> Iterator[Piece]:
    """Yield the pieces of an output of ``size`` bytes whose ``spans`` have decryptors of their own.

    Args:
        size: Bytes of the output.
        spans: Sorted, without overlaps.
        start: Called with each span when its turn comes; returns its decryptor.
        skip: Bytes of the locked file before the first of the output's.

    Raises:
        BadMarkError: The spans overlap.
    """
    position = 0
    for span in spans:
        if span.start < position:
            raise BadMarkError(say("the locked areas overlap"))
        if span.start > position:
            yield Keep(skip + position, span.start - position)
        yield Unlock(skip + span.start, span.end - span.start, start(span))
        position = span.end
    if position < size:
        yield Keep(skip + position, size - position)
