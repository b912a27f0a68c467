"""Cuts the items of a step into tasks for workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from unransom.core.records import Delivery, FileRef, LockedGroup
from unransom.core.searches import LockedFile, Shard, Target
from unransom.recover.databases.records import DatabaseFile
from unransom.recover.repair.records import Broken
from unransom.run.flow import Numbered, Parts, Step
from unransom.run.work import Item, Task

# Tasks are large enough that to hand them over costs nothing, and small enough that progress is seen, little
# is lost when a run is stopped, and no worker is long at work when the others have nothing to do.
TASK_SECONDS = 1.0
TASK_ITEMS = 128
TASK_BYTES = 64 << 20
QUICK = 1e-6  # seconds; no item takes less
SLOWEST = 2e6  # bytes per second


class Queue:
    """Tasks of one step; tasks that failed come back item by item.

    An iterator that may have more after it said that it has none: the executor asks again after every
    outcome.
    """

    def __init__(self, step: Step, items: Iterator[Numbered], item_seconds: float) -> None:
        """Take ``items`` from the case as tasks are asked for; each may take ``item_seconds`` and more."""
        self._step = step
        self._items = items
        self._item_seconds = item_seconds
        self._returned: deque[Task] = deque()
        self._most = 1  # items of a task
        self._next: Numbered | None = next(items, None)

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        if self._returned:
            return self._returned.popleft()
        batch: list[Numbered] = []
        size = 0
        self._next = self._next or next(self._items, None)
        while (
            self._next
            and len(batch) < self._most
            and (not batch or size + size_of(self._next.item) <= TASK_BYTES)
        ):
            batch.append(self._next)
            size += size_of(self._next.item)
            self._next = next(self._items, None)
        if not batch:
            raise StopIteration
        return self._task(batch)

    @property
    def total(self) -> int:
        """How many items there are, where that can grow; else 0."""
        return self._items.total if isinstance(self._items, Parts) else 0

    @property
    def over(self) -> bool:
        """Whether tasks that have not ended yet are given up for this run."""
        return isinstance(self._items, Parts) and self._items.over

    def again(self, task: Task) -> None:
        """Take the items of ``task`` back, each as a task of its own."""
        pairs = zip(task.numbers, task.items, strict=True)
        self._returned.extend(self._task([Numbered(number, item)]) for number, item in pairs)

    def learn(self, seconds: tuple[float, ...]) -> None:
        """Choose how many items a task has, by the seconds that each of one took.

        The first of a task opens the evidence, which may take long: the others are to outweigh that.
        """
        if not seconds:
            return
        first, *others = seconds
        each = sum(others) / len(others) if others else 0.0
        fitting = max(TASK_SECONDS, 2 * first) / max(each, QUICK)
        self._most = int(max(1, min(fitting, 2 * max(self._most, len(seconds)), TASK_ITEMS)))

    def _task(self, batch: list[Numbered]) -> Task:
        size = sum(size_of(item) for _, item in batch)
        return Task(
            step=self._step.name,
            perform=self._step.perform,
            numbers=tuple(number for number, _ in batch),
            items=tuple(item for _, item in batch),
            seconds=self._item_seconds * (1 + len(batch) / 8) + size / SLOWEST,
        )


def size_of(item: Item) -> int:
    """Return the bytes of ``item`` that a task has to do with."""
    match item:
        case FileRef():
            return item.size
        case LockedFile() | Broken():
            return item.ref.size
        case DatabaseFile():
            return item.size
        case Delivery():
            return 0
        case LockedGroup() | Target() | Shard():
            return TASK_BYTES  # a task of its own
