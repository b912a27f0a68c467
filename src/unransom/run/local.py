"""Executes tasks in processes of this machine; the death of one is seen and costs only its task."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from pebble import ProcessExpired, ProcessPool

from unransom.run import nursery
from unransom.run.executor import Fate, Outcome
from unransom.run.work import Done, Surroundings, Task, perform, quiet_worker

HEARTBEAT = 0.5  # seconds
# Seconds beyond those of the tasks that run in which no task ends though some wait. A worker that is killed
# between taking a task and saying so takes it along, or the lock under which all take theirs, and nobody
# hears of it: what waits then has died with its worker.
LOST = 60.0
AHEAD = 2  # tasks per worker that are waiting in the pool


class LocalExecutor:
    """A pool of worker processes."""

    def __init__(self, workers: int = 0, memory_limit: int = 0, preload: Sequence[str] = ()) -> None:
        """Start processes.

        Args:
            workers: How many, one a core by default.
            memory_limit: Bytes for each.
            preload: Modules that all of them need; by default those of the steps of a case.
        """
        self.workers = workers or len(os.sched_getaffinity(0))
        context = nursery.begin(preload or _steps())
        self._new_pool = partial(
            ProcessPool, self.workers, initializer=quiet_worker, initargs=(memory_limit,), context=context
        )
        self._pool = self._new_pool()

    def run(self, surroundings: Surroundings, tasks: Iterable[Task]) -> Iterator[Outcome | None]:
        """Perform ``tasks``; see ``Executor.run``."""
        pending: dict[Future[Done], Task] = {}
        source, idle = iter(tasks), 0.0
        while True:
            while len(pending) < self.workers * AHEAD and (task := next(source, None)):
                if not self._pool.active:  # it gives up where all workers are killed
                    self._renew()
                pending[self._pool.schedule(perform, (surroundings, task), timeout=task.seconds)] = task
            if not pending:
                return
            done, _ = wait(pending, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            for future in done:
                yield Outcome(pending.pop(future), _result(future))
            if not done:
                yield None
            idle = 0.0 if done else idle + HEARTBEAT
            running = (task.seconds for future, task in pending.items() if future.running())
            if idle >= LOST + max(running, default=0.0):
                self._renew()
                yield from (Outcome(task, Fate.DIED) for task in pending.values())
                pending.clear()

    def close(self) -> None:
        """Stop all workers at once."""
        self._pool.stop()
        self._pool.join()

    def _renew(self) -> None:
        self.close()
        self._pool = self._new_pool()


def _steps() -> list[str]:
    """Return the modules of the steps of a case."""
    from unransom.run.flow import FLOW  # noqa: PLC0415  it knows every family

    return [step.perform.partition(":")[0] for step in FLOW if step.perform]


def _result(future: Future[Done]) -> Done | Fate:
    try:
        result = future.result()
    except (ProcessExpired, BrokenProcessPool):
        return Fate.DIED
    except TimeoutError:
        return Fate.TIMEOUT
    return result
