"""Executes tasks in processes of this machine; the death of one is seen and costs only its task.

Every worker has a pipe of its own. Workers that share a queue share its lock, too: one that is killed while
it holds the lock, or when half of a message is written, stops them all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext

from unransom.run import nursery
from unransom.run.executor import Fate, Outcome
from unransom.run.work import Done, Surroundings, Task, serve

HEARTBEAT = 0.5  # seconds
BIRTHS = 5  # attempts at a worker, as the process that they are forked from may be killed, too


class LocalExecutor:
    """A pool of worker processes."""

    def __init__(self, workers: int = 0, memory_limit: int = 0, preload: Sequence[str] = ()) -> None:
        """Start the process that workers are forked from.

        Args:
            workers: How many, one a core by default.
            memory_limit: Bytes for each.
            preload: Modules that all of them need; by default those of the steps of a case.
        """
        self.workers = workers or len(os.sched_getaffinity(0))
        self._memory_limit = memory_limit
        self._context = nursery.begin(preload or _steps())
        self._free: list[_Worker] = []
        self._busy: list[_Worker] = []

    def run(self, surroundings: Surroundings, tasks: Iterable[Task]) -> Iterator[Outcome | None]:
        """Perform ``tasks``; see ``Executor.run``. One run at a time.

        Raises:
            Exception: What a task raised.
        """
        source = iter(tasks)
        outcomes: list[Outcome | None] = []
        try:
            while True:
                while len(self._busy) < self.workers and (task := next(source, None)):
                    worker = self._free.pop() if self._free else self._born()
                    worker.begin(surroundings, task)
                    self._busy.append(worker)
                if outcomes:  # what comes of them may be more tasks
                    yield from outcomes
                    outcomes = []
                elif self._busy:
                    outcomes = list(self._ended()) or [None]
                else:
                    return
        finally:
            _kill(self._busy)  # nobody waits for them any more

    def close(self) -> None:
        """Stop all workers at once."""
        _kill(self._busy)
        _kill(self._free)

    def _ended(self) -> Iterator[Outcome]:
        """Wait for a while, and yield the outcomes of tasks that ended."""
        seconds = min(each.deadline for each in self._busy) - time.monotonic()
        ready = wait([each.pipe for each in self._busy], max(0.0, min(HEARTBEAT, seconds)))
        now = time.monotonic()
        for worker in [each for each in self._busy if each.pipe in ready or each.deadline <= now]:
            result = worker.end() if worker.pipe in ready else Fate.TIMEOUT
            self._busy.remove(worker)
            if isinstance(result, Done):
                self._free.append(worker)
            else:
                worker.kill()
            yield Outcome(worker.task, result)

    def _born(self, attempts: int = BIRTHS) -> _Worker:
        try:
            return _Worker(self._context, self._memory_limit)
        except (EOFError, ConnectionError):
            if attempts == 1:
                raise
            return self._born(attempts - 1)


class _Worker:
    """A process that performs one task after the other.

    Attributes:
        pipe: Readable when the task has ended or the process has died.
        task: What it does, or did last.
        deadline: When it must have done so, on the monotonic clock.
    """

    task: Task
    deadline: float

    def __init__(self, context: ForkServerContext, memory_limit: int) -> None:
        """Start the process.

        Raises:
            EOFError: What it is forked from has died.
            ConnectionError: The same.
        """
        self.pipe, theirs = context.Pipe()
        with theirs:
            self._process = context.Process(target=serve, args=(theirs, memory_limit), daemon=True)
            self._process.start()

    def begin(self, surroundings: Surroundings, task: Task) -> None:
        """Hand over ``task``."""
        self.task, self.deadline = task, time.monotonic() + task.seconds
        try:
            self.pipe.send((surroundings, task))
        except ConnectionError:
            return  # it is dead, as its end of the pipe says

    def end(self) -> Done | Fate:
        """Return the result of the task.

        Raises:
            Exception: What the task raised.
        """
        try:
            result: Done | Exception = self.pipe.recv()
        except (EOFError, OSError):
            return Fate.DIED
        if isinstance(result, Exception):
            raise result
        return result

    def kill(self) -> None:
        """Stop the process at once."""
        self.pipe.close()
        self._process.kill()
        self._process.join()


def _kill(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().kill()


def _steps() -> list[str]:
    """Return the modules of the steps of a case."""
    from unransom.run.flow import FLOW  # noqa: PLC0415  it knows every family

    return [step.perform.partition(":")[0] for step in FLOW if step.perform]
