"""Which parts of a source were read, as GNU ddrescue keeps it: its map files are read and written.

Source: GNU ddrescue Manual, "Mapfile structure".
"""

from __future__ import annotations

import enum
import os
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.core.spans import Span

MOST_LINES = 50_000_000


class Status(enum.StrEnum):
    """What is known of a part."""

    UNTRIED = "?"
    UNTRIMMED = "*"  # it failed as a whole; where, is not known
    UNSCRAPED = "/"  # its first and last sectors fail
    BAD = "-"
    DONE = "+"


class RescueMap:
    """The status of every byte of a source: sorted runs without gaps, neighbours merged."""

    def __init__(self, size: int) -> None:
        """Begin with ``size`` bytes that were not tried."""
        self.size = size
        self._starts = [0]
        self._statuses = [Status.UNTRIED]

    def mark(self, span: Span, status: Status) -> None:
        """Give ``span`` a status."""
        start, end = max(0, span.start), min(span.end, self.size)
        if start >= end:
            return
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        begin, behind = self._starts[first], self._end(last)
        before, after = self._statuses[first], self._statuses[last]
        runs = [(begin, before)] if begin < start else []
        runs.append((start, status))
        if behind > end:
            runs.append((end, after))
        # the runs beside them, to be merged with
        if first and runs[0][0] == begin:
            first -= 1
            runs.insert(0, (self._starts[first], self._statuses[first]))
        if behind < self.size and last + 1 < len(self._starts):
            last += 1
            runs.append((self._starts[last], self._statuses[last]))
        kept = [run for number, run in enumerate(runs) if not number or runs[number - 1][1] is not run[1]]
        self._starts[first : last + 1] = [run[0] for run in kept]
        self._statuses[first : last + 1] = [run[1] for run in kept]

    def spans(self, *statuses: Status) -> list[Span]:
        """Return the parts that have one of ``statuses``, in order."""
        return [span for span, status in self if status in statuses]

    def total(self, *statuses: Status) -> int:
        """Return how many bytes have one of ``statuses``."""
        return sum(map(len, self.spans(*statuses)))

    def __iter__(self) -> Iterator[tuple[Span, Status]]:
        if self.size:
            for number, status in enumerate(self._statuses):
                yield Span(self._starts[number], self._end(number)), status

    def _end(self, number: int) -> int:
        return self._starts[number + 1] if number + 1 < len(self._starts) else self.size

    def text(self) -> str:
        """Return the map file."""
        finished = not self.spans(Status.UNTRIED, Status.UNTRIMMED, Status.UNSCRAPED)
        lines = ["# Mapfile. Created by unransom, in the format of GNU ddrescue"]
        lines += [
            "# current_pos  current_status  current_pass",
            f"0x00000000     {'+' if finished else '?'}  1",
        ]
        lines.append("#      pos        size  status")
        lines += [f"0x{span.start:08X}  0x{len(span):08X}  {status}" for span, status in self]
        return "\n".join(lines) + "\n"

    def save(self, path: Path) -> None:
        """Write the map file under another name, flush it, and give it its name."""
        draft = path.with_name(path.name + ".new")
        with draft.open("w", encoding="ascii") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    @classmethod
    def load(cls, path: Path, size: int) -> RescueMap:
        """Read a map file of a source of ``size`` bytes; ddrescue's are as good as our own.

        Raises:
            UsageError: It is none.
        """
        found = cls(size)
        seen_position = False
        with path.open(encoding="ascii", errors="replace") as file:
            for number, line in enumerate(file):
                words = line.split()
                if not words or words[0].startswith("#") or number > MOST_LINES:
                    continue
                if not seen_position:  # where ddrescue stood: it is found out anew
                    seen_position = True
                    continue
                try:
                    start, length, status = int(words[0], 0), int(words[1], 0), Status(words[2])
                except (ValueError, IndexError) as error:
                    raise UsageError(
                        say("{file} is no map of ddrescue", file=str(path)),
                        detail=line.strip()[:200],
                        hint=say("move it away, and the source is read from the start"),
                    ) from error
                found.mark(Span(start, start + length), status)
        return found
