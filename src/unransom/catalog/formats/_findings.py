"""What a validator collects while it walks a file, and the verdict that follows from it."""

from __future__ import annotations

from unransom.catalog.formats.format import Validation
from unransom.core.messages import Message
from unransom.core.records import Grade
from unransom.core.spans import Span, merge

BITS_CAP = 4096  # more proof than this helps nobody
SPANS_CAP = 4096  # spans kept apart; later ones are joined to the last
HOLD = 32  # bits that must hold before a damaged file counts as such a file at all


class Findings:
    """Bits of proof that held, and the places where the structure broke."""

    def __init__(self, size: int) -> None:
        """Collect what is found in a reader of ``size`` bytes."""
        self._size = size
        self.bits = 0
        self.doubted = False
        self.first: Message | None = None
        self.damage: list[Span] = []

    @property
    def clean(self) -> bool:
        """Nothing broke so far."""
        return self.first is None

    def hold(self, bits: int) -> None:
        """A check of ``bits`` bits held."""
        self.bits = min(self.bits + bits, BITS_CAP)

    def doubt(self) -> None:
        """A check did not hold that does not hold in every real file either."""
        self.doubted = True

    def fault(self, start: int, end: int, why: Message) -> None:
        """The structure does not hold in ``start <= offset < end``; the first ``why`` is the one told."""
        self.first = self.first or why
        start, end = max(0, start), min(end, self._size)
        if end <= start:
            return  # behind the file's end, where it is cut off
        last = self.damage[-1] if self.damage else None
        if last and (last.start <= start <= last.end or len(self.damage) >= SPANS_CAP):
            self.damage[-1] = Span(min(last.start, start), max(last.end, end))
        else:
            self.damage.append(Span(start, end))

    def verdict(self, whole: Message, length: int | None = None) -> Validation:
        """Return GOOD with ``whole`` where nothing broke, else PARTIAL or BAD with the first fault."""
        if self.first is None:
            return Validation(Grade.GOOD, self.bits, whole, length, doubted=self.doubted)
        grade = Grade.PARTIAL if self.bits >= HOLD else Grade.BAD
        return Validation(grade, self.bits, self.first, length, tuple(merge(self.damage)))


def bad(why: Message, size: int) -> Validation:
    """Return the verdict on ``size`` bytes that are not a file of the format at all."""
    return Validation(Grade.BAD, 0, why, None, (Span(0, size),) if size else ())
