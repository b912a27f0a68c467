"""Which areas of a file are locked, seen from where its format breaks: compressed content looks random too.

What is locked first ends where the format breaks first when all is decrypted, or before. So all lengths up to
there are tried, the format tells which of them holds longest, and from where that breaks the next area is
sought. Only areas with which the whole file holds count, and only if those of no other numbers do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

from unransom.catalog.formats.format import Validation
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assemble_in_memory
from unransom.catalog.schemes.extents import Extents, First, Joined, Last, Repeat, Spread, Whole
from unransom.catalog.schemes.family import Plan
from unransom.catalog.schemes.stripes import KIB, PERCENTS, ROUND, TIMES
from unransom.catalog.schemes.ways import Streams
from unransom.core.records import Grade
from unransom.core.streams import BytesReader, Reader, Salvage

LARGEST = 16 << 20  # bytes of a file that is judged in memory
JUDGED = 512 << 20  # bytes of all the originals that are judged for a file
MOST = 200  # of them
LAG = 64 * KIB  # bytes before a fault that may be its reason
SMALL = (*(count * KIB for count in (1, 2, 4, 8, 10, 16, 32)), 1000, 10_000)
COUNTS = range(2, 11)  # of areas that are spread over a file
LIKELY = 2  # lengths of the first area that others are sought for

Make = Callable[[Extents, Streams], Plan]


class Areas(NamedTuple):
    """What is locked of a file, and how areas share the stream."""

    extents: Extents
    streams: Streams


class _Judged(NamedTuple):
    areas: Areas
    validation: Validation
    data: bytes

    @property
    def fault(self) -> tuple[int, int]:
        """Where the format breaks first, and the end of that."""
        damage = self.validation.damage
        return (damage[0].start, damage[0].end) if damage else (0, 0)


class Stream(NamedTuple):
    """One of the ways in which a file may be locked.

    Attributes:
        size: Bytes of the original.
        make: Takes what is locked and how areas share the stream; returns the plan.
        streams: How they may.
    """

    size: int
    make: Make
    streams: tuple[Streams, ...]


def areas_by_format(locked: Reader, ways: Iterable[Stream]) -> Plan | None:
    """Return the plan for the only areas with which the file holds by its format.

    Args:
        locked: The locked file.
        ways: In which it may be locked; only that with which the format holds longest is looked at closely.

    Returns:
        None where it holds without any, where several areas hold, none do, or the file is too large.
    """
    tried = [(search, whole) for way in ways if (whole := (search := _Search(locked, way)).whole())]
    broken = [each for each in tried if each[1].validation.damage]
    if not broken or any(whole.validation.grade is Grade.GOOD for _, whole in tried):
        return None
    search, whole = max(broken, key=lambda each: each[1].fault[0])
    areas = _areas(search, whole)
    return search.way.make(*areas) if areas else None


def _areas(search: _Search, whole: _Judged) -> Areas | None:
    """Return the only areas with which the file holds, None where there are none."""
    size = search.way.size
    lengths = sorted(_lengths(size, whole.fault[1]), key=lambda length: abs(length - whole.fault[0]))
    firsts = [each for length in lengths if (each := search.judged(First(length), "one"))]
    if any(each.validation.grade is Grade.GOOD for each in firsts):
        return search.only(firsts)
    firsts.sort(key=lambda each: each.fault[0], reverse=True)
    found = []
    for first in firsts[:LIKELY]:
        length = next(first.areas.extents.spans(size)).end
        for extents in _behind(length, size, first.fault):
            found += [each for how in search.way.streams if (each := search.judged(extents, how))]
    return search.only(found)


class _Search:
    """Judges originals, as many as there is time for."""

    def __init__(self, locked: Reader, way: Stream) -> None:
        self.way = way
        self._locked = Salvage(locked)
        self._left = min(JUDGED // max(way.size, 1), MOST) if way.size <= LARGEST else 0

    def whole(self) -> _Judged | None:
        """Return what the format says where all is locked."""
        return self.judged(Whole(), "one")

    def judged(self, extents: Extents, streams: Streams) -> _Judged | None:
        """Return what the format says, None once there is no time left."""
        if not self._left:
            return None
        self._left -= 1
        data = assemble_in_memory(self._locked, self.way.make(extents, streams), LARGEST)
        if data is None:
            return None
        return _Judged(Areas(extents, streams), judge(BytesReader(data)).validation, data)

    def only(self, found: Iterable[_Judged]) -> Areas | None:
        """Return those that hold, None where several do that give other originals, or not all were tried."""
        good = [each for each in found if each.validation.grade is Grade.GOOD]
        if not self._left or len({each.data for each in good}) != 1:
            return None
        return good[0].areas


def _lengths(size: int, end: int) -> set[int]:
    """Return how long the first area may be: it ends before ``end``."""
    shares = {size * percent // 100 for percent in PERCENTS} | {size // count for count in COUNTS}
    return {length for length in {*SMALL, *ROUND, *shares} if 0 < length < min(size, end)}


def _behind(length: int, size: int, fault: tuple[int, int]) -> Iterator[Extents]:
    """Yield areas of which the first has ``length`` bytes and the second begins where the format breaks."""
    seen = set()
    for extents in _repeated(length, size):
        second = next(islice(extents.spans(size), 1, None), None)
        if second is None or not fault[0] - LAG <= second.start < fault[1]:
            continue
        spans = tuple(extents.spans(size))
        if spans not in seen and all(one.end <= other.start for one, other in pairwise(spans)):
            seen.add(spans)
            yield extents


def _repeated(length: int, size: int) -> Iterator[Extents]:
    """Yield what lockers may do behind a first area of ``length`` bytes."""
    yield Joined((First(length), Last(length)))
    for count in COUNTS:
        yield Spread(length, count)
        yield Spread(length, count, at="steps")
        yield Spread(length, count, at="steps-end")
    for off in {*SMALL, *ROUND, *(length * times for times in TIMES)}:
        yield Repeat(on=length, off=off)
