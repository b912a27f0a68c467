"""Files that lie in one piece: measured by their own structure, then held to every check that they have."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from unransom.catalog.formats.format import HEAD, Format, Validation
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Reader, Window
from unransom.recover.carve.board import SURE
from unransom.recover.carve.doubts import is_complete
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.signatures import Guess, guesses
from unransom.recover.carve.space import Space

SMALLEST = 24  # bytes: what is shorter is no file that anyone misses
LONGEST = 1 << 40  # bytes of a file
RUNNING = frozenset({"mpeg", "mpegts", "mail"})  # parts of them begin as files do
FROM_THEIR_ENDS = frozenset({"zip", "ooxml", "pdf"})  # found by what their ends say, whole or not
GENEROUS = 64 << 20  # bytes that may be read for one beginning before it costs the others
PATIENCE = 64  # times the size of the region that may be read for all of its beginnings


class OutOfBudgetError(Exception):
    """What begins here has cost more reading than it may."""


class Metered:
    """A reader that stops a check which reads too much; made for one check."""

    def __init__(self, reader: Reader, allowance: int) -> None:
        self._reader = reader
        self.left = allowance
        self.size = reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``.

        Raises:
            OutOfBudgetError: The allowance is used up.
        """
        data = self._reader.read_at(offset, length)
        self.left -= len(data) + 64
        if self.left < 0:
            raise OutOfBudgetError
        return data


class Wholes:
    """The search for whole files in a region.

    Attributes:
        skipped: Beginnings that were not looked at because the budget of the region was used up.
        starts: Where files begin, whole or not, as far as their first bytes are proof of that.
    """

    def __init__(self, space: Space, region: Span) -> None:
        self._space = space
        self._budget = max(PATIENCE * len(region), 4 * GENEROUS)
        self.skipped = 0
        self.starts: list[int] = []
        self._running: dict[
            str, int
        ] = {}  # where the last file of a format ends whose parts begin as files do

    def find(self, heads: Iterable[int]) -> Iterator[Found]:
        """Yield the files that begin at ``heads``, which are sorted; of parts of a proven one nothing."""
        behind = 0
        for start in heads:
            if start < behind:
                continue
            if self._budget <= 0:
                self.skipped += 1
                continue
            if (found := self.at(start)) is not None:
                yield found
                if found.proof >= Proof.STRUCTURE:
                    behind = found.spans[-1].end

    def at(self, start: int) -> Found | None:
        """Return the file that begins at ``start``, None where no format holds from there."""
        fitting = guesses(self._space.read_at(start, HEAD))
        if fitting and fitting[0].bits >= SURE:
            self.starts.append(start)
        for guess in fitting:
            name = guess.format.name
            if name in FROM_THEIR_ENDS or start < self._running.get(name, 0):
                continue
            if (found := self._try(start, guess)) is not None:
                if name in RUNNING:
                    self._running[name] = found.spans[-1].end
                return found
        return None

    def _try(self, start: int, guess: Guess) -> Found | None:
        allowance = min(max(self._budget, 0), max(GENEROUS, self._budget // 32))
        reader = Metered(Window(self._space, start, LONGEST), allowance)
        try:
            ends = _ends(guess.format, reader)
            for end in ends:
                content = Window(reader, 0, end)
                verdict = guess.format.validate(content)
                if verdict.grade is Grade.GOOD and is_complete(
                    guess.format.name, content, reader.read_at(end, 16)
                ):
                    return _found(guess.format, start, end, verdict)
        except OutOfBudgetError:
            pass
        finally:
            self._budget -= allowance - max(reader.left, 0)
        return None


def _ends(each: Format, reader: Reader) -> list[int]:
    """Return where the file may end, the likeliest first."""
    measure = each.measure(reader)
    ends = [measure.length, *measure.alternatives] if measure.length else []
    return [end for end in ends if end is not None and SMALLEST <= end <= reader.size]


def _found(each: Format, start: int, end: int, verdict: Validation) -> Found:
    proof = proof_of(each.name, verdict.bits, doubted=verdict.doubted)
    return Found(each.name, [Span(start, start + end)], proof, verdict.bits, verdict.why)


def inside(spans: list[Span], offset: int) -> bool:
    """Return whether ``offset`` lies in one of ``spans``, which are sorted."""
    index = bisect_right(spans, offset, key=lambda span: span.start) - 1
    return index >= 0 and offset < spans[index].end
