"""The ledger of a walk over a file: how many bits held, and which spans did not."""

from __future__ import annotations

from unransom.catalog.formats.format import Validation
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.spans import Span, merge
from unransom.core.stats import DEVIATION, chi_square
from unransom.core.streams import Reader

CAP = 4096  # bits: nothing gets more certain beyond
ENOUGH = 16  # bits that must hold before a damaged file counts as such a file at all
SPANS = 4096  # kept of one file; beyond, the last one grows
TRAILER = 16  # bytes behind a structural end that say nothing
SAMPLE = 4096  # bytes of a longer trailer that are looked at, at each of its ends


class Ledger:
    """Collects what holds and what breaks, and draws the grade from it.

    Attributes:
        bits: Strength of all checks that held.
        why: The first that did not hold, None while all do.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._damage: list[Span] = []
        self.bits = 0.0
        self.why: Message | None = None

    def holds(self, bits: float) -> None:
        """Add a check that random bytes pass with probability ``2**-bits``."""
        self.bits += bits

    def breaks(self, start: int, end: int, why: Message) -> None:
        """Note that bytes ``start`` to ``end`` do not hold; clipped to the file, order does not matter."""
        self.why = self.why or why
        start = min(max(0, start), self._size)
        span = Span(start, max(start, min(end, self._size)))
        last = self._damage[-1] if self._damage else None
        if last and last.start <= span.start and (span.start <= last.end or len(self._damage) >= SPANS):
            self._damage[-1] = Span(last.start, max(last.end, span.end))
        elif last and len(self._damage) >= SPANS:
            self._damage[-1] = Span(span.start, max(last.end, span.end))
        else:
            self._damage.append(span)

    def verdict(self, good: Message, *, length: int | None = None) -> Validation:
        """Return GOOD with ``good`` where nothing broke, PARTIAL where something held, else BAD."""
        bits = min(int(self.bits), CAP)
        if self.why is None:
            return Validation(Grade.GOOD, bits, good, length)
        grade = Grade.PARTIAL if bits >= ENOUGH else Grade.BAD
        return Validation(grade, bits, self.why, length, tuple(merge(self._damage)))


def bad(why: Message, size: int) -> Validation:
    """Return the verdict on ``size`` bytes of which nothing holds."""
    return Validation(Grade.BAD, 0, why, None, (Span(0, size),) if size else ())


def check_trailer(reader: Reader, end: int, ledger: Ledger) -> None:
    """Note bytes behind the structural ``end`` as damage where they look like a locker's footer.

    A few bytes, zeros and text are what honest programs leave behind a file; uniformly random bytes are
    not. Both ends of a long trailer are looked at, as a locker may pad its footer.
    """
    extra = reader.size - end
    if extra <= TRAILER:
        return
    ends = {reader.read_at(end, SAMPLE), reader.read_at(max(end, reader.size - SAMPLE), SAMPLE)}
    if any(looks_random(sample) for sample in ends):
        ledger.breaks(end, reader.size, say("{extra} random bytes follow the end of the file", extra=extra))


def looks_random(data: bytes) -> bool:
    """Tell whether ``data`` could be encrypted: short data by its distinct values, long by chi-square."""
    if len(data) < 512:
        expected = 256 * (1 - (255 / 256) ** len(data))  # distinct values in that many random bytes
        return len(set(data)) > 0.85 * expected and any(code >= 128 for code in data)
    return chi_square(data) < 255 + 8 * DEVIATION
