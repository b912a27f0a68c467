"""The geometry of the report's pictures: bars, the histogram of the locking, strips of byte maps.

Everything is in per cent of the picture's width and height, so that a page can be of any width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from unransom.core.messages import Message, say
from unransom.core.spans import Origin, Run
from unransom.report import figures
from unransom.report.bytemap import condense
from unransom.report.document import Timeline

BARS = 160  # of a histogram at most
TICKS = 8  # of an axis at most
LAST_TICK = 0.94  # part of an axis behind which no tick is set
SQUEEZE = 4  # a time axis in common may be that many times as long as the longest picture needs
STRIP_RUNS = 240  # rectangles of a byte map at most
THIN = 0.3  # per cent of a strip that its thinnest run is drawn with
END_OF_TIME = 253402300799  # seconds: the last that ``datetime`` can hold
LOW = 2.0  # per cent of a histogram that its lowest bar is drawn with
STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200),
    *(86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000, 31536000, 315360000, 3153600000),
)  # seconds between two marks of an axis

Name = TypeVar("Name")


class Segment(msgspec.Struct, frozen=True):
    """A part of a bar that is cut into parts: its ``width`` in per cent, and as text."""

    name: str
    label: Message
    number: int
    width: float
    share: str


class Bar(msgspec.Struct, frozen=True):
    """A rectangle in per cent of the picture; ``title`` and ``number`` show when it is pointed at."""

    left: float
    width: float
    height: float
    title: str
    number: int
    name: str = ""


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis, in per cent from the left."""

    left: float
    label: str


class Frame(msgspec.Struct, frozen=True):
    """What a time axis shows, in seconds since 1970; ``end`` is behind ``begin``."""

    begin: float
    end: float

    @property
    def span(self) -> float:
        """Seconds from one end to the other."""
        return self.end - self.begin


class Histogram(msgspec.Struct, frozen=True):
    """The locking of one source over time."""

    source: str
    first: str
    last: str
    origin: str
    lasted: Message
    files: int
    peak: Message
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def segments(numbers: Mapping[Name, int], labels: Mapping[Name, Message]) -> tuple[Segment, ...]:
    """Return the parts of a bar for what is not zero, in the order of ``numbers``."""
    whole = sum(numbers.values())
    return tuple(
        Segment(str(name), labels[name], number, 100 * number / whole, figures.share(number, whole))
        for name, number in numbers.items()
        if number > 0
    )


def strip(runs: Sequence[Run]) -> tuple[Bar, ...]:
    """Return the rectangles of a byte map; what is guessed or lost is drawn on top, never too thin to see."""
    drawn = condense(runs, STRIP_RUNS)
    whole = max((run.end for run in drawn), default=0)
    bars = [_rectangle(run, whole) for run in drawn if whole]
    return tuple(sorted(bars, key=lambda bar: bar.name in {Origin.GUESSED.value, Origin.LOST.value}))


def _rectangle(run: Run, whole: int) -> Bar:
    length = run.end - run.start
    width = max(THIN, 100 * length / whole)
    return Bar(
        left=min(100 * run.start / whole, 100 - width),
        width=width,
        height=100,
        title=f"{run.start:,} – {run.end:,}",
        number=length,
        name=run.origin.value,
    )


def histograms(timelines: Sequence[Timeline]) -> tuple[Histogram, ...]:
    """Return the pictures of ``timelines``, without those that have no moments or unreadable ones.

    All have one time axis, so that one sees how the locker went from source to source, unless that
    axis would squeeze every one of them.
    """
    drawn = [(timeline, frame) for timeline in timelines if (frame := _frame(timeline))]
    if not drawn:
        return ()
    common = Frame(min(frame.begin for _, frame in drawn), max(frame.end for _, frame in drawn))
    if common.span > SQUEEZE * max(frame.span for _, frame in drawn):
        return tuple(_histogram(timeline, frame) for timeline, frame in drawn)
    return tuple(_histogram(timeline, common) for timeline, _ in drawn)


def _frame(timeline: Timeline) -> Frame | None:
    """Return the time from the first bucket to the last of ``timeline``."""
    try:
        starts = [_seconds(bucket.start) for bucket in timeline.buckets]
    except ValueError:
        return None
    if not starts:
        return None
    end = max(start + bucket.seconds for start, bucket in zip(starts, timeline.buckets, strict=True))
    return Frame(min(starts), max(end, min(starts) + 1))


def _histogram(timeline: Timeline, frame: Frame) -> Histogram:
    """Return the picture of ``timeline``, which has buckets, on the axis of ``frame``."""
    bucket_seconds = max(timeline.buckets[0].seconds, frame.span / BARS)
    bins = max(1, min(BARS, math.ceil(frame.span / bucket_seconds - 1e-6)))
    files = [0] * bins
    for bucket in timeline.buckets:
        position = (_seconds(bucket.start) - frame.begin) / frame.span
        files[min(bins - 1, int(position * bins + 1e-6))] += bucket.files
    return Histogram(
        source=timeline.source,
        first=figures.moment(timeline.first),
        last=figures.moment(timeline.last),
        origin=timeline.origin,
        lasted=_lasted(timeline),
        files=sum(files),
        peak=_within(max(files), frame.span / bins),
        bars=_bars(files, frame),
        ticks=_ticks(frame),
    )


def _lasted(timeline: Timeline) -> Message:
    """Return how long the locking took, by its first and last moment or else by its buckets."""
    try:
        return figures.duration(_seconds(timeline.last) - _seconds(timeline.first))
    except ValueError:
        own = _frame(timeline)
        return figures.duration(own.span if own else 0)


def _within(files: int, seconds: float) -> Message:
    """Return a rate of locking in the unit that makes it readable."""
    if seconds < 90:
        return say("{files} files/s", files=figures.rate(files / seconds))
    return say("{files} files/min", files=figures.rate(60 * files / seconds))


def _bars(files: Sequence[int], frame: Frame) -> tuple[Bar, ...]:
    highest = max(files) or 1
    width = 100 / len(files)
    return tuple(
        Bar(
            left=index * width,
            width=width * 0.86,
            height=max(LOW, 100 * number / highest),
            title=f"{_utc(frame.begin + index * frame.span / len(files)):%Y-%m-%d %H:%M:%S} UTC",
            number=number,
        )
        for index, number in enumerate(files)
        if number
    )


def _ticks(frame: Frame) -> tuple[Tick, ...]:
    """Return round moments on the axis; none so near to its end that the text would not fit."""
    step = next((step for step in STEPS if frame.span / step <= TICKS), None)
    if step is None:
        return ()
    pattern = "%Y-%m-%d" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S"
    first = math.ceil(frame.begin / step) * step
    last = math.floor(frame.begin + LAST_TICK * frame.span)
    return tuple(
        Tick(100 * (mark - frame.begin) / frame.span, f"{_utc(mark):{pattern}}")
        for mark in range(first, last + 1, step)
    )


def _seconds(time: str) -> float:
    """Return an RFC 3339 time as seconds since 1970; raises ``ValueError``."""
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(seconds, END_OF_TIME), UTC)
