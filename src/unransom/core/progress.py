"""Progress of work that takes longer than a second, as events; what is drawn from them is the CLI's."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """Where an operation stands.

    Attributes:
        operation: The step's name.
        done, total: In ``unit``; total is 0 while it is not known.
        unit: ``files``, ``bytes`` or ``parts`` of a search.
        item: What was worked on last.
        bytes_done: Bytes handled so far, whatever the unit.
        seconds: Since the operation began.
        problems: Problems so far.
        finished: The last event of the operation.
        tried: Keys that a search has tried so far.
    """

    operation: str
    done: int
    total: int
    unit: str
    item: str = ""
    bytes_done: int = 0
    seconds: float = 0.0
    problems: int = 0
    finished: bool = False
    tried: int = 0

    @property
    def rate(self) -> float:
        """Units per second, 0 at the beginning."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds until ``total`` at the rate so far, 0 where that is not known."""
        return (self.total - self.done) / self.rate if self.rate and self.total else 0.0


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Listen to nothing."""
