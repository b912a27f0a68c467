"""What executes tasks: the processes of this machine or a cluster, through one interface."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from unransom.run.work import Done, Surroundings, Task


class Fate(enum.Enum):
    """How a task ended that has no result."""

    DIED = "died"  # its worker did
    TIMEOUT = "timeout"


class Outcome(NamedTuple):
    """A task and what came of it."""

    task: Task
    result: Done | Fate


class Executor(Protocol):
    """Performs tasks, several at once."""

    workers: int

    def run(self, surroundings: Surroundings, tasks: Iterable[Task]) -> Iterator[Outcome | None]:
        """Perform ``tasks`` and yield their outcomes as they come; None now and then as a heartbeat.

        Tasks are drawn as workers become free, so they may be generated from what is stored meanwhile.
        """
        ...

    def close(self) -> None:
        """Stop all workers at once; what they were doing is lost."""
        ...
